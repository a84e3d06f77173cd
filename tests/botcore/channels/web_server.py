"""The real web process on the test database, and the replies that a worker would have stored."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from botcore.channels.registry import channel_for
from botcore.channels.values import Card, OutboundMessage
from botcore.models import ChannelAccount, Conversation, Outbound, Turn


@contextmanager
def serving(var_dir: Path, port: int = 0) -> Iterator[str]:
    """Run uvicorn as ``manage.py up`` does, on a free port where none is named; yields the server's address."""
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "DATABASE_URL": _database_url(),
        "VAR_DIR": str(var_dir),
        "SECRET_KEY": settings.SECRET_KEY,
        "PUBLIC_URL": address,
    }
    command = [
        sys.executable, "-m", "uvicorn", "botcore.asgi:application", "--port", str(port), "--log-level", "warning",
        "--timeout-graceful-shutdown", "1",
    ]  # fmt: skip
    log = var_dir / "web.log"
    with log.open("w") as output:
        process = subprocess.Popen(command, env=environment, cwd=settings.BASE_DIR, stdout=output, stderr=output)
    try:
        _wait_until_up(f"{address}/chat/nobody/", process, log)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def _database_url() -> str:
    """The test database's address; its host may be the folder of a Unix socket."""
    database = {name: quote(str(value), safe="") for name, value in connection.settings_dict.items()}
    place = f"{database['HOST']}:{database['PORT']}" if database["PORT"] else database["HOST"]
    return f"postgresql://{database['USER']}:{database['PASSWORD']}@{place}/{database['NAME']}"


def _wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"the web process did not start: {log.read_text()}")


def waiting_turn(account: ChannelAccount, text: str, seconds: float = 10) -> Turn:
    """The turn that holds this message, once the web process has stored it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        turn = Turn.objects.filter(events__account=account, events__text=text, status=Turn.Status.WAITING).last()
        if turn:
            return turn
        time.sleep(0.02)
    raise AssertionError(f'nobody asked "{text}"')


def reply_to(turn: Turn, text: str, cards: tuple[Card, ...] = (), source: str = "", language: str = "en") -> Outbound:
    """Store a reply as a worker does: turn and message in one transaction, and its pages woken with it."""
    message = OutboundMessage(text, turn.pk, language, cards, source)
    conversation = Conversation.objects.select_related("contact__account").get(pk=turn.conversation_id)
    with transaction.atomic():
        Turn.objects.filter(pk=turn.pk).update(status=Turn.Status.ANSWERED, reply=text, answered_at=timezone.now())
        outbound = Outbound.objects.create(conversation=conversation, turn=turn, content=message.to_json())
        channel_for(conversation.contact.account).announce(conversation.contact.external_id)
    return outbound


def written_by_a_person(conversation: Conversation, text: str) -> Outbound:
    """Store what a person of the shop writes into a conversation, and wake its pages with it."""
    with transaction.atomic():
        Conversation.objects.select_for_update().get(pk=conversation.pk)
        content = OutboundMessage(text).to_json()
        outbound = Outbound.objects.create(conversation=conversation, content=content)
        channel_for(conversation.contact.account).announce(conversation.contact.external_id)
    return outbound
