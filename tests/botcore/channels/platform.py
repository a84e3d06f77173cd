"""A messaging platform's side of the wire: what it signs and posts to us, and a server that answers our calls as told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.test import Client

from botcore.channels.values import WebhookRequest


def delivery(url: str, body: bytes, headers: Mapping[str, str], at: float | None = None) -> WebhookRequest:
    """A POST of a platform to one of our addresses. Header names may be written as the platform documents them."""
    lowered = {name.lower(): value for name, value in headers.items()}
    query = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    return WebhookRequest("POST", url, lowered, query, body, time.time() if at is None else at)


def as_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def without(request: WebhookRequest, *headers: str) -> WebhookRequest:
    """The request without some of its headers."""
    return replace(request, headers={name: value for name, value in request.headers.items() if name not in headers})


def with_header(request: WebhookRequest, name: str, value: str) -> WebhookRequest:
    return replace(request, headers={**request.headers, name: value})


def post(client: Client, request: WebhookRequest) -> Any:
    """Our answer to a platform's request, through the whole web application."""
    parts = urlsplit(request.url)
    address = f"{parts.path}?{parts.query}" if parts.query else parts.path
    headers = {name: value for name, value in request.headers.items() if name != "content-type"}
    content_type = request.headers.get("content-type", "application/json")
    return client.generic(request.method, address, request.body, content_type=content_type, headers=headers)


@dataclass(frozen=True)
class Called:
    """One call that we made."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Told:
    """What the platform answers: a status with a body, or nothing: ``trouble`` is ``reset`` or ``silence``."""

    status: int = 200
    value: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""


@dataclass
class PlatformServer:
    """A platform's API: answers calls with ``answers`` in turn, then always with ``success``.

    A path in ``pages`` always has the same answer, whatever was asked before.
    """

    success: Told = Told(200, {})
    answers: list[Told] = field(default_factory=list)
    calls: list[Called] = field(default_factory=list)
    address: str = ""
    pages: dict[str, Told] = field(default_factory=dict)

    def next_answer(self, path: str) -> Told:
        if path in self.pages:
            return self.pages[path]
        return self.answers.pop(0) if self.answers else self.success


@contextmanager
def platform_server(success: Told) -> Iterator[PlatformServer]:
    """A server on a port of its own, for as long as the block runs."""
    platform = PlatformServer(success)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            platform.calls.append(Called(self.command, self.path, headers, body))
            told = platform.next_answer(self.path)
            if told.trouble:
                if told.trouble == "silence":
                    time.sleep(1.5)
                self.close_connection = True
                self.connection.close()
                return
            content = told.value if isinstance(told.value, bytes) else as_json(told.value)
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 (http.server's names)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    platform.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield platform
    finally:
        server.shutdown()
        server.server_close()
