"""The phrasing sets are whole, name only what the demo shop really stores, and do not leak into each other.

Nothing here runs the parser: whoever measures it reads the files by the schema in README.md.
"""

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from catalog.demo.assortment import demo_products
from catalog.ingest.records import ProductRecord

HERE = Path(__file__).parent
INTENTS = {
    *("find", "refine", "question_policy", "question_product", "compare", "pick"),
    *("person", "thanks", "greeting", "goodbye", "complaint", "other"),
}
CRITIQUES = {
    *("cheaper", "dearer", "bigger", "smaller", "lighter", "heavier", "longer", "shorter"),
    *("warmer", "quieter", "stronger", "simpler"),
}
KINDS = {
    *("plain", "typo", "plural", "colloquial", "cantonese", "spoken_numbers", "units_currency", "range", "size"),
    *("for_whom", "occasion", "soft_hard", "negation", "negation_scope", "double_negation", "correction"),
    *("several_wishes", "two_goals", "ordinal", "description_reference", "between_reference", "compare", "critique"),
    *("reset", "ambiguity", "code_switch", "traditional_chinese", "emoji"),
}
COARSE_KINDS = {
    *("reference", "price", "soft", "several", "indifference", "question"),
    *("find", "refine", "drop", "pick", "question_product", "question_policy"),
}
"""Those of the third and fourth development sets, which tell fewer phenomena apart."""
NEGATIONS = {"negation", "negation_scope", "double_negation"}
GOAL_KEYS = {"category", "wanted", "unwanted", "soft", "price"}
GOLD_KEYS = GOAL_KEYS | {"intent", "refers", "rejects", "critique", "drops", "reset", "also"}
CURRENCIES = {"EUR", "GBP", "CNY"}
CHINESE = re.compile("[\u4e00-\u9fff]")


def _read(name: str) -> list[dict[str, Any]]:
    return yaml.safe_load((HERE / f"{name}.yaml").read_text("utf-8"))


HELDOUT, *DEVELOPMENT_SETS = map(_read, ("heldout", "development", "development2", "development3", "development4"))
ENTRIES = [*HELDOUT, *itertools.chain(*DEVELOPMENT_SETS)]


@pytest.fixture(scope="module")
def records() -> dict[str, ProductRecord]:
    return {product.record.sku: product.record for product in demo_products(seed=7)}


@pytest.fixture(scope="module")
def stored(records: dict[str, ProductRecord]) -> dict[tuple[str, ...], set[tuple[str, str]]]:
    """By category path (a department's too, and () for the whole shop): every attribute with every value stored."""
    found: dict[tuple[str, ...], set[tuple[str, str]]] = defaultdict(set)
    for record in records.values():
        pairs = {("brand", record.brand)}
        for attributes in (record.attributes, *(variant.attributes for variant in record.variants)):
            pairs |= {(attribute, value) for attribute, values in attributes.items() for value in values}
        for depth in range(len(record.category) + 1):
            found[record.category[:depth]] |= pairs
    return found


