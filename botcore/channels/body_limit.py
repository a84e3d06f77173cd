"""A stop for request bodies without end. Django's ASGI handler spools a whole body to disk before any view sees it,
and an HTTP/1.1 client need not say how long it will be. ``asgi.py`` wraps the application in this."""

from __future__ import annotations

import json

from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    ASGISendEvent,
    Scope,
)

REFUSAL = json.dumps(
    {
        "type": "urn:daogou:problem:too-large",
        "title": "Too large",
        "status": 413,
        "detail": "The body is longer than we read: send it in several requests.",
        "error": "the body is too long",
    }
).encode()
"""In the shape of the API's errors, which readers of ``error`` understand as well."""


class BodyLimit:
    """Answer 413 once a body under one of ``prefixes`` has passed ``limit`` bytes; its rest is never read.

    Views have stricter limits and better words; this one only has to be above theirs.
    """

    def __init__(
        self,
        app: ASGI3Application,
        limit: int,
        prefixes: tuple[str, ...] = ("/webhooks/", "/chat/", "/api/", "/streams/"),
    ) -> None:
        self.app = app
        self.limit = limit
        self.prefixes = prefixes

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(self.prefixes):
            await self.app(scope, receive, send)
            return
        received = 0
        answered = False

        async def counted() -> ASGIReceiveEvent:
            nonlocal received
            event = await receive()
            if event["type"] == "http.request":
                received += len(event.get("body", b""))
            # To the application an endless body is a client that went away.
            return event if received <= self.limit else {"type": "http.disconnect"}

        async def watched(event: ASGISendEvent) -> None:
            nonlocal answered
            answered = True
            await send(event)

        await self.app(scope, counted, watched)
        if received > self.limit and not answered:
            headers = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
            await send({"type": "http.response.start", "status": 413, "headers": headers, "trailers": False})
            await send({"type": "http.response.body", "body": REFUSAL, "more_body": False})
