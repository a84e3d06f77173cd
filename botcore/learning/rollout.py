"""Which version answers a conversation, and when one must not answer any more.

A conversation stays with one version while the canary's share stays: the share is a slice of the hashes of conversations.
Health is compared over the replies since the canary began; what passes a threshold is rolled back without asking.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
import structlog
from django.db.models import Q, QuerySet

from botcore.learning import versions
from botcore.models import Conversation, Feedback, ModelVersion, Turn
from catalog.models import Shop

log = structlog.get_logger(__name__)

State = ModelVersion.State
WATCHED = timedelta(hours=24)
"""How long after a version went live its health is compared with that of what it replaced."""


@dataclass(frozen=True)
class Served:
    """The versions of one conversation about one department; None is the shipped adapter, or no shadow."""

    writes: ModelVersion | None
    shadow: ModelVersion | None


@dataclass(frozen=True)
class Thresholds:
    """What a version may cost, at most. Shares are differences to the version it is compared with."""

    fewest: int = 30
    """With fewer replies nothing is said, good or bad."""
    errors: float = 0.05
    fallbacks: float = 0.10
    latency: float = 1.5
    """Times the other's time to write, at the 95th percentile."""
    slowest_ms: float = 3_000.0
    """And slower than that in itself: a fast model that is half as fast is still fast."""
    thumbs_down: float = 0.10
    fewest_customers: int = 20
    """With fewer nothing is said of thumbs, so that nobody is more than a twentieth of them."""


@dataclass(frozen=True)
class Health:
    """Replies of one version, English ones with something for a model to write. Shares; milliseconds of a whole reply.

    ``thumbs_down`` is the share of the customers who disliked a reply, so that nobody counts more than once.
    """

    replies: int
    customers: int
    errors: float
    fallbacks: float
    p95_ms: float
    thumbs_down: float


@dataclass(frozen=True)
class Beside:
    """A version that serves, with what it is compared with: None is the shipped adapter."""

    version: ModelVersion
    rival: ModelVersion | None
    own: Health
    other: Health
    since: datetime

    @property
    def complaint(self) -> str:
        return complaint(self.own, self.other, Thresholds())


def served(conversation: Conversation, department: str = "") -> Served:
    """The versions for what is said about a department, "" for nothing of one: one query. A canary whose share the conversation
    is in goes before what is live beside it."""
    serving = (State.CANARY, State.LIVE, State.SHADOW)
    found = versions.about(conversation.shop_id, department).filter(state__in=serving).defer("report", "gate")
    ranked = sorted(found, key=lambda version: (version.department == "", version.state != State.CANARY))
    writing = (v for v in ranked if v.state == State.LIVE or (v.state == State.CANARY and _draws(v, conversation)))
    return Served(next(writing, None), next((v for v in ranked if v.state == State.SHADOW), None))


def _draws(canary: ModelVersion, conversation: Conversation) -> bool:
    return in_canary(conversation.key, canary.share, canary.pk)


def in_canary(key: UUID, share: int, salt: int) -> bool:
    """Whether a conversation is among the first ``share`` percent of hashes; ``salt`` draws others for each canary."""
    digest = hashlib.blake2b(f"{salt}/{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < share / 100 * 2**64


def watch(shop: Shop, now: datetime) -> str:
    """Take back what does worse than it may; the reason, "" where all is well. A live version is watched for a day."""
    for version in ModelVersion.objects.filter(shop=shop, state__in=versions.SERVES).defer("report"):
        if version.state == State.LIVE and now - version.state_since >= WATCHED:
            continue
        if reason := beside(version).complaint:
            versions.rollback(shop, reason=reason, version=version)
            log.warning("a version was rolled back", shop=shop.slug, version=version.name, reason=reason)
            return reason
    return ""


def beside(version: ModelVersion, since: datetime | None = None) -> Beside:
    """How a version that serves does: a canary beside what is live at the same time, a live version beside what it
    replaced, as that was in its last day. ``since`` looks no further back."""
    shop, begun = version.shop, version.state_since
    start = max(begun, since) if since else begun
    own = health(shop, version, start)
    if version.state == State.CANARY:
        rival = versions.live(shop, version.department)
        return Beside(version, rival, own, health(shop, rival, start, about=version.department), start)
    rival = versions.replaced_by(version)
    return Beside(version, rival, own, health(shop, rival, begun - WATCHED, begun, version.department), start)


def complaint(own: Health, other: Health, thresholds: Thresholds) -> str:
    """What a version does worse than another by more than it may; "" for nothing, or too few replies to tell.

    An other one without replies is taken for one that never fails; of thumbs nothing is said until both have enough customers.
    """
    if own.replies < thresholds.fewest:
        return ""
    for name, most in (("errors", thresholds.errors), ("fallbacks", thresholds.fallbacks)):
        if getattr(own, name) - getattr(other, name) > most:
            return f"{name} in {getattr(own, name):.0%} of {own.replies} replies, {getattr(other, name):.0%} before"
    if own.p95_ms > thresholds.slowest_ms and own.p95_ms > thresholds.latency * other.p95_ms:
        return f"replies take {own.p95_ms:.0f} ms at the 95th percentile, {other.p95_ms:.0f} ms before"
    compared = min(own.customers, other.customers) >= thresholds.fewest_customers
    if compared and own.thumbs_down - other.thumbs_down > thresholds.thumbs_down:
        return f"thumbs down from {own.thumbs_down:.0%} of {own.customers} customers, {other.thumbs_down:.0%} before"
    return ""


def health(
    shop: Shop, version: ModelVersion | None, since: datetime, until: datetime | None = None, about: str = ""
) -> Health:
    """How the replies made with a version were, those ``about`` one department where one is named. One that others had to write
    counts for the version that was asked."""
    turns = Turn.objects.filter(
        conversation__shop=shop, status=Turn.Status.ANSWERED, answered_at__gte=since, asked_version=version
    ).filter(Q(written_by=Turn.WrittenBy.MODEL) | ~Q(error=""))
    if until:
        turns = turns.filter(answered_at__lt=until)
    if about:
        turns = turns.filter(Q(state_after__goal=about) | Q(state_after__goal__startswith=f"{about}/"))
    rows = list(turns.values_list("written_by", "error", "timings_ms"))
    if not rows:
        return Health(0, 0, 0.0, 0.0, 0.0, 0.0)
    customers = _customers(turns)
    return Health(
        replies=len(rows),
        customers=customers,
        errors=sum("failed" in error for _, error, _ in rows) / len(rows),
        fallbacks=sum(written_by != Turn.WrittenBy.MODEL for written_by, _, _ in rows) / len(rows),
        p95_ms=float(np.percentile([timings.get("total", 0.0) for _, _, timings in rows], 95)),
        thumbs_down=_customers(turns.filter(feedback__kind=Feedback.Kind.DOWN)) / customers,
    )


def _customers(turns: QuerySet[Turn]) -> int:
    return turns.values("conversation__contact").distinct().count()
