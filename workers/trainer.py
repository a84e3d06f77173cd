"""Carries out training runs: each in a process of its own, which leaves nothing behind in the worker that started it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.conf import settings
from django.db import connection

from botcore.environment import PROJECT
from botcore.learning import runs
from botcore.learning.progress import UNHEARD, Progress
from botcore.models import ModelVersion, TrainingRun
from botcore.supervisor import on_a_leash

log = structlog.get_logger(__name__)


def carry_out_apart(run_id: int) -> None:
    """Start ``manage.py train --run`` and wait for it; its output is kept (:func:`botcore.learning.runs.log_of`)."""
    kept = runs.log_of(str(run_id))
    kept.parent.mkdir(parents=True, exist_ok=True)
    command = on_a_leash([sys.executable, str(PROJECT / "manage.py"), "train", "--run", str(run_id)])
    with kept.open("ab") as output:
        code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=PROJECT).returncode
    log.info("ended", run=run_id, code=code)


@contextmanager
def _giving_signs(run_id: int) -> Iterator[None]:
    """No other trainer takes the run for dead while this process lives."""
    over = threading.Event()

    def give() -> None:
        while not over.wait(runs.SIGN_SECONDS):
            runs.sign(run_id)
        connection.close()

    thread = threading.Thread(target=give, name="signs of life", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def carry_out(run_id: int, progress: Progress = UNHEARD) -> ModelVersion | None:
    """Claim a run and do it here; None where there was nothing to claim. Errors are kept with the run and raised."""
    run = runs.claim(run_id)
    if run is None:
        return None
    if not settings.DAOGOU_BASE_MODEL:  # all is here: peft would ask the Hub about the base at every checkpoint
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from workers.training.run import carry_out as steps

    try:
        with _giving_signs(run.pk):
            version = steps(run, progress)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit):  # it goes on where it stopped when it is started again
            TrainingRun.objects.filter(pk=run.pk, status=TrainingRun.Status.RUNNING).update(
                status=TrainingRun.Status.QUEUED
            )
        else:
            runs.finish(run, f"{type(error).__name__}: {error}\n{traceback.format_exc()[-1_500:]}")
        raise
    runs.finish(run)
    return version
