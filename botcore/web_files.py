"""Files at addresses that strangers wrote down: over https, from the public internet, so long and so large and no more.

An address in a product feed must not reach what only this machine can reach (server-side request forgery): names are
resolved here, and the connection goes to the very address that was checked.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from botcore.channels.http import bounded
from botcore.channels.values import Media, MediaError


def download_public(
    url: str, limit: int, seconds: float, network: httpcore.NetworkBackend | None = None, what: str = "picture"
) -> Media:
    """A file of at most ``limit`` bytes, had within ``seconds``. Redirects are not followed. Raises ``MediaError``, whose
    text holds nothing of the address."""
    try:
        address = httpx.URL(url)
        if address.scheme != "https" or not address.host or address.userinfo or address.port is not None:
            raise MediaError("not a plain https address")
        network = _InTime(network or PublicOnly(), time.monotonic() + seconds)
        with (
            httpcore.ConnectionPool(ssl_context=ssl.create_default_context(), network_backend=network) as pool,
            pool.stream("GET", str(address.copy_with(fragment=None))) as response,
        ):
            return _read(response, limit, what)
    except (httpx.InvalidURL, httpcore.UnsupportedProtocol):
        raise MediaError("not an address") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError, ValueError) as error:
        raise MediaError(f"cannot be reached ({type(error).__name__})") from None


def _read(response: httpcore.Response, limit: int, what: str) -> Media:
    if response.status != 200:
        raise MediaError(f"answered {response.status}")
    return bounded(what, response.iter_stream(), limit)


class PublicOnly(httpcore.SyncBackend):
    """Connects to hosts all of whose addresses are public, and to those addresses as they were checked."""

    def connect_tcp(self, host: str, port: int, *options: Any, **named: Any) -> httpcore.NetworkStream:
        return super().connect_tcp(public_address(host, port), port, *options, **named)


def public_address(host: str, port: int) -> str:
    """An address of the host. Raises ``httpcore.ConnectError`` where any of them is not public, or there is none."""
    addresses = addresses_of(host, port)
    if not all(map(is_public, addresses)):
        raise httpcore.ConnectError("the host's address is not public")
    return addresses[0]


def addresses_of(host: str, port: int) -> list[str]:
    """Every address of the host, best first. Raises ``httpcore.ConnectError`` where there is none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        found = []
    if not found:
        raise httpcore.ConnectError("the host has no address")
    return [str(sockaddr[0]) for *_, sockaddr in found]


NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""Stands for IPv4 addresses, private ones as well."""


def is_public(address: str) -> bool:
    """Whether the internet routes an address, and the one that it wraps, if it wraps one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        wrapped = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in NAT64 or (wrapped and not is_public(str(wrapped))):
            return False
        if ip.ipv4_mapped:
            return True
    return ip.is_global and not ip.is_multicast


class _InTime(httpcore.NetworkBackend):
    """A network on which everything, a trickle too, is over at one moment (``time.monotonic()``)."""

    def __init__(self, network: httpcore.NetworkBackend, until: float) -> None:
        self._network, self._until = network, until

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._network.connect_tcp(host, port, _left(self._until), local_address, socket_options)
        return _StreamInTime(stream, self._until)


class _StreamInTime(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, until: float) -> None:
        self._stream, self._until = stream, until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._until))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._until))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _StreamInTime(self._stream.start_tls(ssl_context, server_hostname, _left(self._until)), self._until)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(until: float) -> float:
    """The seconds that are left. Raises ``httpcore.TimeoutException`` when there are none."""
    left = until - time.monotonic()
    if left <= 0:
        raise httpcore.TimeoutException("took too long")
    return left
