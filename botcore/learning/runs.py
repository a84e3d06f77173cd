"""Training runs as rows: asked for, claimed by one trainer, alive while they give signs, found again when they die."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Case, F, OuterRef, Q, Subquery, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce
from django.utils import timezone

from botcore import queues
from botcore.learning import recipes
from botcore.learning.progress import only_counts, steps
from botcore.models import Dataset, ModelVersion, TrainingRun
from botcore.webhooks.events import Event
from botcore.webhooks.outbox import announce
from catalog.models import Category, Shop

Status = TrainingRun.Status
SILENT = timedelta(minutes=5)
"""A run that has given no sign for so long is taken for dead and continued."""
SIGN_SECONDS = 30.0
"""How often a running one gives a sign of itself, whatever step it is at."""
OPEN = (Status.QUEUED, Status.RUNNING)
POINTS_KEPT = 2_000
LOGS = "training-logs"
"""Below VAR_DIR; beside the runs' folders, which belong to the runs alone."""
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
TAIL = 8_000
"""Bytes of a log that are shown."""


class RefusedError(ValueError):
    """The run cannot be started; the message says why."""


def ask_for(dataset: Dataset, recipe: str, options: Mapping[str, Any], by: User | None = None) -> TrainingRun:
    """Queue a run over an approved snapshot. Raises ``RefusedError``, also for what the recipe cannot be told."""
    if dataset.approved_at is None:
        raise RefusedError("Somebody has to look at the snapshot and approve it before a model learns from it.")
    try:
        recipes.check(recipe, options)
    except recipes.OptionError as error:
        raise RefusedError(str(error)) from error
    _check_department(dataset.shop, options.get("department", ""))
    return _queued(dataset=dataset, recipe=recipe, options=dict(options), created_by=by)


def ask_to_measure(version: ModelVersion, options: Mapping[str, Any], by: User | None = None) -> TrainingRun:
    """Queue a run that measures a version against what is live when it starts; one that is open already is that run.

    What it is not told is as it was when the version was made. Raises ``RefusedError`` for a version of no run.
    """
    if version.run is None:
        raise RefusedError("This version was made by no run: there is nothing to test it on.")
    asked = {name: version.run.options[name] for name in recipes.MEASURING if name in version.run.options}
    with transaction.atomic():
        ModelVersion.objects.select_for_update().get(pk=version.pk)
        return version.measurements.filter(status__in=OPEN).first() or _queued(
            dataset=version.run.dataset,
            recipe=version.recipe,
            options=asked | dict(options),
            measures=version,
            created_by=by,
        )


def _queued(dataset: Dataset, **fields: Any) -> TrainingRun:
    """A new run over a snapshot of its shop's, of which the trainer is told."""
    with transaction.atomic():
        run = TrainingRun.objects.create(shop=dataset.shop, dataset=dataset, **fields)
        transaction.on_commit(partial(queues.wake_training, run.pk))
    return run


def _check_department(shop: Shop, department: str) -> None:
    """Raises ``RefusedError`` for one that the shop does not have: what is made for it would never answer."""
    paths = Category.objects.filter(shop=shop, parent=None).order_by("path").values_list("path", flat=True)
    if department and department not in paths:
        raise RefusedError(f"{shop.name} has no department {department}; there are: {', '.join(paths) or 'none'}.")


def claim(run_id: int) -> TrainingRun | None:
    """The run, now running; None where it is done, stopped, or alive elsewhere. One statement decides.

    What is live where its version would answer is kept with it when it first starts, and stays: a run that goes on ends what it
    began.
    """
    now = timezone.now()
    served = Coalesce(KeyTextTransform("department", OuterRef("options")), Value(""))
    live = ModelVersion.objects.filter(shop=OuterRef("shop"), state=ModelVersion.State.LIVE)
    serving = live.filter(Q(department="") | Q(department=served)).order_by("-department").values("pk")[:1]
    dead = Q(status=Status.RUNNING) & (Q(alive_at=None) | Q(alive_at__lt=now - SILENT))
    taken = TrainingRun.objects.filter(Q(status=Status.QUEUED) | dead, pk=run_id).update(
        status=Status.RUNNING,
        alive_at=now,
        source=Case(When(started_at=None, then=Subquery(serving)), default=F("source")),
        started_at=now,
        error="",
    )
    return TrainingRun.objects.select_related("shop", "dataset", "source", "measures").get(pk=run_id) if taken else None


