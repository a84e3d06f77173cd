"""Waking workers. A wake-up may be lost: the row it names is found again by the sweeper.

Tasks are named, not imported: the web process never loads what the workers load.
"""

from __future__ import annotations

import structlog

from botcore.celery import app

log = structlog.get_logger(__name__)

WAKE_SECONDS = 30
"""Older wake-ups are thrown away unread: the sweeper has sent fresh ones for whatever still waits."""


LONGEST_AFTER = 5
"""Seconds that a worker may keep a wake-up in its memory."""


def wake_reply(turn_id: int) -> None:
    """Ask a ``reply`` worker to answer a waiting turn."""
    _send("workers.tasks.answer", "reply", turn_id)


def wake_delivery(outbound_id: int, after: float = 0) -> None:
    """Ask an ``io`` worker to send a pending message, after so many seconds. For long waits there is the sweeper."""
    if after <= LONGEST_AFTER:
        _send("workers.tasks.deliver", "io", outbound_id, after)


def wake_typing(turn_id: int) -> None:
    """Ask an ``io`` worker to show the customer that a reply is being written."""
    _send("workers.tasks.show_typing", "io", turn_id)


def wake_verdict(outbound_id: int) -> None:
    """Ask an ``io`` worker to show under a reply how it was judged."""
    _send("workers.tasks.show_verdict", "io", outbound_id)


def wake_index(shop_id: int) -> None:
    """Ask an ``index`` worker to embed the texts of a shop that changed."""
    _send("workers.tasks.embed", "index", shop_id)


def wake_change_set(change_set_id: int) -> None:
    """Ask an ``io`` worker to check, write or undo a change set."""
    _send("workers.tasks.carry_out", "io", change_set_id)


def wake_feed(feed_id: int) -> None:
    """Ask an ``io`` worker to fetch a feed that is due."""
    _send("workers.tasks.fetch_feed", "io", feed_id)


def wake_training(run_id: int) -> None:
    """Ask the trainer to carry out a queued run."""
    _send("workers.tasks.train", "train", run_id)


def wake_shadow(turn_id: int) -> None:
    """Ask a ``reply`` worker what the shadow version would have answered."""
    _send("workers.tasks.shadow", "reply", turn_id)


def wake_webhook(delivery_id: int) -> None:
    """Ask an ``io`` worker to tell a shop's own system of something."""
    _send("workers.tasks.send_webhook", "io", delivery_id)


def backlog(queue: str) -> int:
    """How many wake-ups wait in the broker. A sweeper adds none where each of its rows may have one there already."""
    return told_backlog(queue) or 0


def told_backlog(queue: str) -> int | None:
    """How many wake-ups wait in the broker; None where it does not tell: there is no such queue yet, or no broker."""
    try:
        with app.connection_for_write() as connection:
            name = app.amqp.queues[queue].name
            return int(connection.default_channel.queue_declare(queue=name, passive=True).message_count)
    except Exception as error:
        log.debug("broker does not tell its backlog", queue=queue, error=type(error).__name__)
        return None


def _send(task: str, queue: str, row_id: int, after: float = 0) -> None:
    options = {"queue": queue, "retry": False, "ignore_result": True, "expires": after + WAKE_SECONDS}
    try:
        app.send_task(task, args=[row_id], countdown=after or None, **options)
    except Exception as error:  # any broker failure: the sweeper will find the row
        log.warning("broker did not take a wake-up", task=task, row=row_id, error=type(error).__name__)
