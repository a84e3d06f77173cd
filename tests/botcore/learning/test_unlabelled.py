"""Messages that nobody labelled: the shop's own, without personal data, and nobody's too often."""

from __future__ import annotations

import pytest

from botcore.learning.erasure import erase
from botcore.learning.unlabelled import MOST_EACH, collect
from tests.factories import ConversationFactory, ShopFactory, TurnFactory

pytestmark = pytest.mark.django_db


def test_messages_are_scrubbed_normalised_cleaned_and_the_shops_own():
    shop = ShopFactory()
    said = (
        "Write to ann@example.com, is it  WARM?",
        "asdfasdf qwertyuiop",
        "write to bob@example.com, is it warm?",
        "",
    )
    turns = [TurnFactory(conversation=ConversationFactory(shop=shop), text=text) for text in said]
    TurnFactory(text="another shop's customer asks for a lamp")
    found = collect(shop)
    (message,) = found.messages
    assert (message.text, message.language) == ("write to <email>, is it warm?", "en")
    assert (message.turn_id, message.contact_id) == (turns[2].pk, turns[2].conversation.contact_id), "the newest counts"
    assert found.left_out == {"spam": 1, "near-duplicate": 1}


def test_nobody_teaches_a_shop_alone():
    conversation = ConversationFactory()
    things = ("kettle", "novel", "lamp", "scarf", "blender", "toaster")
    for number in range(MOST_EACH + 5):
        text = f"i want a {things[number % 6]} for {things[number // 6]} number {chr(97 + number) * 3}"
        TurnFactory(conversation=conversation, text=text)
    found = collect(conversation.shop)
    assert len(found.messages) == MOST_EACH
    assert found.left_out["too many of one customer"] > 0


def test_an_erased_customers_messages_are_in_no_later_round():
    stays = TurnFactory(text="a kettle please")
    shop = stays.conversation.shop
    goes = TurnFactory(conversation=ConversationFactory(shop=shop), text="do you sell lamps?")
    assert len(collect(shop).messages) == 2
    erase(goes.conversation.contact)
    assert [message.turn_id for message in collect(shop).messages] == [stays.pk]
