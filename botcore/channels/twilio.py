"""Text messages through Twilio's Programmable Messaging (https://www.twilio.com/docs/messaging/api/message-resource).

Signatures are checked by Twilio's own library; calls are made directly. No address is ever shown: it holds the account.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID
from xml.sax.saxutils import escape

import httpx
from django.conf import settings
from twilio.request_validator import RequestValidator

from botcore.channels import gsm, http
from botcore.channels.base import API_BASE, Channel, Check, Field
from botcore.channels.chunking import chunks
from botcore.channels.layout import numbered_text
from botcore.channels.values import (
    Answer,
    Capabilities,
    MalformedBodyError,
    Media,
    MediaError,
    MediaReference,
    OutboundMessage,
    Payload,
    ReceivedEvent,
    Recipient,
    SendResult,
    WebhookRequest,
    read_json,
    storable,
)
from botcore.models import InboundEvent

API = "https://api.twilio.com"
SERVICES = "https://messaging.twilio.com"
MEDIA_HOSTS = re.compile(r"(?:[\w-]+\.)*(?:twilio|twiliocdn)\.com")
OLD_STORE = "https://s3-external-1.amazonaws.com/media.twiliocdn.com/"
"""Where an account's files are that does not demand credentials for them."""
FIELDS_AT_MOST = 200
PICTURES_AT_MOST = 10
NUMBER = re.compile(r"\+?[0-9]{3,15}")
"""A telephone number or a short code; a contact of WhatsApp or RCS has a prefix."""

STOPS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"})
STARTS = frozenset({"START", "YES", "UNSTOP"})
HELPS = frozenset({"HELP", "INFO"})

UNSUBSCRIBED = "21610"
BUSY = frozenset({"20429", "21611"})
"""Too many requests; the number's own queue is full."""
THE_ACCOUNTS = frozenset({"20003", "20005", "21212", "21408", "21603", "21606", "21703", "21705"})
"""Credentials, sender or permissions are wrong: once they are mended the message can go."""
MEANINGS = {
    UNSUBSCRIBED: "the customer asked for no more messages",
    "30003": "the telephone cannot be reached",
    "30004": "the message was blocked",
    "30005": "there is no such number",
    "30006": "a landline takes no messages",
    "30007": "the carrier filtered the message",
}
RECEIPTS = {"delivered": "delivered", "read": "read", "failed": "failed", "undelivered": "failed"}


