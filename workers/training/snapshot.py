"""A snapshot as files for the training scripts: what is taught, mixed with replay of the base set, and what is only tested.

The base set is what the shipped adapter learned from (``workers.training.dialogues``); 30 to 50 percent of it in every
epoch keep the model from forgetting how to sell while it learns a shop's wording.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from botcore.learning.datasets import unchanged
from botcore.learning.recipes import LEAST_REPLAY, MOST_REPLAY
from botcore.learning.votes import FEWEST_FOR_TRAINING
from botcore.models import Dataset, DatasetRow
from workers.training.dialogues.build import build_examples
from workers.training.rows import Row, read, write

REPLAY = 0.4
VALIDATION_REPLAY = 60
"""Replies of the base set in the validation: a model that only learns the shop's wording stops early."""


@dataclass(frozen=True)
class Files:
    """JSONL below one folder. ``pairs`` may be empty; ``votes`` are while there are too few of them to learn from."""

    folder: Path

    @property
    def train(self) -> Path:
        return self.folder / "train.jsonl"

    @property
    def validation(self) -> Path:
        return self.folder / "validation.jsonl"

    @property
    def test(self) -> Path:
        return self.folder / "test.jsonl"

    @property
    def heldout(self) -> Path:
        """Briefs of the base set that nothing was ever trained on."""
        return self.folder / "heldout.jsonl"

    @property
    def pairs(self) -> Path:
        return self.folder / "pairs.jsonl"

    @property
    def test_pairs(self) -> Path:
        return self.folder / "test_pairs.jsonl"

    @property
    def votes(self) -> Path:
        return self.folder / "votes.jsonl"


def export(dataset: Dataset, folder: Path, *, replay: float = REPLAY, department: str = "", seed: int = 7) -> Files:
    """Write a snapshot's files; the same snapshot, options and seed write the same bytes.

    ``department`` ("clothing") leaves out the rows of others, and their replay where the base set has such a department.
    Raises ``ValueError`` for a replay outside 30 to 50 percent, ``datasets.ChangedError`` for a snapshot that is not what it was.
    """
    if not LEAST_REPLAY <= replay <= MOST_REPLAY:
        raise ValueError(
            f"Replay is between {LEAST_REPLAY:.0%} and {MOST_REPLAY:.0%} of what is taught, not {replay:.0%}."
        )
    folder.mkdir(parents=True, exist_ok=True)
    files, rows, base = Files(folder), _rows(dataset, department), build_examples()
    again = [row.to_json() for row in base.train if row.department == department]
    again = again or [row.to_json() for row in base.train]
    taught = rows[DatasetRow.Use.SFT, DatasetRow.Part.TRAIN]
    rng = random.Random(seed)
    mixed = [*taught, *rng.sample(again, min(len(again), replayed(len(taught), replay)))]
    rng.shuffle(mixed)
    checked = rng.sample([row.to_json() for row in base.validation], VALIDATION_REPLAY)
    write(files.train, mixed)
    write(files.validation, [*rows[DatasetRow.Use.SFT, DatasetRow.Part.VALIDATION], *checked])
    write(files.test, rows[DatasetRow.Use.SFT, DatasetRow.Part.TEST])
    write(files.heldout, [row.to_json() for row in base.heldout])
    write(files.pairs, rows[DatasetRow.Use.PREFERENCE, DatasetRow.Part.TRAIN])
    write(files.test_pairs, rows[DatasetRow.Use.PREFERENCE, DatasetRow.Part.TEST])
    labels = sum(len(rows[DatasetRow.Use.VOTE, part]) for part in DatasetRow.Part)
    write(files.votes, rows[DatasetRow.Use.VOTE, DatasetRow.Part.TRAIN] if labels >= FEWEST_FOR_TRAINING else ())
    return files


def for_healing(files: Files, replies: int, seed: int = 7) -> Path:
    """One more file: what a snapshot teaches among so many ``replies`` of the base set, for a model that must relearn to sell."""
    base = [example.to_json() for example in build_examples().train]
    taught, known = read(files.train), {row["id"] for row in base}
    rng = random.Random(seed)
    mixed = [row for row in taught if row.get("id") not in known]
    mixed += rng.sample(base, min(len(base), replies))
    rng.shuffle(mixed)
    write(files.folder / "healing.jsonl", mixed)
    return files.folder / "healing.jsonl"


def replayed(taught: int, share: float) -> int:
    """How many replies of the base set beside ``taught`` make up ``share`` of all."""
    return round(taught * share / (1 - share))


def _rows(dataset: Dataset, department: str) -> Mapping[tuple[str, str], Sequence[Row]]:
    """Contents by use and part."""
    found: dict[tuple[str, str], list[Row]] = {(use, part): [] for use in DatasetRow.Use for part in DatasetRow.Part}
    for row in unchanged(dataset):
        if not department or str(row.features.get("topic", "")).split("/")[0] == department:
            found[row.use, row.part].append(row.content)
    return found
