"""A shop that wrote one language is searched in the other, over the names its attribute values have."""

from __future__ import annotations

from decimal import Decimal

import pytest

from botcore.dialogue.lexicon import kept
from botcore.dialogue.ports import Ports
from catalog.ingest.records import ProductRecord, VariantRecord
from catalog.ingest.write import upsert_products
from catalog.models import Category
from catalog.search import ProductQuery, search_products
from catalog.text import segment
from tests.botcore.dialogue.conftest import Talk
from tests.factories import ShopFactory
from workers import indexing, serving

ENGLISH = [
    ("E1", "Harbour Lantern", {"material": "brass", "finish": "matte"}),
    ("E2", "Meadow Lantern", {"material": "bamboo", "finish": "glossy"}),
]
ENGLISH_NAMES = {
    ("material", "brass"): {"zh": ["黄铜"]},
    ("material", "bamboo"): {"zh": ["竹子", "竹编"]},
    ("finish", "matte"): {"zh": ["哑光"]},
}
CHINESE = [
    ("C1", "清风折扇", {"材质": "竹", "图案": "山水"}),
    ("C2", "静夜折扇", {"材质": "檀木", "图案": "花鸟"}),
]
CHINESE_NAMES = {
    ("材质", "竹"): {"en": ["bamboo"]},
    ("材质", "檀木"): {"en": ["sandalwood"]},
    ("图案", "山水"): {"en": ["landscape"]},
}


def records(goods, names, category):
    for sku, title, attributes in goods:
        own = {key: value for key, value in names.items() if attributes.get(key[0]) == key[1]}
        yield ProductRecord(
            sku=sku,
            title=title,
            category=category,
            variants=(VariantRecord(sku, Decimal("20.00"), 5),),
            attributes={name: [value] for name, value in attributes.items()},
            names=own,
        )


@pytest.fixture
def talk_in(db, encoder, reader, monkeypatch):
    """A talk with a shop of one language."""
    monkeypatch.setattr(serving, "encoder", lambda: encoder)

    def made(language: str) -> Talk:
        shop = ShopFactory(language=language)
        if language == "en":
            upsert_products(shop, records(ENGLISH, ENGLISH_NAMES, ("Lanterns",)))
            Category.objects.filter(shop=shop).update(translations={"zh": {"name": "灯笼"}})
        else:
            upsert_products(shop, records(CHINESE, CHINESE_NAMES, ("折扇",)))
            Category.objects.filter(shop=shop).update(aliases=["folding fan"])
        indexing.embed_changed(shop.pk)
        kept._cache.clear()
        return Talk(shop, Ports(encoder, reader, None))

    return made


def shown(reply) -> list[str]:
    return [item.sku for item in reply.items]


@pytest.mark.parametrize("message", ["有竹编的灯笼吗", "有竹編的燈籠嗎", "我想买竹子灯笼"])
def test_chinese_finds_what_is_described_in_english(talk_in, message) -> None:
    assert shown(talk_in("en")(message)) == ["E2"]


def test_a_chinese_exclusion_holds_in_an_english_shop(talk_in) -> None:
    assert shown(talk_in("en")("灯笼，不要黄铜的")) == ["E2"]


@pytest.mark.parametrize("message", ["a bamboo folding fan", "do you have folding fans in bamboo?"])
def test_english_finds_what_is_described_in_chinese(talk_in, message) -> None:
    assert shown(talk_in("zh")(message)) == ["C1"]


def test_an_english_exclusion_holds_in_a_chinese_shop(talk_in) -> None:
    assert shown(talk_in("zh")("a folding fan but no sandalwood")) == ["C1"]


def test_names_of_values_are_full_text_too(talk_in) -> None:
    shop = talk_in("en").shop
    found = search_products(ProductQuery(shop=shop, words=tuple(segment("哑光").split()), limit=1))
    assert [candidate.product.sku for candidate in found] == ["E1"]
