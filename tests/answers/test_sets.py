"""All sets of the questions are whole, name only what the demo shop stores, and do not share a question."""

from collections import Counter

import pytest
import yaml

from benchmarks.answers import FILES, questions
from catalog.demo.assortment import demo_products
from catalog.demo.content import DATA, read

KEYS = {"id", "language", "kind", "messages", "shown", "sources", "facts", "never", "aspect"}
SETS = {name: questions(name) for name in FILES}
ENTRIES = [entry for entries in SETS.values() for entry in entries]


@pytest.mark.parametrize("name", SETS)
def test_a_set_has_as_many_questions_of_every_kind_and_language(name):
    counted = Counter((entry["language"], entry["kind"]) for entry in SETS[name])
    policy, product, unanswerable = (18, 20, 7) if name == "development3" else (10, 15, 5)
    assert counted == {
        (language, kind): number
        for language in ("en", "zh")
        for kind, number in (("policy", policy), ("product", product), ("unanswerable", unanswerable))
    }


def test_every_question_is_complete_and_stands_once():
    assert all(entry.keys() <= KEYS and entry["messages"] for entry in ENTRIES)
    assert (
        len({entry["id"] for entry in ENTRIES})
        == len({tuple(entry["messages"]) + tuple(entry.get("shown", ())) for entry in ENTRIES})
        == 270
    )
    answerable = [entry for entry in ENTRIES if entry["kind"] != "unanswerable"]
    assert all(entry["sources"] and (entry.get("facts") or entry.get("aspect")) for entry in answerable)


def test_the_gold_is_of_the_demo_shop():
    records = {product.record.sku: product.record for product in demo_products(seed=7)}
    articles = yaml.safe_load((DATA / "articles.yaml").read_text("utf-8"))
    aspects = {row["aspect"] for row in read("reviews")}
    for entry in ENTRIES:
        assert set(entry.get("shown", ())) <= records.keys(), entry["id"]
        for source in entry.get("sources", ()):
            kind, _, name = source.partition(":")
            if kind == "article":
                assert name in articles, entry["id"]
            elif kind == "attribute":
                record = records[entry["shown"][0]]
                held = {"price", *record.attributes, *(a for variant in record.variants for a in variant.attributes)}
                assert name in held, entry["id"]
            else:
                assert source in ("stock", "description", "review"), entry["id"]
        assert entry.get("aspect") is None or entry["aspect"] in aspects
