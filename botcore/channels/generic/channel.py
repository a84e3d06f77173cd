"""The shop's own app behind the channel interface: signed JSON in, signed JSON out."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from django.conf import settings
from standardwebhooks.webhooks import Webhook

from botcore.channels import addresses, http, signed
from botcore.channels.base import Channel, Check, Field
from botcore.channels.chunking import chunks
from botcore.channels.generic.reading import read
from botcore.channels.values import (
    Answer,
    Capabilities,
    Card,
    Media,
    MediaError,
    MediaReference,
    OutboundMessage,
    Payload,
    ReceivedEvent,
    Recipient,
    SendResult,
    WebhookRequest,
)

FRESH_SECONDS = 300
SECRET = "whsec_[A-Za-z0-9+/]{32,88}={0,2}"  # noqa: S105 (24 to 64 bytes in base64)


class Generic(Channel):
    name = "generic"
    title = "Your own app"
    capabilities = Capabilities(
        text_limit=20_000,
        buttons=20,
        label=200,
        payload_bytes=16,
        pictures=True,
        carousel=20,
        feedback="buttons",
        ack_seconds=15,
        rate=50,
        burst=50,
        idempotent=True,
    )
    fields = (
        Field(
            "reply_url",
            "Where replies go",
            "https://app.example/replies, an address of your app",
            pattern=r"https?://[^\s@]+",
        ),
        Field(
            "secret",
            "Secret that your app signs with",
            "made for you; else whsec_ and 24 to 64 bytes in base64",
            pattern=SECRET,
            required=False,
            secret=True,
        ),
        Field(
            "reply_secret",
            "Secret that we sign with",
            "made for you; else whsec_ and 24 to 64 bytes in base64",
            pattern=SECRET,
            required=False,
            secret=True,
        ),
        Field(
            "media_hosts",
            "Hosts of pictures and voice",
            "like cdn.app.example, several with commas; without it neither is taken",
            pattern=r"[a-z0-9.-]+(\s*,\s*[a-z0-9.-]+)*",
            required=False,
        ),
        Field(
            "allow_private",
            "Allow addresses in a private network",
            "yes or no; no without it",
            pattern="yes|no",
            required=False,
            ours=True,
        ),
    )
    steps = (
        "Let your app post what customers write to {webhook}, signed by Standard Webhooks with the first secret.",
        "Let it take our replies at the address below, and check them with the second secret.",
        "Both are described at /webhooks/generic/openapi.json of this server.",
    )

    # --- in -----------------------------------------------------------------------------------------------------------

    def verify(self, request: WebhookRequest) -> bool:
        try:
            return self._is_signed(request)
        except Exception:  # whatever a stranger's header does to a decoder
            return False

    def parse(self, request: WebhookRequest) -> list[ReceivedEvent]:
        return read(request, self._media_hosts)

    def ack(self, received: Sequence[ReceivedEvent]) -> Answer:
        return Answer.json({"events": len(received)})

    # --- out ----------------------------------------------------------------------------------------------------------

    def render(self, message: OutboundMessage) -> list[Payload]:
        """The reply as data; only a text beyond the limit comes in several messages, the last with everything else."""
        *before, last = chunks(message.text, self.capabilities.text_limit) or [""]
        written = {"turn": message.turn, "by": "assistant" if message.turn else "person", "language": message.language}
        return [*({"text": piece, **written} for piece in before), {"text": last, **written, **_shown(message)}]

    def send(self, recipient: Recipient, payload: Payload, idempotency_key: UUID) -> SendResult:
        reply = {"type": "reply", "data": {"contact": {"id": recipient.contact_id}, **payload}}
        try:
            response = self._post(reply, str(idempotency_key))
        except http.UnreachableError as error:
            return http.unreachable(error)
        if not response.is_success:
            return http.refused("reply", response)
        named = http.json_of(response).get("id")
        return SendResult(ok=True, platform_id=named if isinstance(named, str) and named else str(idempotency_key))

    def fetch_media(self, media: MediaReference, limit: int) -> Media:
        url = str(media.reference.get("url", ""))
        if http.https_host(url) not in self._media_hosts:
            raise MediaError("media: not at one of media_hosts")
        try:
            address, options = addresses.pinned("media", url, self._allow_private)
        except http.UnreachableError as error:
            raise MediaError(str(error)) from None
        return http.download("media", address, limit, **options)

    # --- setting up ---------------------------------------------------------------------------------------------------

    @classmethod
    def prepare_config(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        prepared = {"secret": signed.new_secret(), "reply_secret": signed.new_secret()} | super().prepare_config(config)
        if problem := addresses.refusal(prepared["reply_url"], prepared.get("allow_private") == "yes"):
            raise ValueError(f'reply_url: "{prepared["reply_url"]}" {problem}')
        for name in ("secret", "reply_secret"):
            try:
                base64.b64decode(prepared[name].removeprefix("whsec_"), validate=True)
            except binascii.Error:
                raise ValueError(f"{name}: what follows whsec_ is not base64") from None
        return prepared

    def check(self) -> Check:
        """A message of type ``test``, which an app answers with 2xx once it can read our signature."""
        try:
            response = self._post({"type": "test", "data": {}}, f"test-{secrets.token_hex(8)}")
        except http.UnreachableError as error:
            return Check(False, str(error))
        host = urlsplit(self.config["reply_url"]).hostname
        return Check(response.is_success, f"{host} answered {response.status_code}")

    def connect(self, webhook_url: str) -> Sequence[str]:
        return [
            f"webhook: {webhook_url}",
            f"sign what you post there with: {self.config['secret']}",
            f"check our replies with: {self.config['reply_secret']}",
            f"described in: {settings.PUBLIC_URL}/webhooks/generic/openapi.json",
        ]

    # --- signatures ---------------------------------------------------------------------------------------------------

    def _is_signed(self, request: WebhookRequest) -> bool:
        """Whether one of the signatures is ours to believe, and the time is now (Standard Webhooks, "Verifying")."""
        told = request.headers["webhook-timestamp"]
        if not re.fullmatch(r"[0-9]{1,12}", told) or abs(request.at - int(told)) > FRESH_SECONDS:
            return False
        message_id, body = request.headers["webhook-id"], request.body.decode()
        expected = Webhook(self.config["secret"]).sign(message_id, datetime.fromtimestamp(int(told), UTC), body)
        given = request.headers["webhook-signature"].encode().split(b" ")
        return any(hmac.compare_digest(signature, expected.encode()) for signature in given)

    def _post(self, message: Payload, message_id: str) -> httpx.Response:
        """Raises ``http.UnreachableError``, also for an address that we must not call."""
        url, options = addresses.pinned("reply", self.config["reply_url"], self._allow_private)
        body = json.dumps(message, ensure_ascii=False).encode()
        told = signed.headers(message_id, datetime.now(UTC), body, [self.config["reply_secret"]])
        return http.call("reply", "POST", url, content=body, headers={**options.pop("headers"), **told}, **options)

    @property
    def _allow_private(self) -> bool:
        return self.config.get("allow_private") == "yes"

    @property
    def _media_hosts(self) -> frozenset[str]:
        return frozenset(filter(None, re.split(r"[\s,]+", self.config.get("media_hosts", ""))))


def _shown(message: OutboundMessage) -> Payload:
    """What comes with a reply's text."""
    verdicts = {"up": message.up, "down": message.down}
    return {
        "source": message.source,
        "cards": [_card(card) for card in message.cards],
        "verdicts": [{"verdict": name, "token": choice.token} for name, choice in verdicts.items() if choice],
    }


def _card(card: Card) -> Payload:
    names = ("sku", "title", "price", "detail", "image_url", "url")
    return {name: getattr(card, name) for name in names} | {"token": card.choice.token, "number": card.choice.number}
