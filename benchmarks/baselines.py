"""What a ranking has to beat: Okapi BM25, plain sentence vectors, popularity, chance. They share no code with the product."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt


class BM25:
    """Okapi BM25 (Robertson and Zaragoza 2009) over titles: lower-case words, no stemming, no stop words."""

    def __init__(self, titles: Mapping[str, str], k1: float = 1.2, b: float = 0.75) -> None:
        self.k1, self.b = k1, b
        self.documents = {sku: Counter(self.words(title)) for sku, title in titles.items()}
        self.mean_length = sum(sum(d.values()) for d in self.documents.values()) / len(self.documents)
        self.holding = Counter(word for document in self.documents.values() for word in document)

    def ranked(self, query: str) -> list[str]:
        """All products, best first; equal ones in the titles' order."""
        words = self.words(query)
        return best_first({sku: self.score(words, document) for sku, document in self.documents.items()})

    def score(self, words: Sequence[str], document: Counter[str]) -> float:
        norm = self.k1 * (1 - self.b + self.b * sum(document.values()) / self.mean_length)
        held = (word for word in words if word in document)
        return sum(self.idf(w) * document[w] * (self.k1 + 1) / (document[w] + norm) for w in held)

    def idf(self, word: str) -> float:
        return math.log(1 + (len(self.documents) - self.holding[word] + 0.5) / (self.holding[word] + 0.5))

    @staticmethod
    def words(text: str) -> list[str]:
        return re.findall(r"\w+", text.lower())


def by_similarity(skus: Sequence[str], titles: npt.NDArray[np.float32], query: npt.NDArray[np.float32]) -> list[str]:
    """Products by the cosine of their vectors (unit length, one row each) with the query's."""
    return best_first(dict(zip(skus, (titles @ query).tolist(), strict=True)))


def by_popularity(skus: Iterable[str], recommended: Iterable[str]) -> list[str]:
    """Products by how often they were recommended."""
    counts = Counter(recommended)
    return best_first({sku: float(counts[sku]) for sku in skus})


def best_first(scores: Mapping[str, float]) -> list[str]:
    return sorted(scores, key=lambda sku: -scores[sku])
