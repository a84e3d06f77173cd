"""Learning as the console reads it: what came in, snapshots, runs, versions with their reports, and what serves now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from admin_console import labels
from admin_console.explanation import Pair, pairs, plain
from admin_console.sentences import plainly
from botcore.learning import datasets, gate, house_words, rollout, runs, versions
from botcore.models import Annotation, Dataset, DatasetRow, Feedback, ModelVersion, ShadowReply, TrainingRun, Turn
from catalog.models import Category, Shop

State = ModelVersion.State

INFLOW = timedelta(days=28)
NEWEST = 20
"""Rows of a table until all are asked for."""
WATCHED = timedelta(days=7)
"""How far back the health of a version is looked at."""
SHARES = frozenset(
    "accepted accepted_samples unsupported_before unsupported_after audited_before audited_after wishes wishes_named distinct_2 "
    "grounded naturalness preference".split()
)
"""Measures that are shares; told in percent."""
MEASURED = (
    "accepted", "accepted_samples", "unsupported_before", "unsupported_after", "audited_before", "audited_after",
    "distinct_2", "mean_length", "seconds_per_reply", "briefs", "samples",
)  # fmt: skip
"""The order of the report's table; what is not named here follows."""
NO_MEASURES = frozenset(("model", "seconds", "found_false"))
MATERIAL = ("briefs", "replies", "pairs")
COLUMNS = 8
"""The newest versions of the table that has them side by side."""
SHADOWS = 50
"""Replies of a shadow on one page."""
INTERVAL = 120
"""Width of the picture of an interval, in user units; no difference is in the middle."""


@dataclass(frozen=True)
class Inflow:
    """Feedback of the last weeks by kind, and how much of all there is came after the newest snapshot (None: no snapshot)."""

    verdicts: Mapping[str, int]
    thumbs: Mapping[str, int]
    unseen: int | None
    own_words: Mapping[str, str]
    waiting_words: Mapping[str, int]


@dataclass(frozen=True)
class UseCount:
    use: str
    parts: tuple[tuple[str, int], ...]
    total: int


Counts = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class SnapshotRow:
    """A snapshot with its counts, the largest first."""

    snapshot: Dataset
    uses: tuple[UseCount, ...]
    acts: Counts
    topics: Counts
    sentiments: Counts
    left_out: Counts


@dataclass(frozen=True)
class RunRow:
    run: TrainingRun
    error: str


@dataclass(frozen=True)
class VersionRow:
    """``department`` is the name of the one it answers for alone; ``failed`` are the gate's lines that were not passed;
    ``evaluated`` whether there is a verdict at all."""

    version: ModelVersion
    department: str
    evaluated: bool
    passed: bool
    failed: tuple[str, ...]


@dataclass(frozen=True)
class Serving:
    """What writes for customers now, about one ``department`` where it has a name; None is what else answers them, or no canary
    and no shadow."""

    department: str
    live: ModelVersion | None
    canary: ModelVersion | None
    shadow: ModelVersion | None

    @property
    def put_last(self) -> ModelVersion | None:
        """What a rollback takes back."""
        return self.canary or self.live


@dataclass(frozen=True)
class ExampleRow:
    """A row of a snapshot with the turn that it came from, if that is still there."""

    row: DatasetRow
    customer: str
    turn: Turn | None
    origin: str
    features: tuple[Pair, ...]


@dataclass(frozen=True)
class Measure:
    name: str
    candidate: str
    live: str


@dataclass(frozen=True)
class Interval:
    """A 95 % interval as a picture: places of its ends and of its mean on ``INTERVAL`` units."""

    low: float
    width: float
    mean: float


@dataclass(frozen=True)
class Difference:
    """Candidate minus live; more is better. ``side`` is the side of none on which the whole interval lies: better, worse."""

    name: str
    candidate: str
    live: str
    mean: str
    interval: str
    count: int
    side: str
    picture: Interval


@dataclass(frozen=True)
class GateLine:
    name: str
    passed: bool
    found: str


