"""The Celery application. Tasks take ids, name their queue, and may be lost: the database row is the truth."""

from __future__ import annotations

import os

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botcore.settings")


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
    },
)
app.autodiscover_tasks(["workers"])
