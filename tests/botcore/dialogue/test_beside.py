"""What goes with a chosen product, what there is in the stead of a sold-out one; never anything that nobody linked."""

import pytest

from botcore.dialogue.state import Act
from catalog.graph import links
from catalog.models import Product, ProductLink

pytestmark = pytest.mark.django_db
Kind = ProductLink.Kind


@pytest.fixture
def product(shop):
    return lambda sku: Product.objects.get(shop=shop, sku=sku)


def skus(reply) -> list[str]:
    return [item.sku for item in reply.items]


def choose(talk, sku: str):
    """Chooses a product by its place on the list that shows it."""
    ordinal = ("first", "second", "third")[skus(talk("kettles please")).index(sku)]
    return talk(f"I'll take the {ordinal} one")


def test_a_chosen_product_comes_with_what_goes_with_it(talk, product):
    links.add(product("K1"), product("T1"), Kind.GOES_WITH)
    first = skus(talk("kettles please"))
    assert "T1" not in first
    reply = choose(talk, "K1")
    assert skus(reply) == ["K1", "T1"] and [card.sku for card in reply.cards] == ["K1", "T1"]
    assert "Harvest Tray" in reply.text and "€15" in reply.text
    assert reply.state.focus == "K1"
    assert {item.sku for item in reply.told} >= {"K1", "T1"}, "its price is checked again before it is sent"


def test_without_a_link_nothing_is_added(talk):
    assert skus(choose(talk, "K1")) == ["K1"]


def test_a_list_is_not_followed_by_an_offer(talk, product):
    for sku in ("K1", "K2", "K3", "K4"):
        links.add(product(sku), product("T1"), Kind.GOES_WITH)
    assert "T1" not in skus(talk("show me your kettles"))


@pytest.mark.parametrize("asked", ["does anything go with it?", "what goes well with that?", "有什么可以搭配的吗？"])
def test_who_asks_what_goes_with_it_is_shown_just_that(talk, product, asked):
    links.add(product("K1"), product("T1"), Kind.GOES_WITH)
    choose(talk, "K1")
    reply = talk(asked)
    assert (reply.act, skus(reply)) == (Act.RECOMMEND, ["T1"])
    assert "K1" not in reply.state.slate and reply.state.slate == ("T1",)


def test_who_asks_where_nothing_is_known_is_told_so(talk):
    choose(talk, "K1")
    reply = talk("does anything go with it?")
    assert reply.act is Act.DECLINE and not reply.items


def test_a_vetoed_companion_is_not_mentioned(talk, product):
    links.add(product("K1"), product("T1"), Kind.GOES_WITH)
    links.veto(product("T1"), product("K1"))
    assert skus(choose(talk, "K1")) == ["K1"]


def test_a_vetoed_pair_is_not_shown_together_not_even_by_price(talk, product):
    links.veto(product("K4"), product("K1"))
    assert not {"K1", "K4"} <= set(skus(talk("kettles please")))
    assert not {"K1", "K4"} <= set(skus(type(talk)(talk.shop, talk.ports)("your cheapest kettles")))


def test_a_sold_out_product_is_followed_by_its_substitute(talk, product, shop):
    links.add(product("R2"), product("R3"), Kind.SUBSTITUTE_FOR)
    place = skus(talk("rugs please")).index("R3")
    product("R3").variants.update(stock=0)
    reply = talk(f"is the {('first', 'second', 'third')[place]} one available?")
    assert reply.act is Act.ANSWER
    assert skus(reply)[0] == "R2" and "Dune Rug" in reply.text
    assert "R4" not in skus(reply), "sold out itself"


def test_the_offer_is_in_the_customer_s_language(talk, product):
    links.add(product("K1"), product("T1"), Kind.GOES_WITH)
    place = skus(talk("有水壶吗")).index("K1")
    reply = talk(f"我要第{'一二三'[place]}个")
    assert skus(reply) == ["K1", "T1"] and "Harvest Tray" in reply.text
    assert any("一" <= letter <= "鿿" for letter in reply.text.split("\n\n")[-1])
