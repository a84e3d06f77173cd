"""Access tokens that a platform grants an app for a while: kept by this process, asked for again when refused.

Made for platforms that grant the same token again while it lasts: any number of processes may then keep one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import httpx

from botcore.channels import http
from botcore.channels.values import SendResult

EARLY_SECONDS = 300
"""So long before its end a token is asked for again."""


@dataclass(frozen=True)
class Grant:
    """How a platform grants a token: what is posted where, and the names of the token and its seconds in the answer."""

    url: str
    body: Mapping[str, Any]
    token: str
    seconds: str

    @property
    def key(self) -> str:
        return sha256(json.dumps([self.url, dict(self.body)], sort_keys=True).encode()).hexdigest()


class NotGrantedError(Exception):
    """The platform gave no token; ``result`` says what that means for a message: it is never the message's fault."""

    def __init__(self, result: SendResult) -> None:
        super().__init__(result.error)
        self.result = result


_granted: dict[str, tuple[str, float]] = {}
"""This process's tokens by ``Grant.key``, each with the monotonic time up to which it is used."""


def token_of(grant: Grant) -> str:
    """A token, kept until shortly before its end. Raises ``NotGrantedError``."""
    token, until = _granted.get(grant.key, ("", 0.0))
    if time.monotonic() < until:
        return token
    try:
        response = http.call("token", "POST", grant.url, json=dict(grant.body))
    except http.UnreachableError as error:
        raise NotGrantedError(http.unreachable(error)) from None
    answer = http.json_of(response)
    given, seconds = answer.get(grant.token), answer.get(grant.seconds)
    if not response.is_success or not isinstance(given, str) or not given:
        raise NotGrantedError(replace(http.refused("token", response, _reason(grant, answer)), permanent=False))
    lasts = float(seconds) if isinstance(seconds, int | float) else 0.0
    _granted[grant.key] = (given, time.monotonic() + max(lasts - EARLY_SECONDS, lasts / 2))
    return given


def call(
    grant: Grant, make: Callable[[str], httpx.Response], refused: Callable[[httpx.Response], bool]
) -> httpx.Response:
    """The answer to ``make(token)``; where that means that the token no longer holds, the answer with a fresh one.

    Raises ``NotGrantedError`` and what ``make`` raises.
    """
    response = make(token_of(grant))
    if refused(response):
        _granted.pop(grant.key, None)
        response = make(token_of(grant))
    return response


def _reason(grant: Grant, answer: Mapping[str, Any]) -> str:
    code = answer.get("errcode", answer.get("code", ""))
    said = str(answer.get("errmsg") or answer.get("msg") or answer.get("message") or "no explanation")[:200]
    for value in grant.body.values():
        said = said.replace(str(value), "***")
    return f"{code} {said}".strip()
