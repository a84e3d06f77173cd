"""Measures of a set of texts: how much they repeat each other, and how well they foretell what people write."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

ORDER = 5
BLEU_ORDER = 4
Gram = tuple[str, ...]


def words(text: str) -> list[str]:
    return text.lower().split()


def grams(tokens: Sequence[str], order: int) -> Iterator[Gram]:
    return (tuple(tokens[start : start + order]) for start in range(len(tokens) - order + 1))


def self_bleu(texts: Sequence[str]) -> float:
    """The mean BLEU-4 (Papineni et al. 2002) of each text against all others (Zhu et al. 2018), one added to every count of
    matches and grams above words (Lin and Och 2004). 0 for fewer than two texts."""
    split = [words(text) for text in texts if text]
    if len(split) < 2:
        return 0.0
    most = [_highest(split, order) for order in range(1, BLEU_ORDER + 1)]
    lengths = Counter(map(len, split))
    return round(sum(_bleu(tokens, most, lengths) for tokens in split) / len(split), 4)


def _highest(split: Sequence[Sequence[str]], order: int) -> dict[Gram, tuple[int, int]]:
    """Of every gram its two highest counts in a text: the second is the highest among the others of the text with the first."""
    found: dict[Gram, tuple[int, int]] = {}
    for tokens in split:
        for gram, count in Counter(grams(tokens, order)).items():
            first, second = found.get(gram, (0, 0))
            found[gram] = (count, first) if count >= first else (first, max(second, count))
    return found


def _bleu(tokens: Sequence[str], most: Sequence[dict[Gram, tuple[int, int]]], lengths: Counter[int]) -> float:
    total = 0.0
    for order, highest in enumerate(most, start=1):
        own = Counter(grams(tokens, order))
        matched = 0
        for gram, count in own.items():
            first, second = highest[gram]
            matched += min(count, second if count == first else first)
        added = order > 1
        if not matched and not added:
            return 0.0
        total += math.log((matched + added) / (own.total() + added)) if own.total() + added else 0.0
    others = lengths - Counter([len(tokens)])
    nearest = min(others, key=lambda length: (abs(length - len(tokens)), length))
    return math.exp(total / BLEU_ORDER + min(0.0, 1 - nearest / len(tokens)))


def perplexity(texts: Sequence[str], unseen: Sequence[str]) -> float:
    """Of ``unseen`` texts a word, under 5-grams counted in ``texts``, interpolated by Witten and Bell (1991)."""
    model = _WittenBell(texts)
    told = [model.log_probability(tokens) for tokens in map(_framed, unseen)]
    return math.exp(-sum(told) / sum(len(words(text)) + 1 for text in unseen))


class _WittenBell:
    def __init__(self, texts: Sequence[str]) -> None:
        self._counts: Counter[Gram] = Counter()
        self._followed: Counter[Gram] = Counter()
        self._kinds: Counter[Gram] = Counter()
        for tokens in map(_framed, texts):
            for end in range(ORDER - 1, len(tokens)):
                for order in range(1, ORDER + 1):
                    gram = tuple(tokens[end - order + 1 : end + 1])
                    self._kinds[gram[:-1]] += not self._counts[gram]
                    self._counts[gram] += 1
                    self._followed[gram[:-1]] += 1

    def log_probability(self, tokens: Sequence[str]) -> float:
        return sum(math.log(self._chance(tokens, end)) for end in range(ORDER - 1, len(tokens)))

    def _chance(self, tokens: Sequence[str], end: int) -> float:
        chance = 1 / (self._kinds[()] + 1)  # one for all the words that were never seen
        for order in range(1, ORDER + 1):
            gram = tuple(tokens[end - order + 1 : end + 1])
            seen, kinds = self._followed[gram[:-1]], self._kinds[gram[:-1]]
            if not seen:
                break
            chance = (self._counts[gram] + kinds * chance) / (seen + kinds)
        return chance


def _framed(text: str) -> list[str]:
    return ["<s>"] * (ORDER - 1) + words(text) + ["</s>"]
