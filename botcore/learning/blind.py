"""Two versions' replies to the same words, chosen between by people who are not told whose is whose."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.models import User

from botcore.models import BlindChoice, ModelVersion

Choice = BlindChoice.Choice

Z = 1.96
"""Of the 95 % interval."""


@dataclass(frozen=True)
class Pair:
    """What one reader is shown: two replies, in an order that is this reader's own. ``digest`` is of both texts."""

    digest: str
    customer: str
    act: str
    first: str
    second: str


@dataclass(frozen=True)
class Outcome:
    """What readers chose so far. ``share`` is the version's among the decided, with Wilson's interval of 95 %."""

    version: int
    live: int
    neither: int

    @property
    def decided(self) -> int:
        return self.version + self.live

    @property
    def share(self) -> tuple[float, float, float] | None:
        """Mean, low and high; None where nothing is decided. Wilson (1927), as no share near 0 or 1 may leave them."""
        n = self.decided
        if not n:
            return None
        p = self.version / n
        middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
        reach = Z / (1 + Z**2 / n) * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
        return p, middle - reach, middle + reach


def next_pair(version: ModelVersion, reader: User) -> Pair | None:
    """The next pair that this reader has not chosen in; None where they have seen all, or there are none."""
    chosen = set(version.blind_choices.filter(reader=reader).values_list("pair", flat=True))
    for told in _changed(version):
        if _digest(told) not in chosen:
            return _shown(version, reader, told)
    return None


def left(version: ModelVersion, reader: User) -> tuple[int, int]:
    """How many pairs this reader has chosen in, and how many there are."""
    digests = {_digest(told) for told in _changed(version)}
    return version.blind_choices.filter(reader=reader, pair__in=digests).count(), len(digests)


def choose(version: ModelVersion, reader: User, digest: str, preferred: int) -> bool:
    """Keep a choice: 1 the first reply, 2 the second, 0 neither. False where the pair is not there (any more)."""
    told = next((told for told in _changed(version) if _digest(told) == digest), None)
    if told is None:
        return False
    own = 2 if _turned(version, reader, digest) else 1
    choice = Choice.NEITHER if preferred == 0 else Choice.VERSION if preferred == own else Choice.LIVE
    BlindChoice.objects.update_or_create(version=version, reader=reader, pair=digest, defaults={"choice": choice})
    return True


def take_back(version: ModelVersion, reader: User) -> bool:
    """Forget this reader's last choice; False where there is none."""
    last = version.blind_choices.filter(reader=reader).order_by("-at").first()
    if last is None:
        return False
    last.delete()
    return True


def outcome(version: ModelVersion) -> Outcome:
    """The choices of everybody in the pairs of the present report: a new one starts anew."""
    digests = {_digest(told) for told in _changed(version)}
    choices = list(version.blind_choices.filter(pair__in=digests).values_list("choice", flat=True))
    return Outcome(*(choices.count(choice) for choice in (Choice.VERSION, Choice.LIVE, Choice.NEITHER)))


def _changed(version: ModelVersion) -> list[Mapping[str, str]]:
    """The pairs of its report in which both wrote something: what is empty would tell whose it is."""
    return [told for told in version.report.get("changed", ()) if told["candidate"] and told["live"]]


def _digest(told: Mapping[str, str]) -> str:
    words = "\0".join((told["customer"], told["candidate"], told["live"]))
    return hashlib.sha256(words.encode()).hexdigest()[:32]


def _turned(version: ModelVersion, reader: User, digest: str) -> bool:
    """Whether the version's reply comes second; the same for one reader however often the page is opened."""
    return bool(hashlib.sha256(f"{version.pk} {reader.pk} {digest}".encode()).digest()[0] & 1)


def _shown(version: ModelVersion, reader: User, told: Mapping[str, str]) -> Pair:
    digest = _digest(told)
    replies = (told["candidate"], told["live"])
    first, second = reversed(replies) if _turned(version, reader, digest) else replies
    return Pair(digest, told["customer"], told["act"], first, second)
