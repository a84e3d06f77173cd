"""One simulated shopper: opens, answers, criticises, changes its mind, loses patience, takes what satisfies.

It knows its own goal and what it has said; of the bot it knows the reply's text and the products shown, whose values it
reads as one reads a product's page.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.simulator.bots import Bot, Reply, Shown
from benchmarks.simulator.goal import PRICE, Change, Goal, Wish, draw_change, draw_goal
from benchmarks.simulator.goods import Good, Market
from benchmarks.simulator.phrasebook import Phrasebook, Speakable, asked_attributes

TURNS = 5
"""Customer turns within which the shop must have shown something that satisfies."""
CHANGING, VAGUE = 0.2, 0.12
"""The share of shoppers who change their mind, and who open without saying what kind of thing they want."""
QUESTION = re.compile(r"[^.!?。！？\n]*[?？]")


@dataclass(frozen=True)
class Exchange:
    """What was said and answered; ``said`` is what the shopper had said of its goal by then."""

    text: str
    reply: Reply
    said: tuple[Wish, ...]
    kind_said: bool


@dataclass(frozen=True)
class Talk:
    """A dialogue. ``success`` is the turn whose reply satisfied, 0 where none did; ``left`` is lost patience."""

    language: str
    department: str
    goal: Goal
    change: Change | None
    exchanges: tuple[Exchange, ...]
    success: int
    left: bool


@dataclass
class Shopper:
    """The state of mind of one shopper. ``patience`` counts the useless replies that it bears."""

    goal: Goal
    change: Change | None
    change_at: int
    patience: int
    market: Market
    book: Phrasebook
    rng: random.Random
    unsaid: list[Wish] = field(default_factory=list)
    said: list[Wish] = field(default_factory=list)
    kind_said: bool = False
    hinted_price: bool = False
    useless: int = 0
    turn: int = 0
    seen: set[str] = field(default_factory=set)
    questions: set[str] = field(default_factory=set)

    @property
    def department(self) -> str:
        return self.market.range_of(self.goal.kind)[0].department

    def opening(self) -> str:
        """What kind of thing it wants, mostly, and some of its wishes: none, one or two."""
        self.turn = 1
        if self.rng.random() < VAGUE:
            return self.book.slip(self.book.say("vague", self.goal.kind, d=self.book.department(self.department)))
        self.kind_said = True
        told = self._tell(self.rng.choices([0, 1, 2], [0.25, 0.45, 0.3])[0])
        plain = [w for w in told if w.wanted and w.hard and w.attribute != PRICE]
        parts = [self.book.say("openings", self.goal.kind, plain)]
        parts += [self._first(wish) for wish in told if wish not in plain]
        return self.book.slip(self.book.join(parts))

    def answer(self, reply: Reply) -> str | None:
        """What it says to a reply that showed nothing satisfying; None when it has had enough."""
        self.turn += 1
        asked = self._asked(reply.text)
        shown = [(item, self.market.goods[item.sku]) for item in reply.shown]
        self.useless += not self._helps(reply, shown, asked)
        self.questions |= set(asked[:1])
        fresh = any(good.sku not in self.seen for _, good in shown)
        self.seen |= {good.sku for _, good in shown}
        if self.useless > self.patience:
            return None
        return self.book.slip(self._next(reply, shown, asked, fresh))

    def _next(self, reply: Reply, shown: Sequence[tuple[Shown, Good]], asked: Sequence[str], fresh: bool) -> str:
        if self.change and self.turn >= self.change_at and self.change.old in self.said:
            return self._change_mind(self.change)
        if not self.kind_said or (shown and not any(good.is_a(self.goal.kind) for _, good in shown)):
            return self._name_kind()
        if asked and (not shown or self.rng.random() < 0.5):
            return self._answer_question(asked[0])
        if not shown and self.goal.kind == self.department and self._asks_kind(reply.text):
            return self._answer_question("")
        if not shown:
            told = self._tell(1)
            plain = [w for w in (*self.said, *told) if w.wanted and w.hard and w.attribute != PRICE][-2:]
            others = [self._first(wish) for wish in told if wish not in plain]
            return self.book.join([self.book.say("restate", self.goal.kind, plain), *others])
        return self._criticise(shown, fresh)

    def _helps(self, reply: Reply, shown: Sequence[tuple[Shown, Good]], asked: Sequence[str]) -> bool:
        """A reply is of use that shows something new and mostly what holds every need said so far; or says openly what is
        not to be had; or asks something new."""
        needs = [wish for wish in self.said if wish.hard]
        heeding = [
            good
            for _, good in shown
            if (good.is_a(self.goal.kind) or not self.kind_said)
            and any(all(need.holds(good, offer) for need in needs) for offer in good.in_stock)
        ]
        if 2 * len(heeding) > len(shown) and any(good.sku not in self.seen for good in heeding):
            return True
        openly = bool(reply.gave_up and shown)
        return openly or bool(asked and asked[0] not in self.questions) or not self.kind_said

    def _asked(self, text: str) -> list[str]:
        questions = " ".join(QUESTION.findall(text))
        goods = self.market.range_of(self.goal.kind)
        options: dict[str, list[str]] = {}
        for attribute in sorted(
            {a for good in goods for a in good.values.keys() | good.of_variants} - {"pages", "power"}
        ):
            values = sorted({v for good in goods for v in good.values.get(attribute, ())})
            if self.book.language == "zh":
                values = [self.market.names.get((attribute, value), value) for value in values]
            options[attribute] = values
        return asked_attributes(self.book.language, questions, options) if questions else []

    def _asks_kind(self, text: str) -> bool:
        """Whether a question offers several of the shop's categories."""
        questions = " ".join(QUESTION.findall(text)).lower()
        return len({path for name, path in self.market.called.items() if name in questions}) > 1

    def _answer_question(self, attribute: str) -> str:
        """The truth about an attribute (about the kind of thing where empty), which may be that it does not matter."""
        asked = [wish for wish in (*self.unsaid, *self.said) if wish.attribute == attribute]
        if not asked:
            parts = [self.book.say("dont_care", self.goal.kind)]
            if not attribute or self.rng.random() < 0.5:
                parts += [self._first(wish) for wish in self._tell(1)]
            return self.book.join(parts)
        wish = asked[0]
        self._now_said(wish)
        if attribute == PRICE:
            return self._budget("budget", wish)
        intention = "answer" if wish.wanted else "answer_without"
        return self.book.say(intention if wish.hard else "soft", self.goal.kind, [wish])

    def _name_kind(self) -> str:
        self.kind_said = True
        told = self._tell(self.rng.choice([0, 1]))
        plain = [w for w in (*self.said,) if w.wanted and w.hard and w.attribute != PRICE]
        parts = [self.book.say("kind_said", self.goal.kind, plain)]
        return self.book.join(parts + [self._first(wish) for wish in told if wish not in plain])

    def _change_mind(self, change: Change) -> str:
        self.goal, self.change = change.goal, None
        self.said = [change.new if wish == change.old else wish for wish in self.said]
        if change.new.attribute == PRICE:
            return self.book.say("change_budget", self.goal.kind, m=self.book.money(change.new.value))
        old = self.book.phrase("one", [self.book.saying(change.old)], "a")
        return self.book.say("change", self.goal.kind, [change.new], old=old)

    def _criticise(self, shown: Sequence[tuple[Shown, Good]], fresh: bool) -> str:
        """Names what the best of the shown products lacks: first what was not said yet, needs before tastes."""
        place, lacks = self._best(shown)
        new = [wish for wish in lacks if wish in self.unsaid]
        if new:
            return self._criticise_anew(new[0], place, len(shown))
        if not fresh or not lacks or not lacks[0].hard or self.rng.random() < 0.3:
            told = self._tell(1)
            plain = [w for w in self.said if w.wanted and w.hard and w.attribute != PRICE][-1:]
            parts = [self.book.say("more", self.goal.kind, plain), *(self._first(wish) for wish in told)]
            return self.book.join(parts)
        wish = lacks[0]
        if wish.attribute == PRICE:
            return self._budget("again_budget", wish)
        return self.book.say("again_hard" if wish.wanted else "again_without", self.goal.kind, [wish])

    def _criticise_anew(self, wish: Wish, place: int, of: int) -> str:
        if wish.attribute == PRICE and not self.hinted_price and self.rng.random() < 0.4:
            self.hinted_price = True
            return self.book.say("too_dear", self.goal.kind)
        self._now_said(wish)
        if wish.attribute == PRICE:
            parts = [self.book.say("too_dear", self.goal.kind)] if self.rng.random() < 0.4 else []
            return self.book.join([*parts, self._budget("budget", wish)])
        pointing = self.rng.random() < 0.4
        if not pointing:
            parts = [self._first(wish)]
            if self.rng.random() < 0.25:
                parts += [self._first(other) for other in self._tell(1)]
            return self.book.join(parts)
        intention = "but_without" if not wish.wanted else "but_hard" if wish.hard else "but_soft"
        return self.book.say(intention, self.goal.kind, [wish], p=self.book.ordinal(place, of))

    def _best(self, shown: Sequence[tuple[Shown, Good]]) -> tuple[int, list[Wish]]:
        """The place of the product that lacks least, and what it lacks."""
        lacking = []
        for item, good in shown:
            offers = [o for o in good.in_stock if item.price in (None, o.price)] or good.offers
            least = min(([w for w in self.goal.wishes if not w.holds(good, o)] for o in offers), key=_weight)
            lacking.append(sorted(least, key=lambda wish: (not wish.hard, -wish.weight)))
        place = min(range(len(lacking)), key=lambda i: _weight(lacking[i]))
        return place, lacking[place]

    def _tell(self, count: int) -> list[Wish]:
        told = self.unsaid[:count]
        for wish in told:
            self._now_said(wish)
        return told

    def _now_said(self, wish: Wish) -> None:
        if wish in self.unsaid:
            self.unsaid.remove(wish)
            self.said.append(wish)

    def _first(self, wish: Wish) -> str:
        if wish.attribute == PRICE:
            return self._budget("budget", wish)
        intention = "without" if not wish.wanted else "hard" if wish.hard else "soft"
        return self.book.say(intention, self.goal.kind, [wish])

    def _budget(self, intention: str, wish: Wish) -> str:
        return self.book.say(intention, self.goal.kind, m=self.book.money(wish.value))


