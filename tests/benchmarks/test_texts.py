"""Measures of texts, against values worked out by hand."""

from __future__ import annotations

import math
import random

import pytest

from benchmarks.texts import perplexity, self_bleu

SENTENCE = "have a look at the green one"


def test_texts_that_are_all_alike_have_the_highest_self_bleu():
    assert self_bleu([SENTENCE] * 3) == pytest.approx(1.0)


def test_texts_without_a_common_word_have_none():
    assert self_bleu(["a b c d e", "f g h i j"]) == 0.0
    assert self_bleu([SENTENCE]) == self_bleu([]) == 0.0


def test_self_bleu_by_hand():
    """ "a b c d" against "a b c e": 3 of 4 words, (2+1)/(3+1) pairs, (1+1)/(2+1) triples, (0+1)/(1+1) fours; alike long."""
    assert self_bleu(["a b c d", "a b c e"]) == pytest.approx((3 / 4 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25, abs=1e-4)


def test_a_gram_that_a_text_has_alone_counts_for_nothing_among_the_others():
    """The twice said word is clipped to the one time that another says it."""
    twice, once = "x x", "x y"
    one = (1 / 2 * (0 + 1) / (1 + 1)) ** 0.25
    assert self_bleu([twice, once]) == pytest.approx(one, abs=1e-4)


def test_the_more_texts_are_like_people_the_less_people_surprise():
    rng = random.Random(1)
    people = [f"{rng.choice('abcd')} {rng.choice('efgh')} {rng.choice('ijkl')}" for _ in range(200)]
    same, narrow = people[:100], ["a e i"] * 100
    assert perplexity(same, people[100:]) < perplexity(narrow, people[100:])


def test_certain_texts_have_a_perplexity_near_one():
    assert perplexity(["a b c d e f"] * 1000, ["a b c d e f"]) == pytest.approx(1.0, abs=0.01)


def test_chances_of_all_words_add_up_to_one():
    """A uniform perplexity over everything is never beaten on what was never seen: one word's chance is a share of one."""
    from benchmarks.texts import _WittenBell

    model = _WittenBell(["a b a", "b a b a", "c"])
    for history in (["<s>"] * 4, ["<s>", "<s>", "<s>", "a"], ["b", "a", "b", "a"]):
        words = ["a", "b", "c", "</s>"]
        total = sum(model._chance([*history, word], 4) for word in words)
        unseen = model._chance([*history, "never"], 4)
        assert total + unseen == pytest.approx(1.0)
        assert math.isfinite(unseen) and unseen > 0
