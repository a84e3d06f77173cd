"""Preferences on a tiny model: what was corrected becomes likelier than what it corrected, and a troll changes nothing."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

pytest.importorskip("trl")
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from botcore.learning.votes import Vote, counted
from tests.workers.tiny import example, killed_after
from workers.training import preference, sft
from workers.training.compare import agreements
from workers.training.likelihood import log_likelihoods
from workers.training.preference import inliers
from workers.training.rows import write


def row(number: int) -> dict[str, Any]:
    brief, reply = example(number)
    return {"brief": brief.to_json(), "reply": reply}


def corrected(reply: str) -> str:
    return reply.replace("Try", "Take")


@pytest.fixture(scope="module")
def taught(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that says "Try the ..." and now and then "Take the ..."."""
    folder = tmp_path_factory.mktemp("taught")
    rows = [row(n) for n in range(28)]
    rows += [one | {"reply": corrected(one["reply"])} for one in rows[::4]]
    write(folder / "data.jsonl", rows)
    recipe = sft.Recipe(
        folder / "data.jsonl", base=str(base), epochs=12, lr=1e-2, rank=8, batch_tokens=700, held_out=4, bf16=False,
        compile=False, first_layer=0.0,
    )  # fmt: skip
    sft.train(recipe, folder / "voice")
    return folder / "voice"


def preferring(base: Path, adapter: Path, tokenizer: Any, texts: list[tuple[Any, str]]) -> list[float]:
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), str(adapter))
    return log_likelihoods(model, tokenizer, texts)


def gains(base: Path, before: Path, after: Path, tokenizer: Any) -> list[float]:
    """By how much each unseen edit came nearer to, or went beyond, its original (nats a token)."""
    unseen = [example(n) for n in range(28, 36)]
    texts = [*unseen, *((brief, corrected(reply)) for brief, reply in unseen)]
    told = [preferring(base, folder, tokenizer, texts) for folder in (before, after)]
    margins = [[edit - old for old, edit in zip(one[:8], one[8:], strict=True)] for one in told]
    return [then - first for first, then in zip(*margins, strict=True)]


def test_edits_become_likelier_than_what_they_corrected(base, taught, tokenizer, tmp_path):
    pairs = [
        {"brief": one["brief"], "chosen": corrected(one["reply"]), "rejected": one["reply"]}
        for one in map(row, range(24))
    ]
    write(tmp_path / "pairs.jsonl", pairs)
    seen: list[dict[str, float]] = []
    recipe = preference.Recipe(taught, pairs=tmp_path / "pairs.jsonl", base=str(base), epochs=3, lr=2e-3)
    meta = preference.train(recipe, tmp_path / "preferring", seen.append)
    assert all(gain > 0.1 for gain in gains(base, taught, tmp_path / "preferring", tokenizer))
    assert meta["data"]["pairs"]["given"] == 24
    assert json.loads((tmp_path / "preferring" / "meta.json").read_text()) == meta
    assert any("rewards/margins" in point for point in seen)


def test_thumbs_move_the_model_towards_what_is_liked(base, taught, tokenizer, tmp_path):
    votes = []
    for number in range(200):
        one = row(number)
        votes.append(one | {"liked": False})
        votes.append(one | {"reply": corrected(one["reply"]), "liked": True})
    write(tmp_path / "votes.jsonl", votes)
    recipe = preference.Recipe(taught, votes=tmp_path / "votes.jsonl", base=str(base), lr=2e-3, batch=8)
    preference.train(recipe, tmp_path / "liked")
    assert all(gain > 0.1 for gain in gains(base, taught, tmp_path / "liked", tokenizer))


def test_a_thousand_hostile_votes_of_one_customer_move_no_gated_metric_beyond_noise(base, taught, tokenizer, tmp_path):
    """Preference agreement and likelihood of unseen edits, as the gate measures them, with the votes and without. Noise is
    what another seed changes; what the votes do where nobody defends against them shows that the metrics would tell."""
    people = [vote(n, contact=n, liked=n % 2 == 0) for n in range(220)]
    troll = [vote(1_000 + n, contact=10_000, liked=n % 2 == 1) for n in range(1_000)]
    defended = counted([*people, *troll], {})
    assert defended.left_out["above one customer's share"] > 950

    learned = {
        "people": metrics_after(people, 7, base, taught, tokenizer, tmp_path / "people"),
        "another seed": metrics_after(people, 8, base, taught, tokenizer, tmp_path / "seed"),
        "defended": metrics_after(defended.votes, 7, base, taught, tokenizer, tmp_path / "defended"),
        "undefended": metrics_after([*people, *troll], 7, base, taught, tokenizer, tmp_path / "undefended"),
    }
    for gated in ("likelihood", "preference"):
        noise = abs(learned["another seed"][gated] - learned["people"][gated])
        moved = abs(learned["defended"][gated] - learned["people"][gated])
        assert moved <= 2 * noise + 0.05, learned
    assert learned["people"]["likelihood"] - learned["undefended"]["likelihood"] > 0.3, learned


