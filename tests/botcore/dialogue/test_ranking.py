"""The shop's dial, rules and explored place, as a customer meets them in a talk."""

import pytest
from django.utils import timezone

from botcore.dialogue.find import Visit, find, product_query
from botcore.dialogue.lexicon.kept import lexicon_of
from botcore.dialogue.state import Constraint, DialogueState
from catalog.models import Customer, Interaction, MerchandisingRule, Product

pytestmark = pytest.mark.django_db


def shown(reply) -> list[str]:
    return [item.sku for item in reply.items]


def pin(shop, sku: str, **values) -> None:
    rule = MerchandisingRule.objects.create(shop=shop, name="pinned", kind=MerchandisingRule.Kind.PIN, **values)
    rule.products.set(Product.objects.filter(shop=shop, sku=sku))


def test_a_pinned_product_comes_first_where_it_fits(shop, talk):
    pin(shop, "K4")
    assert shown(talk("a kettle please"))[0] == "K4"


@pytest.mark.parametrize(
    "said", ["a red kettle", "kettles, no plastic", "a kettle for more than 30 euros", "a wool rug"]
)
def test_a_pinned_product_never_breaks_what_the_customer_said(shop, talk, said):
    pin(shop, "K4")
    assert "K4" not in shown(talk(said))


def test_a_pin_does_not_bring_back_what_was_shown_when_others_are_wanted(shop, talk):
    pin(shop, "K4")
    assert "K4" in shown(talk("kettles"))
    assert "K4" not in shown(talk("any others?"))


def test_a_kettle_s_rule_is_silent_about_rugs(shop, talk):
    pin(shop, "R2", goal="kitchen/kettles")
    first = shown(talk("rugs please"))
    MerchandisingRule.objects.all().delete()
    assert first == shown(type(talk)(shop, talk.ports)("rugs please"))


def test_the_same_turn_says_the_same_and_stores_its_chances(shop, talk):
    shop.explores = True
    first, second = (type(talk)(shop, talk.ports)("show me kettles") for _ in range(2))
    assert first.explanation()["slate"] == second.explanation()["slate"]
    chances = [item["propensity"] for item in first.explanation()["slate"]]
    assert chances[:2] == [1.0, 1.0] and 0 < chances[2] < 1


def test_candidates_are_kept_with_features_reasons_and_the_share_of_the_interest_match(talk):
    kept = talk("a quiet kettle").explanation()["candidates"]
    assert all(0.3 < candidate["interest_share"] <= 1 for candidate in kept)
    assert all(candidate["because"].startswith("interest +") for candidate in kept)
    assert {item["sku"] for item in talk("kettles").explanation()["slate"]} <= {
        candidate["sku"] for candidate in kept
    } | {candidate["sku"] for candidate in talk("kettles").explanation()["candidates"]}


def test_what_a_known_customer_bought_is_among_the_features(shop, encoder):
    anna = Customer.objects.create(shop=shop, key="anna")
    green = Product.objects.get(shop=shop, sku="R3")
    Interaction.objects.create(shop=shop, customer=anna, product=green, kind="order", at=timezone.now())
    state, lexicon = DialogueState(goal="kitchen/kettles"), lexicon_of(shop)
    known = find(shop, state, lexicon, encoder, visit=Visit("kettles", anna.pk))
    likes = {candidate.product.sku: candidate.features["likes"] for candidate in known.candidates}
    assert likes["K2"] == likes["K4"] > likes["K1"] == 0
    stranger = find(shop, state, lexicon, encoder, visit=Visit("kettles"))
    assert {candidate.features["likes"] for candidate in stranger.candidates} == {0}


def test_what_was_liked_and_rejected_turns_the_interest(shop, encoder):
    state, lexicon = DialogueState(goal="kitchen/kettles"), lexicon_of(shop)
    liking = find(shop, state.with_(liked=("K2",)), lexicon, encoder, visit=Visit("kettles"))
    plain = find(shop, state, lexicon, encoder, visit=Visit("kettles"))

    def interest(found) -> float:
        return next(c.features["interest"] for c in found.candidates if c.product.sku == "K2")

    assert interest(liking) > interest(plain)


def test_a_given_up_wish_is_given_up_for_the_ranked_slate_too(shop, encoder):
    lexicon = lexicon_of(shop)
    state = DialogueState(goal="kitchen/kettles", constraints=(Constraint("color", "yellow"),))
    found = find(shop, state, lexicon, encoder)
    assert found.gave_up == state.constraints and len(found.slate) == 3
    assert product_query(shop, state, lexicon, encoder).limit == 60
