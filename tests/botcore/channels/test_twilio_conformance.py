"""Text messages through Twilio keep what every channel keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from twilio.request_validator import RequestValidator

from botcore.channels.values import WebhookRequest
from tests.botcore.channels.conformance import ChannelConformance
from tests.botcore.channels.platform import Told, delivery, with_header, without

ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "fedcba9876543210" * 2
SHOP, CUSTOMER = "+15550006789", "+15551234711"
SIGNATURE = "x-twilio-signature"
SENT = "SM" + "e" * 32
pytestmark = pytest.mark.django_db


def signed(url: str, fields: Mapping[str, str], token: str = TOKEN) -> WebhookRequest:
    """A form as Twilio posts it, signed by Twilio's own library."""
    headers = {
        SIGNATURE: RequestValidator(token).compute_signature(url, dict(fields)),
        "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
    }
    return delivery(url, urlencode(fields).encode(), headers)


def incoming(text: str = "a green jacket", number: int = 1, **more: str) -> dict[str, str]:
    """A customer's message with all that Twilio sends along."""
    sid = f"SM{number:032x}"
    return {
        "ToCountry": "US", "ToState": "CA", "SmsMessageSid": sid, "NumMedia": "0", "ToCity": "", "FromZip": "94016",
        "SmsSid": sid, "FromState": "CA", "SmsStatus": "received", "FromCity": "DALY CITY", "Body": text,
        "FromCountry": "US", "To": SHOP, "ToZip": "", "NumSegments": "1", "MessageSid": sid, "AccountSid": ACCOUNT,
        "From": CUSTOMER, "ApiVersion": "2010-04-01", **more,
    }  # fmt: skip


def callback(status: str, sid: str = SENT, **more: str) -> dict[str, str]:
    """What Twilio says has become of our message."""
    return {
        "SmsSid": sid, "SmsStatus": status, "MessageStatus": status, "To": CUSTOMER, "MessageSid": sid,
        "AccountSid": ACCOUNT, "From": SHOP, "ApiVersion": "2010-04-01", **more,
    }  # fmt: skip


class TestTwilio(ChannelConformance):
    name = "twilio"
    config: Mapping[str, Any] = {"account_sid": ACCOUNT, "auth_token": TOKEN, "from_number": SHOP}
    secrets = (TOKEN,)
    contact = CUSTOMER
    lacks = frozenset({"button", "reaction", "edit", "batch", "window"})
    success = Told(201, {"sid": SENT, "status": "queued", "error_code": None, "friendly_name": "A shop"})
    platform_id = SENT

    def text(self, url: str, text: str = "a green jacket", number: int = 1) -> WebhookRequest:
        return signed(url, incoming(text, number))

    def unknown(self, url: str) -> WebhookRequest:
        return signed(url, callback("sending"))

    def media(self, url: str) -> WebhookRequest:
        picture = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages/MM1/Media/ME1"
        return signed(url, incoming("", 7, NumMedia="1", MediaUrl0=picture, MediaContentType0="image/jpeg"))

    def status(self, url: str, platform_id: str) -> WebhookRequest:
        return signed(url, callback("delivered", platform_id))

    def limited(self, seconds: int | None) -> Told:
        headers = {} if seconds is None else {"Retry-After": str(seconds)}
        return Told(429, {"code": 20429, "message": "Too Many Requests", "status": 429}, headers)

    def forged(self, genuine: WebhookRequest) -> Mapping[str, WebhookRequest]:
        other = signed(genuine.url, incoming(), token="0" * 32)
        return {
            "wrong": with_header(genuine, SIGNATURE, other.headers[SIGNATURE]),
            "missing": without(genuine, SIGNATURE),
        }

    def resigned(self, genuine: WebhookRequest, body: bytes) -> WebhookRequest:
        fields = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
        signature = RequestValidator(TOKEN).compute_signature(genuine.url, fields)
        return replace(with_header(genuine, SIGNATURE, signature), body=body)