def _goals(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The goals of a message: what it asks for and, with two goals, the other one."""
    yield entry["gold"]
    if "also" in entry["gold"]:
        yield entry["gold"]["also"]


def _category(goal: dict[str, Any], entry: dict[str, Any]) -> tuple[str, ...]:
    return tuple(goal.get("category") or entry.get("before", {}).get("category") or ())


def _wishes(goal: dict[str, Any]) -> list[dict[str, str]]:
    return goal.get("wanted", []) + goal.get("unwanted", [])


def _is_negative(entry: dict[str, Any]) -> bool:
    return entry["kind"] in NEGATIONS or any(goal.get("unwanted") or goal.get("rejects") for goal in _goals(entry))


def _normal(text: str) -> str:
    return "".join(re.findall(r"\w", text.lower())) or text


def _five_grams(text: str) -> set[str]:
    text = _normal(text)
    return {text[start : start + 5] for start in range(max(1, len(text) - 4))}


@pytest.mark.parametrize(
    ("entries", "english", "chinese"),
    [
        (entries, *each)
        for entries, each in zip(
            [HELDOUT, *DEVELOPMENT_SETS], ((200, 200), (80, 80), (200, 200), (120, 119), (120, 120)), strict=True
        )
    ],
)
def test_set_has_as_many_messages_in_each_language_as_the_readme_says(entries, english, chinese):
    assert Counter(entry["language"] for entry in entries) == {"en": english, "zh": chinese}


def test_every_message_has_its_own_id_and_its_own_words():
    for name in ("id", "text"):
        values = [_normal(entry[name]) if name == "text" else entry[name] for entry in ENTRIES]
        assert [value for value, count in Counter(values).items() if count > 1] == []


def test_no_held_out_message_has_a_near_copy_in_a_development_set():
    grams = {entry["id"]: _five_grams(entry["text"]) for entry in ENTRIES}
    close = [
        (one["id"], other["id"])  # never their words: whoever writes a development set runs this
        for one, other in itertools.product(HELDOUT, itertools.chain(*DEVELOPMENT_SETS))
        if len(grams[one["id"]] & grams[other["id"]]) >= 0.6 * len(grams[one["id"]] | grams[other["id"]])
    ]
    assert close == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_held_out_set_holds_enough_of_every_phenomenon_in_each_language(language):
    entries = [entry for entry in HELDOUT if entry["language"] == language]
    negative = [entry for entry in entries if _is_negative(entry)]
    assert len(negative) >= 30
    assert sum(entry["kind"] in {"negation_scope", "double_negation"} for entry in negative) >= 15
    assert sum("refers" in entry["gold"] for entry in entries) >= 40
    assert sum(any("price" in goal for goal in _goals(entry)) for entry in entries) >= 30
    assert sum(entry["kind"] in {"typo", "colloquial", "cantonese"} for entry in entries) >= 20
    of_one_language = {"en": {"code_switch", "cantonese", "traditional_chinese"}, "zh": set()}[language]
    counts = Counter(entry["kind"] for entry in entries)
    assert {kind for kind in KINDS - of_one_language if counts[kind] < 3} == set()


def test_every_entry_keeps_to_the_schema():
    assert _at_fault(_breaks_the_schema) == []


def test_categories_values_and_products_are_ones_the_shop_has(records, stored):
    def names_something_else(entry: dict[str, Any]) -> Iterator[Any]:
        before = entry.get("before", {})
        for sku in before.get("shown", []):
            if sku not in records or list(records[sku].category) != before["category"]:
                yield sku
        for goal in (before, *_goals(entry)):
            category = _category(goal, entry)
            if category not in stored:
                yield category
            # What is refused need not exist in this category: nobody wants white at a wedding, no such dress is sold.
            for wishes, there in ((goal.get("wanted", []), category), (goal.get("unwanted", []), ())):
                yield from (
                    wish
                    for wish in wishes
                    if wish["attribute"] != "text" and (wish["attribute"], wish["value"]) not in stored[there]
                )

    assert _at_fault(names_something_else) == []


def test_text_wishes_are_words_of_the_message():
    assert (
        _at_fault(
            lambda entry: (
                wish
                for goal in _goals(entry)
                for wish in _wishes(goal)
                if wish["attribute"] == "text" and wish["value"].lower() not in entry["text"].lower()
            )
        )
        == []
    )


def test_soft_wishes_are_wishes_and_nothing_is_both_wanted_and_refused():
    def contradicts_itself(entry: dict[str, Any]) -> Iterator[Any]:
        for goal in _goals(entry):
            wanted = goal.get("wanted", [])
            yield from (wish for wish in goal.get("soft", []) if wish not in wanted)
            yield from (wish for wish in goal.get("unwanted", []) if wish in wanted)

    assert _at_fault(contradicts_itself) == []


def test_references_point_at_shown_products():
    def points_elsewhere(entry: dict[str, Any]) -> Iterator[Any]:
        gold, shown = entry["gold"], entry.get("before", {}).get("shown", [])
        refers = gold.get("refers", [])
        if refers != sorted(set(refers) & set(range(len(shown)))) or not set(gold.get("rejects", [])) <= set(refers):
            yield refers
        if gold["intent"] in {"pick", "compare"} and not refers:
            yield gold["intent"]
        if shown and (not 2 <= len(shown) <= 4 or len(set(shown)) < len(shown)):
            yield shown

    assert _at_fault(points_elsewhere) == []


def test_prices_are_a_range_or_about_an_amount():
    def is_no_price(entry: dict[str, Any]) -> Iterator[Any]:
        for price in (goal["price"] for goal in (entry.get("before", {}), *_goals(entry)) if "price" in goal):
            known = set(price) <= {"low", "high", "about", "currency"} and price.get("currency", "EUR") in CURRENCIES
            one_kind = ("about" in price) != bool({"low", "high"} & set(price))
            if not (known and one_kind and 0 < price.get("low", 1) < price.get("high", 10**6)):
                yield price

    assert _at_fault(is_no_price) == []


def test_between_two_products_is_between_their_lowest_prices(records):
    def lies_elsewhere(entry: dict[str, Any]) -> Iterator[Any]:
        if entry["kind"] != "between_reference":
            return
        skus = [entry["before"]["shown"][index] for index in entry["gold"]["refers"]]
        lowest = sorted(float(min(variant.price for variant in records[sku].variants)) for sku in skus)
        if entry["gold"]["price"] != {"low": lowest[0], "high": lowest[1]}:
            yield lowest

    assert _at_fault(lies_elsewhere) == []


def test_message_only_withdraws_what_was_said_before():
    def was_never_said(entry: dict[str, Any]) -> Iterator[Any]:
        before = entry.get("before", {})
        said = [*_wishes(before), {"attribute": "category", "value": before.get("category")}]
        said += [{"attribute": "price"}] if "price" in before else []
        yield from (dropped for dropped in entry["gold"].get("drops", []) if dropped not in said)

    assert _at_fault(was_never_said) == []


def _breaks_the_schema(entry: dict[str, Any]) -> Iterator[Any]:
    gold = entry["gold"]
    yield from set(entry) - {"id", "language", "kind", "before", "text", "gold"}
    yield from set(gold) - GOLD_KEYS | set(gold.get("also", {})) - GOAL_KEYS
    yield from set(entry.get("before", {})) - GOAL_KEYS - {"shown"}
    yield from (
        {gold["intent"]} - INTENTS
        | {entry["kind"]} - KINDS - COARSE_KINDS
        | {gold.get("critique", "cheaper")} - CRITIQUES
    )
    if not re.fullmatch(rf"(h|d[234]?)-{entry['language']}-\d{{3}}", entry["id"]):
        yield entry["id"]
    if gold["intent"] in {"refine", "pick", "compare"} and "before" not in entry:
        yield gold["intent"]
    if bool(CHINESE.search(entry["text"])) != (entry["language"] == "zh"):
        yield entry["text"]


def _at_fault(faults: Callable[[dict[str, Any]], Iterable[Any]]) -> list[tuple[str, list[Any]]]:
    """The entries in which ``faults`` finds any, with these."""
    found = [(entry["id"], list(faults(entry))) for entry in ENTRIES]
    return [(name, wrong) for name, wrong in found if wrong]
