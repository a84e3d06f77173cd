"""The headers and the sealing that keep a page and a secret to themselves."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from botcore.environment import ConfigurationError

POLICY = (
    "default-src 'self'; img-src 'self' https: data:; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}"
)


class ContentSecurityPolicy:
    """Middleware: everything from our own host, no inline script or style. Django's own ``/admin/`` follows it as well.

    A view that may be framed by other sites (the embedded chat) is marked with ``xframe_options_exempt``.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        ancestors = "*" if getattr(response, "xframe_options_exempt", False) else "'none'"
        response.headers.setdefault("Content-Security-Policy", POLICY.format(ancestors=ancestors))
        return response


def _fernet() -> Fernet:
    key = hashlib.sha256(b"daogou sealed config\0" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


def seal(values: dict[str, Any]) -> str:
    """Encrypt a small mapping for storage (AES-128-CBC and HMAC, by the installation's SECRET_KEY)."""
    return _fernet().encrypt(json.dumps(values).encode()).decode()


def unseal(text: str) -> dict[str, Any]:
    """Inverse of :func:`seal`; an empty text is an empty mapping."""
    if not text:
        return {}
    try:
        return json.loads(_fernet().decrypt(text.encode()))
    except InvalidToken as error:
        raise ConfigurationError(
            "a channel's secrets cannot be opened with this SECRET_KEY: restore the key, or connect the channel again"
        ) from error
