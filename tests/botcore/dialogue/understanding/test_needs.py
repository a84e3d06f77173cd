"""What is needed by who does not name it: taken where the reader is sure, asked back where it is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np
import pytest

from botcore.dialogue.lexicon.lexicon import CategoryWords, Lexicon
from botcore.dialogue.lexicon.reading import read_lexicon
from botcore.dialogue.understanding.needs import Need, need
from catalog.ingest.records import ProductRecord, VariantRecord
from catalog.ingest.write import upsert_products
from tests.factories import ShopFactory

PATHS = ("clothing", "clothing/jackets", "clothing/umbrellas", "books", "books/novels")


class Guesses:
    """A reader with chances by what is told of a kind."""

    def __init__(self, chances: Mapping[str, float]) -> None:
        self.chances = chances

    def needing(self, text: str, kinds: Sequence[Sequence[str]]) -> np.ndarray:
        return np.array([self.chances.get(told[0], 0.0) for told in kinds], dtype=np.float32)


@pytest.fixture
def lexicon() -> Lexicon:
    lexicon = Lexicon(categories={path: CategoryWords(path, path, path, "", 1) for path in PATHS})
    lexicon.told = {path: {"": (path,)} for path in PATHS if "/" in path}
    return lexicon


def found(lexicon: Lexicon, *, without: Sequence[str] = (), **chances: float) -> Need:
    told = {path: chances.get(path.rpartition("/")[2], 0.0) for path in lexicon.told}
    return need("i arrive like a drowned rat", without, lexicon, Guesses(told))  # type: ignore[arg-type]


def test_the_narrowest_category_that_is_surely_needed_is_the_goal(lexicon):
    assert found(lexicon, jackets=0.7, umbrellas=0.2).goal == "clothing/jackets"
    assert found(lexicon, jackets=0.3, umbrellas=0.08, novels=0.07) == Need()
    assert found(lexicon, jackets=0.31, umbrellas=0.3, novels=0.02).likely
    assert found(lexicon, jackets=0.4, novels=0.2).goal == ""


def test_what_can_be_asked_back_is_not_taken_whole(lexicon):
    assert found(lexicon, jackets=0.4, umbrellas=0.35) == Need(likely=("clothing/jackets", "clothing/umbrellas"))


def test_what_may_be_needed_is_told_likeliest_first_where_it_is_likely_one_of_them(lexicon):
    assert found(lexicon, jackets=0.2, umbrellas=0.05, novels=0.35).likely == ("books/novels", "clothing/jackets")
    assert found(lexicon, jackets=0.2, novels=0.15).likely == ()
    assert found(lexicon, jackets=0.05, novels=0.4) == Need("books/novels")
    assert found(lexicon, novels=0.3) == Need()


def test_what_is_ruled_out_is_never_needed(lexicon):
    assert found(lexicon, without=["clothing"], jackets=0.9, novels=0.1) == Need()


def test_the_kind_of_a_category_s_products_is_needed_where_it_takes_most_of_the_chance(lexicon):
    lexicon.told["clothing/jackets"] |= {kind: (f"{kind} jackets",) for kind in ("rain", "puffer")}
    wet, both = ({"clothing/jackets": 0.8, "rain jackets": 0.5, "puffer jackets": cold} for cold in (0.15, 0.4))
    needs = [need("i arrive soaked", (), lexicon, Guesses(chances)) for chances in (wet, both)]  # type: ignore[arg-type]
    assert [(found.goal, found.kind) for found in needs] == [("clothing/jackets", "rain"), ("clothing/jackets", "")]


def product(sku: str, title: str, *category: str, **texts: str) -> ProductRecord:
    variant = VariantRecord(sku=sku, price=Decimal(9), stock=1)
    return ProductRecord(sku=sku, title=title, category=category, variants=(variant,), **texts)


@pytest.mark.django_db
def test_the_shop_s_own_texts_tell_what_a_category_is_for():
    shop = ShopFactory()
    goods = [product("K", "Moss Kettle", "Kettles", description="Boils fast."), product("G", "Owl Game", "Games")]
    upsert_products(shop, [*goods, product("X", "Something")])
    told = read_lexicon(shop).told
    assert told.keys() == {"kettles", "games"}, "what is of no category tells of none"
    assert told["kettles"][""][0].startswith("Kettles") and "Moss Kettle: Boils fast." in told["kettles"][""]


@pytest.mark.django_db
def test_where_there_is_one_category_alone_none_is_guessed():
    shop = ShopFactory()
    upsert_products(shop, [product("K", "Moss Kettle", "Kettles"), product("X", "Something")])
    assert read_lexicon(shop).told == {}
