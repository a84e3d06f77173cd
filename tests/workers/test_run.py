"""A run's steps on a tiny model with the real trainers: what a snapshot holds decides what it is taught by."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")

from botcore import queues
from botcore.learning import datasets, runs
from botcore.learning.votes import FEWEST_FOR_TRAINING
from botcore.models import Dataset, DatasetRow, TrainingRun
from tests.factories import DatasetFactory
from tests.fakes import Wakes
from tests.workers.tiny import example
from workers.engine import artefacts
from workers.engine.artefacts import Artefact
from workers.training import run as steps
from workers.training import sft
from workers.training.provenance import sha256
from workers.training.rows import write

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shipped")
    examples = map(example, range(8))
    write(folder / "data.jsonl", [{"brief": brief.to_json(), "reply": reply} for brief, reply in examples])
    recipe = sft.Recipe(folder / "data.jsonl", base=str(base), epochs=1, held_out=2, bf16=False, compile=False)
    sft.train(recipe, folder / "voice")
    return folder / "voice"


@pytest.fixture(autouse=True)
def installation(base: Path, adapter: Path, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny model in the place of the one that ships; nothing is built of it, nor judged."""
    settings.VAR_DIR, settings.DAOGOU_BASE_MODEL, settings.DAOGOU_ADAPTER = tmp_path, str(base), adapter
    built = Artefact(tmp_path / "built", "tiny-0", "llama")
    built.folder.mkdir()
    (built.folder / "meta.json").write_text('{"outputs": {}}')
    monkeypatch.setattr(queues, "app", Wakes())
    monkeypatch.setattr(artefacts, "build", lambda *_: built)
    monkeypatch.setattr(steps, "evaluate", lambda *_: None)


@pytest.fixture
def thumbs() -> Dataset:
    told = [example(n) for n in range(FEWEST_FOR_TRAINING)]
    rows = [
        DatasetRow(
            place=n, use="vote", part="train", turn_id=n, contact_id=n, source=f"feedback:{n}",
            content={"brief": brief.to_json(), "reply": reply, "liked": n % 2 == 0}, features={"topic": "clothing"},
        )
        for n, (brief, reply) in enumerate(told)
    ]  # fmt: skip
    dataset = DatasetFactory(content_hash=datasets.content_hash(rows))
    for row in rows:
        row.dataset = dataset
    DatasetRow.objects.bulk_create(rows)
    return dataset


def asked(dataset: Dataset, recipe: str) -> TrainingRun:
    run = runs.claim(runs.ask_for(datasets.approve(dataset, None), recipe, {}).pk)
    assert run is not None
    return run


def test_thumbs_alone_are_learned_from_on_what_ships(thumbs, adapter, settings):
    version = steps.carry_out(asked(thumbs, "preference"))
    meta = json.loads((settings.VAR_DIR / version.folder / "meta.json").read_text())
    assert meta["start"] == sha256(adapter / sft.WEIGHTS)
    assert meta["data"]["votes"]["given"] == FEWEST_FOR_TRAINING
    assert version.digests["weights"] != meta["start"]


def test_thumbs_alone_teach_no_wording_and_the_run_says_so(thumbs):
    run = asked(thumbs, "sft")
    with pytest.raises(sft.TrainingError, match="teaches no reply: approve or correct some"):
        steps.carry_out(run)
