"""Rounds of learning in which every shop has its turn: what became of each, and that one shop's error stops no other's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import structlog
from celery.exceptions import SoftTimeLimitExceeded

from catalog.models import Shop

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of one shop's round. ``reason`` is for people, ``numbers`` what it was decided by."""

    subject: ClassVar[str]
    shop: str
    done: str
    reason: str
    numbers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        return f"{self.subject} of {self.shop}: {self.done}. {self.reason}"


Found = TypeVar("Found", bound=Outcome)


def each_shop(round_of: Callable[[Shop], Found]) -> Iterator[Found]:
    """Every shop's round; an error of one is logged and the next has its turn. The task's time limit ends them all."""
    for shop in Shop.objects.order_by("pk"):
        try:
            outcome = round_of(shop)
        except SoftTimeLimitExceeded:
            raise
        except Exception:
            log.exception("a round of learning failed", round=round_of.__module__, shop=shop.slug)
            continue
        yield outcome
