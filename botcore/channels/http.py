"""Calls to platforms: one pool of connections a process, and what an answer means for a message.

No address, header or exception text is ever part of an error: platforms put tokens into all of them.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import filetype
import httpx

from botcore.channels.values import Media, MediaError, SendResult

LONGEST_WAIT = 3600.0
"""Seconds we wait at most because a platform says so."""
PERMANENT = frozenset({400, 403, 404, 405, 410, 413, 415, 422})
"""Statuses for which the same call would be answered the same way. Not 401: that is the account's, not the message's."""


class UnreachableError(Exception):
    """No answer came; the text names the call and the kind of failure, nothing else."""


@functools.cache
def client() -> httpx.Client:
    """This process's connections, kept open between messages. Redirects are not followed: a token must not travel."""
    return httpx.Client(timeout=httpx.Timeout(10, connect=5, write=30))


def call(what: str, method: str, url: str, **options: Any) -> httpx.Response:
    """The platform's answer, whatever its status. ``what`` names the call in errors. Raises ``UnreachableError``."""
    try:
        return client().request(method, url, **options)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UnreachableError(f"{what}: {type(error).__name__}") from None


def https_host(url: str) -> str:
    """The host that a call to an https address would reach, as our client reads it; empty for any other address."""
    try:
        parts = httpx.URL(url)
        host = parts.raw_host.decode("ascii")
    except (httpx.InvalidURL, ValueError):
        return ""
    return host if parts.scheme == "https" and re.fullmatch(r"[a-z0-9.-]+", host) else ""


def unreachable(error: UnreachableError) -> SendResult:
    """A message whose call was not answered may have arrived or not: it is tried again."""
    return SendResult(ok=False, error=str(error))


def refused(what: str, response: httpx.Response, detail: str = "") -> SendResult:
    """What a status other than success means: wait and repeat, repeat, or give up."""
    return SendResult(
        ok=False,
        retry_after=retry_after(response) if response.status_code in (429, 503) else None,
        permanent=response.status_code in PERMANENT,
        error=f"{what}: {response.status_code} {detail}".strip(),
    )


def retry_after(response: httpx.Response) -> float | None:
    """The seconds in ``Retry-After``, which may be a number or a date (RFC 9110, 10.2.3); None without a sensible one."""
    given = response.headers.get("Retry-After", "").strip()
    try:
        seconds = float(given) if given.replace(".", "", 1).isdigit() else _until(given)
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT)


def json_of(response: httpx.Response) -> Mapping[str, Any]:
    """The object in an answer; empty where it is none."""
    try:
        value = response.json()
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def download(what: str, url: str, limit: int, onward: Callable[[str], bool] | None = None, **options: Any) -> Media:
    """A file of at most ``limit`` bytes, read no further than that. Raises ``MediaError``.

    ``onward`` says of the address in a redirect whether the file may be fetched there; ``options``, and with them what
    the platform knows us by, do not go along.
    """
    try:
        with client().stream("GET", url, **options) as response:
            if response.is_redirect and onward is not None:
                stored = response.headers["Location"]
                if not onward(stored):
                    raise MediaError(f"{what}: sent elsewhere")
                return download(what, stored, limit)
            if not response.is_success:
                raise MediaError(f"{what}: {response.status_code}")
            return bounded(what, response.iter_bytes(), limit)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise MediaError(f"{what}: {type(error).__name__}") from None


def bounded(what: str, pieces: Iterable[bytes], limit: int) -> Media:
    """A file of at most ``limit`` bytes from its pieces, of which no more are asked for. Raises ``MediaError``."""
    content = bytearray()
    for piece in pieces:
        content += piece
        if len(content) > limit:
            raise MediaError(f"{what}: more than {limit} bytes")
    return Media(bytes(content), content_type_of(bytes(content)))


AS_REGISTERED = {"audio/x-wav": "audio/wav", "audio/x-flac": "audio/flac", "video/mp4": "audio/mp4"}
"""Types as IANA has them. An MP4 is what phones record voice in, and we ask customers for no films."""


def content_type_of(content: bytes) -> str:
    """What a file is by its first bytes; ``application/octet-stream`` for what nobody knows."""
    found = filetype.guess_mime(content[:8192]) or "application/octet-stream"
    return AS_REGISTERED.get(found, found)


def _until(date: str) -> float:
    return (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds()
