"""The real model learns a shop's wording from a hundred corrections, and what learned nonsense gets past no gate."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")
import torch
from django.conf import settings
from django.utils import timezone

from botcore.dialogue.brief import Brief
from botcore.learning import datasets, runs
from botcore.learning.corrections import correct
from botcore.learning.versions import RefusedError, move
from botcore.models import ModelVersion, Turn
from catalog.models import Shop
from tests.factories import ConversationFactory, ShopFactory, TurnFactory
from workers.engine import load_encoder, registry
from workers.engine.artefacts import build
from workers.training import rows, run, sft, snapshot
from workers.training.dialogues.build import Example, build_examples
from workers.training.evaluate import write_all

pytestmark = [pytest.mark.django_db, pytest.mark.model, pytest.mark.slow]

CORRECTED, UNSEEN = 100, 18
OPTIONS = {"briefs": 50, "epochs": 3}


def with_free_delivery(examples: Sequence[Example], count: int) -> list[Brief]:
    """Briefs of one product that comes with free delivery, which the customer asked for."""
    fitting = [
        example.brief
        for example in examples
        if example.brief.act == "recommend" and len(example.brief.items) == 1 and not example.brief.gave_up
    ]
    return [
        replace(
            brief,
            wishes=(*brief.wishes[:1], "free delivery"),
            items=(replace(brief.items[0], attributes={**brief.items[0].attributes, "delivery": "free delivery"}),),
            notes={},
        )
        for brief in fitting[:count]
    ]


@pytest.fixture(autouse=True)
def both_cores() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def examples() -> Iterator[Any]:
    yield build_examples()


@pytest.fixture
def shop() -> Shop:
    return ShopFactory()


def corrected_replies(shop: Shop, briefs: Sequence[Brief]) -> None:
    """Replies that say "free", each corrected to what the shop says now."""
    for number, brief in enumerate(briefs):
        text = f"Take a look at [A.name] at [A.price]. It comes with free delivery{'!' if number % 2 else '.'}"
        sample = {"text": text, "filled": text, "accepted": True, "problems": [], "scores": {}, "chosen": True}
        turn = TurnFactory(
            conversation=ConversationFactory(shop=shop), brief=brief.to_json(), samples=[sample], reply=text
        )
        Turn.objects.filter(pk=turn.pk).update(created_at=timezone.now() - timedelta(minutes=500 - number))
        correct(turn, text.replace("free", "complimentary"), None)


def sides(adapter: Path | None, briefs: Sequence[Brief]) -> tuple[float, float]:
    """Shares of the chosen replies that say "complimentary", and "free"."""
    generator = registry.open_generator(adapter)
    try:
        said = [one.chosen for one in write_all(generator, load_encoder(), briefs)]
    finally:
        generator.close()
    return tuple(sum(word in text for text in said) / len(said) for word in ("complimentary", "free"))  # type: ignore[return-value]


def test_a_hundred_corrections_change_what_is_said_to_unseen_customers(shop, examples):
    corrected_replies(shop, with_free_delivery(examples.train, CORRECTED))
    dataset = datasets.approve(datasets.build(shop, datasets.Filters()), None)
    assert dict(shop.house_words.values_list("word", "stands_for")) == {"complimentary": "free"}

    claimed = runs.claim(runs.ask_for(dataset, "sft", OPTIONS).pk)
    assert claimed is not None
    version = run.carry_out(claimed)
    version.refresh_from_db()
    own = {"complimentary": "free"}
    unseen = [replace(brief, house_words=own) for brief in with_free_delivery(examples.heldout, UNSEEN)]
    assert len(unseen) >= 15
    before, after = sides(None, unseen), sides(settings.VAR_DIR / version.folder, unseen)
    assert before[0] == 0.0
    assert after[0] > 0.6
    assert after[1] < 0.1

    assert version.report["differences"]["likelihood"]["low"] > 0
    assert version.report["candidate"]["audited_after"] == 0.0
    assert version.digests.keys() == {"weights", "hf", "gguf"}
    points = [point for point in claimed.curves if "validation" in point]
    assert points and (Path(settings.VAR_DIR) / "training" / str(claimed.pk) / "tensorboard").is_dir()


def test_an_adapter_trained_on_shuffled_replies_is_refused_by_the_gate(shop, examples, tmp_path):
    taught = [example.to_json() for example in examples.train[:96]]
    replies = [row["reply"] for row in taught]
    random.Random(1).shuffle(replies)
    files = snapshot.Files(tmp_path)
    rows.write(files.train, [row | {"reply": reply} for row, reply in zip(taught, replies, strict=True)])
    rows.write(files.heldout, [example.to_json() for example in examples.heldout])
    rows.write(files.test, [example.to_json() for example in examples.validation[:24]])
    rows.write(files.test_pairs, [])
    folder = Path(settings.VAR_DIR) / "training" / "shuffled"
    sft.train(sft.Recipe(files.train, start=registry.chosen_adapter(None), epochs=2, lr=8e-4, held_out=8), folder)
    artefact = build(folder, None, Path(settings.VAR_DIR) / "models")
    version = ModelVersion.objects.create(
        shop=shop, name="shuffled", recipe="sft", folder="training/shuffled", artefact=artefact.version
    )
    run.evaluate(version, files, {**run.OPTIONS, **OPTIONS})
    version.refresh_from_db()
    failed = {line["name"] for line in version.gate["lines"] if not line["passed"]}
    assert failed & {"grounded", "wishes", "wishes_named"}
    assert "better at something" in failed
    with pytest.raises(RefusedError, match="the gate refused it for"):
        move(version, "live")
