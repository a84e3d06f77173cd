"""What we post to a shop's own systems, signed as Standard Webhooks has it: replies to its app, events, alerts."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime

import httpx
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from botcore.channels import addresses, http


def new_secret() -> str:
    """256 bits, as the receiver's library takes them."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def headers(message_id: str, now: datetime, body: bytes, keys: Sequence[str]) -> dict[str, str]:
    """The headers of a JSON body, with a signature by each of the receiver's secrets."""
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Webhook(key).sign(message_id, now, body.decode()) for key in keys),
    }


def post(url: str, message_id: str, body: bytes, keys: Sequence[str], allow_private: bool = False) -> int:
    """The receiver's status; what else it says is not read. Raises ``UnreachableError``, also for a private address."""
    address, options = addresses.pinned("webhook", url, allow_private)
    told = {**options.pop("headers"), **headers(message_id, timezone.now(), body, keys)}
    try:
        with http.client().stream("POST", address, content=body, headers=told, **options) as response:
            return response.status_code
    except httpx.HTTPError as error:
        raise http.UnreachableError(f"webhook: {type(error).__name__}") from None
