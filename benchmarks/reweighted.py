"""What one model loses of another's grounding, from samples of both weighed by how probable either finds them.

Two models of nearly the same distributions differ in grounding by far less than counting a few hundred samples of each can
tell. Of samples ``x`` drawn from both alike, ``2 (p(x) - q(x)) / (p(x) + q(x))`` times whether ``x`` is grounded is on average
what ``q`` loses of it (the balance heuristic of Veach and Guibas 1995, "Optimally combining sampling techniques for Monte
Carlo rendering"), and where ``p`` and ``q`` are nearly the same it is nearly nothing for every sample, so that few tell much.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from workers.engine.writing import Completion, TokenGenerator, prompt_ids, to_sample

if TYPE_CHECKING:
    from botcore.dialogue.brief import Brief
    from botcore.dialogue.ports import EngineInfo


@runtime_checkable
class Telling(Protocol):
    """A generator that tells how probable its completions are."""

    def log_probabilities(self, ids: list[int], language: str, completions: Sequence[Completion]) -> list[float]: ...


class Kept(TokenGenerator):
    """A generator that keeps the tokens of what it writes, by their prompts."""

    def __init__(self, inner: TokenGenerator) -> None:
        self.inner = inner
        self.tokenizer, self.constrained = inner.tokenizer, inner.constrained
        self._written: dict[tuple[int, ...], list[Completion]] = {}

    @property
    def info(self) -> EngineInfo:
        return self.inner.info

    def complete(self, ids: list[int], language: str, seeds: list[int], deadline: float) -> list[Completion]:
        completions = self.inner.complete(ids, language, seeds, deadline)
        self._written.setdefault(tuple(ids), []).extend(completions)
        return completions

    def close(self) -> None:
        self.inner.close()

    def forget(self) -> None:
        self._written.clear()

    def written(self, ids: Sequence[int]) -> list[Completion]:
        return self._written.get(tuple(ids), [])


def losses(whole: Kept, other: Kept, briefs: Sequence[Brief]) -> list[float]:
    """Of each brief that both wrote for the grounded share that ``other`` loses of ``whole``'s; nothing where one of them does
    not tell how probable what it writes is. Both are of one tokenizer."""
    from botcore.dialogue.verify import verify
    from botcore.dialogue.vocabulary import prompt_of
    from workers.engine import constraint

    first, second = whole.inner, other.inner
    if not (isinstance(first, Telling) and isinstance(second, Telling)):
        return []
    weighed: list[list[tuple[float, bool]]] = []
    for brief in briefs:
        prompt = prompt_of(brief)
        ids, language = prompt_ids(whole.tokenizer, prompt.messages), constraint.pattern(prompt)
        own, theirs = whole.written(ids), other.written(ids)
        if not own or len(own) != len(theirs):
            continue
        drawn = [*own, *theirs]
        both = (one.log_probabilities(ids, language, drawn) for one in (first, second))
        samples = [to_sample(whole.tokenizer, one) for one in drawn]
        grounded = [sample is not None and not verify(sample.text, brief).unsupported for sample in samples]
        weighed.append(list(zip(map(_weight, *both), grounded, strict=True)))
    if not weighed:
        return []
    # Weights are nothing on average, so a constant may be taken from what they weigh, and what nearly always holds tells little.
    usual = statistics.fmean(holds for samples in weighed for _, holds in samples)
    return [statistics.fmean(weight * (holds - usual) for weight, holds in samples) for samples in weighed]


def _weight(p: float, q: float) -> float:
    """``2 (p - q) / (p + q)`` of their logarithms."""
    return 2 * math.tanh((p - q) / 2) if p != q else 0.0
