"""The stop for bodies without end, below Django."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from botcore.channels.body_limit import BodyLimit


async def reading(scope: Any, receive: Any, send: Any) -> None:
    """An application that takes in the whole body before it answers, as Django does."""
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            return
        if not event.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def answer(path: str, chunks: int) -> tuple[int, int]:
    """The status for a body of 10-byte chunks, and how many of them were taken."""
    taken = 0
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": b"x" * 10, "more_body": taken < chunks}

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    asyncio.run(BodyLimit(reading, 100)({"type": "http", "path": path}, receive, send))
    return sent[0]["status"], taken


@pytest.mark.parametrize(
    ("path", "chunks", "expected"),
    [
        ("/webhooks/telegram/key", 10, (200, 10)),
        ("/webhooks/telegram/key", 1_000_000, (413, 11)),
        ("/chat/demo/messages", 11, (413, 11)),
        ("/api/v1/products/batch", 11, (413, 11)),
        ("/console/import", 50, (200, 50)),
    ],
)
def test_a_body_is_read_up_to_the_limit(path, chunks, expected):
    assert answer(path, chunks) == expected