class Twilio(Channel):
    name = "twilio"
    title = "SMS (Twilio)"
    capabilities = Capabilities(
        text_limit=1600, text_unit="utf16", feedback="numbers", ack_seconds=15, rate=10, burst=10
    )
    fields = (
        Field("account_sid", "Account SID", "on the console's first page, like AC0123...", pattern="AC[0-9a-fA-F]{32}"),
        Field("auth_token", "Auth token", "beside the account SID", pattern="[0-9a-zA-Z]{32}", secret=True),
        Field(
            "from_number",
            "Number that writes",
            "like +15551234567; leave it out where a messaging service chooses",
            pattern=r"\+?[0-9]{3,15}",
            required=False,
        ),
        Field(
            "messaging_service_sid",
            "Messaging service",
            "like MG0123..., in place of a number",
            pattern="MG[0-9a-fA-F]{32}",
            required=False,
        ),
        Field(
            "help_text",
            "Answer to HELP",
            "who writes here and how to reach a person; without it only Twilio's own answer is sent",
            pattern=r"[^\x00-\x08\x0b\x0c\x0e-\x1f]{1,320}",
            required=False,
        ),
        API_BASE,
    )
    steps = (
        "In the Twilio console buy a number that can send and receive SMS, and register it where its country asks for it.",
        "Copy account SID, auth token and number into the fields below. The webhook is set for you.",
    )

    # --- in -----------------------------------------------------------------------------------------------------------

    def verify(self, request: WebhookRequest) -> bool:
        try:
            signed = request.body.decode() if _is_json(request) else _form(request)
            signature = request.headers["x-twilio-signature"]
            return RequestValidator(self.config["auth_token"]).validate(request.url, signed, signature) is True
        except Exception:  # whatever the validator thinks of a stranger's bytes
            return False

    def parse(self, request: WebhookRequest) -> list[ReceivedEvent]:
        told = _told(request)
        if not told.get("MessageSid"):
            raise MalformedBodyError("MessageSid is missing")
        if told.get("MessageStatus", "received") not in ("received", "receiving"):
            return _status_events(told)
        if not NUMBER.fullmatch(told.get("From", "")) or told["From"] == self.config.get("from_number"):
            return []
        return [_message_event(told)]

    def ack(self, received: Sequence[ReceivedEvent]) -> Answer:
        """TwiML, which Twilio reads a reply from: nothing, or the shop's answer to HELP."""
        asked = any(event.data.get("keyword") == "HELP" for event in received)
        help_text = self.config.get("help_text", "") if asked else ""
        message = f"<Message>{escape(help_text)}</Message>" if help_text else ""
        twiml = f'<?xml version="1.0" encoding="UTF-8"?><Response>{message}</Response>'
        return Answer(200, twiml.encode(), "text/xml; charset=utf-8")

    # --- out ----------------------------------------------------------------------------------------------------------

    def render(self, message: OutboundMessage) -> list[Payload]:
        """Numbered text, without what a price per segment does not bear: the products' details."""
        brief = replace(message, cards=tuple(replace(card, detail="") for card in message.cards))
        can = self.capabilities
        return [{"text": piece} for piece in chunks(gsm.plain(numbered_text(brief)), can.text_limit, can.text_unit)]

    def send(self, recipient: Recipient, payload: Payload, idempotency_key: UUID) -> SendResult:
        form = {"To": recipient.contact_id, "Body": payload["text"], **self._sender()}
        if callback := self._status_callback():
            form["StatusCallback"] = callback
        try:
            response = self._call("message", "POST", f"{self._account_url}/Messages.json", data=form)
        except http.UnreachableError as error:
            return http.unreachable(error)
        sid = http.json_of(response).get("sid")
        if response.is_success and isinstance(sid, str) and sid:
            return SendResult(ok=True, platform_id=sid)
        return _refused("message", response)

    def fetch_media(self, media: MediaReference, limit: int) -> Media:
        """The file is behind one redirect, to a store that must not be told our credentials."""
        url = str(media.reference.get("url", ""))
        if not self._is_twilios(url):
            raise MediaError("media: not at Twilio's address")
        return http.download("media", url, limit, onward=self._is_twilios, auth=self._auth)

    # --- setting up ---------------------------------------------------------------------------------------------------

    @classmethod
    def identity(cls, config: Mapping[str, Any]) -> str:
        return str(config.get("messaging_service_sid") or config.get("from_number", ""))

    @classmethod
    def prepare_config(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        prepared = super().prepare_config(config)
        if not cls.identity(prepared):
            raise ValueError("twilio needs --config from_number=... or --config messaging_service_sid=...")
        return {"api_base_url": API} | prepared

    def check(self) -> Check:
        try:
            response = self._call("account", "GET", f"{self._account_url}.json")
        except http.UnreachableError as error:
            return Check(False, str(error))
        account = http.json_of(response)
        if not response.is_success:
            return Check(False, _refused("account", response).error)
        status = str(account.get("status", "of no status"))
        return Check(status == "active", f"{account.get('friendly_name', '')} ({status})")

    def connect(self, webhook_url: str) -> Sequence[str]:
        lines = [f"webhook: {webhook_url}"]
        try:
            problem = self._register(webhook_url)
        except http.UnreachableError as error:
            problem = str(error)
        if problem:
            return [*lines, f"Twilio did not take the address ({problem}); set it there by hand, as HTTP POST"]
        return [*lines, "Twilio knows this address: write to the number to try it"]

    def _register(self, webhook_url: str) -> str:
        """Make the number or the service call us; what is wrong, or nothing. Raises ``http.UnreachableError``."""
        if service := self.config.get("messaging_service_sid"):
            base = SERVICES if self.config["api_base_url"] == API else self.config["api_base_url"]
            form = {"InboundRequestUrl": webhook_url, "InboundMethod": "POST", "UseInboundWebhookOnNumber": "false"}
            response = self._call("service", "POST", f"{base}/v1/Services/{service}", data=form)
            return "" if response.is_success else _refused("service", response).error
        numbers = f"{self._account_url}/IncomingPhoneNumbers"
        found = self._call("number", "GET", f"{numbers}.json", params={"PhoneNumber": self.config["from_number"]})
        if not found.is_success:
            return _refused("number", found).error
        owned = http.json_of(found).get("incoming_phone_numbers")
        sid = str(owned[0].get("sid", "")) if isinstance(owned, list) and owned and isinstance(owned[0], dict) else ""
        if not re.fullmatch("PN[0-9a-fA-F]{32}", sid):
            return "the account has no such number"
        response = self._call(
            "number", "POST", f"{numbers}/{sid}.json", data={"SmsUrl": webhook_url, "SmsMethod": "POST"}
        )
        return "" if response.is_success else _refused("number", response).error

    # --- calls --------------------------------------------------------------------------------------------------------

    @property
    def _auth(self) -> tuple[str, str]:
        return str(self.config["account_sid"]), str(self.config["auth_token"])

    @property
    def _account_url(self) -> str:
        base = self.config.get("api_base_url") or API
        return f"{base}/2010-04-01/Accounts/{self.config['account_sid']}"

    def _call(self, what: str, method: str, url: str, **options: Any) -> httpx.Response:
        return http.call(what, method, url, auth=self._auth, **options)

    def _sender(self) -> dict[str, str]:
        if service := self.config.get("messaging_service_sid"):
            return {"MessagingServiceSid": str(service)}
        return {"From": str(self.config["from_number"])}

    def _status_callback(self) -> str:
        """Our own webhook, where Twilio can reach it: another address makes it refuse the message."""
        host = urlsplit(settings.PUBLIC_URL).hostname or ""
        reachable = "." in host and not re.fullmatch(r"[0-9.]+", host)
        return f"{settings.PUBLIC_URL}/webhooks/{self.name}/{self.account_key}" if reachable else ""

    def _is_twilios(self, url: str) -> bool:
        """Whether an address is Twilio's own, or the account's ``api_base_url``."""
        base = str(self.config.get("api_base_url") or API)
        return url.startswith((f"{base}/", OLD_STORE)) or bool(MEDIA_HOSTS.fullmatch(http.https_host(url)))


# --- reading ----------------------------------------------------------------------------------------------------------


def _is_json(request: WebhookRequest) -> bool:
    return request.headers.get("content-type", "").startswith("application/json")


def _form(request: WebhookRequest) -> dict[str, str]:
    """The fields of a form. Raises ``ValueError`` for bytes that are none, and where a name comes twice."""
    pairs = parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=FIELDS_AT_MOST)
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field comes twice")
    return fields


