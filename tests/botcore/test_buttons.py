"""A customer's choice finds what it stands for, and only under a message that this customer was sent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from botcore import buttons
from botcore.channels.values import Capabilities, Card, Choice, OutboundMessage
from botcore.models import Button, Outbound, Turn
from tests.factories import ContactFactory, ConversationFactory, TurnFactory

pytestmark = pytest.mark.django_db

NUMBERS = Capabilities(text_limit=1600, feedback="numbers")
BUTTONS = Capabilities(text_limit=4096, buttons=8, feedback="buttons")
CARDS = (Card("J-1", "Moss jacket", "$89.00"), Card("J-2", "Rain shell", "$129.00"))


def reply(can: Capabilities = NUMBERS) -> tuple[Outbound, OutboundMessage]:
    turn = TurnFactory()
    return sent(turn, OutboundMessage("Here.", turn.pk, cards=CARDS), can)


def sent(turn: Turn, message: OutboundMessage, can: Capabilities = NUMBERS) -> tuple[Outbound, OutboundMessage]:
    outbound = Outbound.objects.create(conversation=turn.conversation, turn=turn, content={})
    offered = buttons.offer(message, outbound, can)
    Outbound.objects.filter(pk=outbound.pk).update(content=offered.to_json())
    return outbound, offered


def test_products_then_thumbs_are_numbered_from_one():
    outbound, message = reply()
    assert [card.choice.number for card in message.cards] == [1, 2]
    assert (message.up.number, message.down.number) == (3, 4)
    tokens = {card.choice.token for card in message.cards} | {message.up.token, message.down.token}
    assert tokens == set(outbound.buttons.values_list("token", flat=True))
    assert OutboundMessage.from_json(message.to_json()) == message


def test_a_persons_message_is_not_judged():
    outbound = Outbound.objects.create(conversation=ConversationFactory(), content={})
    message = buttons.offer(OutboundMessage("It is Ben here.", cards=CARDS[:1]), outbound, NUMBERS)
    assert (message.up, message.down, message.cards[0].choice.number) == (None, None, 1)


@pytest.mark.parametrize("feedback", ["page", "none"])
def test_a_page_of_our_own_needs_no_tokens(feedback):
    _, message = reply(replace(NUMBERS, feedback=feedback))
    assert message.cards[0].choice == Choice()
    assert not Button.objects.exists()


@pytest.mark.parametrize("feedback", ["page", "none"])
def test_a_number_is_understood_on_a_page_of_our_own(feedback):
    can = replace(NUMBERS, feedback=feedback)
    outbound, _ = reply(can)
    assert buttons.written(outbound.conversation.contact, "2", can)["sku"] == "J-2"
    assert buttons.written(outbound.conversation.contact, "3", can) == {}


def test_a_token_is_its_readers_alone():
    outbound, message = reply()
    contact = outbound.conversation.contact
    token = message.cards[0].choice.token
    assert buttons.pressed(contact, token) == {"sku": "J-1", "text": "Moss jacket"}
    assert buttons.pressed(ContactFactory(account=contact.account), token) == {}
    assert buttons.pressed(contact, token[:-1]) == {}
    assert buttons.pressed(contact, "") == {}


@pytest.mark.parametrize("text", ["2", " 2 ", "2.", "#2", "２", "No. 2", "第2", "2号", "2。"])
def test_a_number_is_read_however_it_is_written(text):
    outbound, _ = reply()
    assert buttons.written(outbound.conversation.contact, text, NUMBERS)["sku"] == "J-2"


@pytest.mark.parametrize("text", ["9", "0", "22", "2 jackets", "size 2", "2 3", "", "-2", "2%", "$2", "12345678901"])
def test_anything_else_is_no_choice(text):
    outbound, _ = reply()
    assert buttons.written(outbound.conversation.contact, text, NUMBERS) == {}


def test_numbers_belong_to_the_last_reply_that_offered_any():
    first, _ = reply()
    turn = TurnFactory(conversation=first.conversation, number=2)
    sent(turn, OutboundMessage("And this?", turn.pk, cards=CARDS[1:]))
    sent(TurnFactory(conversation=first.conversation, number=3), OutboundMessage("It is Ben here."))
    assert buttons.written(first.conversation.contact, "1", NUMBERS)["sku"] == "J-2"


@pytest.mark.parametrize("status", ["failed", "held"])
def test_a_number_means_nothing_of_a_message_that_the_customer_never_saw(status):
    seen, _ = reply()
    turn = TurnFactory(conversation=seen.conversation, number=2)
    unseen, _ = sent(turn, OutboundMessage("Or this?", turn.pk, cards=CARDS[1:]))
    Outbound.objects.filter(pk=unseen.pk).update(status=status)
    assert buttons.written(seen.conversation.contact, "1", NUMBERS)["sku"] == "J-1"
    Outbound.objects.filter(pk=unseen.pk).update(parts_sent=1)
    assert buttons.written(seen.conversation.contact, "1", NUMBERS)["sku"] == "J-2"


def test_an_answer_is_judged_by_numbers_that_leave_the_products_before_it_theirs():
    shown, _ = reply()
    turn = TurnFactory(conversation=shown.conversation, number=2)
    _, answer = sent(turn, OutboundMessage("Yes, it is.", turn.pk, source="Care guide"))
    assert (answer.up.number, answer.down.number) == (3, 4)
    contact = shown.conversation.contact
    assert buttons.written(contact, "2", NUMBERS)["sku"] == "J-2"
    assert buttons.written(contact, "4", NUMBERS) == {"verdict": "down", "turn": turn.pk}
    assert buttons.written(contact, "5", NUMBERS) == {}


def test_an_answer_that_comes_first_is_judged_by_one_or_two():
    outbound, answer = sent(TurnFactory(), OutboundMessage("Within 30 days.", 7, source="Returns"))
    assert (answer.up.number, answer.down.number) == (1, 2)
    assert buttons.written(outbound.conversation.contact, "1", NUMBERS) == {"verdict": "up", "turn": 7}


def test_a_number_under_an_answer_with_buttons_chooses_no_product_of_before():
    shown, _ = reply(BUTTONS)
    turn = TurnFactory(conversation=shown.conversation, number=2)
    sent(turn, OutboundMessage("For how many people?", turn.pk), BUTTONS)
    assert buttons.written(shown.conversation.contact, "2", BUTTONS) == {}


def test_thumbs_have_numbers_only_where_these_are_shown():
    outbound, _ = reply()
    contact = outbound.conversation.contact
    assert buttons.written(contact, "3", NUMBERS)["verdict"] == "up"
    assert buttons.written(contact, "3", BUTTONS) == {}
    assert buttons.written(contact, "1", BUTTONS)["sku"] == "J-1"


def test_a_closed_conversation_offers_nothing():
    outbound, _ = reply()
    outbound.conversation.closed = True
    outbound.conversation.save()
    assert buttons.written(outbound.conversation.contact, "1", NUMBERS) == {}


def test_a_number_may_answer_a_question_where_thumbs_are_numbers():
    outbound, message = sent(TurnFactory(), OutboundMessage("How many people is it for?", 7))
    assert (message.up, message.down) == (None, None)
    assert buttons.written(outbound.conversation.contact, "2", NUMBERS) == {}
    assert sent(TurnFactory(), OutboundMessage("How many?", 7), BUTTONS)[1].up is not None