def _weight(lacks: Sequence[Wish]) -> float:
    return sum(10.0 if wish.hard else wish.weight for wish in lacks)


def shopper_of(market: Market, language: str, department: str, seed: str) -> Shopper:
    """The shopper of a seed: the same one whoever it talks with."""
    rng = random.Random(seed)
    speakable = Speakable(market.names)
    goal = draw_goal(market, speakable, department, rng)
    change = draw_change(goal, market, speakable, rng) if rng.random() < CHANGING else None
    book = Phrasebook(language, market.names, rng)
    order = rng.sample(goal.wishes, len(goal.wishes))
    return Shopper(goal, change, rng.choice([2, 3]), rng.choice([1, 1, 2]), market, book, rng, unsaid=list(order))


def converse(shopper: Shopper, bot: Bot) -> Talk:
    """Talk until something shown satisfies, patience is lost, or :data:`TURNS` are over."""
    change, department = shopper.change, shopper.department
    bot.begin()
    exchanges: list[Exchange] = []
    text: str | None = shopper.opening()
    success = 0
    while text is not None and not success and len(exchanges) < TURNS:
        reply = bot.reply(text)
        exchanges.append(Exchange(text, reply, tuple(shopper.said), shopper.kind_said))
        if any(shopper.goal.accepts(shopper.market.goods[item.sku]) for item in reply.shown):
            success = len(exchanges)
        elif len(exchanges) < TURNS:
            text = shopper.answer(reply)
    return Talk(shopper.book.language, department, shopper.goal, change, tuple(exchanges), success, text is None)
