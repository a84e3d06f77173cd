"""From stored replies to open pages: PostgreSQL's NOTIFY wakes the streams of every web process, rows say what is new.

A lost notification costs a delay of one heartbeat, never a reply. Streams hold no database connection between reads.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import select
import threading
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg2
import structlog
from django.conf import settings
from django.db import Error, connection
from django.db.models import Max, Q

from botcore.channels import database_threads
from botcore.models import Conversation, Outbound, Turn

log = structlog.get_logger(__name__)

CHANNEL = "webchat"
HEARTBEAT = 5.0
"""Seconds until a stream looks by itself and writes a comment, which also keeps proxies from closing it."""
LIFETIME = 600.0
"""Seconds after which a stream ends; the page returns at once with Last-Event-ID. Forgotten pages do not pile up."""
RECONNECT_MS = 1000
LISTEN_AGAIN = 0.5
"""Seconds between attempts to listen while the database is away."""
HISTORY = 100
"""Turns, and messages of people, a page is given at most when it opens."""


def notify(account_key: str, visitor: str) -> None:
    """Wake the visitor's pages once the current transaction is committed, or now where there is none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, f"{account_key}:{visitor}"])


# --- wake-ups -------------------------------------------------------------------------------------------------------


class Listener:
    """One database connection per process that listens, and the streams it wakes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: defaultdict[str, set[tuple[asyncio.AbstractEventLoop, asyncio.Event]]] = defaultdict(set)
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def subscribed(self, account_key: str, visitor: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever something happened to the visitor, for as long as the block runs."""
        topic = f"{account_key}:{visitor}"
        entry = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._waiting[topic].add(entry)
            if self._thread is None:
                self._thread = threading.Thread(target=self._listen_forever, name="webchat-listen", daemon=True)
                self._thread.start()
        try:
            yield entry[1]
        finally:
            with self._lock:
                self._waiting[topic].discard(entry)
                if not self._waiting[topic]:
                    del self._waiting[topic]

    def _listen_forever(self) -> None:
        while True:
            try:
                self._listen()
            except (Error, psycopg2.Error, OSError) as error:
                log.warning("web chat lost its database notifications, connecting again", error=type(error).__name__)
            with contextlib.suppress(Error, psycopg2.Error):
                connection.close()
            time.sleep(LISTEN_AGAIN)

    def _listen(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
        raw = connection.connection
        self._wake(None)  # whatever happened while nobody listened
        while True:
            select.select([raw], [], [])
            raw.poll()
            topics = {notification.payload for notification in raw.notifies}
            raw.notifies.clear()
            for topic in topics:
                self._wake(topic)

    def _wake(self, topic: str | None) -> None:
        with self._lock:
            topics = list(self._waiting) if topic is None else [topic] if topic in self._waiting else []
            entries = [entry for name in topics for entry in self._waiting[name]]
        for loop, event in entries:
            with contextlib.suppress(RuntimeError):  # its loop was closed meanwhile
                loop.call_soon_threadsafe(event.set)


LISTENER = Listener()


# --- what is new ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class News:
    """What a visitor's open conversation holds beyond the reply a page already has: turns, and what people wrote.

    A reply above ``until`` was stored while this was read; it is told the next time, so that none before it is missed.
    """

    conversation: int | None
    turns: tuple[Turn, ...] = ()
    written: tuple[Outbound, ...] = ()
    until: int = 0


def read_news(account_id: int, visitor: str, after: int) -> News:
    """Turns without a reply, turns whose reply's ``Outbound`` id is above ``after``, and people's messages above it.

    Oldest first.
    """
    found = (
        Conversation.objects.filter(contact__account_id=account_id, contact__external_id=visitor, closed=False)
        .annotate(newest=Max("outbound__pk"))
        .values_list("pk", "newest")
        .first()
    )
    if found is None:
        return News(None)
    conversation, until = found[0], found[1] or 0
    turns = (
        Turn.objects.filter(Q(outbound=None) | Q(outbound__pk__gt=after), conversation_id=conversation)
        .select_related("outbound")
        .prefetch_related("events", "feedback")
        .order_by("-number")[:HISTORY]
    )
    written = Outbound.objects.filter(conversation_id=conversation, turn=None, pk__gt=after, pk__lte=until)
    return News(conversation, tuple(reversed(turns)), tuple(reversed(written.order_by("-pk")[:HISTORY])), until)


@dataclass
class Seen:
    """What one page has been told: turns :class:`News` into the frames that are still missing."""

    after: int
    conversation: int | None = None
    messages: set[int] = field(default_factory=set)
    typing: bool = False
    ready: bool = False

    def frames(self, news: News) -> Iterator[bytes]:
        """``conversation``, ``asked``, ``reply``, ``ready`` (once, after the history), ``typing``, as the talk went.

        Only a reply has an id: it is what a page has to have seen, and what Last-Event-ID brings back. So replies come
        in the order of their ids: what a person wrote meanwhile comes before the reply that was stored after it.
        """
        if not self.ready or news.conversation != self.conversation:
            self.conversation = news.conversation
            yield frame("conversation", {"id": news.conversation})
        written = deque(news.written)
        for turn in news.turns:
            while written and written[0].created_at < turn.created_at:
                yield from self._reply(written.popleft())
            for event in sorted(turn.events.all(), key=lambda event: event.pk):
                if event.pk not in self.messages:
                    self.messages.add(event.pk)
                    yield frame("asked", {"id": event.event_key.rpartition(":")[2], "text": event.text})
            if (outbound := getattr(turn, "outbound", None)) and outbound.pk <= news.until:
                while written and written[0].pk < outbound.pk:
                    yield from self._reply(written.popleft())
                verdict = next((row.kind for row in turn.feedback.all() if row.source == "button"), "")
                yield from self._reply(outbound, verdict)
        for outbound in written:
            yield from self._reply(outbound)
        if not self.ready:
            self.ready = True
            yield frame("ready", {})
        typing = any(turn.status == Turn.Status.WAITING for turn in news.turns)
        if typing != self.typing:
            self.typing = typing
            yield frame("typing", {"on": typing})

    def _reply(self, outbound: Outbound, verdict: str = "") -> Iterator[bytes]:
        if outbound.pk > self.after:
            self.after = outbound.pk
            shown = {**_as_seen_here(outbound.content), "verdict": verdict, "person": outbound.turn_id is None}
            yield frame("reply", shown, outbound.pk)


def _as_seen_here(content: dict[str, Any]) -> dict[str, Any]:
    """Our own pictures by their path alone: a page may be open under another name of this server than PUBLIC_URL."""
    media = f"{settings.PUBLIC_URL}{settings.MEDIA_URL}"
    cards = [
        {**card, "image_url": card["image_url"].removeprefix(settings.PUBLIC_URL)}
        if card.get("image_url", "").startswith(media)
        else card
        for card in content.get("cards", ())
    ]
    return {**content, "cards": cards}


def frame(event: str, data: dict[str, Any], event_id: int | None = None) -> bytes:
    """One server-sent event."""
    head = f"id: {event_id}\n" if event_id is not None else ""
    return f"{head}event: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


async def stream(account_id: int, account_key: str, visitor: str, after: int) -> AsyncIterator[bytes]:
    """Everything the visitor's page has to show after reply ``after``, as it happens."""
    yield f"retry: {RECONNECT_MS}\n\n".encode()
    seen = Seen(after)
    end = time.monotonic() + LIFETIME
    with LISTENER.subscribed(account_key, visitor) as happened:
        while time.monotonic() < end:
            happened.clear()
            try:
                news = await database_threads.in_database_thread(read_news, account_id, visitor, seen.after)
            except Error as error:
                log.warning("web chat could not read", error=type(error).__name__)
                yield b": the database is away\n\n"
            else:
                for part in seen.frames(news):
                    yield part
            try:
                await asyncio.wait_for(happened.wait(), HEARTBEAT)
            except TimeoutError:
                yield b": still here\n\n"
