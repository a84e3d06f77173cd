"""What is lost of grounding, by weighing samples: the truth of two known distributions, and more sharply than by counting."""

from __future__ import annotations

import math
import random
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from benchmarks import reweighted
from benchmarks.reweighted import Kept, losses
from botcore.dialogue.brief import Brief, ItemFacts
from botcore.dialogue.ports import Sample
from tests.benchmarks.test_compress import FALSE, GOOD
from workers.engine.writing import Completion

TEXTS = (GOOD, GOOD.replace("take", "choose"), FALSE)


@dataclass
class Known:
    """Draws the number of a text by known chances."""

    chances: tuple[float, ...]
    tokenizer: None = None
    constrained: bool = True

    def complete(self, ids: list[int], language: str, seeds: list[int], deadline: float) -> list[Completion]:
        return [Completion(random.Random(seed).choices(range(3), self.chances), True) for seed in seeds]

    def log_probabilities(self, ids: list[int], language: str, completions: Sequence[Completion]) -> list[float]:
        chances = [self.chances[one.ids[0]] for one in completions]
        return [math.log(chance) if chance else -math.inf for chance in chances]


class Counting:
    """A generator that tells nothing."""

    tokenizer, constrained = None, True


@pytest.fixture
def briefs(monkeypatch: pytest.MonkeyPatch) -> list[Brief]:
    monkeypatch.setattr(
        reweighted,
        "prompt_ids",
        lambda tokenizer, messages: [int(re.findall(r"jacket (\d+)", messages[-1]["content"])[0])],
    )
    monkeypatch.setattr(reweighted, "to_sample", lambda tokenizer, one: Sample(TEXTS[one.ids[0]], 1))
    item = ItemFacts("A", "jacket", {"color": "green"}, {"name": "", "price": ""})
    return [
        Brief("recommend", f"a green jacket {number}", wishes=("jacket", "green"), items=(item,))
        for number in range(100)
    ]


def written(chances: tuple[float, ...], briefs: list[Brief], first: int) -> Kept:
    kept = Kept(Known(chances))
    for number in range(len(briefs)):
        kept.complete([number], "", [first + 10 * number + draw for draw in range(4)], 0)
    return kept


@pytest.mark.parametrize(
    "other", [(0.6, 0.35, 0.05), (0.5, 0.46, 0.04), (0.98, 0.0, 0.02), (0.6, 0.4, 0.0), (0.6, 0.36, 0.04)]
)
def test_what_is_lost_is_what_the_distributions_lose(briefs, other):
    chances = (0.6, 0.36, 0.04)
    told = losses(written(chances, briefs, 0), written(other, briefs, 5), briefs)
    lost = other[2] - chances[2]
    error = statistics.stdev(told) / math.sqrt(len(told))
    assert len(told) == 100 and statistics.fmean(told) == pytest.approx(lost, abs=2.5 * error + 1e-9)
    by_counting = math.sqrt(2 * 0.04 * 0.96 / 400)
    assert error < by_counting / (4 if abs(lost) < 0.02 else 1)


def test_what_does_not_tell_how_probable_it_is_cannot_be_weighed(briefs):
    whole = written((0.6, 0.36, 0.04), briefs, 0)
    assert losses(whole, Kept(Counting()), briefs) == losses(Kept(Counting()), whole, briefs) == []


def test_what_one_of_them_did_not_write_is_left_out(briefs):
    whole, other = (written((0.6, 0.36, 0.04), briefs[:many], 0) for many in (20, 10))
    assert losses(whole, other, briefs) == [0.0] * 10
    other.forget()
    assert losses(whole, other, briefs) == []
