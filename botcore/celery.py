"""The Celery application. Tasks take ids, name their queue, and may be lost: the database row is the truth."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from celery import Celery
from django.conf import settings
from kombu.transport import filesystem
from kombu.utils.json import dumps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botcore.settings")


class WholeFiles(filesystem.Channel):
    """Kombu writes in place, so a reader may meet half a message or table, and Celery ends a worker that did."""

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]  # kombu's bases disagree
        file = Path(self.data_folder_out) / f"{time.monotonic_ns() // 1_000_000}_{uuid.uuid4()}.{queue}.msg"
        unfinished = file.with_suffix(".unfinished")
        unfinished.write_text(dumps(payload))
        unfinished.rename(file)

    def _queue_bind(self, exchange: str, *args: Any) -> None:
        with tempfile.NamedTemporaryFile("w", dir=self.control_folder) as empty, contextlib.suppress(FileExistsError):
            empty.write("[]")
            empty.flush()
            os.link(empty.name, self._exchange_file(exchange))
        super()._queue_bind(exchange, *args)


class FolderTransport(filesystem.Transport):
    """The built-in broker: messages are files in a folder."""

    Channel = WholeFiles


def _transport_options() -> dict[str, object]:
    if settings.BROKER_URL.startswith("redis"):
        return {"visibility_timeout": 3600, "unacked_restore_throttle": 1}
    if settings.BROKER_URL:
        return {}
    for name in ("queue", "control"):
        (settings.BROKER_DIR / name).mkdir(parents=True, exist_ok=True)
    return {
        "data_folder_in": str(settings.BROKER_DIR / "queue"),
        "data_folder_out": str(settings.BROKER_DIR / "queue"),
        "control_folder": str(settings.BROKER_DIR / "control"),
        "polling_interval": 0.05,
    }


app = Celery("daogou")


def _every(seconds: float, task: str, queue: str) -> dict[str, Any]:
    """A beat's entry; a wake-up that nobody took until the next one is due is dropped."""
    return {
        "task": f"workers.tasks.{task}",
        "schedule": seconds,
        "options": {"queue": queue, "expires": seconds},
    }


app.conf.update(
    broker_url=settings.BROKER_URL or "filesystem://localhost/",
    broker_transport=None if settings.BROKER_URL else FolderTransport,
    broker_transport_options=_transport_options(),
    broker_connection_retry_on_startup=True,
    task_ignore_result=True,
    task_default_queue="io",
    task_acks_late=False,
    task_create_missing_queues=True,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    worker_enable_remote_control=False,
    timezone="UTC",
    beat_schedule={
        "sweep": _every(settings.SWEEP_SECONDS, "sweep", "io"),
        "popularity": _every(settings.POPULARITY_SECONDS, "refresh_popularities", "index"),
        "rollouts": _every(settings.ROLLOUT_SECONDS, "watch_rollouts", "io"),
        "metrics": _every(settings.METRICS_SECONDS, "watch_metrics", "io"),
        "holdouts": _every(settings.HOLDOUT_SECONDS, "measure_holdouts", "index"),
        "drifts": _every(settings.DRIFT_SECONDS, "watch_drifts", "index"),
        "rankers": _every(settings.RANKER_SECONDS, "update_rankers", "index"),
        "models": _every(settings.MODELS_SECONDS, "forget_models", "index"),
        "selftraining": _every(settings.SELF_TRAINING_SECONDS, "self_train", "index"),
        "links": _every(settings.LINKS_SECONDS, "rebuild_links", "index"),
        "retention": _every(settings.RETENTION_SECONDS, "forget_conversations", "index"),
        "requests": _every(settings.REQUESTS_SECONDS, "forget_requests", "io"),
        "feeds": _every(settings.FEEDS_SECONDS, "fetch_feeds", "io"),
        "streams": _every(settings.STREAMS_SECONDS, "watch_streams", "reply"),
        "pictures": _every(settings.PICTURES_SECONDS, "look_at_pictures", "index"),
    },
)
app.autodiscover_tasks(["workers"])
app.autodiscover_tasks(["workers"], related_name="warmup")
