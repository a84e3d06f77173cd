"""A shop's layer of intents serves from the next message on, and whatever is wrong with it, the one that ships does."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command

from botcore.dialogue.linear import Head
from botcore.dialogue.ports import IntentLayer
from botcore.learning import layers
from botcore.learning.erasure import erase
from catalog.models import Shop
from tests.factories import TurnFactory

SHOP = Shop(slug="shop")


def layer_of(value: float) -> IntentLayer:
    return IntentLayer(
        Head(("find", "thanks"), np.full((5, 2), value, np.float32), {"en": 1.0, "zh": 0.9}, {}), "above"
    )


@pytest.fixture(autouse=True)
def var(tmp_path: Path, settings) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path


def test_without_a_layer_the_one_that_ships_reads():
    assert layers.of(SHOP) is None
    assert layers.take_back(SHOP) is False


def test_a_layer_is_read_as_it_was_written_and_the_next_one_at_once(var):
    layers.keep(SHOP, layer_of(1.0), {"contacts": [3]})
    found = layers.of(SHOP)
    assert (found.head.labels, found.head.temperature, found.above) == (
        ("find", "thanks"),
        {"en": 1.0, "zh": 0.9},
        "above",
    )
    assert layers.meta_of(layers.file_of(SHOP))["contacts"] == [3]
    layers.keep(SHOP, layer_of(2.0), {"contacts": []})
    assert layers.of(SHOP).head.weights.tolist() == [[2.0, 2.0]] * 5
    assert [path.name for path in (var / "intents").iterdir()] == ["shop.npz"], "nothing is left beside it"
    assert layers.take_back(SHOP) is True
    assert layers.of(SHOP) is None


@pytest.mark.parametrize("broken", ["cut off", "empty", "not numbers", "too few intents", "pickled", "no archive"])
def test_a_broken_layer_is_not_used(broken):
    layers.keep(SHOP, layer_of(np.nan if broken == "not numbers" else 1.0), {})
    path = layers.file_of(SHOP)
    if broken == "cut off":
        path.write_bytes(path.read_bytes()[:-40])
    if broken == "empty":
        path.write_bytes(b"")
    if broken == "no archive":
        path.write_bytes(b"weights")
    if broken == "too few intents":
        meta = {**layers.meta_of(path), "labels": ["find"]}
        np.savez(path, weights=np.ones((5, 2)), meta=np.array(json.dumps(meta)))
    if broken == "pickled":
        np.savez(path, weights=np.array([object()], dtype=object), meta=np.array("{}"))
    assert layers.of(SHOP) is None


@pytest.mark.django_db
def test_a_layer_that_learned_from_an_erased_person_goes_with_them():
    turn = TurnFactory()
    contact, shop = turn.conversation.contact, turn.conversation.shop
    layers.keep(shop, layer_of(1.0), {"contacts": [contact.pk]})
    layers.last_round(shop).write_text("{}")
    out = StringIO()
    call_command("erase_customer", shop.slug, contact.account.channel, contact.external_id, stdout=out)
    assert "layer of intents learned from them" in out.getvalue()
    assert layers.of(shop) is None and not layers.last_round(shop).exists(), "the next round learns anew without them"


@pytest.mark.django_db
def test_a_layer_that_knows_nothing_of_an_erased_person_stays_and_one_that_does_not_say_goes():
    first, second = TurnFactory(), TurnFactory()
    for turn in (first, second):
        layers.keep(turn.conversation.shop, layer_of(1.0), {"contacts": [10**9]})
    layers.file_of(second.conversation.shop).write_bytes(b"who knows")
    assert erase(first.conversation.contact).layer is False
    assert layers.of(first.conversation.shop) is not None
    assert erase(second.conversation.contact).layer is True
    assert not layers.file_of(second.conversation.shop).exists()
