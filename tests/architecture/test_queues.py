"""Every task has a queue, and every queue has a worker."""

from __future__ import annotations

import inspect

import pytest

from botcore import queues
from botcore.celery import app
from botcore.management.commands import up

app.loader.import_default_modules()
TASKS = {name: app.tasks[name] for name in sorted(app.tasks) if not name.startswith("celery.")}
"""Sorted, for Celery keeps them in no order and every test process must see the same."""


def served() -> set[str]:
    """The queues that the workers of ``manage.py up`` take from."""
    commands = [list(child.command) for child in up.children("127.0.0.1", 8000)]
    return {queue for command in commands if "-Q" in command for queue in command[command.index("-Q") + 1].split(",")}


def test_there_are_tasks_and_workers():
    assert len(TASKS) >= 5
    assert served() >= {"reply", "io", "index"}


@pytest.mark.parametrize("name", TASKS)
def test_a_task_names_a_queue_that_a_worker_serves(name):
    assert TASKS[name].queue in served()


@pytest.mark.parametrize("name", TASKS)
def test_a_task_takes_nothing_but_ids(name):
    kinds = [parameter.annotation for parameter in inspect.signature(TASKS[name].run).parameters.values()]
    assert all(kind in ("int", int) for kind in kinds)


@pytest.mark.parametrize("name", app.conf.beat_schedule)
def test_what_beat_sends_is_a_task_on_its_own_queue(name):
    entry = app.conf.beat_schedule[name]
    assert TASKS[entry["task"]].queue == entry["options"]["queue"]


@pytest.mark.parametrize(
    "wake", [function for name, function in inspect.getmembers(queues, inspect.isfunction) if name.startswith("wake_")]
)
def test_a_wake_up_names_an_existing_task_and_its_queue(monkeypatch, wake):
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr(queues.app, "send_task", lambda name, args, queue, **_: sent.append((name, queue)))
    wake(1)
    assert [queue for _, queue in sent] == [TASKS[name].queue for name, _ in sent]
