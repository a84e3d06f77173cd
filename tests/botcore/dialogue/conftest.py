"""A small shop of hobby and home goods, with the real sentence encoder, for talking to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from botcore.dialogue import pipeline
from botcore.dialogue.lexicon import kept
from botcore.dialogue.ports import Encoder, Generator, Ports, Reader
from botcore.dialogue.state import DialogueState
from catalog.ingest.records import ArticleRecord, ProductRecord, VariantRecord
from catalog.ingest.write import upsert_articles, upsert_products
from catalog.models import Shop
from tests.factories import ShopFactory
from workers import indexing, serving
from workers.engine import load_encoder, load_reader

COLOURS = {"red": "红色", "green": "绿色", "yellow": "黄色", "gray": "灰色"}

GOODS = [
    # sku, category, title, price, stock, attributes, description
    ("K1", ("Kitchen", "Kettles"), "Harbour Kettle", "39.00", 4, {"material": "steel", "color": "red"}, "Boils fast."),
    ("K2", ("Kitchen", "Kettles"), "Meadow Kettle", "54.50", 2, {"material": "glass", "color": "green"}, "Quiet."),
    ("K3", ("Kitchen", "Kettles"), "Summit Kettle", "89.00", 7, {"material": "steel", "color": "gray"}, "Whistles."),
    ("K4", ("Kitchen", "Kettles"), "Pebble Kettle", "24.00", 9, {"material": "plastic", "color": "green"}, "Small."),
    ("R1", ("Home", "Rugs"), "Fjord Rug", "120.00", 3, {"material": "wool", "color": "gray"}, "Thick and warm."),
    ("R2", ("Home", "Rugs"), "Dune Rug", "75.00", 3, {"material": "jute", "color": "yellow"}, "For the hallway."),
    ("R3", ("Home", "Rugs"), "Moss Rug", "210.00", 1, {"material": "wool", "color": "green"}, "Hand-woven."),
    ("R4", ("Home", "Rugs"), "Ember Rug", "95.00", 0, {"material": "wool", "color": "red"}, "Sold out at present."),
    ("G1", ("Games",), "Lighthouse Keepers", "32.00", 6, {}, "A cooperative board game for the whole family."),
    ("G2", ("Games",), "Night Market", "28.00", 6, {}, "A quick card game of trading."),
    ("G3", ("Games",), "Orchard Duel", "45.00", 6, {}, "A board game for two."),
    ("H1", ("Outdoor",), "Kite of Seven Tails", "18.00", 5, {"color": "red"}, "A kite for windy beaches."),
]
COLOURED = {
    "sku": "T1",
    "title": "Harvest Tray",
    "category": ("Kitchen", "Trays"),
    "colours": {"red": 0, "green": 3, "yellow": 2},
}
"""A product that comes in several colours, one of them sold out."""
ARTICLES = [
    ("returns", "en", "Returns", "Send goods back within 45 days. We pay the postage. Opened games stay yours."),
    ("delivery", "en", "Delivery", "Parcels take 2 to 4 working days. It costs 3.90 euros. We deliver to France and Spain."),
    ("payment", "en", "Payment", "You can pay by card or bank transfer. We do not take cash."),
]  # fmt: skip


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return load_encoder()


@pytest.fixture(scope="session")
def reader() -> Reader:
    return load_reader()


@pytest.fixture
def shop(db, encoder, monkeypatch) -> Shop:
    monkeypatch.setattr(serving, "encoder", lambda: encoder)
    shop = ShopFactory(currency="EUR")
    upsert_products(shop, [*map(_record, GOODS), _coloured()])
    upsert_articles(shop, (ArticleRecord(slug=s, language=lang, title=t, body=b) for s, lang, t, b in ARTICLES))
    indexing.embed_changed(shop.pk)
    kept._cache.clear()
    return shop


@pytest.fixture
def sorted_talk(db, encoder, reader, monkeypatch) -> Callable[..., Talk]:
    """Opens a talk with a shop whose categories are departments, where an attribute tells which kind of product something is:
    of goods (category, style, title, price, description; the skus are P00, P01 and so on) and an article (title, text)."""
    monkeypatch.setattr(serving, "encoder", lambda: encoder)

    def opened(goods: Sequence[tuple[str, str, str, str, str]], article: tuple[str, str]) -> Talk:
        shop = ShopFactory(currency="USD")
        upsert_products(shop, [_sorted(f"P{number:02}", *row) for number, row in enumerate(goods)])
        title, body = article
        upsert_articles(shop, [ArticleRecord(slug="article", language="en", title=title, body=body)])
        indexing.embed_changed(shop.pk)
        kept._cache.clear()
        return Talk(shop, Ports(encoder, reader, None))

    return opened


def _sorted(sku: str, category: str, style: str, title: str, price: str, description: str) -> ProductRecord:
    return ProductRecord(
        sku=sku,
        title=title,
        category=(category,),
        variants=(VariantRecord(sku=sku, price=Decimal(price), stock=5),),
        description=description,
        attributes={"style": [style]},
    )


def _record(row: tuple) -> ProductRecord:
    sku, category, title, price, stock, attributes, description = row
    names = {("color", c): {"zh": [COLOURS[c]]} for c in [attributes["color"]]} if "color" in attributes else {}
    return ProductRecord(
        sku=sku,
        title=title,
        category=category,
        variants=(VariantRecord(sku=sku, price=Decimal(price), stock=stock),),
        description=description,
        attributes={name: [value] for name, value in attributes.items()},
        names=names,
    )


def _coloured() -> ProductRecord:
    variants = tuple(
        VariantRecord(sku=f"T1-{colour}", price=Decimal("15.00"), stock=stock, attributes={"color": [colour]})
        for colour, stock in COLOURED["colours"].items()
    )
    return ProductRecord(
        sku=COLOURED["sku"],
        title=COLOURED["title"],
        category=COLOURED["category"],
        variants=variants,
        description="Carries breakfast.",
        attributes={"color": list(COLOURED["colours"]), "material": ["wood"]},
    )


@dataclass
class Talk:
    """A conversation: call it with a message, get the reply; the state goes on through JSON, as in the database."""

    shop: Shop
    ports: Ports
    state: DialogueState = field(default_factory=DialogueState)

    def __call__(self, text: str, *, deadline: float = 0.0) -> pipeline.Reply:
        reply = pipeline.respond(self.shop, text, self.state, self.ports, samples=3, seed=7, deadline=deadline)
        self.state = DialogueState.from_json(reply.state.to_json())
        return reply


@pytest.fixture
def talk(shop: Shop, encoder: Encoder, reader: Reader) -> Talk:
    """A customer's talk answered from phrases."""
    return Talk(shop, Ports(encoder, reader, None))


@pytest.fixture
def talk_with(shop: Shop, encoder: Encoder, reader: Reader) -> Callable[[Generator], Talk]:
    """A customer's talk answered with a generator."""
    return lambda generator: Talk(shop, Ports(encoder, reader, generator))
