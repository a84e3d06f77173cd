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
        "sweep": {
            "task": "workers.tasks.sweep",
            "schedule": settings.SWEEP_SECONDS,
            "options": {"queue": "io", "expires": settings.SWEEP_SECONDS},
        },
        "popularity": {
            "task": "workers.tasks.refresh_popularities",
            "schedule": settings.POPULARITY_SECONDS,
            "options": {"queue": "index", "expires": settings.POPULARITY_SECONDS},
        },
        "rollouts": {
            "task": "workers.tasks.watch_rollouts",
            "schedule": settings.ROLLOUT_SECONDS,
            "options": {"queue": "io", "expires": settings.ROLLOUT_SECONDS},
        },
        "drifts": {
            "task": "workers.tasks.watch_drifts",
            "schedule": settings.DRIFT_SECONDS,
            "options": {"queue": "index", "expires": settings.DRIFT_SECONDS},
        },
        "rankers": {
            "task": "workers.tasks.update_rankers",
            "schedule": settings.RANKER_SECONDS,
            "options": {"queue": "index", "expires": settings.RANKER_SECONDS},
        },
        "models": {
            "task": "workers.tasks.forget_models",
            "schedule": settings.MODELS_SECONDS,
            "options": {"queue": "index", "expires": settings.MODELS_SECONDS},
        },
        "selftraining": {
            "task": "workers.tasks.self_train",
            "schedule": settings.SELF_TRAINING_SECONDS,
            "options": {"queue": "index", "expires": settings.SELF_TRAINING_SECONDS},
        },
        "links": {
            "task": "workers.tasks.rebuild_links",
            "schedule": settings.LINKS_SECONDS,
            "options": {"queue": "index", "expires": settings.LINKS_SECONDS},
        },
    },
)
app.autodiscover_tasks(["workers"])
app.autodiscover_tasks(["workers"], related_name="warmup")
