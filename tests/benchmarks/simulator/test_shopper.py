"""The simulated shopper is fair: it wants what exists, says only what it wants, and knows good from bad."""

import random
import re

import pytest

from benchmarks.simulator.bots import Reply, Shown
from benchmarks.simulator.goal import PRICE, SHARE
from benchmarks.simulator.phrasebook import LANGUAGES, asked_attributes, words
from benchmarks.simulator.shopper import TURNS, Shopper, converse, shopper_of
from tests.benchmarks.simulator.market import CHINESE, COLORS, market

MARKET = market()
SHOPPERS = [(language, seed) for language in LANGUAGES for seed in range(60)]


def shopper(language: str, seed: int) -> Shopper:
    return shopper_of(MARKET, language, "home-appliances", f"test/{seed}")


class Oracle:
    """Knows the shopper's mind and shows what satisfies, from the second reply on."""

    def __init__(self, shopper: Shopper) -> None:
        self.shopper, self.replies = shopper, 0

    def begin(self) -> None: ...

    def reply(self, text: str) -> Reply:
        self.replies += 1
        if self.replies == 1:
            return Reply(text="What color would you like?")
        found = self.shopper.goal.satisfying(MARKET.goods.values())
        return Reply((Shown(found[0].sku),), "Here you are.")


class Chance:
    """Shows any three products of the shop."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def begin(self) -> None: ...

    def reply(self, text: str) -> Reply:
        return Reply(tuple(map(Shown, self.rng.sample(sorted(MARKET.goods), 3))))


class Silent:
    def begin(self) -> None: ...

    def reply(self, text: str) -> Reply:
        return Reply(text="Hm.")


def test_the_same_seed_is_the_same_shopper():
    for language, seed in SHOPPERS[::7]:
        first, second = (converse(shopper(language, seed), Chance(3)) for _ in range(2))
        assert first == second


def test_what_a_shopper_wants_can_be_had_and_is_not_what_anybody_would_show():
    for language, seed in SHOPPERS:
        one = shopper(language, seed)
        goals = [one.goal, *([one.change.goal] if one.change else [])]
        for goal in goals:
            satisfying = goal.satisfying(MARKET.goods.values())
            assert 1 <= len(satisfying) <= max(1, SHARE * len(MARKET.kinds[goal.kind]))
            assert all(good.kind == goal.kind and good.in_stock for good in satisfying)


def test_a_shopper_never_says_what_it_does_not_want():
    for language, seed in SHOPPERS:
        one = shopper(language, seed)
        wanted = {*one.goal.wishes, *((one.change.old, one.change.new) if one.change else ())}
        talk = converse(one, Chance(seed))
        assert {wish for exchange in talk.exchanges for wish in exchange.said} <= wanted
        mine = {wish.value for wish in wanted if wish.attribute == "color"}
        texts = " ".join(exchange.text for exchange in talk.exchanges)
        for value, chinese in COLORS.items():
            name = value if language == "en" else chinese
            assert value in mine or not re.search(rf"(?<![a-z]){name}(?![a-z])", texts)


def test_a_shopper_does_not_say_everything_at_once():
    openings = [(one, one.opening()) for one in (shopper("en", seed) for seed in range(60))]
    assert all(len(one.said) <= 2 < len(one.goal.wishes) or len(one.goal.wishes) <= 2 for one, _ in openings)
    assert len({text for _, text in openings}) > 50


def test_a_bot_that_knows_the_shoppers_mind_always_succeeds():
    assert all(converse(one, Oracle(one)).success for one in (shopper(*pair) for pair in SHOPPERS))


def test_a_bot_that_shows_anything_rarely_succeeds():
    talks = [converse(shopper(*pair), Chance(pair[1])) for pair in SHOPPERS]
    assert sum(bool(talk.success) for talk in talks) < 0.4 * len(talks)


def test_a_bot_that_shows_nothing_is_left():
    for pair in SHOPPERS[::5]:
        talk = converse(shopper(*pair), Silent())
        assert talk.left and not talk.success
        assert len(talk.exchanges) < TURNS


def test_a_change_of_mind_moves_the_goal():
    changing = [one for one in (shopper("en", seed) for seed in range(200)) if one.change]
    assert 0.1 < len(changing) / 200 < 0.3
    said = 0
    for one in changing:
        begun, change = one.goal, one.change
        talk = converse(one, Chance(1))
        if any(change.new in exchange.said for exchange in talk.exchanges):
            said += 1
            assert one.goal == change.goal != begun
            assert change.old not in talk.exchanges[-1].said
    assert said


def test_questions_are_understood_by_their_words_or_by_what_they_offer():
    options = {"color": ["red", "green"], "material": ["glass"]}
    assert asked_attributes("en", "What is your budget?", options)[0] == PRICE
    assert asked_attributes("en", "Red or green?", options) == ["color"]
    assert asked_attributes("en", "Anything else?", options) == []
    assert asked_attributes("zh", "您喜欢什么颜色？", {})[0] == "color"


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_many_ways_to_say_a_thing(language):
    said = words(language)
    assert len(said["openings"]) >= 25
    for intention in ("hard", "soft", "without", "budget", "too_dear", "but_hard", "but_soft", "but_without", "more"):
        assert len(set(said[intention])) >= 15
    assert CHINESE.keys() <= said["kinds"].keys()
