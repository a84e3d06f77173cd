"""Which of customers' thumbs count: many honest ones weigh, many of one customer's do not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

LARGEST_SHARE = 0.05
"""No customer has more than this share of the votes that are counted."""
FEWEST_FOR_TRAINING = 200
"""With fewer votes the model is not trained on them (KTO needs some hundreds); until then they teach the ranker."""


@dataclass(frozen=True)
class Vote:
    """A thumb on the reply of ``turn``. ``item`` is what the reply was about: its first product, or the turn itself."""

    id: int
    turn: int
    contact: int
    item: str
    day: date
    liked: bool


@dataclass(frozen=True)
class Counted:
    """The votes that count, oldest first, and how many did not, by reason."""

    votes: tuple[Vote, ...]
    left_out: Mapping[str, int]


def counted(votes: Iterable[Vote], confirmed: Mapping[int, bool]) -> Counted:
    """One vote per customer, item and day, the last; none against a merchant's word; no customer above their share.

    ``confirmed`` says of turns whether a merchant found the reply good.
    """
    left_out: Counter[str] = Counter()
    last: dict[tuple[int, str, date], Vote] = {}
    for vote in sorted(votes, key=lambda vote: vote.id):
        key = (vote.contact, vote.item, vote.day)
        left_out["repeated"] += key in last
        last[key] = vote
    agreeing = [vote for vote in last.values() if confirmed.get(vote.turn, vote.liked) == vote.liked]
    left_out["against a merchant's word"] = len(last) - len(agreeing)
    kept = _capped(sorted(agreeing, key=lambda vote: vote.id))
    left_out["above one customer's share"] = len(agreeing) - len(kept)
    return Counted(tuple(kept), {reason: count for reason, count in left_out.items() if count})


def _capped(votes: Sequence[Vote]) -> list[Vote]:
    """Each customer's newest votes, as many as keep everybody within ``LARGEST_SHARE`` of what is kept."""
    by_contact: defaultdict[int, list[Vote]] = defaultdict(list)
    for vote in votes:
        by_contact[vote.contact].append(vote)
    most = most_each([len(own) for own in by_contact.values()])
    kept = [vote for own in by_contact.values() for vote in own[len(own) - min(most, len(own)) :]]
    return sorted(kept, key=lambda vote: vote.id)


def most_each(sizes: Sequence[int]) -> int:
    """The largest number of votes that a customer may have so that it is at most ``LARGEST_SHARE`` of all that remain.

    0 where there are too few customers for that: then nobody's votes count.
    """
    for most in range(max(sizes, default=0), 0, -1):
        if most <= LARGEST_SHARE * sum(min(size, most) for size in sizes):
            return most
    return 0
