"""A shop's words are read again when its catalogue changed; a large catalogue is read beside the conversation."""

from __future__ import annotations

import threading

import pytest

from botcore.dialogue.lexicon import kept as module
from botcore.dialogue.lexicon.kept import lexicon_of
from catalog.ingest.vocabulary import recount
from tests.factories import ProductFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _looked_up_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RECHECK_SECONDS", 0.0)


def read_beside() -> None:
    for thread in threading.enumerate():
        if thread.name == "lexicon":
            thread.join(20)


def test_a_new_product_brings_its_words() -> None:
    shop = ProductFactory(attributes={"color": ["teal"]}).shop
    recount(shop)
    assert "teal" in lexicon_of(shop).attributes["color"]
    ProductFactory(shop=shop, attributes={"color": ["ochre"]})
    recount(shop)
    assert "ochre" in lexicon_of(shop).attributes["color"]


def test_what_else_a_product_is_called_is_no_value() -> None:
    shop = ProductFactory(attributes={"color": ["teal"], "aliases": ["chocolate drink"]}).shop
    recount(shop)
    assert lexicon_of(shop).attributes.keys() == {"color"}


def test_nobody_waits_for_a_large_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_AT_ONCE", 0)
    monkeypatch.setattr(module, "READING_SHARE", 1e9)
    shop = ProductFactory(attributes={"color": ["teal"]}).shop
    recount(shop)
    first = lexicon_of(shop)
    ProductFactory(shop=shop, attributes={"color": ["ochre"]})
    recount(shop)
    assert lexicon_of(shop) is first
    read_beside()
    assert "ochre" in lexicon_of(shop).attributes["color"]


def test_a_large_catalogue_that_changes_all_the_time_is_read_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_AT_ONCE", 0)
    monkeypatch.setattr(module, "READING_SHARE", 1e-6)
    shop = ProductFactory().shop
    lexicon_of(shop)
    ProductFactory(shop=shop)
    lexicon_of(shop)
    read_beside()
    second = lexicon_of(shop)
    ProductFactory(shop=shop)
    read_beside()
    assert lexicon_of(shop) is second
