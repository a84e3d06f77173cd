"""The registry of a shop's model versions: what may follow what, who moved it and why, and the way back.

A version goes candidate -> shadow -> canary -> live -> retired; every step is one transaction and leaves a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from botcore.learning import gate
from botcore.models import ModelVersion, VersionChange
from botcore.webhooks.events import Event
from botcore.webhooks.outbox import announce
from catalog.models import Shop

State = ModelVersion.State
ALLOWED: Mapping[str, tuple[str, ...]] = {
    State.CANDIDATE: (State.SHADOW, State.CANARY, State.LIVE, State.RETIRED),
    State.SHADOW: (State.CANDIDATE, State.CANARY, State.LIVE, State.RETIRED),
    State.CANARY: (State.CANDIDATE, State.SHADOW, State.LIVE, State.RETIRED),
    State.LIVE: (State.RETIRED,),
    State.RETIRED: (State.CANDIDATE,),
}
SERVES = (State.CANARY, State.LIVE)
"""States in which customers read what a version writes: only what passed the gate gets there."""
CANARY_SHARE = 10
SHIPPED = "shipped"
"""The name of what serves where no version is live."""


class RefusedError(ValueError):
    """The step is not possible; the message says why and what would make it so."""


def live(shop: Shop, department: str = "") -> ModelVersion | None:
    """What serves the shop's customers about a department, "" for nothing of one; None is the adapter that ships."""
    return about(shop.pk, department).filter(state=State.LIVE).first()


def about(shop_id: int, department: str) -> QuerySet[ModelVersion]:
    """The versions that may answer about a department: its own before those of the whole shop."""
    return ModelVersion.objects.filter(shop=shop_id, department__in=("", department)).order_by("-department")


def rival_of(version: ModelVersion) -> ModelVersion | None:
    """What a version has to be better than: what is live, or what it replaced itself; None is the shipped adapter."""
    return replaced_by(version) if version.state == State.LIVE else live(version.shop, version.department)


def judge(version: ModelVersion, report: Mapping[str, Any]) -> gate.Verdict:
    """Keep an evaluation with the gate's verdict on it."""
    verdict = gate.judge(report)
    version.report, version.gate = dict(report), verdict.to_json()
    version.save(update_fields=["report", "gate"])
    return verdict


def told(version: ModelVersion) -> dict[str, Any]:
    """A version's evaluation as JSON: its name, the gate's verdict, and the report."""
    return {"version": version.name, "gate": version.gate, **version.report}


def move(
    version: ModelVersion, to: str, by: User | None = None, reason: str = "", share: int = CANARY_SHARE
) -> ModelVersion:
    """Bring a version into another state; whoever held a place that only one can hold makes room.

    A canary may be moved to ``canary`` again with another ``share`` (percent). Raises ``RefusedError``.
    """
    with transaction.atomic():
        Shop.objects.select_for_update().get(pk=version.shop_id)
        version = ModelVersion.objects.get(pk=version.pk)
        _check(version, to, share)
        before = live(version.shop, version.department) if to == State.LIVE else None
        if to in (State.SHADOW, State.CANARY, State.LIVE):
            _make_room(version, to, by)
        _write(version, to, by, reason, share if to == State.CANARY else 0, before)
    return version


def rollback(
    shop: Shop, by: User | None = None, reason: str = "", version: ModelVersion | None = None
) -> ModelVersion | None:
    """Take a version away from the customers; what answers in its place from now on, None for the shipped adapter.

    Without ``version`` what was put before them last: the newest canary, or else the newest live one. A canary is ended; for
    a live version what was live before it comes back, unless that answers for the whole shop and is live still. Raises
    ``RefusedError`` where there is nothing to go back from.
    """
    with transaction.atomic():
        Shop.objects.select_for_update().get(pk=shop.pk)
        current = version or _put_last(shop)
        if current is None:
            raise RefusedError(f"{shop.name} is served by the adapter that ships; there is nothing before it.")
        current.refresh_from_db(fields=["state"])
        if current.state not in SERVES:
            raise RefusedError(f"{current} serves nobody.")
        before = replaced_by(current) if current.state == State.LIVE else None
        _write(current, State.RETIRED, by, reason, 0)
        if before and before.department == current.department:
            _write(before, State.LIVE, by, f"back from {current}", 0, replaced_by(before))
        return live(shop, current.department)


def _put_last(shop: Shop) -> ModelVersion | None:
    """The newest canary, or else what went live last; None where neither is."""
    serving = ModelVersion.objects.filter(shop=shop, state__in=SERVES)
    return serving.order_by("state", "-state_since").first()  # "canary" comes before "live"


def replaced_by(current: ModelVersion) -> ModelVersion | None:
    """What a version that is live took the place of, of a department's perhaps what answers for the whole shop; None where that
    was the shipped adapter.

    Of a version that came back after a rollback this is what was live before it the first time.
    """
    went_live = current.changes.filter(after=State.LIVE).select_related("instead_of").first()
    return went_live.instead_of if went_live else None


def _check(version: ModelVersion, to: str, share: int) -> None:
    again = version.state == to == State.CANARY
    if to not in ALLOWED[version.state] and not again:
        raise RefusedError(f"{version} is {version.state} and cannot become {to}.")
    if to in SERVES and (why := _unproved(version)):
        raise RefusedError(f"{version} may not serve customers: {why}. Run `manage.py evaluate {version}`.")
    if to == State.CANARY and not 1 <= share <= 99:
        raise RefusedError("A canary answers between 1 and 99 percent of the conversations.")


def _unproved(version: ModelVersion) -> str:
    """What a version lacks to serve: a verdict that let it pass, on a comparison with what is live now; "" for nothing."""
    if not version.gate.get("passed"):
        failed = [line["name"] for line in version.gate.get("lines", ()) if not line["passed"]]
        return f"the gate refused it for: {', '.join(failed)}" if failed else "it has not been evaluated"
    against, now = version.report.get("against", {}).get("version"), str(rival_of(version) or SHIPPED)
    return "" if against == now else f"it was measured against {against or 'nothing known'}, but {now} is live now"


def _make_room(version: ModelVersion, to: str, by: User | None) -> None:
    held = ModelVersion.objects.filter(shop=version.shop, department=version.department, state=to)
    for holder in held.exclude(pk=version.pk):
        _write(holder, State.RETIRED if to == State.LIVE else State.CANDIDATE, by, f"replaced by {version}", 0)


def _write(
    version: ModelVersion, to: str, by: User | None, reason: str, share: int, instead_of: ModelVersion | None = None
) -> None:
    VersionChange.objects.create(
        version=version,
        before=version.state,
        after=to,
        share=share,
        instead_of=instead_of,
        reason=reason[:1_000],
        by=by,
    )
    if to == State.LIVE:
        told = {"version": version.pk, "name": version.name, "before": version.state, "department": version.department}
        announce(version.shop_id, Event.VERSION_PROMOTED, told)
    version.state, version.share, version.state_since = to, share, timezone.now()
    version.save(update_fields=["state", "share", "state_since"])
