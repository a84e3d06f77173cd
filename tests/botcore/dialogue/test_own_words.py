"""What customers say in words of their own, over a small shop of make-up and clothes: values, sizes, and what nobody knows."""

from __future__ import annotations

import time
from collections import Counter
from decimal import Decimal

import pytest
import yaml

from botcore.dialogue.lexicon import kept
from botcore.dialogue.lexicon.kept import lexicon_of
from botcore.dialogue.meanings import CATEGORY, Meaning
from botcore.dialogue.state import Act
from botcore.dialogue.thesaurus import sayings
from botcore.dialogue.understanding.spelling import correct_spelling
from botcore.dialogue.words import DATA, normalise, tokens
from catalog.ingest.records import ProductRecord, VariantRecord
from catalog.ingest.write import upsert_products
from tests.botcore.dialogue.test_compose import Says
from workers import indexing

GOODS = [
    (
        "L1",
        ("Beauty", "Lipsticks"),
        "Cassis Lipstick",
        {"feature": "long-lasting", "finish": "matte", "brand": "Ottoline"},
    ),
    ("L2", ("Beauty", "Lipsticks"), "Fig Lipstick", {"feature": "moisturizing", "finish": "glossy", "brand": "Perrin"}),
    ("L3", ("Beauty", "Lipsticks"), "Plum Lipstick", {"feature": "vegan", "finish": "satin", "brand": "Perrin"}),
    ("S1", ("Beauty", "Fragrance"), "Harbour Mist", {"scent": "pine"}),
    ("S2", ("Beauty", "Fragrance"), "Orchard Mist", {"scent": "plum"}),
    ("P1", ("Clothing", "Trousers"), "Quay Jeans", {"material": "stretch denim", "fit": "slim"}),
    ("P2", ("Clothing", "Trousers"), "Mole Jeans", {"material": "stretch denim", "fit": "boxy"}),
    ("P3", ("Clothing", "Trousers"), "Lee Chinos", {"material": "cotton", "fit": "slim"}),
    ("P4", ("Clothing", "Trousers"), "Ash Chinos", {"material": "cotton", "fit": "slim"}),
    ("P5", ("Clothing", "Trousers"), "Bay Jeans", {"material": "stretch denim", "fit": "slim"}),
    ("P6", ("Clothing", "Trousers"), "Fen Chinos", {"material": "cotton", "fit": "slim"}),
    ("K1", ("Clothing", "Skirts"), "Gull Skirt", {"material": "denim", "fit": "slim"}),
    ("B1", ("Beauty", "Lotions"), "Rain Lotion", {"capacity": "30 ml"}),
    ("B2", ("Beauty", "Lotions"), "Snow Lotion", {"capacity": "200 ml"}),
]


@pytest.fixture
def dressing(shop, talk):
    """The talk in a shop that sells these as well."""
    upsert_products(shop, [_record(*row) for row in GOODS])
    indexing.embed_changed(shop.pk)
    kept._cache.clear()
    return talk


def _record(sku: str, category: tuple[str, ...], title: str, said: dict[str, str]) -> ProductRecord:
    return ProductRecord(
        sku=sku,
        title=title,
        category=category,
        variants=(VariantRecord(sku=sku, price=Decimal("12.00"), stock=3),),
        brand=said.get("brand", ""),
        attributes={name: [value] for name, value in said.items() if name != "brand"},
    )


def read(talk, text: str) -> list[tuple[Meaning, ...]]:
    return [match.meanings for match in lexicon_of(talk.shop).match(tokens(normalise(text)))]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("one that stays put, please", Meaning("feature", "long-lasting")),
        ("no animal ingredients for me", Meaning("feature", "vegan")),
        ("腰不高不低，不含动物成分", Meaning("feature", "vegan")),
    ],
)
def test_a_value_is_known_by_what_people_say_in_its_place(dressing, text, value):
    assert (value,) in read(dressing, text)


def test_what_people_say_may_be_misspelt(dressing):
    text = correct_spelling("one that staays put", lexicon_of(dressing.shop))
    assert text == "one that stays put"


def test_what_is_refused_by_its_name_is_not_taken_for_its_opposite(dressing):
    assert read(dressing, "not boxy like the last ones") == [(Meaning("fit", "boxy"),)]


def test_a_plural_may_be_a_thing_where_the_singular_is_a_value(dressing):
    assert read(dressing, "a pair of denims") == [(Meaning(CATEGORY, "clothing/trousers"),)]
    assert Meaning("material", "denim") in read(dressing, "something in denim")[0]


def test_every_saying_is_said_of_one_concept_in_a_file_and_in_both_languages():
    for path in (DATA / "sayings").glob("*.yaml"):
        listed = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        assert all(words["en"] and words["zh"] for words in listed.values())
        said = Counter(str(one).lower() for words in listed.values() for line in words.values() for one in line)
        assert [one for one, times in said.items() if times > 1] == []
    assert len(sayings()) > 800


def test_the_name_of_an_attribute_behind_its_value_is_no_category(dressing):
    dressing("anything from beauty?")
    assert {item.sku for item in dressing("one with a pine scent").items} == {"S1"}
    assert dressing.state.goal == "beauty"


def test_a_brand_taken_up_by_this_brand_is_refused_and_points_at_nothing(dressing):
    dressing("我想看看口红")
    reply = dressing("Perrin这个牌子的就算了")
    assert [item.sku for item in reply.items] == ["L1"]


def test_what_somebody_has_is_no_kind_that_is_given_up(dressing):
    dressing("I'd like jeans or other trousers")
    reply = dressing("the dye shouldn't come off on my trousers")
    assert not reply.said.dropped_goals and reply.state.goal == "clothing/trousers"


def test_a_size_is_refused_as_a_value_is(dressing):
    dressing("a lotion please")
    reply = dressing("30ml is gone in a week. Useless size.")
    assert [item.sku for item in reply.items] == ["B2"]


@pytest.mark.parametrize(
    ("first", "then", "said"), [("lipsticks", "something fancy", "fancy"), ("口红", "要看着精神的", "看着精神")]
)
def test_who_is_not_understood_is_told_so(dressing, first, then, said):
    dressing(first)
    reply = dressing(then)
    assert reply.act is Act.RECOMMEND and said in reply.text


def test_what_nobody_understood_is_quoted_by_an_approved_phrase(dressing, talk_with):
    talk = talk_with(Says(("I'd take [A.name] at [A.price].",)))
    assert talk("lipsticks", deadline=time.monotonic() + 5).written_by == "model"
    reply = talk("something fancy", deadline=time.monotonic() + 5)
    assert (reply.written_by, reply.said.unheard) == ("template", ("fancy",))


def test_who_leaves_the_choice_is_shown_something(dressing):
    dressing("想买支口红")
    assert dressing("你推荐就好").items
