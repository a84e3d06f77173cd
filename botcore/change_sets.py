"""Change sets as work: received, checked, carried out and taken back by the ``io`` queue, found again when a worker dies.

What is written and undone is the catalogue's own affair (``catalog.ingest``, ``catalog.journal``, ``catalog.bulk``).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from collections.abc import Mapping as AnyMapping
from datetime import timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import structlog
from django.contrib.auth.models import User
from django.core.files.base import File
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from botcore import queues
from catalog import bulk
from catalog.ingest.mapping import Mapping
from catalog.ingest.products import Reading, read_products
from catalog.ingest.readers import MAX_BYTES, FeedError, read_rows
from catalog.ingest.records import RowError
from catalog.ingest.sniff import HEAD, encoding_of, kind_of
from catalog.ingest.write import ImportReport, foresee_products, upsert_products
from catalog.journal import Journal, undo
from catalog.models import ChangeSet, Feed, RowProblem, Shop

log = structlog.get_logger(__name__)

Task, Status = ChangeSet.Task, ChangeSet.Status
SILENT = timedelta(minutes=5)
"""A running one that has given no sign for so long is taken for dead and continued."""
FORGOTTEN = timedelta(days=7)
"""After so long a file that nobody imported is deleted."""


class NotNowError(Exception):
    """The change set is at work, or not at the point at which this can be asked of it."""


def receive(
    shop: Shop, name: str, pieces: Iterable[bytes], by: User | None = None, feed: Feed | None = None
) -> ChangeSet:
    """Store a file to be imported, a piece at a time. Raises ``FeedError`` for what can be seen not to be a feed."""
    pieces = iter(pieces)
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= HEAD:
            break
    kind, encoding = kind_of(head[:HEAD]), encoding_of(head[:HEAD])
    made = ChangeSet(
        shop=shop,
        by=by,
        feed=feed,
        kind=ChangeSet.Kind.FEED if feed else ChangeSet.Kind.FILE,
        name=name[:200],
        encoding=encoding,
        status=Status.DONE,
    )
    stored = f"{uuid.uuid4().hex}{kind}"
    try:
        made.file.save(stored, _Pieces(chain([head], pieces)), save=False)
        made.save()
    except FeedError:
        made.file.storage.delete(stored)
        raise
    return made


class _Pieces(File):
    """A file that is read once, and never whole. Raises ``FeedError`` once it is longer than may be."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        super().__init__(None)
        self.pieces = pieces

    def chunks(self, chunk_size: int | None = None) -> Any:
        size = 0
        for piece in self.pieces:
            size += len(piece)
            if size > MAX_BYTES:
                raise FeedError(f"larger than {MAX_BYTES:,} bytes; split the file")
            yield piece


def ask(change_set: ChangeSet, task: str) -> None:
    """Queue the next task. Raises ``NotNowError`` where another is under way, or has not been done before."""
    before = {
        Task.CHECK: Q(task=Task.CHECK),
        Task.WRITE: Q(task=Task.CHECK, status=Status.DONE) | Q(task=Task.WRITE, status=Status.FAILED),
        Task.UNDO: Q(task=Task.WRITE) | Q(task=Task.UNDO, status=Status.FAILED),
    }[Task(task)]
    still = Q(status__in=[Status.DONE, Status.FAILED])
    with transaction.atomic():
        asked = ChangeSet.objects.filter(before & still, pk=change_set.pk).update(
            task=task, status=Status.WAITS, done=0, total=0, error="", alive_at=timezone.now(), finished_at=None
        )
        if not asked:
            raise NotNowError
        transaction.on_commit(partial(queues.wake_change_set, change_set.pk))


def change_many(
    shop: Shop, name: str, selection: AnyMapping[str, Any], change: bulk.Change, by: User | None = None
) -> ChangeSet:
    """A change of many products: done when this returns if they are few, else queued."""
    options = {"selection": dict(selection), "change": change.to_dict()}
    with transaction.atomic():
        made = ChangeSet.objects.create(
            shop=shop, by=by, kind=ChangeSet.Kind.BULK, name=name[:200], options=options, status=Status.DONE
        )
        ask(made, Task.WRITE)
    if bulk.chosen(shop, selection)[: bulk.AT_ONCE + 1].count() <= bulk.AT_ONCE:
        carry_out(made.pk)
    made.refresh_from_db()
    return made


