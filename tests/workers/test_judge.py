"""A fresh judge tells writers apart by how they write, not by form or length; where nothing differs it is at a loss."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tests.fakes import HashEncoder
from workers.training.judge import canonical, equalised, fitted, told_apart

ENCODER = HashEncoder()
OPENINGS = ("have a look at", "i would take", "how about", "let me show you", "my pick is", "try")
ENDS = ("it is green", "it comes in navy", "people like it", "it fits your budget", "it is made of wool")


def replies(seed: int, count: int = 200, opening: str = "") -> list[str]:
    rng = random.Random(seed)
    return [f"{opening or rng.choice(OPENINGS)} [A.name], {rng.choice(ENDS)}, at [A.price]." for _ in range(count)]


def test_two_samples_of_one_writer_are_not_told_apart():
    shares = [told_apart(replies(seed), replies(seed + 100), ENCODER).mean() for seed in range(6)]
    assert 0.42 < np.mean(shares) < 0.58


def test_a_writer_with_one_opening_is_told_apart():
    assert told_apart(replies(1), replies(2, opening="try"), ENCODER).mean() > 0.75


def test_form_gives_nothing_away():
    human = replies(1)
    for other in ([text.upper().replace("[A.NAME]", "[A.name]").replace("[A.PRICE]", "[A.price]") for text in human],
                  [text.removesuffix(".") + " !!" for text in human]):  # fmt: skip
        assert told_apart(human, other, ENCODER).mean() == 0.5


def test_length_gives_nothing_away():
    first, second = equalised("Try [A.name], it is green.", "Try [A.name].")
    assert first == second == ["try", "[A.name]"]


def test_canonical_text_keeps_tags_as_they_are():
    assert canonical("It’s [A.name] — don't WAIT!") == ["it's", "[A.name]", "don't", "wait"]


def test_a_judge_never_saw_the_pairs_it_is_asked_about():
    """Every reply has a word of its own: a judge that had seen them would know whose it is."""
    words = [f"w{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(400)]
    human, other = ([f"{word} [A.name] here" for word in half] for half in (words[:200], words[200:]))
    assert 0.35 < told_apart(human, other, ENCODER).mean() < 0.65


def test_the_fit_prefers_what_the_differences_point_at():
    rng = np.random.default_rng(0)
    differences = rng.normal(size=(300, 4)) + np.array([1.0, 0.0, 0.0, 0.0])
    weights = fitted(differences)
    assert weights[0] > 0.5
    assert np.abs(weights[1:]).max() < weights[0] / 2


def test_too_few_pairs_are_refused():
    with pytest.raises(ValueError, match="5 pairs"):
        told_apart(["a"], ["b"], ENCODER)