def vote(number: int, contact: int, *, liked: bool) -> Vote:
    return Vote(number, number, contact, f"P{number}", date(2026, 11, 1), liked)


def metrics_after(votes: Any, seed: int, base: Path, taught: Path, tokenizer: Any, folder: Path) -> dict[str, float]:
    """What the gate would read of unseen edits: people like edits (even numbers) and dislike originals (odd ones)."""
    folder.mkdir()
    told = []
    for cast in votes:
        one = row(cast.id)
        told.append(one | {"reply": corrected(one["reply"]) if cast.id % 2 == 0 else one["reply"], "liked": cast.liked})
    write(folder / "votes.jsonl", told)
    recipe = preference.Recipe(taught, votes=folder / "votes.jsonl", base=str(base), lr=2e-3, batch=8, seed=seed)
    preference.train(recipe, folder / "voice")
    unseen = [example(n) for n in range(28, 36)]
    texts = [*((brief, corrected(reply)) for brief, reply in unseen), *unseen]
    told_by = preferring(base, folder / "voice", tokenizer, texts)
    return {"likelihood": fmean(told_by[:8]), "preference": fmean(agreements(told_by))}


def test_nothing_to_prefer_leaves_the_adapter_as_it_was(base, taught, tokenizer, tmp_path):
    write(tmp_path / "votes.jsonl", [])
    preference.train(preference.Recipe(taught, votes=tmp_path / "votes.jsonl", base=str(base)), tmp_path / "same")
    assert gains(base, taught, tmp_path / "same", tokenizer) == pytest.approx([0.0] * 8, abs=1e-3)


def test_a_killed_run_goes_on_where_it_stopped(base, taught, tmp_path, monkeypatch):
    one = [row(n) for n in range(24)]
    write(
        tmp_path / "pairs.jsonl",
        [{"brief": r["brief"], "chosen": corrected(r["reply"]), "rejected": r["reply"]} for r in one],
    )
    write(tmp_path / "votes.jsonl", [r | {"liked": n % 2 == 0} for n, r in enumerate(one)])
    recipe = preference.Recipe(
        taught, tmp_path / "pairs.jsonl", tmp_path / "votes.jsonl", base=str(base), lr=1e-3, checkpoint_steps=4
    )
    expected = preference.train(recipe, tmp_path / "whole")

    for trainer, steps in ((preference.ReplyDPOTrainer, 6), (preference.ReplyKTOTrainer, 5)):
        with killed_after(steps, trainer, monkeypatch):
            preference.train(recipe, tmp_path / "killed")
    resumed = preference.train(recipe, tmp_path / "killed")
    assert resumed["data"] == expected["data"]
    whole, killed = (load_file(tmp_path / name / sft.WEIGHTS) for name in ("whole", "killed"))
    assert all(torch.equal(whole[name], killed[name]) for name in whole)
    assert not (tmp_path / "killed" / preference.STAGES).exists()


def test_nobody_is_told_of_a_run(monkeypatch):
    monkeypatch.setattr("trl.trainer.base_trainer.send_telemetry", lambda *_, **__: pytest.fail("told"))
    for trainer in (sft.ReplyTrainer, preference.ReplyDPOTrainer, preference.ReplyKTOTrainer):
        trainer._send_telemetry(object())


def test_outliers_are_dropped_and_their_like_kept():
    usual = [1.0, 1.1, 0.9, 1.05, 0.95, 1.2, 0.8, 1.0]
    assert inliers([*usual, 9.0]) == [True] * 8 + [False]
    assert inliers([*usual, 1.5]) == [True] * 9
    assert inliers([1.0, 9.0]) == [True, True]
    assert inliers([]) == []


def test_nonsense_among_the_edits_is_one_outlier_more(base, taught, tmp_path):
    pairs = [
        {"brief": one["brief"], "chosen": corrected(one["reply"]), "rejected": one["reply"]}
        for one in map(row, range(16))
    ]
    nonsense = {"chosen": "zxqv zxqv jkjk wwww qqqq zzzz"}
    dropped = []
    for name, rows in (("as they are", pairs), ("with nonsense", [pairs[0] | nonsense, *pairs[1:]])):
        write(tmp_path / "pairs.jsonl", rows)
        recipe = preference.Recipe(taught, pairs=tmp_path / "pairs.jsonl", base=str(base), epochs=1)
        dropped.append(preference.train(recipe, tmp_path / name)["data"]["pairs"]["outliers"])
    assert dropped[1] == dropped[0] + 1