def carry_out(pk: int) -> None:
    """Do what is asked of a change set, unless another worker does it. An error is stored with it, never lost."""
    change_set = _claim(pk)
    if change_set is None:
        return
    error = ""
    try:
        _TASKS[Task(change_set.task)](change_set)
    except FeedError as refusal:
        error = str(refusal)
    except Exception as unexpected:
        log.exception("change set broke off", change_set=pk, task=change_set.task)
        error = f"broke off ({type(unexpected).__name__}); ask again, or look into the log"
    change_set.status, change_set.error = (Status.FAILED if error else Status.DONE), error
    change_set.finished_at = timezone.now()
    change_set.save(update_fields=["status", "error", "finished_at", "counts", "notes"])
    if change_set.task == Task.WRITE and not error:
        change_set.file.delete()
        log.info("change set written", change_set=pk, shop=change_set.shop.slug, **change_set.counts)


def discard(change_set: ChangeSet) -> bool:
    """Forget a file that was not imported and is not at work; whether it was such a one."""
    settled = ChangeSet.objects.filter(pk=change_set.pk, task=Task.CHECK, status__in=[Status.DONE, Status.FAILED])
    with transaction.atomic():
        if settled.select_for_update().first() is None:
            return False
        change_set.file.delete(save=False)
        settled.delete()
    return True


def sweep() -> None:
    """Wake a worker for change sets whose wake-up was lost or whose worker died; forget files that nobody imported."""
    now = timezone.now()
    lost = Q(status=Status.WAITS, alive_at__lt=now - timedelta(seconds=queues.WAKE_SECONDS))
    dead = Q(status=Status.RUNS, alive_at__lt=now - SILENT)
    for pk in ChangeSet.objects.filter(lost | dead).order_by("pk").values_list("pk", flat=True)[:10]:
        queues.wake_change_set(pk)


def forget_files() -> None:
    """Delete the files of imports that were never carried out, and the imports with them."""
    old = ChangeSet.objects.filter(task=Task.CHECK, created_at__lt=timezone.now() - FORGOTTEN)
    for change_set in old:
        discard(change_set)


def _claim(pk: int) -> ChangeSet | None:
    now = timezone.now()
    free = Q(status=Status.WAITS) | Q(status=Status.RUNS, alive_at__lt=now - SILENT)
    taken = ChangeSet.objects.filter(free, pk=pk).update(status=Status.RUNS, alive_at=now, done=0)
    return ChangeSet.objects.select_related("shop").get(pk=pk) if taken else None


def _check(change_set: ChangeSet) -> None:
    """What writing would do, and every row that would not go in."""
    if change_set.kind == ChangeSet.Kind.BULK:
        return
    reading = _read(change_set)
    report = foresee_products(change_set.shop, reading.records, partial(_advance, change_set))
    _report(change_set, reading, report)


def _write(change_set: ChangeSet) -> None:
    if change_set.kind == ChangeSet.Kind.BULK:
        change_set.counts = bulk.carry_out(change_set, partial(_advance, change_set))
        return
    reading = _read(change_set)
    report = upsert_products(
        change_set.shop, reading.records, partial(_advance, change_set), watcher=Journal(change_set)
    )
    _report(change_set, reading, report)


def _undo(change_set: ChangeSet) -> None:
    _expect(change_set, change_set.changed.filter(undone=False, kept="").count())
    change_set.counts |= undo(change_set, partial(_advance, change_set))


_TASKS = {Task.CHECK: _check, Task.WRITE: _write, Task.UNDO: _undo}


def _read(change_set: ChangeSet) -> Reading:
    shop = change_set.shop
    rows = read_rows(Path(change_set.file.path), change_set.encoding)
    mapping = Mapping.from_dict(change_set.options)
    reading = read_products(rows, mapping, currency=shop.currency, language=shop.language)
    _expect(change_set, len(reading.records))
    return reading


def _report(change_set: ChangeSet, reading: Reading, report: ImportReport) -> None:
    errors = [*reading.errors, *report.errors]
    names = ("created", "updated", "unchanged", "withdrawn")
    change_set.counts = {**{name: getattr(report, name) for name in names}, "errors": len(errors)}
    change_set.notes = list(reading.notes)
    with transaction.atomic():
        change_set.problems.all().delete()
        RowProblem.objects.bulk_create(map(partial(_problem, change_set), errors), batch_size=5_000)


def _problem(change_set: ChangeSet, error: RowError) -> RowProblem:
    return RowProblem(change_set=change_set, line=error.line, reason=error.reason)


def _expect(change_set: ChangeSet, total: int) -> None:
    change_set.total = total
    ChangeSet.objects.filter(pk=change_set.pk).update(total=total, alive_at=timezone.now())


def _advance(change_set: ChangeSet, done: int) -> None:
    change_set.done += done
    ChangeSet.objects.filter(pk=change_set.pk).update(done=change_set.done, alive_at=timezone.now())
