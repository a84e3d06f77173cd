"""Whom a shopper can talk with: the product itself and two honest baselines, behind one interface.

The baselines share no code with the product. Both show what is in stock only, three products a reply as the product does,
and never one twice in a conversation: whoever says "more" pages on.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

import rjieba

from benchmarks.baselines import BM25, best_first
from benchmarks.simulator.goods import Market

if TYPE_CHECKING:
    from botcore.dialogue.ports import Ports
    from catalog.models import Shop

PAGE = 3


@dataclass(frozen=True)
class Shown:
    """A product of a reply; ``price`` is that of the variant shown, None where the bot names none."""

    sku: str
    price: Decimal | None = None


@dataclass(frozen=True)
class Reply:
    """``gave_up`` are the words with which the reply says that it holds not everything; empty where it says nothing."""

    shown: tuple[Shown, ...] = ()
    text: str = ""
    gave_up: tuple[str, ...] = ()


class Bot(Protocol):
    def begin(self) -> None:
        """Somebody else comes in."""

    def reply(self, text: str) -> Reply: ...


class Ours:
    """The product, by the way that every message goes. Without a generator in ``ports`` it speaks in phrases."""

    def __init__(self, shop: Shop, ports: Ports) -> None:
        self.shop, self.ports = shop, ports

    def begin(self) -> None:
        from botcore.conversing import Conversing

        self.talk = Conversing(self.shop, f"simulated-{uuid.uuid4().hex[:12]}", self.ports)

    def reply(self, text: str) -> Reply:
        turn = self.talk.say(text)
        shown = tuple(Shown(item["sku"], Decimal(item["price"])) for item in turn.slate)
        gave_up = tuple(turn.brief.get("gave_up", ())) or ((turn.act,) if turn.act == "decline" else ())
        return Reply(shown, turn.reply, gave_up)


class Popularity:
    """Best sellers of the narrowest category that a customer named, or else of the shop. It honours nothing else."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.ranked = best_first({sku: good.popularity for sku, good in market.goods.items() if good.in_stock})

    def begin(self) -> None:
        self.path, self.seen = "", set[str]()

    def reply(self, text: str) -> Reply:
        said = text.lower()
        named = [(len(name), path) for name, path in self.market.called.items() if _names(name, said)]
        if named:
            self.path = max(named, key=lambda pair: (pair[1].count("/"), pair[0]))[1]
        here = (sku for sku in self.ranked if self.market.goods[sku].category.startswith(self.path))
        return page(here, self.seen)


class Keyword:
    """A search box: Okapi BM25 over titles, categories, values and descriptions, any word may match.

    ``joined`` searches for all that the customer has written so far, else for the last message alone.
    """

    def __init__(self, market: Market, *, joined: bool) -> None:
        self.index = Index({sku: good.texts for sku, good in market.goods.items() if good.in_stock})
        self.joined = joined

    def begin(self) -> None:
        self.messages, self.seen = list[str](), set[str]()

    def reply(self, text: str) -> Reply:
        self.messages.append(text)
        return page(self.index.found(" ".join(self.messages) if self.joined else text), self.seen)


class Index(BM25):
    """BM25 as a shop's search box has it: Chinese text cut into words, English words without their plural, and
    the commonest words left out."""

    def found(self, query: str) -> list[str]:
        words = [word for word in self.words(query) if self.holding[word] < 0.5 * len(self.documents)]
        scores = {sku: self.score(words, document) for sku, document in self.documents.items()}
        return best_first({sku: score for sku, score in scores.items() if score})

    @staticmethod
    def words(text: str) -> list[str]:
        cut = (token for run in re.findall(r"\w+", text.lower()) for token in _cut(run))
        return [word for word in cut if word not in STOP_WORDS]


STOP_WORDS = frozenset(
    "a an the i me my you your we it is are be been do does have has had to of in for and or but not no with that this "
    "these those what which any some one ones would like need want please hi hello can could show looking 的 了 吗 我 你 "
    "想 要 有 没有 是 个 一 这 那 吧 不 呢 看 买 给 都 还 就".split()
)


def page(ranked: Iterable[str], seen: set[str]) -> Reply:
    """The next products that were not seen yet, and a word that says so."""
    shown: list[str] = []
    for sku in ranked:
        if sku not in seen and len(shown) < PAGE:
            shown.append(sku)
    seen.update(shown)
    return Reply(tuple(map(Shown, shown)), "Here you are." if shown else "Nothing found.")


def _cut(run: str) -> Sequence[str]:
    if not run.isascii():
        return [word for word in rjieba.cut_for_search(run) if word.strip()]
    return [run[:-1] if len(run) > 3 and run.endswith("s") and not run.endswith("ss") else run]


def _names(name: str, text: str) -> bool:
    """Whether a category's name, or its singular, stands in a text."""
    if not name.isascii():
        return name in text
    return re.search(rf"\b{re.escape(name.removesuffix('s'))}(?:e?s)?\b", text) is not None


def bots_of(market: Market) -> Mapping[str, Bot]:
    return {
        "popularity": Popularity(market),
        "keyword, last message": Keyword(market, joined=False),
        "keyword, all messages": Keyword(market, joined=True),
    }
