"""Comparisons and reasons say what the data says."""

from types import SimpleNamespace

import pytest

from botcore.dialogue.reasons import SPOKEN, standing_out
from botcore.dialogue.state import Act, DialogueState
from catalog.ranking.features import FEATURES
from catalog.search import Candidate


def candidate(sku, **contributions):
    return Candidate(SimpleNamespace(sku=sku), None, 0.0, {}, contributions)


def test_reasons_are_features_of_the_ranker():
    assert set(SPOKEN) <= set(FEATURES)


def test_what_stands_out_is_said_and_what_all_have_is_not():
    others = [candidate(f"P{i}", rating=0.1, popularity=0.3) for i in range(4)]
    best = candidate("A", rating=0.4, popularity=0.3, stock=0.9)
    assert standing_out("A", [best, *others], "en") == (SPOKEN["rating"][0],)
    assert standing_out("A", [best, *others], "zh") == (SPOKEN["rating"][1],)
    assert standing_out("P1", [best, *others], "en") == ()


@pytest.mark.django_db
class TestInTalk:
    def test_a_comparison_lists_what_differs_and_nothing_that_is_alike(self, talk):
        talk.state = DialogueState(turn=1, goal="kitchen/kettles", shown=(("K1", "K3"),))
        reply = talk("compare the first and the second")
        assert reply.act is Act.COMPARE
        lines = reply.text.splitlines()
        assert any(line.startswith("Price: A €39 · B €89") for line in lines)
        assert any(line.startswith("Color: A red · B gray") for line in lines)
        assert not any(line.startswith("Material") for line in lines)

    def test_a_chinese_comparison_is_in_chinese(self, talk):
        talk.state = DialogueState(turn=1, goal="kitchen/kettles", shown=(("K1", "K3"),), language="zh")
        assert "颜色：A 红色 · B 灰色" in talk("第一个和第二个有什么区别").text

    def test_a_word_of_two_meanings_is_asked_about_once(self, talk, shop):
        from botcore.dialogue.lexicon import kept
        from catalog.ingest.records import ProductRecord, VariantRecord
        from catalog.ingest.write import upsert_products

        upsert_products(
            shop,
            [
                ProductRecord(
                    sku=f"S{i}",
                    title=f"Soap {i}",
                    category=("Bath", "Soaps"),
                    variants=(VariantRecord(sku=f"S{i}", price=5, stock=3),),
                    attributes={name: ["rose"], "brand": ["Abbey"]},
                )
                for i, name in enumerate(["color", "scent", "color", "scent", "color", "scent"])
            ],
        )
        kept._cache.clear()
        asked = talk("soap in rose please")
        assert asked.act is Act.ASK and "color" in asked.text and "scent" in asked.text and not asked.items
        answer = talk("the scent")
        assert {item.sku for item in answer.items} <= {"S1", "S3", "S5"} and answer.items
        assert talk("something in rose again").act is Act.RECOMMEND

    def test_a_chosen_product_with_a_page_is_ordered_there(self, talk, shop):
        from catalog.models import Product

        Product.objects.filter(shop=shop, sku="K1").update(url="https://shop.example/k1")
        talk.state = DialogueState(turn=1, goal="kitchen/kettles", shown=(("K1", "K3"),))
        assert "https://shop.example/k1" in talk("I'll take the first").text

    def test_how_to_order_is_not_invented(self, talk):
        talk.state = DialogueState(turn=1, goal="kitchen/kettles", shown=(("K1", "K3"),))
        text = talk("I'll take the first").text.lower()
        assert "order" not in text and "checkout" not in text
