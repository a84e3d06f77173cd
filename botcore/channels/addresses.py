"""Calls to addresses that an operator wrote: resolved when the call is made, and not into our own network unless allowed.

The call goes to the very address that was looked at, so that a name which answers differently the second time gains
nothing. TLS still checks the certificate against the name.
"""

from __future__ import annotations

import ipaddress
from typing import Any

import httpcore
import httpx

from botcore.channels.http import UnreachableError
from botcore.web_files import addresses_of, is_public, public_address

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def refusal(url: str, allow_private: bool) -> str:
    """What is wrong with an address, as far as its spelling tells; empty for one that may be tried."""
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        return "is not an address"
    if not parts.host or parts.userinfo:
        return "is not an address, or holds a password"
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.host in LOCAL_NAMES):
        return "must begin with https:// (http:// for localhost alone)"
    private = parts.host in LOCAL_NAMES or (_is_literal(parts.host) and not is_public(parts.host))
    return "is a private address; allow_private=yes allows it" if private and not allow_private else ""


def pinned(what: str, url: str, allow_private: bool) -> tuple[str, dict[str, Any]]:
    """The address with its host resolved, and the options of ``httpx`` under which it is still that host.

    Raises ``UnreachableError`` where the host is unknown, or any of its addresses is none of the public network's.
    """
    if problem := refusal(url, allow_private):
        raise UnreachableError(f"{what}: the address {problem}")
    parts = httpx.URL(url)
    host, port = parts.raw_host.decode(), parts.port or 443
    try:
        address = addresses_of(host, port)[0] if allow_private else public_address(host, port)
    except httpcore.ConnectError as error:
        raise UnreachableError(f"{what}: {error}") from None
    options = {"headers": {"Host": parts.netloc.decode()}, "extensions": {"sni_hostname": host}}
    return str(parts.copy_with(host=address)), options


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
