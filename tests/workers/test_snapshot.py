"""A snapshot as files: mixed with replay of the base set, the same bytes every time, thumbs only once there are enough."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("trl")

from botcore.learning.datasets import ChangedError, content_hash
from botcore.learning.votes import FEWEST_FOR_TRAINING
from botcore.models import Dataset, DatasetRow
from tests.factories import DatasetFactory
from tests.workers.tiny import example
from workers.training.rows import read
from workers.training.snapshot import export, for_healing, replayed

pytestmark = pytest.mark.django_db


def with_rows(use: str, count: int, part: str = "train", topic: str = "clothing/jackets") -> Dataset:
    brief, reply = example(0)
    content: dict[str, Any] = {"brief": brief.to_json(), "reply": reply}
    content |= {"liked": True} if use == "vote" else {}
    rows = [
        DatasetRow(
            place=place, use=use, part=part, content=content, features={"topic": topic}, turn_id=place,
            contact_id=place, source="annotation:1",
        )
        for place in range(count)
    ]  # fmt: skip
    dataset = DatasetFactory(content_hash=content_hash(rows))
    for row in rows:
        row.dataset = dataset
    DatasetRow.objects.bulk_create(rows)
    return dataset


def test_replay_is_its_share_of_what_is_taught(tmp_path):
    files = export(with_rows("sft", 30), tmp_path, replay=0.4)
    rows = read(files.train)
    own = [row for row in rows if "id" not in row]
    assert (len(own), len(rows)) == (30, 50)
    assert replayed(70, 0.3) == 30
    with pytest.raises(ValueError, match="between 30% and 50%"):
        export(with_rows("sft", 3), tmp_path, replay=0.2)


def test_a_model_heals_on_the_base_set_and_on_all_that_the_snapshot_teaches(tmp_path):
    files = export(with_rows("sft", 30), tmp_path)
    rows = read(for_healing(files, replies=200))
    assert (sum("id" not in row for row in rows), len(rows)) == (30, 230)
    assert rows == read(for_healing(files, replies=200))


def test_the_same_snapshot_gives_the_same_files(tmp_path):
    dataset = with_rows("sft", 12)
    first, second = (export(dataset, tmp_path / name) for name in ("first", "second"))
    assert first.train.read_bytes() == second.train.read_bytes()
    assert first.validation.read_bytes() == second.validation.read_bytes()


def test_nothing_is_learned_from_a_snapshot_whose_rows_are_not_what_was_approved(tmp_path):
    dataset = with_rows("sft", 12)
    dataset.rows.filter(place=3).delete()
    with pytest.raises(ChangedError, match=f"Snapshot {dataset.pk} is not what was approved"):
        export(dataset, tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_is_tested_on_is_in_no_other_file(tmp_path):
    files = export(with_rows("sft", 9, part="test"), tmp_path)
    assert len(read(files.test)) == 9
    assert all("id" in row for row in (*read(files.train), *read(files.validation)))
    held_out = {row["id"] for row in read(files.heldout)}
    assert not held_out & {row.get("id") for row in (*read(files.train), *read(files.validation))}


def test_thumbs_are_given_once_there_are_enough(tmp_path):
    few, enough = with_rows("vote", FEWEST_FOR_TRAINING - 1), with_rows("vote", FEWEST_FOR_TRAINING)
    assert read(export(few, tmp_path / "few").votes) == []
    assert len(read(export(enough, tmp_path / "enough").votes)) == FEWEST_FOR_TRAINING


def test_a_department_learns_and_replays_its_own_alone(tmp_path):
    files = export(with_rows("sft", 20, topic="clothing/jackets"), tmp_path / "own", department="clothing")
    assert {row.get("department", "clothing") for row in read(files.train)} == {"clothing"}
    assert len(read(files.train)) > 20
    other = export(with_rows("sft", 20, topic="books/novels"), tmp_path / "other", department="clothing")
    assert read(other.train) == []


def test_a_department_that_the_base_set_does_not_have_replays_all_of_it(tmp_path):
    files = export(with_rows("sft", 12, topic="garden/hoses"), tmp_path, department="garden")
    assert len(read(files.train)) == 20
