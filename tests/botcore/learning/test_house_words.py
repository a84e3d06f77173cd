"""A word that merchants put in another's place becomes the shop's own, and claims what that one claims."""

from __future__ import annotations

from dataclasses import replace

import pytest

from botcore.dialogue.brief import Brief, ItemFacts
from botcore.dialogue.verify import verify
from botcore.dialogue.vocabulary import plainly, prompt_of
from botcore.learning.corrections import correct
from botcore.learning.house_words import (
    FEWEST_REPLIES,
    ClaimsSomethingError,
    Correction,
    admit,
    admit_harmless,
    forget,
    learned,
    of,
    replacements,
    waiting,
)
from tests.factories import AttributeValueFactory, CategoryFactory, ConversationFactory, ShopFactory, TurnFactory

FREE = Brief(
    "recommend",
    "a kettle",
    wishes=("kettle",),
    items=(ItemFacts("A", "kettle", {"delivery": "free delivery"}, {"name": "Kettle One", "price": "$20"}),),
)
PAID = replace(FREE, items=(replace(FREE.items[0], attributes={"delivery": "delivery by courier"}),))
OWN = {"complimentary": "free"}


def correction(
    conversation: int, after: str = "[A.name] comes with complimentary delivery, at [A.price]."
) -> Correction:
    return Correction("[A.name] comes with free delivery, at [A.price].", after, FREE, conversation)


def test_a_word_is_learned_with_what_it_stands_for():
    assert list(replacements(correction(1))) == [("complimentary", "free")]
    assert learned(map(correction, range(FEWEST_REPLIES))) == OWN


def test_too_few_corrections_or_all_of_one_conversation_teach_no_word():
    assert learned(map(correction, range(FEWEST_REPLIES - 1))) == {}
    assert learned(correction(1) for _ in range(50)) == {}


def test_a_word_that_stands_for_many_others_is_not_learned():
    other = "[A.name] includes complimentary delivery, at [A.price]."
    elsewhere = [
        replace(correction(n, other), before="[A.name] includes fast delivery, at [A.price].") for n in range(9)
    ]
    assert learned([*map(correction, range(6)), *elsewhere]) == {}


def test_known_words_and_added_words_are_not_learned():
    known = "[A.name] comes with delivery, free, at [A.price]."
    added = "[A.name] comes with truly free delivery, at [A.price]."
    assert learned(correction(n, after) for n in range(9) for after in (known, added)) == {}


def test_a_house_word_may_be_said_exactly_where_the_other_may():
    said = "[A.name] comes with complimentary delivery, at [A.price]."
    assert not verify(said, FREE).accepted
    assert verify(said, replace(FREE, house_words=OWN)).accepted
    assert not verify(said, replace(PAID, house_words=OWN)).accepted


def test_a_promise_in_the_shops_words_is_a_promise():
    own = replace(FREE, house_words={"gratis": "free"})
    assert any("for free" in told for told in verify("[A.name] comes for gratis, at [A.price].", own).problems)


def test_the_model_may_write_a_house_word_where_the_other_is_in_its_language():
    assert "complimentary" in prompt_of(replace(FREE, house_words=OWN)).words
    assert "complimentary" not in prompt_of(replace(PAID, house_words=OWN)).words


def test_tags_are_left_alone():
    assert plainly("Name it: [A.name], a name.", replace(FREE, house_words={"name": "kettle"})) == (
        "kettle it: [A.name], a kettle."
    )


def test_a_brief_keeps_the_house_words_it_was_made_with():
    brief = replace(FREE, house_words=OWN)
    assert Brief.from_json(brief.to_json()) == brief


@pytest.mark.django_db
def test_a_word_keeps_the_meaning_that_it_was_admitted_with():
    shop, other = ShopFactory(), ShopFactory()
    admit(shop, OWN)
    admit(shop, {"complimentary": "cheap"})
    assert of(shop) == OWN
    assert of(other) == {}


HARMLESS = {"merrily": ""}


def test_a_word_that_claims_nothing_may_be_said_anywhere_and_hides_no_claim():
    brief = replace(FREE, house_words=HARMLESS)
    assert "merrily" in prompt_of(brief).words
    assert verify("I'd merrily show you [A.name], with free delivery, at [A.price].", brief).accepted
    assert not verify("I'd merrily show you [A.name], with merrily waterproof, at [A.price].", brief).accepted


@pytest.mark.django_db
def test_a_person_may_say_that_a_word_claims_nothing_and_take_it_back():
    shop = ShopFactory()
    admit_harmless(shop, "Merrily")
    assert of(shop) == HARMLESS
    forget(shop, "merrily")
    assert of(shop) == {}


@pytest.mark.django_db
@pytest.mark.parametrize("word", ["bestseller", "never", "cheaper", "waxed", "kettle", "two words", "30", ""])
def test_what_claims_something_is_never_a_manner_of_speaking(word):
    shop = ShopFactory()
    AttributeValueFactory(shop=shop, attribute="material", value="waxed canvas")
    CategoryFactory(shop=shop, name="Kettles")
    with pytest.raises(ClaimsSomethingError):
        admit_harmless(shop, word)
    assert of(shop) == {}


@pytest.mark.django_db
def test_new_words_of_corrections_wait_the_most_said_first():
    shop = ShopFactory()
    for said in ("merrily", "merrily", "marvellously"):
        correct(
            TurnFactory(conversation=ConversationFactory(shop=shop)),
            f"I'd {said} take the Canvas jacket, at $49.00.", None,
        )  # fmt: skip
    correct(TurnFactory(), "I'd keenly take the Canvas jacket, at $49.00.", None)
    assert waiting(shop, of(shop)) == {"merrily": 2, "marvellously": 1}
    admit_harmless(shop, "merrily")
    assert waiting(shop, of(shop)) == {"marvellously": 1}
