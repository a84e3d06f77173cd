"""Builds the supervised set: ``python -m workers.training.dialogues.build OUT_DIR [SEED]``.

Writes ``train.jsonl``, ``validation.jsonl`` and ``heldout.jsonl``. The same seed gives the same files.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from botcore.dialogue.brief import TAG, Brief, render
from botcore.dialogue.state import Act
from botcore.dialogue.verify import verify
from workers.training.dialogues.contexts import load_world
from workers.training.dialogues.instantiate import Instantiator
from workers.training.dialogues.scene import Unfit
from workers.training.dialogues.skeletons import Skeleton, SkeletonError, load_skeletons
from workers.training.rows import write as write_rows

SIZES = {"heldout": 300, "validation": 200, "train": 6000}
MIX = {
    Act.RECOMMEND: 0.38,
    Act.ANSWER: 0.14,
    Act.ASK: 0.12,
    Act.COMPARE: 0.08,
    Act.EXPLAIN: 0.08,
    Act.CHITCHAT: 0.07,
    Act.DECLINE: 0.07,
    Act.HANDOFF: 0.03,
    Act.CLARIFY: 0.03,
}
OPENING_WORDS, OPENING_SHARE = 3, 0.02
TRIES = 12
LONGEST_REPLY, LONGEST_PROMPT = 45, 116
"""In words, and in words, marks and brackets of the rendered brief (close to the model's tokens)."""

_PROMPT_TOKEN = re.compile(r"\w+|[^\w\s]")
_FORBIDDEN = re.compile(r"[\d$€£¥]")
_STUTTER = re.compile(r"\b(\w+) \1\b", re.IGNORECASE)


@dataclass(frozen=True)
class Example:
    """One training example; ``skeleton`` is the entry it came from."""

    id: str
    department: str
    skeleton: str
    brief: Brief
    reply: str

    def to_json(self) -> dict[str, Any]:
        act = self.brief.act
        return {
            "id": self.id,
            "department": self.department,
            "act": act,
            "brief": self.brief.to_json(),
            "reply": self.reply,
        }

    @property
    def facts(self) -> str:
        """The prompt without the customer's words."""
        return render(Brief(**{**vars(self.brief), "customer": ""}))


@dataclass(frozen=True)
class Split:
    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    heldout: tuple[Example, ...]


def opening(reply: str) -> str:
    """The first three words, lower case."""
    return " ".join(reply.lower().split()[:OPENING_WORDS])


def flaw(brief: Brief, reply: str) -> str:
    """What is wrong with an example, or "". A reply that serving's verifier would refuse is never taught."""
    prompt = render(brief)
    if _FORBIDDEN.search(prompt + reply):
        return "digit or currency"
    if unknown := {m[1] for m in TAG.finditer(reply)} - brief.tags().keys():
        return f"tags the brief does not offer: {sorted(unknown)}"
    if len(reply.split()) > LONGEST_REPLY:
        return "reply too long"
    if len(_PROMPT_TOKEN.findall(prompt)) > LONGEST_PROMPT:
        return "prompt too long"
    if _STUTTER.search(reply):
        return "stutter"
    return "; ".join(verify(reply, brief).problems)


class _Builder:
    """Draws examples split by split, held-out first, and remembers what later splits may not repeat."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._world = load_world()
        self._skeletons = load_skeletons()
        self._prompts: set[str] = set()
        self._held_out: set[tuple[str, str]] = set()

    def split(self, name: str) -> tuple[Example, ...]:
        rng = Random(f"{self._seed}/{name}")
        draw = Instantiator(self._world, rng, held_out=name == "heldout")
        openings: Counter[str] = Counter()
        cap = int(SIZES[name] * OPENING_SHARE)
        examples: list[Example] = []
        for act, count in _quotas(SIZES[name]).items():
            made = islice(self._examples(f"{name}-{act}", act, draw, rng, openings, cap), count)
            examples.extend(made)
        if name == "heldout":
            self._held_out = {(example.skeleton, example.facts) for example in examples}
        self._prompts |= {render(example.brief) for example in examples}
        rng.shuffle(examples)
        return tuple(examples)

    def _examples(
        self, prefix: str, act: Act, draw: Instantiator, rng: Random, openings: Counter[str], cap: int
    ) -> Iterator[Example]:
        """Round after round, one example of every skeleton, in a fresh order each time, so that all are used alike."""
        seen: set[tuple[str, str]] = set()
        while True:
            before = len(seen)
            for skeleton in rng.sample(self._skeletons[act], len(self._skeletons[act])):
                for example in self._draws(skeleton, draw, f"{prefix}-{len(seen):04}"):
                    text = (render(example.brief), example.reply)
                    start = opening(example.reply)
                    if text not in seen and openings[start] < cap:
                        seen.add(text)
                        openings[start] += 1
                        yield example
                        break
            if len(seen) == before:
                raise SkeletonError(f"{prefix}: no more than {before} different examples; write more skeletons")

    def _draws(self, skeleton: Skeleton, draw: Instantiator, example_id: str) -> Iterator[Example]:
        """A few faultless examples of one skeleton that no earlier split holds."""
        for _ in range(TRIES):
            try:
                brief, reply, department = draw(skeleton)
            except Unfit:
                continue
            example = Example(example_id, department, skeleton.id, brief, reply)
            held_out = (skeleton.id, example.facts) in self._held_out
            if not held_out and render(brief) not in self._prompts and not flaw(brief, reply):
                yield example


def _quotas(size: int) -> dict[Act, int]:
    counts = {act: round(size * share) for act, share in MIX.items()}
    counts[Act.RECOMMEND] += size - sum(counts.values())
    return counts


@lru_cache(maxsize=1)
def build_examples(seed: int = 1) -> Split:
    """The whole set, kept once built. Raises :class:`SkeletonError` where the skeletons yield too few different examples."""
    builder = _Builder(seed)
    heldout, validation, train = (builder.split(name) for name in ("heldout", "validation", "train"))
    return Split(train, validation, heldout)


def write(split: Split, out: Path) -> None:
    """One JSON line an example, a file a part, into the folder ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    for name in ("train", "validation", "heldout"):
        write_rows(out / f"{name}.jsonl", (example.to_json() for example in getattr(split, name)))


if __name__ == "__main__":
    write(build_examples(*map(int, sys.argv[2:3])), Path(sys.argv[1]))
