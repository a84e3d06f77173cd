"""What was said must hold, or the reply must say that it does not."""

from decimal import Decimal

from benchmarks.simulator.bots import Keyword, Popularity, Reply, Shown
from benchmarks.simulator.goal import PRICE, Goal, Wish
from benchmarks.simulator.goods import Good, Market, Offer
from benchmarks.simulator.hard_wishes import broken, judged, needless
from benchmarks.simulator.shopper import Exchange, Talk
from tests.benchmarks.simulator.market import good, market

RED = good("kettle", 1, "red", "glass", "timer", price="30")
GREEN = good("kettle", 2, "green", "glass", "timer", price="20")
TOASTER = good("toaster", 1, "red", "glass", "timer")
SHOP = Market({g.sku: g for g in (RED, GREEN, TOASTER)}, {}, {})
WANTS_RED, NOT_GREEN = Wish("color", "red"), Wish("color", "green", wanted=False)
CHEAP, RATHER_RED = Wish(PRICE, "25"), Wish("color", "red", hard=False)


def talk(
    said: tuple[Wish, ...], shown: tuple[Good, ...], gave_up: tuple[str, ...] = (), kind_said: bool = True
) -> Talk:
    reply = Reply(tuple(Shown(g.sku, g.offers[0].price) for g in shown), "Here.", gave_up)
    goal = Goal("kettle", said)
    return Talk("en", "home-appliances", goal, None, (Exchange("hi", reply, said, kind_said),), 0, False)


def breaks(*args, **kwargs) -> list[tuple[str, ...]]:
    return [found.wishes for found in broken(talk(*args, **kwargs), SHOP)]


def test_a_product_that_breaks_what_was_said_is_found():
    assert breaks((WANTS_RED,), (RED, GREEN)) == [("color red",)]
    assert breaks((NOT_GREEN,), (GREEN,)) == [("not color green",)]
    assert breaks((CHEAP,), (RED,)) == [("price 25",)]
    assert breaks((), (TOASTER,)) == [("kind",)]


def test_what_was_not_said_or_only_preferred_may_be_broken():
    assert breaks((), (GREEN,)) == []
    assert breaks((RATHER_RED,), (GREEN,)) == []
    assert breaks((), (TOASTER,), kind_said=False) == []


def test_a_reply_that_says_what_it_gave_up_is_honest_and_hasty_where_the_shop_has_it():
    assert breaks((WANTS_RED,), (GREEN,), gave_up=("red",)) == []
    assert list(needless(talk((WANTS_RED,), (GREEN,), gave_up=("red",)), SHOP)) == [1]
    assert list(needless(talk((WANTS_RED, CHEAP), (GREEN,), gave_up=("red",)), SHOP)) == []


def test_the_variant_at_the_price_that_was_shown_is_judged():
    black, red = (Offer(Decimal(p), 1, {"color": frozenset({c})}) for p, c in (("20", "black"), ("30", "red")))
    both = Good("kettle-9", "kettle", "home-appliances", "home-appliances/kettles", {}, (black, red))
    shop = Market({"kettle-9": both}, {}, {})
    for price, found in (("20", 1), ("30", 0)):
        reply = Reply((Shown("kettle-9", Decimal(price)),))
        exchange = Exchange("a red one", reply, (WANTS_RED,), True)
        said = Talk("en", "home-appliances", Goal("kettle", (WANTS_RED,)), None, (exchange,), 0, False)
        assert len(list(broken(said, shop))) == found


def test_only_replies_to_something_hard_are_judged():
    assert judged(talk((), (RED,), kind_said=False)) == []
    assert len(judged(talk((WANTS_RED,), (RED,)))) == 1
    assert judged(talk((WANTS_RED,), ())) == []


def test_baselines_page_on_through_what_is_in_stock():
    shop = market()
    for bot in (Popularity(shop), Keyword(shop, joined=False), Keyword(shop, joined=True)):
        bot.begin()
        shown = [item.sku for _ in range(4) for item in bot.reply("a red kettle, 红色的水壶").shown]
        assert len(shown) == len(set(shown)) == 12
        assert all(shop.goods[sku].in_stock for sku in shown)
        assert all(shop.goods[sku].kind == "kettle" for sku in shown[:6])


def test_the_search_box_finds_words_and_best_sellers_follow_the_category():
    shop = market()
    search = Keyword(shop, joined=False)
    search.begin()
    first = search.reply("红色的玻璃水壶")
    assert all(
        {"red", "glass"} <= shop.goods[s.sku].values["color"] | shop.goods[s.sku].values["material"]
        for s in first.shown
    )
    best = Popularity(shop)
    best.begin()
    sold = [shop.goods[s.sku].popularity for s in best.reply("I need a toaster").shown]
    assert sold == sorted(sold, reverse=True)
