"""Compression on a tiny random model: which layers go, that the rest learns from the whole, and what comes out is served."""

from __future__ import annotations

import dataclasses
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from botcore.dialogue.brief import messages
from tests.workers.engine.conftest import save_small_model
from tests.workers.tiny import example, killed_after
from workers.engine import artefacts
from workers.engine.openvino_engine import OpenVinoGenerator
from workers.engine.transformers_engine import TransformersGenerator
from workers.engine.writing import prompt_ids
from workers.training import compress, sft
from workers.training.dialogues.build import Split


@pytest.fixture(autouse=True)
def small_talk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny tokenizer holds few tokens that the real base set does not use."""
    monkeypatch.setattr(compress, "build_examples", lambda: Split((), (), ()))
    monkeypatch.setattr(compress, "closed_vocabulary", lambda: iter(["green"]))


@pytest.fixture
def recipe(base: Path, tmp_path: Path) -> compress.Recipe:
    data, validation = tmp_path / "train.jsonl", tmp_path / "validation.jsonl"
    for path, numbers in ((data, range(28)), (validation, range(28, 34))):
        rows = [{"brief": brief.to_json(), "reply": reply} for brief, reply in map(example, numbers)]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return compress.Recipe(
        data,
        validation,
        base=str(base),
        layers=1,
        frequent=20,
        epochs=6,
        lr=1e-2,
        rank=8,
        batch_tokens=700,
        patience=99,
        look_steps=4,
        checkpoint_steps=4,
        bf16=False,
        compile=False,
    )


@pytest.fixture
def of_engines(recipe, tmp_path) -> compress.Recipe:
    """Of a model that 8 bits can hold: rows of 64."""
    return dataclasses.replace(recipe, base=str(save_small_model("llama", tmp_path / "base")))


@pytest.fixture
def idle(base: Path) -> Any:
    """A model whose third layer changes nothing."""
    model = AutoModelForCausalLM.from_pretrained(base).eval()
    layer = model.base_model.layers[2]
    for matrix in (layer.self_attn.o_proj, layer.mlp.down_proj):
        torch.nn.init.zeros_(matrix.weight)
    return model


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).state_dict())


def test_a_layer_that_changes_nothing_has_no_influence_and_goes_first(idle):
    influence = compress.block_influence(idle, [[1, 2, 3, 4], [5, 6]])
    assert influence[2] == pytest.approx(0, abs=1e-6)
    assert min(value for place, value in enumerate(influence) if place != 2) > 0.01
    assert compress.least_influential(influence, 1) == [2]


def test_without_a_layer_that_changes_nothing_the_model_is_the_same(idle):
    smaller = compress.without_layers(idle, [2])
    ids = torch.tensor([[1, 2, 3, 4]])
    with torch.no_grad():
        torch.testing.assert_close(smaller(ids).logits, idle(ids).logits)
    assert smaller.config.num_hidden_layers == len(smaller.base_model.layers) == 3


def test_the_other_layers_keep_their_order(idle):
    smaller = compress.without_layers(idle, [0, 2])
    for place, layer in zip((1, 3), smaller.base_model.layers, strict=True):
        before = idle.base_model.layers[place].self_attn.q_proj.weight
        assert torch.equal(layer.self_attn.q_proj.weight, before)


def test_a_model_without_layers_is_refused():
    with pytest.raises(sft.TrainingError, match="4 layers"):
        compress.least_influential([0.1, 0.2, 0.3, 0.4], 4)


def test_what_is_left_comes_nearer_to_the_whole_model(recipe, tmp_path):
    seen: list[dict[str, float]] = []
    imitating = dataclasses.replace(recipe, imitation=1.0, frequent=0)
    meta = compress.train(imitating, tmp_path / "small", seen.append)
    divergences = [point["kl"] for point in seen if "kl" in point]
    assert divergences[-1] < divergences[0] / 2
    held_out = meta["healing"]["losses"]["held_out"]
    assert held_out["after"] < held_out["before"] / 2
    assert {"loss", "kl", "step", "of"} <= next(point for point in seen if "kl" in point).keys()


def test_what_comes_out_is_smaller_and_accounts_for_itself(of_engines, tmp_path):
    out = tmp_path / "small"
    meta = compress.train(dataclasses.replace(of_engines, epochs=1), out)
    assert json.loads((out / "meta.json").read_text()) == meta
    assert (meta["version"], meta["kind"]) == ("small", "compress")
    assert meta["of"]["sha256"]["model.safetensors"] == sft.sha256(tmp_path / "base" / "model.safetensors")
    assert len(meta["layers"]["influence"]) == 3
    assert len(meta["layers"]["dropped"]) == 1
    assert meta["vocabulary"]["after"] < meta["vocabulary"]["before"]
    assert meta["parameters"]["after"] < meta["parameters"]["before"]
    assert meta["parameters"]["after"] == AutoModelForCausalLM.from_pretrained(out).num_parameters()
    assert not (out / "stages").exists()


def test_with_no_layer_to_drop_nothing_is_trained(recipe, base, tmp_path, monkeypatch):
    monkeypatch.setattr(sft, "train", lambda *_: pytest.fail("there is nothing to heal"))
    out = tmp_path / "same-depth"
    meta = compress.train(dataclasses.replace(recipe, layers=0), out)
    assert "healing" not in meta
    assert weights(out).keys() == weights(base).keys()


def test_a_killed_run_continues_to_the_same_weights(recipe, tmp_path, monkeypatch):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    expected = compress.train(recipe, whole)
    with killed_after(6, sft.ReplyTrainer, monkeypatch):
        compress.train(recipe, killed)
    monkeypatch.setattr(compress, "block_influence", lambda *_: pytest.fail("measured a second time"))
    resumed = compress.train(recipe, killed)
    assert resumed["layers"] == expected["layers"]
    assert resumed["healing"]["losses"] == expected["healing"]["losses"]
    left, right = weights(whole), weights(killed)
    assert all(torch.equal(left[name], right[name]) for name in left)


def test_a_compressed_model_is_built_and_compressed_again_like_any_version(of_engines, tmp_path):
    first = tmp_path / "small"
    compress.train(dataclasses.replace(of_engines, epochs=1, frequent=0), first)
    again = dataclasses.replace(of_engines, version=first, base=None, layers=0)
    smaller = tmp_path / "smaller"
    meta = compress.train(again, smaller)
    assert meta["of"]["version"] == "small"
    artefact = artefacts.build(smaller, None, tmp_path / "models")
    assert re.fullmatch(r"smaller-[0-9a-f]{8}", artefact.version)
    served, trained = weights(artefact.hf), weights(smaller)
    assert all(torch.equal(served[name], trained[name]) for name in trained)
    assert len(AutoTokenizer.from_pretrained(artefact.hf)) == meta["vocabulary"]["after"]


def test_the_gguf_of_a_compressed_model_holds_its_weights_in_eight_bits(of_engines, tmp_path):
    out = tmp_path / "small"
    compress.train(dataclasses.replace(of_engines, layers=0), out)
    artefact = artefacts.build(out, None, tmp_path / "models")
    read, tokenizer = artefacts.load_base(artefacts.Base("small", artefact.folder, artefact.gguf.name))
    assert (
        len(tokenizer) == read.config.vocab_size == json.loads((out / "meta.json").read_text())["vocabulary"]["after"]
    )
    before = weights(out)
    for name, tensor in read.state_dict().items():
        assert (tensor - before[name]).abs().max() <= before[name].abs().max() / 127


@pytest.mark.parametrize("engine", [OpenVinoGenerator, TransformersGenerator])
def test_either_engine_keeps_a_compressed_model_to_a_language(of_engines, tmp_path, engine):
    out = tmp_path / "small"
    compress.train(dataclasses.replace(of_engines, layers=0), out)
    generator = engine(artefacts.build(out, None, tmp_path / "models"))
    try:
        ids = prompt_ids(generator.tokenizer, messages(example(0)[0]))
        written = generator.complete(ids, "(green|blue) customers[.]", [1, 2], time.monotonic() + 60)
        assert {generator.tokenizer.decode(one.ids) for one in written} <= {"green customers.", "blue customers."}
        assert [one.ended for one in written] == [True, True]
    finally:
        generator.close()
