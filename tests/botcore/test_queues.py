"""Wake-ups: each to its own queue, and lost without harm."""

from __future__ import annotations

import shutil
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu import Connection
from kombu.exceptions import OperationalError

from botcore import queues
from botcore.celery import FolderTransport
from tests.fakes import at_once

WAKES = {
    queues.wake_reply: ("workers.tasks.answer", "reply"),
    queues.wake_delivery: ("workers.tasks.deliver", "io"),
    queues.wake_typing: ("workers.tasks.show_typing", "io"),
    queues.wake_index: ("workers.tasks.embed", "index"),
}


@pytest.mark.parametrize(("wake", "expected"), WAKES.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_a_wake_up_carries_a_row_s_id_to_its_queue(monkeypatch, wake, expected):
    sent: list[tuple[str, Any, str]] = []
    monkeypatch.setattr(queues.app, "send_task", lambda name, args, queue, **options: sent.append((name, args, queue)))
    wake(7)
    assert sent == [(expected[0], [7], expected[1])]


@pytest.mark.parametrize("error", [OperationalError("refused"), ConnectionResetError(), OSError("disk full")])
def test_a_broker_that_is_down_costs_a_wake_up_and_nothing_else(monkeypatch, error):
    def refuse(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(queues.app, "send_task", refuse)
    queues.wake_reply(7)


def test_a_broker_that_is_down_has_no_backlog(monkeypatch):
    monkeypatch.setattr(queues, "app", None)
    assert queues.backlog("reply") == 0


# --- the built-in broker


def test_its_backlog_is_what_no_worker_has_taken(settings):
    shutil.rmtree(settings.BROKER_DIR / "queue")
    (settings.BROKER_DIR / "queue").mkdir()
    for turn_id in range(3):
        queues.wake_reply(turn_id)
    queues.wake_delivery(1)
    assert (queues.backlog("reply"), queues.backlog("io"), queues.backlog("index")) == (3, 1, 0)


def folder(path: Path) -> Connection:
    for name in ("queue", "control"):
        (path / name).mkdir(exist_ok=True)
    options = {"data_folder_in": path / "queue", "data_folder_out": path / "queue", "control_folder": path / "control"}
    return Connection(transport=FolderTransport, transport_options={k: str(v) for k, v in options.items()})


def test_the_application_uses_it_where_no_other_is_set():
    assert isinstance(queues.app.connection().transport, FolderTransport)


def test_a_reader_never_meets_half_a_message(tmp_path):
    count = 400

    def write() -> list[int]:
        with folder(tmp_path) as connection:
            channel = connection.channel()
            for number in range(count):
                channel._put("reply", {"number": number, "filling": "x" * 20_000})
        return []

    def read() -> list[int]:
        found: list[int] = []
        with folder(tmp_path) as connection:
            channel = connection.channel()
            while len(found) < count:
                try:
                    found.append(channel._get("reply")["number"])
                except Empty:
                    continue
        return found

    assert sorted(at_once(write, read)[1]) == list(range(count))


def test_workers_that_declare_a_queue_for_the_first_time_at_once_agree(tmp_path):
    for attempt in range(30):

        def declare(exchange: str = f"io{attempt}") -> list[str]:
            with folder(tmp_path) as connection:
                channel = connection.channel()
                channel._queue_bind(exchange, "io", "", "io")
                return [binding.queue for binding in channel.get_table(exchange)]

        assert at_once(*[declare] * 4) == [["io"]] * 4