@dataclass(frozen=True)
class Report:
    """A version's evaluation. ``breakdowns`` are measures that have several values each; ``found_false`` are replies, each with
    who would have sent it: the audit found something in them that the verifier had let through."""

    against: str
    material: tuple[Pair, ...]
    measures: tuple[Measure, ...]
    differences: tuple[Difference, ...]
    breakdowns: Mapping[str, tuple[Measure, ...]]
    found_false: tuple[tuple[str, str], ...]
    changed: Sequence[Mapping[str, str]]


# --- the shop's page ------------------------------------------------------------------------------------------------


def inflow(shop: Shop, newest: Dataset | None) -> Inflow:
    """Six queries."""
    since = timezone.now() - INFLOW
    words = Annotation.objects.filter(turn__conversation__shop=shop)
    thumbs = Feedback.objects.filter(turn__conversation__shop=shop, kind__in=(Feedback.Kind.UP, Feedback.Kind.DOWN))
    later = Q(updated_at__gt=newest.created_at) if newest else Q()
    said = _by(words.filter(updated_at__gte=since), "verdict", Annotation.Verdict.values)
    given = _by(thumbs.filter(created_at__gte=since), "kind", (Feedback.Kind.UP, Feedback.Kind.DOWN))
    unseen = words.filter(later, for_training=True).count() + thumbs.filter(later).count() if newest else None
    own = house_words.of(shop)
    return Inflow(said, given, unseen, own, house_words.waiting(shop, own))


def snapshot_row(snapshot: Dataset) -> SnapshotRow:
    counted = snapshot.counts.get("rows", {})
    uses = [
        UseCount(
            use, tuple((part, found[part]) for part in DatasetRow.Part.values if found.get(part)), sum(found.values())
        )
        for use in DatasetRow.Use.values
        if (found := counted.get(use))
    ]
    acts, topics, sentiments, left_out = (
        _most(snapshot.counts.get(name, {})) for name in ("acts", "topics", "sentiments", "left_out")
    )
    return SnapshotRow(snapshot, tuple(uses), acts, topics, sentiments, left_out)


@dataclass(frozen=True)
class Measuring:
    """The newest run that measures a version again, and how far it is: steps of how many, None where it has not told."""

    run: TrainingRun
    far: tuple[int, int] | None
    error: str


def measuring(version: ModelVersion) -> Measuring | None:
    """A version's measurement that waits, runs or broke off; None where the newest is done."""
    newest = version.measurements.first()
    if newest is None or newest.status not in (*runs.OPEN, TrainingRun.Status.FAILED):
        return None
    return Measuring(newest, runs.how_far(newest), first_line(newest.error))


def run_rows(found: Iterable[TrainingRun]) -> list[RunRow]:
    return [RunRow(run, first_line(run.error)) for run in found]


def version_rows(found: Iterable[ModelVersion], departments: Mapping[str, str]) -> list[VersionRow]:
    """``departments`` are names by path."""
    return [
        VersionRow(
            version,
            departments.get(version.department, version.department),
            bool(version.gate),
            bool(version.gate.get("passed")),
            failed_lines(version),
        )
        for version in found
    ]


def serving(shop: Shop, departments: Mapping[str, str]) -> list[Serving]:
    """The whole shop's first, then that of every department with a version of its own; ``departments`` are names by path. One
    query."""
    rows = ModelVersion.objects.filter(shop=shop, state__in=(State.LIVE, State.CANARY, State.SHADOW)).defer("report")
    by_place: dict[str, dict[str, ModelVersion]] = {"": {}}
    for row in rows.order_by("department"):
        by_place.setdefault(row.department, {})[row.state] = row
    return [
        Serving(departments.get(place, place), there.get(State.LIVE), there.get(State.CANARY), there.get(State.SHADOW))
        for place, there in by_place.items()
    ]


def department_names(shop: Shop) -> dict[str, str]:
    """The names of the shop's departments by their paths."""
    return dict(Category.objects.filter(shop=shop, parent=None).order_by("name").values_list("path", "name"))


