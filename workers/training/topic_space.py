"""Makes the space in which a stream's sentences are compared for their topics (``botcore/streams/topics.py``).

    python -m workers.training.topic_space [--check]

The reader's passages of different texts are near to each other by what all texts share, and more so within a language. From
the texts in ``workers/training/sentiment`` come a centre for each language, which is taken off, and the whitening of what is left
(Su et al. 2021, with the mean variance added to every direction's, since there are few texts). How well topics are found
in the space is measured on the bundled example, none of whose texts is among these. ``--check`` writes nothing.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from botcore.dialogue.words import language_of
from botcore.installation import installation
from botcore.streams.ports import StreamReader
from botcore.streams.topics import SPACE, Cluster, Space, gather
from workers.training.sentiment import Text, read_training

Floats = npt.NDArray[np.float32]

OPINIONS = SPACE.parent / "opinions.csv"
AT_ONCE, SHUFFLES = 16, 5


def make_space(texts: list[Text], reader: StreamReader) -> Space:
    """The space of these texts."""
    vectors = reader.passages([text.text for text in texts])
    languages = np.array([text.language for text in texts])
    centres = {language: vectors[languages == language].mean(axis=0) for language in ("en", "zh")}
    apart = vectors - np.stack([centres[language] for language in languages])
    variances, directions = np.linalg.eigh(np.cov(apart.T))
    scales = (np.maximum(variances, 0) + variances.mean()) ** -0.5
    return Space(centres, (directions * scales).astype(np.float32))


def agreement(space: Space, reader: StreamReader) -> dict[str, float]:
    """How the bundled example's topics agree with its writer's (adjusted Rand index): as it came, and shuffled, 16 texts at
    a time; and how the orders agree with each other."""
    with OPINIONS.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["subject"]]
    texts = [row["text"] for row in rows]
    vectors = space.place(reader.passages(texts), [language_of(text) for text in texts])
    meant = [row["subject"] for row in rows]
    orders = [np.arange(len(rows)), *(np.random.default_rng(seed).permutation(len(rows)) for seed in range(SHUFFLES))]
    found = [_gathered(vectors, order) for order in orders]
    return {
        "topics": len(set(found[0])),
        "as it came": round(adjusted_rand(found[0], meant), 3),
        "shuffled, at worst": round(min(adjusted_rand(each, meant) for each in found[1:]), 3),
        "between orders, at worst": round(min(adjusted_rand(each, found[0]) for each in found[1:]), 3),
    }


def _gathered(vectors: Floats, order: npt.NDArray[np.int64]) -> list[int]:
    """Each text's topic after all have come, -1 for none."""
    clusters: dict[int, Cluster] = {}
    topics = np.full(len(vectors), -1)
    for start in range(0, len(order), AT_ONCE):
        waiting = np.array([place for place in order[: start + AT_ONCE] if topics[place] == -1], dtype=np.int64)
        found = gather(list(clusters.values()), vectors[waiting])
        names = {id: id if id >= 0 else len(clusters) + 1_000 * start - id for id in found.clusters}
        clusters = {names[id]: replace(cluster, id=names[id]) for id, cluster in found.clusters.items()}
        for gone, kept in found.merged.items():
            topics[topics == gone] = names[kept]
        topics[waiting] = [-1 if topic is None else names[topic] for topic in found.topics]
    return topics.tolist()


def adjusted_rand(one: Sequence[Hashable], other: Sequence[Hashable]) -> float:
    """How two groupings agree: 1 alike, 0 as by chance (Hubert and Arabie 1985)."""

    def pairs(counts: Counter[Any]) -> float:
        return sum(count * (count - 1) / 2 for count in counts.values())

    both, first, second = pairs(Counter(zip(one, other, strict=True))), pairs(Counter(one)), pairs(Counter(other))
    chance = first * second / (len(one) * (len(one) - 1) / 2)
    return (both - chance) / ((first + second) / 2 - chance)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="measure only; write nothing")
    options = parser.parse_args()
    with installation():
        from workers.engine import load_reader

        reader = load_reader()
    space = make_space(read_training(), reader)
    print(agreement(space, reader))  # noqa: T201
    if not options.check:
        np.savez_compressed(
            SPACE, en=space.centres["en"], zh=space.centres["zh"], whitening=space.whitening.astype(np.float16)
        )


if __name__ == "__main__":
    main()