def _told(request: WebhookRequest) -> dict[str, str]:
    """What a request says, as texts that the database can hold. Raises ``MalformedBodyError``."""
    if _is_json(request):
        return {name: value for name, value in read_json(request.body).items() if isinstance(value, str)}
    try:
        return {name: storable(value) for name, value in _form(request).items()}
    except ValueError as error:
        raise MalformedBodyError("the body is not a form") from error


def _message_event(told: Mapping[str, str]) -> ReceivedEvent:
    """A customer's message. A word of Twilio's own is one by itself; in an advanced opt-out Twilio says what it means."""
    key, contact, text = told["MessageSid"], told["From"], told.get("Body", "")
    word = text.strip().upper()
    handled = told.get("OptOutType", "").upper()
    if handled == "STOP" or word in STOPS:
        return ReceivedEvent(key, InboundEvent.Kind.STOP, contact, text=text)
    if handled == "START" or word in STARTS:
        return ReceivedEvent(key, InboundEvent.Kind.START, contact, text=text)
    if handled == "HELP":  # and answered
        return ReceivedEvent(key, InboundEvent.Kind.OTHER, contact)
    if word in HELPS:
        return ReceivedEvent(key, InboundEvent.Kind.OTHER, contact, data={"keyword": "HELP"})
    media = _media(told)
    kind = InboundEvent.Kind.MEDIA if media else InboundEvent.Kind.TEXT if text.strip() else InboundEvent.Kind.OTHER
    return ReceivedEvent(key, kind, contact, text=text, media=media)


def _media(told: Mapping[str, str]) -> tuple[MediaReference, ...]:
    """The pictures and recordings of an MMS."""
    found = []
    for index in range(PICTURES_AT_MOST):
        url, content_type = told.get(f"MediaUrl{index}", ""), told.get(f"MediaContentType{index}", "")
        kind = {"image": "photo", "audio": "voice"}.get(content_type.partition("/")[0])
        if url and kind:
            found.append(MediaReference(kind, {"url": url}))
    return tuple(found)


def _status_events(told: Mapping[str, str]) -> list[ReceivedEvent]:
    """What became of a message of ours; what is only on its way is left out."""
    status, sid, contact = told["MessageStatus"], told["MessageSid"], told.get("To", "")
    if status not in RECEIPTS or not contact:
        return []
    data: dict[str, Any] = {"platform_id": sid, "status": RECEIPTS[status]}
    if RECEIPTS[status] == "failed":
        code = told.get("ErrorCode", "")
        data |= {"error": _explained(code), "stopped": code == UNSUBSCRIBED}
    return [ReceivedEvent(f"{sid}:{status}", InboundEvent.Kind.STATUS, contact, data=data)]


# --- refusals ---------------------------------------------------------------------------------------------------------


def _explained(code: str, message: str = "") -> str:
    return f"{code} {MEANINGS.get(code, message)}".strip() or "Twilio gives no reason"


def _refused(what: str, response: httpx.Response) -> SendResult:
    answer = http.json_of(response)
    code = str(answer.get("code", ""))
    result = http.refused(what, response, _explained(code, str(answer.get("message", ""))))
    if code in BUSY:
        return replace(result, permanent=False, retry_after=http.retry_after(response))
    if code in THE_ACCOUNTS:
        return replace(result, permanent=False)
    return replace(result, permanent=result.permanent or code == UNSUBSCRIBED, stopped=code == UNSUBSCRIBED)
