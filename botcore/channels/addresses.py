"""Calls to addresses that an operator or a stranger wrote: resolved when the call is made, and never into our own network.

The call goes to the very address that was looked at, so that a name which answers differently the second time gains
nothing. TLS still checks the certificate against the name.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import httpx

from botcore.channels.http import UnreachableError

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")


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
    local = parts.host in LOCAL_NAMES or any(not is_public(address) for address in _literal(parts.host))
    return "is a private address; allow_private=yes allows it" if local and not allow_private else ""


def pinned(what: str, url: str, allow_private: bool) -> tuple[str, dict[str, Any]]:
    """The address with its host resolved, and the options of ``httpx`` under which it is still that host.

    Raises ``UnreachableError`` where the host is unknown, or any of its addresses is none of the public network's.
    """
    if problem := refusal(url, allow_private):
        raise UnreachableError(f"{what}: the address {problem}")
    parts = httpx.URL(url)
    try:
        found = socket.getaddrinfo(parts.host, parts.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise UnreachableError(f"{what}: its host is unknown") from None
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not addresses or not (allow_private or all(is_public(address) for address in addresses)):
        raise UnreachableError(f"{what}: its host is in a private network; allow_private=yes allows it")
    options = {"headers": {"Host": parts.netloc.decode()}, "extensions": {"sni_hostname": parts.raw_host.decode()}}
    return str(parts.copy_with(host=str(addresses[0]))), options


def is_public(address: Address) -> bool:
    """Whether an address is the public network's, also where one version of IP carries the other."""
    return all(part.is_global and not part.is_multicast for part in _carried(address))


def _carried(address: Address) -> Iterator[Address]:
    if isinstance(address, ipaddress.IPv4Address):
        yield address
    elif address.ipv4_mapped:
        yield address.ipv4_mapped
    else:
        yield address
        if address.sixtofour:
            yield address.sixtofour
        if address.teredo:
            yield from address.teredo
        if address in TRANSLATED:
            yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def _literal(host: str) -> list[Address]:
    try:
        return [ipaddress.ip_address(host)]
    except ValueError:
        return []
