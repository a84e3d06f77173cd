"""Meta's side of the wire: deliveries in the documented shapes, signed with the application's secret."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from botcore.channels.values import WebhookRequest
from tests.botcore.channels.conformance import ChannelConformance
from tests.botcore.channels.platform import Told, as_json, delivery, with_header, without

APP_SECRET = "0123456789abcdef0123456789abcdef"
TOKEN = "EAAtoken1234567890"
VERIFY = "verify-token-1234"
SIGNATURE = "x-hub-signature-256"
CUSTOMER = "16505551234"
NUMBER, PAGE, ACCOUNT = "106540352242922", "2468013579", "17841400008460056"


def signed(url: str, value: Any) -> WebhookRequest:
    return with_body(delivery(url, b"", {"content-type": "application/json"}), as_json(value))


def with_body(request: WebhookRequest, body: bytes) -> WebhookRequest:
    signature = hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
    return with_header(replace(request, body=body), SIGNATURE, f"sha256={signature}")


def refusal(status: int, code: int, message: str = "no", **more: Any) -> Told:
    return Told(status, {"error": {"message": message, "type": "OAuthException", "code": code, **more}})


# --- WhatsApp ---------------------------------------------------------------------------------------------------------


def change(*messages: Mapping[str, Any], statuses: Any = (), number: str = NUMBER) -> dict[str, Any]:
    contacts = [{"profile": {"name": "Ada Byron"}, "wa_id": CUSTOMER, "user_id": "US.1349"}]
    value = {"messaging_product": "whatsapp", "metadata": {"display_phone_number": "1555", "phone_number_id": number}}
    told = {"contacts": contacts, "messages": list(messages)} if messages else {}
    return {"field": "messages", "value": value | told | ({"statuses": list(statuses)} if statuses else {})}


def whatsapp(*changes: Any) -> dict[str, Any]:
    return {"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": list(changes)}]}


def message(kind: str, content: Any, number: int = 1, **more: Any) -> dict[str, Any]:
    return {"from": CUSTOMER, "id": f"wamid.{number}", "timestamp": "1749416383", "type": kind, kind: content, **more}


def status(platform_id: str, told: str, **more: Any) -> dict[str, Any]:
    return {"id": platform_id, "status": told, "timestamp": "1749416390", "recipient_id": CUSTOMER, **more}


# --- Messenger, Instagram ---------------------------------------------------------------------------------------------


def messaging(account: str, **told: Any) -> dict[str, Any]:
    return {"sender": {"id": CUSTOMER}, "recipient": {"id": account}, "timestamp": 1458692752478, **told}


def page(account: str, *events: Any, kind: str = "page") -> dict[str, Any]:
    return {"object": kind, "entry": [{"id": account, "time": 1458692752478, "messaging": list(events)}]}


class MetaConformance(ChannelConformance):
    """What the three have in common: the signature, and errors by number."""

    secrets = (TOKEN, APP_SECRET, VERIFY)
    contact = CUSTOMER

    def forged(self, genuine: WebhookRequest) -> Mapping[str, WebhookRequest]:
        value = genuine.headers[SIGNATURE]
        return {
            "wrong": with_header(genuine, SIGNATURE, value[:-1] + ("0" if value[-1] != "0" else "1")),
            "missing": without(genuine, SIGNATURE),
        }

    def resigned(self, genuine: WebhookRequest, body: bytes) -> WebhookRequest:
        return with_body(genuine, body)

    def broken(self) -> Told:
        return refusal(500, 2, f"An unexpected error with {TOKEN}", is_transient=True)


class MessagingConformance(MetaConformance):
    """Messenger and Instagram, which differ in the account's kind."""

    kind = "page"
    account_id = PAGE
    platform_id = "m_AG5Hz2U"
    success = Told(200, {"recipient_id": CUSTOMER, "message_id": "m_AG5Hz2U", "id": PAGE, "name": "Shop"})

    def told(self, url: str, *events: Mapping[str, Any]) -> WebhookRequest:
        shaped = [messaging(self.account_id, **event) for event in events]
        return signed(url, page(self.account_id, *shaped, kind=self.kind))

    def text(self, url: str, text: str = "a green jacket", number: int = 1) -> WebhookRequest:
        return self.told(url, {"message": {"mid": f"m_in{number}", "text": text}})

    def unknown(self, url: str) -> WebhookRequest:
        return self.told(url, {"optin": {"ref": "a"}})

    def button(self, url: str, token: str) -> WebhookRequest:
        return self.told(url, {"postback": {"mid": f"m_b{token}", "title": "Tell me more", "payload": token}})

    def reaction(self, url: str, platform_id: str) -> WebhookRequest:
        value = {"mid": platform_id, "action": "react", "reaction": "love", "emoji": "❤️"}
        return self.told(url, {"reaction": value})

    def media(self, url: str) -> WebhookRequest:
        photo = {"type": "image", "payload": {"url": "https://scontent.xx.fbcdn.net/v/1.jpg"}}
        return self.told(url, {"message": {"mid": "m_photo", "attachments": [photo]}})

    def edit(self, url: str, text: str) -> WebhookRequest:
        return self.told(url, {"message_edit": {"mid": "m_in1", "text": text, "num_edit": 1}})

    def batch(self, url: str, texts: list[str]) -> WebhookRequest:
        events = [{"message": {"mid": f"m_batch{number}", "text": text}} for number, text in enumerate(texts)]
        return self.told(url, *events)

    def window_closed(self) -> Told:
        return refusal(400, 10, "This message is sent outside of allowed window.", error_subcode=2018278)