def tell(run: TrainingRun, stage: str = "", point: Mapping[str, Any] | None = None) -> None:
    """A sign of life, with what the run is doing or has measured. Raises ``RefusedError`` where it was stopped."""
    if stage:
        run.stage = stage[:60]
    if point:
        run.curves = _with(run.curves, {"stage": run.stage, **point})[-POINTS_KEPT:]
    alive = TrainingRun.objects.filter(pk=run.pk, status=Status.RUNNING).update(
        stage=run.stage, curves=run.curves, alive_at=timezone.now()
    )
    if not alive:
        raise RefusedError("The run was stopped.")


def _with(curves: Sequence[Mapping[str, Any]], point: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The curves with one more point; one that only counts steps takes the place of the count before it."""
    again = curves and only_counts(point) and only_counts(curves[-1]) and curves[-1]["stage"] == point["stage"]
    return [*(curves[:-1] if again else curves), point]


def how_far(run: TrainingRun) -> tuple[int, int] | None:
    """How many steps of how many the stage has done that the run is at; None where it has not told."""
    newest = run.curves[-1] if run.curves else {}
    return steps(newest) if newest.get("stage") == run.stage and newest.get("of") else None


def sign(run_id: int) -> None:
    """A sign of life between two of what a run tells: some steps take minutes."""
    TrainingRun.objects.filter(pk=run_id, status=Status.RUNNING).update(alive_at=timezone.now())


@transaction.atomic
def finish(run: TrainingRun, error: str = "") -> None:
    """The end, good or bad; a run that was stopped stays stopped."""
    status = Status.FAILED if error else Status.DONE
    running = TrainingRun.objects.filter(pk=run.pk, status=Status.RUNNING)
    if running.update(status=status, error=error[:2_000], finished_at=timezone.now()):
        _tell_of_end(run, status)


@transaction.atomic
def stop(run: TrainingRun) -> bool:
    """End a run that is queued or running, at its next sign of life."""
    stopped = TrainingRun.objects.filter(pk=run.pk, status__in=OPEN).update(
        status=Status.STOPPED, finished_at=timezone.now()
    )
    if stopped:
        _tell_of_end(run, Status.STOPPED)
    return bool(stopped)


def go_on(run: TrainingRun) -> bool:
    """Queue a run again that failed or was stopped: it goes on where it was. One that was stopped must have fallen silent, or its
    process would not hear of the stop any more."""
    silent = Q(alive_at=None) | Q(alive_at__lt=timezone.now() - SILENT)
    ended = Q(status=Status.FAILED) | (Q(status=Status.STOPPED) & silent)
    with transaction.atomic():
        again = TrainingRun.objects.filter(ended, pk=run.pk, version=None).update(
            status=Status.QUEUED, error="", finished_at=None
        )
        if again:
            transaction.on_commit(partial(queues.wake_training, run.pk))
    return bool(again)


def _tell_of_end(run: TrainingRun, status: Status) -> None:
    version = run.measures_id or ModelVersion.objects.filter(run=run).values_list("pk", flat=True).first()
    told = {"run": run.pk, "recipe": run.recipe, "status": status.value, "version": version}
    announce(run.shop_id, Event.RUN_FINISHED, told)


def sweep() -> None:
    """Wake the trainer for runs whose wake-up was lost or whose process died."""
    dead = Q(status=Status.RUNNING, alive_at__lt=timezone.now() - SILENT)
    for run in TrainingRun.objects.filter(Q(status=Status.QUEUED) | dead).order_by("pk")[:1]:
        if not queues.backlog("train"):
            queues.wake_training(run.pk)


def log_of(name: str) -> Path:
    """What a run, by its number, printed on this machine."""
    return Path(settings.VAR_DIR) / LOGS / f"{name}.txt"


def last_lines(name: str) -> str:
    """The end of a log, whole lines as a terminal would show them; empty where this machine has none.

    A bar that draws itself again and again over one line is there once, as it was at last.
    """
    try:
        with log_of(name).open("rb") as kept:
            kept.seek(max(0, kept.seek(0, os.SEEK_END) - TAIL))
            text = kept.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    lines = [line.rsplit("\r", 1)[-1] for line in text.replace("\r\n", "\n").split("\n")]
    return "\n".join(_CONTROLS.sub("", line) for line in lines[len(text) >= TAIL :]).strip()
