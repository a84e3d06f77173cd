"""The image encoder's real code over a tiny random CLIP, made and saved here: no weights can be had offline."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import BertConfig, BertModel, CLIPConfig, CLIPImageProcessorPil, CLIPModel

from tests.pictured_shop import GREEN, RED
from workers.engine import registry
from workers.engine.clip import ClipEncoder

SMALL = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}


def save_clip(folder, seed: int = 0):
    torch.manual_seed(seed)
    config = CLIPConfig(
        text_config={**SMALL, "vocab_size": 20, "bos_token_id": 1, "eos_token_id": 2},
        vision_config={**SMALL, "image_size": 32, "patch_size": 8},
        projection_dim=12,
    )
    CLIPModel(config).save_pretrained(folder)
    CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_clip(tmp_path_factory.mktemp("models") / "small-clip")


@pytest.fixture(scope="module")
def encoder(folder):
    return ClipEncoder(folder)


def test_pictures_become_unit_vectors_of_the_model_s_width(encoder):
    vectors = encoder.encode([Image.new("RGB", (50, 40), RED), Image.new("RGB", (300, 20), GREEN)])
    assert (vectors.shape, vectors.dtype) == ((2, 12), np.float32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert not np.allclose(vectors[0], vectors[1])


def test_a_picture_has_the_same_vector_alone_and_among_others(encoder):
    red, green = (Image.new("RGB", (50, 40), colour) for colour in (RED, GREEN))
    assert encoder.encode([green, red])[1] == pytest.approx(encoder.encode([red])[0], abs=1e-5)


def test_the_vectors_are_the_model_s_own_features(encoder, folder):
    model = CLIPModel.from_pretrained(folder).eval()
    picture = Image.effect_noise((40, 40), 80).convert("RGB")
    values = CLIPImageProcessorPil.from_pretrained(folder)(images=picture, return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        features = model.visual_projection(model.vision_model(pixel_values=values).pooler_output)[0]
    assert encoder.encode([picture])[0] == pytest.approx((features / features.norm()).numpy(), abs=1e-5)


def test_weights_of_half_precision_are_read_on_any_processor(folder, encoder, tmp_path):
    CLIPModel.from_pretrained(folder).half().save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_bytes((folder / "preprocessor_config.json").read_bytes())
    picture = Image.new("RGB", (50, 40), RED)
    assert ClipEncoder(tmp_path).encode([picture])[0] == pytest.approx(encoder.encode([picture])[0], abs=1e-2)


def test_other_weights_in_a_folder_of_the_same_name_are_another_model(encoder, folder, tmp_path):
    other = ClipEncoder(save_clip(tmp_path / "small-clip", seed=1))
    assert encoder.name.startswith("small-clip-")
    assert ClipEncoder(folder).name == encoder.name != other.name


def test_weights_that_could_run_code_are_not_opened(folder, tmp_path):
    for file in folder.iterdir():
        if file.suffix == ".json":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    torch.save(CLIPModel.from_pretrained(folder).state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"no \*\.safetensors"):
        ClipEncoder(tmp_path)


def test_a_model_of_texts_alone_is_refused(folder, tmp_path):
    BertModel(BertConfig(**SMALL, vocab_size=20)).save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_bytes((folder / "preprocessor_config.json").read_bytes())
    with pytest.raises(ValueError, match="BertModel, which makes no vectors of pictures"):
        ClipEncoder(tmp_path)


def test_nothing_is_loaded_where_nothing_is_named(settings):
    settings.IMAGE_ENCODER = settings.SPEECH_RECOGNISER = None
    assert registry.load_image_encoder.__wrapped__() is None
    assert registry.load_speech_recogniser.__wrapped__() is None


def test_the_named_model_is_loaded_from_its_folder(settings, folder, encoder):
    settings.IMAGE_ENCODER = folder
    assert registry.load_image_encoder.__wrapped__().name == encoder.name


def test_no_model_library_is_loaded_before_a_model_is_asked_for():
    code = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'botcore.settings'; django.setup();"
        "import workers.engine, workers.serving, workers.looking, botcore.media, botcore.answering;"
        "print([name for name in ('torch', 'transformers', 'soundfile') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
