"""The language of replies: words and well-formed tags."""

from __future__ import annotations

import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from tests.workers.engine.conftest import small_tokenizer
from workers.engine import constraint

OUTSIDE_TAGS = "".join(f"{re.escape(first)}-{re.escape(last)}" for first, last in constraint.RANGES)
LANGUAGE = re.compile(rf"(?:[{OUTSIDE_TAGS}]|\[(?:[A-D]\.[a-z_]+|[a-z_]+)\])*")


def accepts(text: str) -> bool:
    state = constraint.TEXT
    for byte in text.encode():
        state = int(constraint.automaton()[state, byte])
        if state == constraint.DEAD:
            return False
    return state == constraint.TEXT


def test_no_character_of_the_language_is_a_numeral_or_a_currency_sign() -> None:
    characters = [chr(code) for first, last in constraint.RANGES for code in range(ord(first), ord(last) + 1)]
    assert not [c for c in characters if unicodedata.category(c) in {"Nd", "Nl", "No", "Sc", "Cc", "Cn"}]
    assert not set(characters) & set("[]<>|{}$%#")


def test_tags_are_accepted_only_when_well_formed() -> None:
    assert accepts("The [A.name] is [A.price], within [budget].")
    assert accepts("您好，[B.name] 是防水的。")
    for broken in ("[A.name", "[E.name]", "[A.]", "[A]", "[]", "[A.Name]", "name]", "[[a]]", "[A .name]"):
        assert not accepts(broken), broken


def test_prices_written_out_in_digits_are_refused_in_every_script() -> None:
    for text in ("It is 5 today", "costs $", "€", "五 ５", "٣", "²", "½", "￥"):
        assert not accepts(text), text


@given(st.lists(st.sampled_from([*"aZ .[]ABDE_5$é中한я０€", "[A.name]", "[budget]"]), max_size=12).map("".join))
def test_automaton_and_regular_expression_describe_the_same_language(text: str) -> None:
    assert accepts(text) == bool(LANGUAGE.fullmatch(text))


@given(st.text(max_size=8))
def test_any_text_is_judged_as_the_regular_expression_does(text: str) -> None:
    assert accepts(text) == bool(LANGUAGE.fullmatch(text))


def test_token_transitions_agree_with_walking_the_bytes() -> None:
    tokens = [b"", b" jacket", b"[A", b".name]", b"5", b"\xe4\xb8", b"\xad", b" is ["]
    after = constraint.token_transitions(tokens)
    table = constraint.automaton()
    for state in range(len(table)):
        for index, token in enumerate(tokens):
            walked = state
            for byte in token:
                walked = int(table[walked, byte]) if walked != constraint.DEAD else walked
            assert after[state, index] == (walked if token else constraint.DEAD)


def test_bytes_of_tokens_put_together_are_the_text_and_control_tokens_have_none() -> None:
    tokenizer = small_tokenizer()
    tokens = constraint.token_bytes(tokenizer, len(tokenizer))
    text = "the green [A.name] é 中"
    assert b"".join(tokens[index] for index in tokenizer(text)["input_ids"]).decode() == text
    assert tokens[tokenizer.eos_token_id] == b""


def test_a_reply_can_be_continued_from_every_state() -> None:
    tokenizer = small_tokenizer()
    after = constraint.token_transitions(constraint.token_bytes(tokenizer, len(tokenizer)))
    assert (after != constraint.DEAD).any(axis=1).all()
