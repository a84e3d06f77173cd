"""Fewer tokens: any text can still be written, and what needs none of the lost ones is split and computed as before."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from botcore.dialogue.brief import Brief, messages
from tests.workers.engine.conftest import save_small_model
from tests.workers.tiny import make_base
from workers.engine import artefacts
from workers.engine.writing import prompt_ids
from workers.training import sft
from workers.training.compress import Recipe
from workers.training.dialogues.build import build_examples
from workers.training.pscon import SHARED_DATA, read_pscon
from workers.training.vocabulary_pruning import closed_vocabulary, kept_tokens, without_rows, without_tokens

FREQUENT = 20
LONGER = 0.03
"""Share by which prompts of customers' messages may grow."""


def ids(tokenizer: Any, text: str) -> list[int]:
    found: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def whole(folder: Path) -> Any:
    return PreTrainedTokenizerFast.from_pretrained(folder)


@pytest.fixture(scope="module")
def kept(whole: Any) -> list[int]:
    return kept_tokens(whole, ids(whole, "a green jacket for hiking"), FREQUENT)


@pytest.fixture(scope="module")
def pruned(whole: Any, kept: list[int]) -> Any:
    return without_tokens(whole, kept)


@given(st.text())
@example("<|im_start|>user\nа зелёная куртка 绿色夹克 🧥<|im_end|>")
def test_any_text_comes_back(whole, kept, pruned, text):
    assert pruned.decode(ids(pruned, text)) == whole.decode(ids(whole, text)) == text


@given(st.lists(st.sampled_from("a green jacket for hiking act recommend customer wishes color please".split())))
@settings(max_examples=200)
def test_text_without_lost_tokens_is_split_as_before(whole, kept, pruned, words):
    before = ids(whole, " ".join(words))
    if set(before) <= set(kept):
        assert [kept[index] for index in ids(pruned, " ".join(words))] == before


def test_tokens_go_but_what_was_asked_for_stays(whole, kept, pruned):
    assert 256 < len(pruned) < len(whole)
    assert [kept[index] for index in ids(pruned, "a green jacket for hiking")] == ids(
        whole, "a green jacket for hiking"
    )
    assert len(ids(pruned, "customer: wishes")) > len(ids(whole, "customer: wishes"))


def test_the_chat_template_and_its_control_tokens_stay(whole, kept, pruned):
    chat = messages(Brief("recommend", "a green jacket"))
    assert pruned.apply_chat_template(chat, tokenize=False) == whole.apply_chat_template(chat, tokenize=False)
    assert kept[pruned.eos_token_id] == whole.eos_token_id
    assert ids(pruned, "<|im_end|>") == [pruned.eos_token_id]


def test_the_tokenizer_is_the_same_after_it_was_written(pruned, tmp_path):
    pruned.save_pretrained(tmp_path)
    text = "a green jacket, please: 绿色"
    assert ids(AutoTokenizer.from_pretrained(tmp_path), text) == ids(pruned, text)


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3"])
def test_the_model_computes_what_it_did_for_the_tokens_that_stay(tmp_path, architecture):
    save_small_model(architecture, tmp_path)
    model, tokenizer = artefacts.load_base(artefacts.resolve_base(str(tmp_path)))
    kept = kept_tokens(tokenizer, ids(tokenizer, "the green jacket"), FREQUENT)
    smaller, fewer = without_rows(model, kept), without_tokens(tokenizer, kept)
    with torch.no_grad():
        before = model(torch.tensor([ids(tokenizer, "the green jacket")])).logits[..., kept]
        after = smaller(torch.tensor([ids(fewer, "the green jacket")])).logits
    torch.testing.assert_close(after, before)
    assert smaller.config.vocab_size == len(fewer) == len(kept)
    assert smaller.config.eos_token_id == fewer.eos_token_id
    assert smaller.generation_config.eos_token_id == fewer.eos_token_id
    assert smaller.num_parameters() < model.num_parameters()


def test_a_smaller_model_can_be_written_and_read(folder, whole, kept, tmp_path):
    without_rows(AutoModelForCausalLM.from_pretrained(folder), kept).save_pretrained(tmp_path)
    assert AutoModelForCausalLM.from_pretrained(tmp_path).get_input_embeddings().num_embeddings == len(kept)


# --- the bundled tokenizer ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bundled() -> Any:
    base = artefacts.resolve_base(None)
    return AutoTokenizer.from_pretrained(base.folder, gguf_file=base.gguf_file)


@pytest.fixture(scope="module")
def bundled_kept(bundled: Any) -> list[int]:
    taught = [sft.encode(bundled, row.brief, row.reply).ids for row in build_examples().train]
    said = bundled([*closed_vocabulary()], add_special_tokens=False)["input_ids"]
    return kept_tokens(bundled, (index for listed in (*taught, *said) for index in listed), Recipe.frequent)


@pytest.fixture(scope="module")
def bundled_pruned(bundled: Any, bundled_kept: list[int]) -> Any:
    return without_tokens(bundled, bundled_kept)


@given(st.text())
@settings(max_examples=300)
def test_any_text_comes_back_as_from_the_whole_bundled_tokenizer(bundled, bundled_pruned, text):
    """Which knows no letter for some bytes of rare scripts, and loses them itself."""
    assert bundled_pruned.decode(ids(bundled_pruned, text)) == bundled.decode(ids(bundled, text))


def test_what_decoding_may_write_takes_no_token_more(bundled, bundled_pruned):
    said = [*closed_vocabulary()]
    whole, fewer = (known(said, add_special_tokens=False)["input_ids"] for known in (bundled, bundled_pruned))
    assert [*map(len, fewer)] == [*map(len, whole)]


def test_prompts_of_strangers_messages_grow_by_a_few_percent_at_most(bundled, bundled_pruned):
    for name, asked in {"bitext": bitext(), "pscon": pscon()}.items():
        whole, fewer = (sum(len(prompt(known, text)) for text in asked) for known in (bundled, bundled_pruned))
        assert fewer / whole - 1 < LONGER, name


def prompt(tokenizer: Any, text: str) -> list[int]:
    return prompt_ids(tokenizer, messages(Brief("recommend", text)))


def bitext() -> Sequence[str]:
    file = SHARED_DATA / "bitext-support" / "Bitext_Sample_Customer_Service_Validation_Dataset.csv"
    if not file.exists():
        pytest.skip(f"{file} is not there")
    with file.open(encoding="utf-8") as lines:
        return [row["utterance"] for row in csv.DictReader(lines)]


def pscon() -> Sequence[str]:
    if not (SHARED_DATA / "pscon").is_dir():
        pytest.skip(f"{SHARED_DATA / 'pscon'} is not there")
    return [text for talk in read_pscon(SHARED_DATA / "pscon").conversations for text in talk.messages]
