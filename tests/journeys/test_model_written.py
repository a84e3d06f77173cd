"""The whole way of a message with the real 8-bit model: what customers get when everything works."""

import time
from decimal import Decimal

import pytest

from botcore.conversing import Conversing
from botcore.dialogue.ports import Ports
from catalog.ingest.records import ArticleRecord, ProductRecord, VariantRecord
from catalog.ingest.write import upsert_articles, upsert_products
from catalog.models import Shop
from tests.factories import ShopFactory
from workers.engine import load_encoder, load_generator, load_reader
from workers.indexing import embed_changed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.model, pytest.mark.slow]


def lamp(sku: str, title: str, color: str, price: str, stock: int = 4) -> ProductRecord:
    return ProductRecord(
        sku=sku,
        title=title,
        category=("Home", "Desk lamps"),
        description=f"A desk lamp in {color} with a heavy foot.",
        attributes={"color": [color], "material": ["steel"]},
        variants=(VariantRecord(sku, Decimal(price), stock),),
    )


@pytest.fixture
def shop() -> Shop:
    shop = ShopFactory(name="Lamp & Sons", currency="EUR")
    upsert_products(
        shop,
        [
            lamp("L1", "Heron Desk Lamp", "green", "48.00"),
            lamp("L2", "Kite Desk Lamp", "black", "39.50"),
            lamp("L3", "Robin Desk Lamp", "red", "61.00"),
            lamp("L4", "Wren Desk Lamp", "white", "20.00", stock=0),
        ],
    )
    upsert_articles(shop, [ArticleRecord("returns", "Returns", "You can return any lamp within 14 days of delivery.")])
    embed_changed(shop.pk)
    return shop


@pytest.fixture
def talk(shop: Shop) -> Conversing:
    return Conversing(shop, "journey", Ports(load_encoder(), load_reader(), load_generator()))


def test_the_model_writes_and_every_price_is_the_shops(talk):
    begun = time.monotonic()
    turn = talk.say("I'm looking for a desk lamp")

    assert turn.act == "recommend"
    assert turn.written_by == "model"
    assert turn.model_version
    assert {item["sku"] for item in turn.slate} <= {"L1", "L2", "L3"}
    assert "[" not in turn.reply
    assert all(price in {"€48", "€39.50", "€61"} for price in _prices(turn.reply))
    assert any(sample["chosen"] for sample in turn.samples)
    assert time.monotonic() - begun < 60


def test_a_conversation_keeps_its_wishes(talk):
    talk.say("a desk lamp please")
    cheaper = talk.say("anything under 45 euros?")
    policy = talk.say("can I send it back?")

    assert [item["sku"] for item in cheaper.slate] == ["L2"]
    assert policy.act == "answer"
    assert "within 14 days" in policy.reply
    assert policy.source["id"] == "returns"


def test_a_chinese_customer_is_answered_in_chinese(talk):
    turn = talk.say("你好，我想买一盏台灯，50欧以内")

    assert turn.language == "zh"
    assert turn.written_by == "template"
    assert {item["sku"] for item in turn.slate} <= {"L1", "L2"}


def _prices(text: str) -> list[str]:
    import re

    return re.findall(r"€\d+(?:\.\d\d)?", text)