def department_of(version: ModelVersion) -> str:
    """The name of the department that a version answers for alone; "" for the whole shop."""
    return department_names(version.shop).get(version.department, version.department) if version.department else ""


def make_snapshot(shop: Shop, by: User, filters: datasets.Filters) -> tuple[Dataset, bool]:
    """A snapshot of the feedback that is let in, and whether it is new. Raises ``datasets.NothingToLearnError``."""
    known = set(Dataset.objects.filter(shop=shop).values_list("pk", flat=True))
    made = datasets.build(shop, filters, by)
    return made, made.pk not in known


def first_line(text: str) -> str:
    return text.strip().split("\n", 1)[0]


def failed_lines(version: ModelVersion) -> tuple[str, ...]:
    return tuple(str(line["name"]) for line in version.gate.get("lines", ()) if not line["passed"])


# --- a snapshot -----------------------------------------------------------------------------------------------------


def example_rows(page: Iterable[DatasetRow], visible: QuerySet[Turn]) -> list[ExampleRow]:
    """The rows of one page: one query for the turns that they came from."""
    rows = list(page)
    turns = visible.filter(pk__in={row.turn_id for row in rows}).select_related("conversation")
    turn_of = {turn.pk: turn for turn in turns.only("number", "conversation__key")}
    return [
        ExampleRow(
            row,
            str(row.content.get("brief", {}).get("customer", "")),
            turn_of.get(row.turn_id),
            row.source.partition(":")[0],
            pairs({name: row.features.get(name) for name in ("keywords", "topic", "sentiment")}),
        )
        for row in rows
    ]


# --- versions side by side ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SideBySide:
    """``differences`` by measure, each to what was live when the version was measured; ``measures`` as they were found."""

    versions: tuple[ModelVersion, ...]
    differences: tuple[tuple[str, tuple[Difference | None, ...]], ...]
    measures: tuple[tuple[str, tuple[str, ...]], ...]


def side_by_side(found: Sequence[ModelVersion]) -> SideBySide:
    """The reports of versions as one table. A measure that only some have has empty cells for the others."""
    told = [version.report.get("differences", {}) for version in found]
    own = [version.report.get("candidate", {}) for version in found]
    compared = dict.fromkeys(name for one in told for name, value in _in_order(one) if value)
    measured = [name for name in dict.fromkeys((*MEASURED, *(name for one in own for name in one)))
                if name not in NO_MEASURES and any(isinstance(one.get(name), int | float) for one in own)]  # fmt: skip
    return SideBySide(
        tuple(found),
        tuple(
            (name, tuple(difference(name, one[name]) if one.get(name) else None for one in told)) for name in compared
        ),
        tuple((name, tuple(_told(name, one.get(name)) for one in own)) for name in measured),
    )


# --- a version ------------------------------------------------------------------------------------------------------


def report(version: ModelVersion) -> Report | None:
    """The evaluation that was stored with a version; None where there is none."""
    told = version.report
    if not told:
        return None
    own, other = told.get("candidate", {}), told.get("live", {})
    rival = str(told.get("against", {}).get("version", ""))
    against = _("the model that ships") if rival == versions.SHIPPED else rival
    names = [name for name in dict.fromkeys((*MEASURED, *own, *other)) if name in own or name in other]
    nested = [name for name in names if isinstance(own.get(name, other.get(name)), Mapping)]
    single = [name for name in names if name not in nested and name not in NO_MEASURES]
    return Report(
        against=against,
        material=pairs({name: told.get("material", {}).get(name) for name in MATERIAL}),
        measures=tuple(Measure(name, _told(name, own.get(name)), _told(name, other.get(name))) for name in single),
        differences=tuple(difference(name, found) for name, found in _in_order(told.get("differences", {})) if found),
        breakdowns={name: _breakdown(own.get(name) or {}, other.get(name) or {}) for name in nested},
        found_false=tuple(
            (writer, str(text))
            for writer, found in ((version.name, own), (against, other))
            for text in found.get("found_false", ())
        ),
        changed=told.get("changed", ()),
    )


