"""A message's whole way over every broker: taken in, woken for, answered by a real worker, delivered to the platform."""

from __future__ import annotations

import socket
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from kombu import Connection, Exchange, Queue

from botcore.embedded_postgres import borrowed
from tests.fakes import FakeTelegram, telegram_server
from tests.journeys.installation import Installation, install, wait_for
from tests.journeys.launch import CONTACT

pytestmark = pytest.mark.slow

BROKERS = {
    "filesystem": "",
    "rabbitmq": "amqp://guest:guest@127.0.0.1:5672//",
    "redis": "redis://127.0.0.1:6379/15",
}
WORKER = ("celery", "worker", "-Q", "reply,io", "-n", "journey@%h", "-P", "threads", "-c", "4", "--loglevel=WARNING")
QUIETLY = ("--without-gossip", "--without-mingle", "--without-heartbeat")


@pytest.fixture(scope="module")
def telegram() -> Iterator[tuple[FakeTelegram, str]]:
    with telegram_server() as server:
        yield server


@pytest.fixture(scope="module")
def installation(
    telegram: tuple[FakeTelegram, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    made = install(tmp_path_factory.mktemp("brokers"), telegram[1])
    with borrowed(made.server):
        yield made


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The environment of processes that talk over this broker, on queues of their own."""
    url = BROKERS[request.param]
    if not url:
        yield {}
        return
    where = urlsplit(url)
    with socket.socket() as probe:
        probe.settimeout(2)
        if probe.connect_ex((where.hostname, where.port)) != 0:
            pytest.skip(f"no {request.param} answers on port {where.port}")
    prefix = f"journey-{uuid.uuid4().hex[:8]}"
    yield {"BROKER_URL": url, "JOURNEY_QUEUES": prefix}
    with Connection(url) as connection:
        channel = connection.channel()
        exchange = Exchange(prefix, "direct")(channel)
        for name in ("reply", "io", "index"):
            Queue(f"{prefix}.{name}", exchange, routing_key=name)(channel).delete()
        exchange.delete()
        if request.param == "redis":  # which keeps an exchange's bindings under names of its own
            channel.client.delete(*channel.client.keys(f"_kombu.binding*.{prefix}") or [prefix])


@pytest.fixture
def worker(installation: Installation, broker: dict[str, str], tmp_path: Path) -> Iterator[Path]:
    """A worker of both queues; its log."""
    log = tmp_path / "worker.log"
    with log.open("wb") as output:
        process = installation.start(*WORKER, *QUIETLY, log=output, **broker)
    yield log
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def test_a_message_is_answered_and_delivered_without_any_sweeper(installation, broker, worker, telegram):
    key = uuid.uuid4().hex
    installation.run("say", key, "show me a green jacket", **broker)
    row = (
        "SELECT turn.status, turn.reply, outbound.status FROM botcore_inboundevent event"
        " JOIN botcore_turn turn ON turn.id = event.turn_id LEFT JOIN botcore_outbound outbound"
        f" ON outbound.turn_id = turn.id WHERE event.event_key = '{key}'"
    )
    wait_for(lambda: installation.rows(row)[0][2] == "sent", 45)
    turn, reply, outbound = installation.rows(row)[0]
    assert (turn, outbound) == ("answered", "sent"), worker.read_text()
    assert "Moss jacket" in reply
    assert any(reply in text for text in telegram[0].texts[CONTACT])
