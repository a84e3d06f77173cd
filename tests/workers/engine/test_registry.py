"""Which engine and which model a process serves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings

from tests.workers.engine.conftest import save_small_adapter
from workers.engine import close_generators, load_generator, registry


@pytest.fixture(autouse=True)
def installation(
    settings: LazySettings, small_model: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_generators", {})
    settings.VAR_DIR = tmp_path
    settings.DAOGOU_BASE_MODEL = str(small_model("llama"))
    settings.DAOGOU_ADAPTER = None
    settings.DAOGOU_ENGINE = "openvino"


def test_importing_the_package_loads_no_model_code() -> None:
    heavy = ("torch", "transformers", "openvino_genai", "sentence_transformers", "peft")
    script = f"import sys, workers.engine; print([name for name in {heavy} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_auto_is_openvino_without_cuda_and_transformers_with_it(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DAOGOU_ENGINE = "auto"
    for cuda, name in ((False, "openvino"), (True, "transformers")):
        monkeypatch.setattr("torch.cuda.is_available", lambda cuda=cuda: cuda)
        assert registry.engine_name() == name


def test_a_generator_is_made_once_and_serves_the_artefact_below_the_installations_folder(tmp_path: Path) -> None:
    try:
        generator = load_generator()
        assert load_generator() is generator
        assert generator.info.engine == "openvino"
        assert (tmp_path / "models" / generator.info.model_version / "model.gguf").is_file()
    finally:
        close_generators()


def test_the_setting_chooses_the_other_engine(settings: LazySettings) -> None:
    settings.DAOGOU_ENGINE = "transformers"
    try:
        info = load_generator().info
        assert (info.engine, info.device, info.bits, info.architecture) == ("transformers", "CPU", 8, "llama")
    finally:
        close_generators()


def test_the_configured_adapter_is_served_and_another_can_be_asked_for(
    settings: LazySettings, small_model: Callable[[str], Path], tmp_path: Path
) -> None:
    settings.DAOGOU_ADAPTER = save_small_adapter(small_model("llama"), tmp_path / "one", "one")
    candidate = save_small_adapter(small_model("llama"), tmp_path / "two", "two")
    assert registry.current_artefact().version.startswith("one-")
    assert registry.current_artefact(candidate).version.startswith("two-")


def test_the_shipped_adapter_is_not_put_on_another_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "SHIPPED_ADAPTER", tmp_path)
    (tmp_path / "adapter_model.safetensors").touch()
    assert registry.current_artefact().version.startswith("base-")
