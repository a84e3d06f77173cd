"""A merchant's correction becomes tags again, and may not say what the shop's data do not."""

from __future__ import annotations

import pytest

from botcore.dialogue.brief import Brief, ItemFacts
from botcore.learning import corrections
from botcore.learning.corrections import CorrectionRefusedError, approve, correct, original, strangers, tagged
from botcore.models import Annotation
from tests.factories import TurnFactory

BRIEF = Brief(
    "recommend",
    "a green jacket under 60",
    wishes=("jacket", "under [budget]"),
    items=(
        ItemFacts("A", "jacket", {"color": "green"}, {"name": "Canvas jacket", "price": "$49.00"}),
        ItemFacts("B", "jacket", {"color": "navy"}, {"name": "Sail jacket", "price": "$49.00"}),
    ),
    slots={"budget": "$60"},
)


@pytest.mark.parametrize(
    ("read", "stored"),
    [
        ("Try the Canvas jacket at $49.00.", "Try the [A.name] at [A.price]."),
        ("The sail jacket costs $49.00.", "The [B.name] costs [B.price]."),
        ("Under $60: the Canvas jacket ($49.00).", "Under [budget]: the [A.name] ([A.price])."),
        ("[A.name] for [A.price].", "[A.name] for [A.price]."),
        ("It is $49.001 somewhere.", "It is $49.001 somewhere."),
    ],
)
def test_names_and_figures_become_the_tags_of_the_product_spoken_of(read, stored):
    assert tagged(read, BRIEF) == stored


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Take the Canvas jacket for $39.00.", "$39.00"),
        ("Take the Velvet Moon for $49.00.", "none of the products"),
        ("The Canvas jacket is navy and costs $49.00.", "supported by no fact"),
        ("Nice weather today.", "names no product"),
        ("The Canvas jacket is yours half price.", "half price"),
    ],
)
def test_what_the_data_do_not_say_is_refused_with_the_reason(text, problem):
    found = corrections.objections(tagged(text, BRIEF), BRIEF)
    assert any(problem in told for told in found), found


def test_a_new_word_in_small_letters_is_no_objection_but_is_told():
    wording = tagged("The Canvas jacket is marvellously green, at $49.00.", BRIEF)
    assert corrections.objections(wording, BRIEF) == ()
    assert strangers(wording, BRIEF) == ("marvellously",)


def test_words_of_a_phrase_are_known():
    assert strangers("Under [budget] I have [A.name].", BRIEF) == ()


@pytest.mark.django_db
def test_a_correction_is_stored_in_tags_and_a_second_one_replaces_it():
    turn = TurnFactory()
    correct(turn, "I would take the Canvas jacket for $49.00.", None, "warmer")
    correct(turn, "Try the Canvas jacket for $49.00.", None)
    row = Annotation.objects.get()
    assert (row.verdict, row.wording, row.reason) == ("corrected", "Try the [A.name] for [A.price].", "")


@pytest.mark.django_db
def test_a_refused_correction_leaves_what_was_said_before():
    turn = TurnFactory()
    approve(turn, None)
    with pytest.raises(CorrectionRefusedError, match=r"\$39"):
        correct(turn, "Take the Canvas jacket for $39.00.", None)
    assert Annotation.objects.get().verdict == "approved"


@pytest.mark.django_db
def test_the_original_is_the_sample_that_was_sent():
    assert original(TurnFactory()) == "The [A.name] is green and costs [A.price]."
    assert original(TurnFactory(samples=[])) == ""
