"""The language of replies: sentences of a prompt's words and tags."""

from __future__ import annotations

import re

import llguidance.hf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from llguidance import LLMatcher

from botcore.dialogue.ports import Prompt
from tests.workers.engine.conftest import small_tokenizer
from workers.engine import constraint

PROMPT = Prompt(
    [],
    frozenset("the this is a light jacket it's for you what would it don't décor coat coats tear out within".split()),
    ("A.name", "A.price", "budget"),
)
LANGUAGE = re.compile(constraint.pattern(PROMPT))


@pytest.mark.parametrize(
    "reply",
    [
        "The [A.name] is [A.price], within [budget].",
        "It's a light jacket for you: [A.name]'s, (a tear-out coat)!",
        '"What" is it?',
        "Is this décor? Don't. A coat - a jacket.",
        "[A.name]",
    ],
)
def test_sentences_of_the_words_and_tags_are_in_the_language(reply: str) -> None:
    assert LANGUAGE.fullmatch(reply)


@pytest.mark.parametrize(
    "reply",
    [
        "The jackets.",
        "The coa.",
        "The [B.name].",
        "The [A.name",
        "[A.rating].",
        "It is 5.",
        "A $ coat.",
        "Light",
        "The, coat",
        "",
    ],
)
def test_other_words_tags_signs_and_unfinished_sentences_are_not(reply: str) -> None:
    assert not LANGUAGE.fullmatch(reply)


def test_a_prompt_without_tags_has_a_language_of_words_alone() -> None:
    language = re.compile(constraint.pattern(Prompt([], frozenset({"hello", "you"}))))
    assert language.fullmatch("Hello, you!")
    assert not language.fullmatch("[shop]!")


@given(st.sets(st.text("abcé'", min_size=1, max_size=4), min_size=1, max_size=8), st.text("abcé'. ", max_size=10))
def test_a_text_is_in_the_language_exactly_when_its_words_are(words: set[str], text: str) -> None:
    """Words here hold the apostrophe too, as "don't" does; only the language's own "'s" is left out."""
    expected = re.fullmatch(r"[^ .]+( [^ .]+)*\.", text) and set(text[:-1].split()) <= words
    language = re.compile(constraint.pattern(Prompt([], frozenset(words))))
    if expected:
        assert language.fullmatch(text)
    elif "'" not in text and language.fullmatch(text):
        assert {part for part in re.split(r"[ .]+", text) if part} <= words


def test_the_guide_of_the_transformers_engine_reads_the_expression_alike() -> None:
    guide = llguidance.hf.from_tokenizer(small_tokenizer())

    def accepts(text: str) -> bool:
        matcher = LLMatcher(guide, LLMatcher.grammar_from_regex(constraint.pattern(PROMPT)))
        return matcher.consume_tokens(guide.tokenize_str(text)) and matcher.is_accepting()

    assert accepts("It's a light décor (within [budget]).")
    for other in ("It's a dark jacket.", "[B.name].", "A coat 5."):
        assert not accepts(other)
