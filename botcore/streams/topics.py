"""Sentences gathered to topics as they come: whoever is near to one joins it, and some that are near to each other open one.

Pure functions over vectors. Nearness to a topic is the mean cosine to its sentences (average linkage): their mean vector, not
brought to unit length, times the sentence. A diffuse topic has a short mean and so cannot swallow what is near to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

SPACE = Path(__file__).parent / "data" / "topic_space.npz"
JOIN = 0.25
"""Mean cosine to its sentences from which a sentence joins a topic."""
YOUNG = 0.1
"""How much nearer it must be to a topic of one sentence; it falls with the root of their number, as the mean's error does."""
NEAR = 0.35
"""Cosine from which two sentences speak of the same, where no topic does."""
FEWEST = 3
"""Sentences that open a topic."""
MERGE = 0.3
"""Mean cosine between the sentences of two topics from which they are one. Above ``JOIN``: topics should stay."""
SPLIT = 0.1
"""Mean cosine between the halves of a topic up to which it is two."""
SPLIT_FROM = 64
"""A topic is looked at for halves when it has so many sentences, twice as many, and so on; each half has a quarter of them."""
REMEMBERED = 500
"""Sentences that weigh against a new one in a topic's mean: what is said of a topic changes slowly."""


@dataclass(frozen=True)
class Space:
    """Where vectors of texts are compared: what all texts of a language share is taken off (``centres``, by language), and
    directions in which texts differ anyway count less (``whitening``, shape ``(width, width)``)."""

    centres: Mapping[str, Floats]
    whitening: Floats

    def place(self, vectors: Floats, languages: Sequence[str]) -> Floats:
        """Unit vectors in this space of the reader's passages, a row a text."""
        if not len(vectors):
            return vectors
        shared = np.stack([self.centres["zh" if language == "zh" else "en"] for language in languages])
        placed = (vectors - shared) @ self.whitening
        return np.asarray(placed / np.linalg.norm(placed, axis=1, keepdims=True), dtype=np.float32)


@lru_cache(maxsize=1)
def shipped_space() -> Space:
    """The space that comes with the project (``workers/training/topic_space.py``)."""
    with np.load(SPACE) as stored:
        centres = {language: stored[language].astype(np.float32) for language in ("en", "zh")}
        return Space(centres, stored["whitening"].astype(np.float32))


@dataclass(frozen=True)
class Cluster:
    """A topic as vectors see it: ``mean`` of its ``count`` sentences. Ids below zero are of topics that are just opened."""

    id: int
    mean: Floats
    count: int

    def with_(self, vectors: Floats) -> Cluster:
        """The topic with more sentences, shape ``(sentences, width)``."""
        weight = min(self.count, REMEMBERED)
        mean = (self.mean * weight + vectors.sum(axis=0)) / (weight + len(vectors))
        return replace(self, mean=mean, count=self.count + len(vectors))


@dataclass(frozen=True)
class Gathered:
    """``topics`` has for each sentence its topic's id, None where it has none yet; ``merged`` says which topic (key) turned
    out to be which other that is left. ``clusters`` are the topics that are left."""

    topics: tuple[int | None, ...]
    clusters: Mapping[int, Cluster]
    merged: Mapping[int, int] = field(default_factory=dict)


def gather(known: Sequence[Cluster], vectors: Floats) -> Gathered:
    """Give sentences, in order of time, their topics; open and merge topics where the sentences ask for it."""
    clusters = {cluster.id: cluster for cluster in known}
    topics: list[int | None] = [None] * len(vectors)
    for place, vector in enumerate(vectors):
        topics[place] = _join(clusters, vector)
    _open(clusters, vectors, topics)
    merged = _merge(clusters)
    merged = {gone: _followed(kept, merged) for gone, kept in merged.items()}
    return Gathered(tuple(None if topic is None else merged.get(topic, topic) for topic in topics), clusters, merged)


def _join(clusters: dict[int, Cluster], vector: Floats) -> int | None:
    if not clusters:
        return None
    ids = list(clusters)
    near = np.stack([clusters[id].mean for id in ids]) @ vector
    near -= YOUNG / np.sqrt([clusters[id].count for id in ids])
    best = int(np.argmax(near))
    if near[best] < JOIN:
        return None
    clusters[ids[best]] = clusters[ids[best]].with_(vector[None])
    return ids[best]


def _open(clusters: dict[int, Cluster], vectors: Floats, topics: list[int | None]) -> None:
    """The sentence with most others near opens a topic with them, then the next, while there are enough."""
    while True:
        loose = np.array([place for place, topic in enumerate(topics) if topic is None])
        if len(loose) < FEWEST:
            return
        near = vectors[loose] @ vectors[loose].T >= NEAR
        densest = int(near.sum(axis=1).argmax())
        members = loose[near[densest]]
        if len(members) < FEWEST:
            return
        new = min([0, *clusters]) - 1
        mean = vectors[members].mean(axis=0)
        bound = JOIN + YOUNG / np.sqrt(len(members))
        joining = [place for place in loose if place in members or vectors[place] @ mean >= bound]
        clusters[new] = Cluster(new, vectors[joining].mean(axis=0), len(joining))
        for place in joining:
            topics[place] = new


def _merge(clusters: dict[int, Cluster]) -> dict[int, int]:
    """The nearest two topics become one while they are near enough; the older one stays, the younger points to it."""
    merged: dict[int, int] = {}
    while len(clusters) > 1:
        ids = sorted(clusters, key=lambda id: (id < 0, abs(id)))
        means = np.stack([clusters[id].mean for id in ids])
        near = np.triu(means @ means.T, k=1)
        older, younger = np.unravel_index(int(near.argmax()), near.shape)
        if near[older, younger] < MERGE:
            break
        kept, gone = clusters[ids[older]], clusters.pop(ids[younger])
        count = kept.count + gone.count
        mean = (kept.mean * kept.count + gone.mean * gone.count) / count
        clusters[kept.id], merged[gone.id] = (
            replace(kept, mean=np.asarray(mean, dtype=np.float32), count=count),
            kept.id,
        )
    return merged


def _followed(topic: int, merged: Mapping[int, int]) -> int:
    while topic in merged:
        topic = merged[topic]
    return topic


def due_for_halving(before: int, after: int) -> bool:
    """Whether a topic's count has passed 64, 128, 256 and so on."""
    return after >= SPLIT_FROM and (after // SPLIT_FROM).bit_length() > (before // SPLIT_FROM).bit_length()


def halves(vectors: Floats) -> npt.NDArray[np.bool_] | None:
    """Which sentences of a topic are another one's, if it is two (2-means, begun from the two that are farthest apart along
    the widest direction); the smaller half is the other one."""
    if len(vectors) < SPLIT_FROM:
        return None
    widest = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)[2][0]
    along = vectors @ widest
    means = vectors[[int(along.argmin()), int(along.argmax())]]
    for _ in range(20):
        second = vectors @ means[1] > vectors @ means[0]
        if not len(vectors) / 4 <= second.sum() <= len(vectors) * 3 / 4:
            return None
        means = np.stack([vectors[~second].mean(axis=0), vectors[second].mean(axis=0)])
    apart: npt.NDArray[np.bool_] = second if second.sum() * 2 <= len(second) else ~second
    return apart if float(means[0] @ means[1]) <= SPLIT else None
