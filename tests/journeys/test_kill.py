"""Fifty conversations go on while worker, web process and database are killed: every message is answered, once."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.fakes import FakeTelegram, telegram_server
from tests.journeys.installation import Installation, install, wait_for

pytestmark = pytest.mark.slow

CUSTOMERS = 50
WISHES = ("show me a jacket", "something green", "under 100 dollars", "a backpack rather", "how do returns work?")
IN_FLIGHT = "SELECT count(*) FROM botcore_turn WHERE status = 'waiting' AND leased_until > now()"
UNFINISHED = """
    SELECT (SELECT count(*) FROM botcore_turn WHERE status = 'waiting')
         + (SELECT count(*) FROM botcore_outbound WHERE status = 'pending')
"""
MESSAGES = [(customer, number) for customer in range(CUSTOMERS) for number in range(3)]


def text_of(customer: int, number: int) -> str:
    return f"{WISHES[(customer + 2 * number) % len(WISHES)]}, says {customer} the {number}th time"


def key_of(customer: int, number: int) -> int:
    return 1000 * customer + number


@dataclass
class Platform:
    """Delivers updates as Telegram does: until the webhook says 200, in the order of each chat."""

    url: str
    secret: str
    client: httpx.Client
    waves: list[threading.Event]
    under_way: int = 0
    refused: int = 0
    broken: int = 0
    late: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def converse(self, customer: int) -> None:
        chance = random.Random(customer)
        for number, wave in enumerate(self.waves):
            wave.wait()
            time.sleep(chance.uniform(0, 2.5))
            self.deliver(customer, number)
            if chance.random() < 0.2:
                self.deliver(customer, number)

    def deliver(self, customer: int, number: int) -> None:
        person = {"id": customer + 1, "first_name": f"Customer {customer}", "language_code": "en"}
        chat = {"id": customer + 1, "type": "private"}
        message = {"message_id": number + 1, "chat": chat, "from": person, "text": text_of(customer, number)}
        update = {"update_id": key_of(customer, number), "message": message}
        deadline = time.monotonic() + 40
        while not self._post(update):
            if time.monotonic() > deadline:
                self.late.append(message["text"])
                return
            time.sleep(0.3)

    def _post(self, update: dict[str, Any]) -> bool:
        self._count(under_way=1)
        try:
            response = self.client.post(self.url, json=update, headers={"X-Telegram-Bot-Api-Secret-Token": self.secret})
        except httpx.TransportError:
            self._count(broken=1)
            return False
        else:
            self._count(refused=response.status_code != 200)
            return response.status_code == 200
        finally:
            self._count(under_way=-1)

    def _count(self, **changes: int) -> None:
        with self.lock:
            for name, change in changes.items():
                setattr(self, name, getattr(self, name) + change)


@dataclass(frozen=True)
class Daogou:
    """``manage.py up`` with a fake model."""

    process: subprocess.Popen[bytes]
    address: str
    log: Path

    def child(self, mark: str) -> psutil.Process | None:
        for child in psutil.Process(self.process.pid).children():
            try:
                if any(mark in part for part in child.cmdline()):
                    return child
            except psutil.NoSuchProcess:
                continue
        return None

    def kill(self, mark: str) -> None:
        child = self.child(mark)
        assert child is not None, f"no {mark} to kill"
        child.kill()
        assert wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, 5, 0.01)

    def runs_again(self, mark: str) -> bool:
        return wait_for(lambda: self.child(mark) is not None, 30)


@pytest.fixture
def telegram() -> Iterator[tuple[FakeTelegram, str]]:
    with telegram_server() as server:
        yield server


@pytest.fixture
def installation(telegram: tuple[FakeTelegram, str], tmp_path: Path) -> Installation:
    return install(tmp_path / "var", telegram[1])


@pytest.fixture
def daogou(installation: Installation, tmp_path: Path) -> Iterator[Daogou]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path / "up.log"
    with log.open("wb") as output:
        process = installation.start("up", "--no-demo", "--port", str(port), log=output)
    running = Daogou(process, f"http://127.0.0.1:{port}", log)
    try:
        assert wait_for(lambda: "Daogou is up" in log.read_text() or process.poll() is not None, 60), log.read_text()
        assert process.poll() is None, log.read_text()
        yield running
    finally:
        family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(45)
        finally:
            _, left = psutil.wait_procs(family, 5)
            for survivor in left:
                survivor.kill()
            process.kill()
        assert left == []


def in_flight(installation: Installation, platform: Platform, posts: int, turns: int) -> Callable[[], bool]:
    return lambda: platform.under_way >= posts and installation.value(IN_FLIGHT) >= turns


def test_every_message_is_answered_exactly_once_through_three_kills(daogou, installation, telegram):
    waves = [threading.Event() for _ in range(3)]
    limits = httpx.Limits(max_connections=CUSTOMERS)
    with httpx.Client(timeout=15, limits=limits) as client:
        platform = Platform(daogou.address + installation.path, installation.secret, client, waves)
        customers = [threading.Thread(target=platform.converse, args=(number,)) for number in range(CUSTOMERS)]
        for customer in customers:
            customer.start()
        for wave, mark, posts in zip(waves, ("reply@", "uvicorn", "/postgres"), (0, 2, 0), strict=True):
            wave.set()
            assert wait_for(in_flight(installation, platform, posts, turns=4), 30, 0.01), f"too quiet to kill {mark}"
            daogou.kill(mark)
            assert daogou.runs_again(mark)
        for customer in customers:
            customer.join(60)
    assert platform.late == []
    assert platform.broken > 0, "no delivery was cut off by the kill of the web process"
    events = lambda: installation.value("SELECT count(*) FROM botcore_inboundevent")  # noqa: E731
    assert wait_for(lambda: events() == len(MESSAGES) and installation.value(UNFINISHED) == 0, 60), (
        f"{events()} messages, {installation.value(UNFINISHED)} unfinished\n{daogou.log.read_text()[-6000:]}"
    )
    every_message_has_its_answer(installation)
    every_conversation_is_in_order(installation)
    every_reply_reached_its_customer(installation, telegram[0])
    interrupted = installation.value("SELECT count(*) FROM botcore_turn WHERE attempts > 1")
    assert interrupted >= 4, "the kills interrupted no turn"


def every_message_has_its_answer(installation: Installation) -> None:
    stored = installation.rows("SELECT event_key, text FROM botcore_inboundevent WHERE kind = 'text'")
    assert sorted(stored) == sorted((str(key_of(*message)), text_of(*message)) for message in MESSAGES)
    answered = installation.rows(
        """
        SELECT turn.text, string_agg(event.text, E'\n' ORDER BY event.id), turn.status, count(DISTINCT outbound.id)
        FROM botcore_turn turn
        LEFT JOIN botcore_inboundevent event ON event.turn_id = turn.id
        LEFT JOIN botcore_outbound outbound ON outbound.turn_id = turn.id
        GROUP BY turn.id
        """
    )
    assert [row for row in answered if row[0] != row[1] or row[2:] != ("answered", 1)] == []
    assert sum(row[0].count("\n") + 1 for row in answered) == len(MESSAGES)


def every_conversation_is_in_order(installation: Installation) -> None:
    """Numbers without gaps, each reply made from the state that the one before it left, none made or sent too early."""
    turns = defaultdict(list)
    for conversation, *turn in installation.rows(
        """
        SELECT turn.conversation_id, number, state_before, state_after, answered_at, sent_at
        FROM botcore_turn turn JOIN botcore_outbound outbound ON outbound.turn_id = turn.id ORDER BY number
        """
    ):
        turns[conversation].append(turn)
    assert len(turns) == CUSTOMERS
    for conversation in turns.values():
        numbers, before, after, answered, sent = zip(*conversation, strict=True)
        assert list(numbers) == list(range(1, len(numbers) + 1))
        assert list(before) == [{}, *after[:-1]]
        assert [state["turn"] for state in after] == list(numbers)
        assert list(answered) == sorted(answered)
        assert list(sent) == sorted(sent)
        assert all(one < other for one, other in zip(answered, sent, strict=True))


def every_reply_reached_its_customer(installation: Installation, telegram: FakeTelegram) -> None:
    replies = installation.rows(
        """
        SELECT contact.external_id, turn.number, turn.reply FROM botcore_turn turn
        JOIN botcore_conversation conversation ON conversation.id = turn.conversation_id
        JOIN botcore_contact contact ON contact.id = conversation.contact_id ORDER BY turn.number
        """
    )
    assert installation.rows("SELECT DISTINCT status FROM botcore_outbound") == [("sent",)]
    read = {chat: iter(texts) for chat, texts in telegram.texts.items()}
    missed = [row for row in replies if not any(row[2] in text for text in read[row[0]])]
    assert missed == []