def difference(name: str, found: Mapping[str, Any]) -> Difference:
    """A measured difference in words and as a picture."""
    mean, low, high = (float(found[end]) for end in ("mean", "low", "high"))
    return Difference(
        name=name,
        candidate=_told(name, found.get("candidate")),
        live=_told(name, found.get("live")),
        mean=_signed(name, mean),
        interval=f"{_signed(name, low)} … {_signed(name, high)}",
        count=int(found.get("n", 0)),
        side="better" if low > 0 else "worse" if high < 0 else "",
        picture=interval(mean, low, high),
    )


def interval(mean: float, low: float, high: float) -> Interval:
    """Places on a line whose middle is no difference and whose ends are the interval's farther end."""
    reach = max(abs(low), abs(high), abs(mean)) or 1.0
    start, end, middle = (round(INTERVAL / 2 * (1 + 0.96 * value / reach), 1) for value in (low, high, mean))
    return Interval(start, max(round(end - start, 1), 1.0), middle)


def gate_lines(version: ModelVersion) -> list[GateLine]:
    return [
        GateLine(str(line["name"]), bool(line["passed"]), plainly(str(line.get("found", ""))))
        for line in version.gate.get("lines", ())
    ]


def steps(version: ModelVersion) -> list[str]:
    """The states that a version may be brought into. A canary may become one again, with another share."""
    allowed = list(versions.ALLOWED[version.state])
    return [State.CANARY, *allowed] if version.state == State.CANARY else allowed


def health(version: ModelVersion) -> rollout.Beside | None:
    """How a version that serves customers did lately; None for what serves nobody."""
    return rollout.beside(version, timezone.now() - WATCHED) if version.state in versions.SERVES else None


def shadow_replies(version: ModelVersion) -> QuerySet[ShadowReply]:
    """What a version wrote beside and nobody was sent, the newest first, with the turns that were answered otherwise."""
    found = version.shadow_replies.filter(turn__conversation__shop=version.shop_id)
    return found.select_related("turn__conversation").only(
        "version", "text", "written_by", "milliseconds", "error", "created_at",
        "turn__number", "turn__text", "turn__reply", "turn__language", "turn__written_by", "turn__conversation__key",
    ).order_by("-pk")  # fmt: skip


def _in_order(differences: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The gate's order: what must not suffer, then what may be better (JSONB keeps none)."""
    order = (*gate.SUITE, *gate.GAINS)
    return sorted(differences.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order))


def _breakdown(own: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[Measure, ...]:
    return tuple(
        Measure(_entry(name), _figure(own.get(name)), _figure(other.get(name)))
        for name in dict.fromkeys((*own, *other))
    )


def _entry(name: str) -> str:
    """An act by its name; a reason to refuse in plain words, where "…" stands for whatever it was said of."""
    if name in labels.conversations.ACTS:
        return str(labels.conversations.ACTS[name])
    quoted = name if '"' in name else name.replace("…", '"…"')
    plain_words = plainly(quoted)
    return name if plain_words == quoted else plain_words


def _figure(value: Any) -> str:
    """A count, or a share in percent."""
    return _told("accepted", value) if isinstance(value, float) else plain(value) or "–"


def _told(name: str, value: Any) -> str:
    if value is None:
        return "–"
    return f"{100 * value:.1f} %" if name in SHARES else plain(value)


def _signed(name: str, value: float) -> str:
    return f"{100 * value:+.1f}" if name in SHARES else f"{value:+.3f}"


def _by(rows: QuerySet[Any], kind: str, kinds: Sequence[str]) -> dict[str, int]:
    """How many rows there are of each kind, zeros told."""
    counted = dict(rows.order_by().values_list(kind).annotate(Count("pk")))
    return {name: counted.get(name, 0) for name in kinds}


def _most(counts: Mapping[str, int]) -> Counts:
    return tuple(sorted(counts.items(), key=lambda count: (-count[1], count[0])))
