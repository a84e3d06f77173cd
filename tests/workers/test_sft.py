"""Supervised fine-tuning on a tiny random model: what the loss covers, that it learns and resumes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from botcore.dialogue.brief import messages
from tests.workers.tiny import CHATML, example, killed_after
from workers.training import sft


@pytest.fixture
def recipe(base: Path, tmp_path: Path) -> sft.Recipe:
    data = tmp_path / "dialogues.jsonl"
    rows = [
        {"id": str(n), "department": "outdoor", "act": "recommend", "brief": brief.to_json(), "reply": reply}
        for n, (brief, reply) in enumerate(map(example, range(28)))
    ]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return sft.Recipe(
        data,
        base=str(base),
        epochs=12,
        lr=1e-2,
        rank=8,
        batch_tokens=700,
        held_out=4,
        checkpoint_steps=4,
        bf16=False,
        compile=False,
    )


def adapter_weights(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(folder / "adapter_model.safetensors")


def test_the_loss_covers_the_reply_and_its_end_token_and_nothing_else(tokenizer: Any) -> None:
    brief, reply = example(0)
    encoded = sft.encode(tokenizer, brief, reply)
    counted = [label for label in encoded.labels if label != sft.IGNORED]
    assert tokenizer.decode(counted) == reply + "<|im_end|>"
    assert len(encoded.labels) == len(encoded.ids)


def test_the_prompt_is_what_serving_renders(tokenizer: Any) -> None:
    brief, reply = example(0)
    encoded = sft.encode(tokenizer, brief, reply)
    served = tokenizer.apply_chat_template(messages(brief), add_generation_prompt=True, return_dict=True)["input_ids"]
    assert encoded.ids[: encoded.reply_start] == served


def test_a_template_that_rewrites_replies_is_refused(tokenizer: Any, base: Path) -> None:
    rewriting = PreTrainedTokenizerFast.from_pretrained(base)
    rewriting.chat_template = CHATML.replace("message['content'] +", "message['content'] | upper +")
    with pytest.raises(sft.TrainingError, match="chat template"):
        sft.encode(rewriting, *example(0))


def test_the_plan_serves_every_example_once_an_epoch_within_the_budget() -> None:
    lengths = [40 + 7 * n % 90 for n in range(50)]
    batches = sft.plan(lengths, batch_tokens=400, epochs=3, seed=5)
    assert sorted(index for batch in batches for index in batch) == sorted([*range(50)] * 3)
    assert all(max(lengths[i] for i in batch) * len(batch) <= 400 for batch in batches)
    assert batches == sft.plan(lengths, batch_tokens=400, epochs=3, seed=5)
    assert batches != sft.plan(lengths, batch_tokens=400, epochs=3, seed=6)


def test_an_example_longer_than_the_budget_gets_a_batch_of_its_own() -> None:
    batches = sft.plan([10, 900, 10], batch_tokens=100, epochs=1, seed=0)
    assert sorted(map(sorted, batches)) == [[0, 2], [1]]


def test_padding_does_not_change_the_loss(recipe: sft.Recipe, base: Path, tokenizer: Any) -> None:
    model = AutoModelForCausalLM.from_pretrained(base).eval()
    short, long = (sft.encode(tokenizer, *example(n)) for n in (0, 6))
    assert len(short.ids) < len(long.ids)
    (row,) = sft.as_rows([short, long], [[0, 1]])
    batch = sft.collate([row])
    alone = model(torch.tensor([short.ids])).logits[0]
    padded = model(batch["input_ids"]).logits[0, : len(short.ids)]
    assert (alone - padded).abs().max().item() < 1e-4
    assert batch["labels"][0, len(short.ids) :].unique().tolist() == [sft.IGNORED]


def test_the_model_learns_a_memorisable_set_and_the_adapter_carries_it(recipe: sft.Recipe, base: Path) -> None:
    out = recipe.data.parent / "voice"
    meta = sft.train(recipe, out)
    before, after = meta["losses"]["held_out"]["before"], meta["losses"]["held_out"]["after"]
    assert before > 5
    assert after < before / 4
    assert meta["losses"]["train"][-1][1] < meta["losses"]["train"][0][1] / 4
    tuned = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), str(out))
    _, held_out = sft.read(recipe, PreTrainedTokenizerFast.from_pretrained(base))
    losses = [tuned(input_ids=torch.tensor([e.ids]), labels=torch.tensor([e.labels])).loss.item() for e in held_out]
    assert sum(losses) / len(losses) == pytest.approx(after, abs=0.02)


def test_meta_accounts_for_the_run(recipe: sft.Recipe, base: Path) -> None:
    out = recipe.data.parent / "voice"
    short = dataclasses.replace(recipe, epochs=1)
    meta = sft.train(short, out)
    assert json.loads((out / "meta.json").read_text()) == meta
    assert meta["version"] == "voice"
    assert meta["data"]["sha256"] == sft.sha256(recipe.data)
    assert meta["data"] | {"examples": 24, "held_out": 4} == meta["data"]
    assert meta["base"]["sha256"]["model.safetensors"] == sft.sha256(base / "model.safetensors")
    assert meta["hyperparameters"]["seed"] == recipe.seed
    assert meta["hyperparameters"]["bf16"] is False
    assert meta["losses"]["train"][0][0] == 1
    assert set(meta["packages"]) == set(sft.PACKAGES)
    assert meta["seconds"] > 0
    assert meta["evaluation"] is None
    assert "code" in meta
    assert not (out / "checkpoints").exists()


def test_only_the_upper_layers_are_adapted_and_stored_in_half_precision(recipe: sft.Recipe) -> None:
    out = recipe.data.parent / "voice"
    sft.train(dataclasses.replace(recipe, epochs=1), out)
    weights = adapter_weights(out)
    assert {name.split(".layers.")[1].split(".")[0] for name in weights} == {"2", "3"}
    assert {tensor.dtype for tensor in weights.values()} == {torch.float16}


def test_a_killed_run_continues_to_the_same_weights(recipe: sft.Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, killed = recipe.data.parent / "whole", recipe.data.parent / "killed"
    short = dataclasses.replace(recipe, epochs=4)
    expected = sft.train(short, whole)

    with killed_after(6, sft.ReplyTrainer, monkeypatch):
        sft.train(short, killed)
    (killed / "checkpoints" / "checkpoint-8").mkdir()  # as if it had died while saving the next one

    step, taken = sft.ReplyTrainer.training_step, 0

    def counts(self: sft.ReplyTrainer, *args: Any, **kwargs: Any) -> torch.Tensor:
        nonlocal taken
        taken += 1
        return step(self, *args, **kwargs)

    monkeypatch.setattr(sft.ReplyTrainer, "training_step", counts)
    resumed = sft.train(short, killed)
    assert taken == expected["hyperparameters"]["steps"] - 4
    assert resumed["losses"] == expected["losses"]
    left, right = adapter_weights(whole), adapter_weights(killed)
    assert all(torch.equal(left[name], right[name]) for name in left)


def test_a_killed_run_counts_no_look_at_the_validation_twice(
    recipe: sft.Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, killed = recipe.data.parent / "whole", recipe.data.parent / "killed"
    looking = dataclasses.replace(recipe, validation=recipe.data, look_steps=1, patience=3, epochs=4)
    expected = sft.train(looking, whole)

    with killed_after(7, sft.ReplyTrainer, monkeypatch):
        sft.train(looking, killed)
    assert sft.train(looking, killed)["losses"] == expected["losses"]


def test_a_folder_of_another_recipe_is_not_resumed(recipe: sft.Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    out = recipe.data.parent / "voice"
    monkeypatch.setattr(sft.ReplyTrainer, "train", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        sft.train(recipe, out)
    with pytest.raises(sft.TrainingError, match="another recipe"):
        sft.train(dataclasses.replace(recipe, lr=1e-4), out)


def test_holding_out_everything_is_refused(recipe: sft.Recipe, tokenizer: Any) -> None:
    with pytest.raises(sft.TrainingError, match="leaves none"):
        sft.read(dataclasses.replace(recipe, held_out=28), tokenizer)


def test_a_second_run_goes_on_from_an_adapter(recipe: sft.Recipe) -> None:
    first, second = recipe.data.parent / "first", recipe.data.parent / "second"
    learned = sft.train(recipe, first)["losses"]["held_out"]["after"]
    meta = sft.train(dataclasses.replace(recipe, start=first, epochs=1, lr=1e-4), second)
    assert meta["losses"]["held_out"]["before"] == pytest.approx(learned, abs=0.02)
    assert adapter_weights(first).keys() == adapter_weights(second).keys()


def test_a_run_that_gains_no_more_on_the_validation_stops_and_keeps_its_best(
    recipe: sft.Recipe, tmp_path: Path
) -> None:
    """The validation replies are shuffled: the better the rest is learned, the worse they are."""
    rows = [json.loads(line) for line in recipe.data.read_text().splitlines()]
    validation = tmp_path / "validation.jsonl"
    others = [row["reply"] for row in rows[1:8]] + [rows[0]["reply"]]
    validation.write_text(
        "".join(json.dumps(row | {"reply": reply}) + "\n" for row, reply in zip(rows[:8], others, strict=True))
    )
    seen: list[dict[str, float]] = []
    stopping = dataclasses.replace(recipe, validation=validation, patience=2, look_steps=2, epochs=40)
    meta = sft.train(stopping, tmp_path / "voice", seen.append)
    looks = [point["validation"] for point in seen if "validation" in point]
    assert {4, 8} <= {point["step"] for point in seen if "loss" in point}
    assert 3 <= len(looks) < meta["hyperparameters"]["steps"] / 2
    assert looks[-1] > min(looks)
    assert meta["losses"]["held_out"]["after"] == pytest.approx(min(looks), abs=0.01)
