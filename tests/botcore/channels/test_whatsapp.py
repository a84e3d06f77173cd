"""WhatsApp: what its deliveries mean, also to pywa, and what a reply looks like there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pywa
from django.utils import timezone
from pywa import types

from botcore import delivery
from botcore.channels import http
from botcore.channels.meta.whatsapp import WhatsApp
from botcore.channels.values import Card, Choice, OutboundMessage, ReceivedEvent, Recipient, SendResult
from botcore.models import Outbound
from botcore.security import seal
from tests.botcore.channels.conformance import CARDS, KEY, MESSAGE
from tests.botcore.channels.meta_platform import (
    APP_SECRET,
    CUSTOMER,
    NUMBER,
    TOKEN,
    VERIFY,
    change,
    message,
    signed,
    status,
    whatsapp,
)
from tests.factories import AccountFactory, ContactFactory, ConversationFactory, ShopFactory, TurnFactory

CONFIG = {"phone_number_id": NUMBER, "token": TOKEN, "app_secret": APP_SECRET, "verify_token": VERIFY}
CHANNEL = WhatsApp(CONFIG, "key")
PYWA = pywa.WhatsApp(phone_id=NUMBER, token="unused")
URL = "https://shop.example/webhooks/whatsapp/key"


def parsed(value: Any) -> list[ReceivedEvent]:
    return CHANNEL.parse(signed(URL, value))


def said(kind: str, content: Any, **more: Any) -> ReceivedEvent:
    (event,) = parsed(whatsapp(change(message(kind, content, **more))))
    return event


# --- in ---------------------------------------------------------------------------------------------------------------


def test_a_message_carries_its_sender_and_what_it_is_answered_by():
    assert said("text", {"body": "a green jacket"}) == ReceivedEvent(
        "wamid.1",
        "text",
        CUSTOMER,
        "a green jacket",
        "Ada Byron",
        data={"message": "wamid.1"},
        address={"message": "wamid.1"},
    )


def test_pywa_reads_the_same_words_sender_and_number():
    value = whatsapp(change(message("text", {"body": "港湾 大衣?"})))
    theirs, (ours,) = types.Message.from_update(PYWA, value), parsed(value)
    assert (theirs.text, theirs.id, theirs.from_user.wa_id) == (ours.text, ours.event_key, ours.contact_id)
    assert (theirs.from_user.name, theirs.metadata.phone_number_id) == (ours.contact_name, NUMBER)


@pytest.mark.parametrize(
    ("kind", "read"),
    [
        ("list_reply", types.CallbackSelection.from_update),
        ("button_reply", types.CallbackButton.from_update),
    ],
)
def test_pywa_reads_the_same_choice(kind: str, read: Callable[..., Any]):
    value = whatsapp(
        change(
            message(
                "interactive",
                {"type": kind, kind: {"id": "tok-1", "title": "Moss"}},
                context={"from": "1555", "id": "wamid.out"},
            )
        )
    )
    (ours,) = parsed(value)
    assert (ours.kind, ours.text, ours.data["token"]) == ("button", "", read(PYWA, value).data)


def test_pywa_reads_the_same_edit():
    edit = {"original_message_id": "wamid.1", "message": {**message("text", {"body": "a blue one"}), "id": "wamid.1"}}
    value = whatsapp(change(message("edit", edit, 9)))
    theirs, (ours,) = types.EditedMessage.from_update(PYWA, value), parsed(value)
    assert (ours.kind, ours.text, ours.event_key) == ("edit", theirs.message.text, theirs.id)
    assert ours.data["message"] == theirs.original_message_id


@pytest.mark.parametrize(("kind", "ours"), [("image", "photo"), ("audio", "voice")])
def test_pywa_reads_the_same_file(kind, ours):
    file = {"id": "1003383421387256", "mime_type": "image/jpeg", "sha256": "a=", "caption": "one like this?"}
    if kind == "audio":
        file |= {"voice": True}
    value = whatsapp(change(message(kind, file)))
    (event,) = parsed(value)
    (media,) = event.media
    assert (event.kind, event.text, media.kind) == ("media", "one like this?", ours)
    assert media.reference["id"] == types.Message.from_update(PYWA, value).media.id


@pytest.mark.parametrize("told", ["delivered", "read", "failed"])
def test_pywa_reads_the_same_receipt(told):
    errors = {"errors": [{"code": 131026, "title": "Message undeliverable", "message": "Message undeliverable"}]}
    value = whatsapp(change(statuses=[status("wamid.out", told, **(errors if told == "failed" else {}))]))
    value["entry"][0]["changes"][0]["value"]["contacts"] = [{"wa_id": CUSTOMER, "user_id": "US.1"}]
    theirs, (ours,) = types.MessageStatus.from_update(PYWA, value), parsed(value)
    assert (ours.data["platform_id"], ours.data["status"]) == (theirs.id, theirs.status.value)
    assert ours.contact_id == theirs.from_user.wa_id
    if told == "failed":
        assert ours.data["error"] == "131026 Message undeliverable"
        assert theirs.error.code == 131026


def test_that_a_message_was_sent_is_no_news():
    assert parsed(whatsapp(change(statuses=[status("wamid.out", "sent")]))) == []


ORDER = {
    "catalog_id": "194836987003835",
    "text": "Is it in time for Friday?",
    "product_items": [
        {"product_retailer_id": "SKU-1", "quantity": 2, "item_price": 89, "currency": "USD"},
        {"product_retailer_id": "SKU-3", "quantity": "1", "item_price": 159, "currency": "USD"},
    ],
}


def test_a_cart_is_what_the_customer_wrote_and_its_products():
    event = said("order", ORDER)
    assert (event.kind, event.text) == ("text", "Is it in time for Friday?\n🛒 2 × SKU-1, 1 × SKU-3")
    assert event.data["order"] == [{"sku": "SKU-1", "quantity": 2}, {"sku": "SKU-3", "quantity": 1}]
    assert "sku" not in event.data


def test_a_cart_of_one_product_without_words_asks_about_it():
    items = [{**ORDER["product_items"][0], "quantity": 0}]
    event = said("order", {"catalog_id": "1", "product_items": items})
    assert (event.text, event.data["sku"]) == ("🛒 1 × SKU-1", "SKU-1")
    asked = said("order", {"catalog_id": "1", "product_items": items, "text": "In blue?"})
    assert (asked.text, "sku" in asked.data) == ("In blue?\n🛒 1 × SKU-1", False)


def test_pywa_reads_the_same_cart():
    items = [{**item, "quantity": int(item["quantity"])} for item in ORDER["product_items"]]
    value = whatsapp(change(message("order", {**ORDER, "product_items": items})))
    theirs, (ours,) = types.Message.from_update(PYWA, value).order, parsed(value)
    assert [(item["sku"], item["quantity"]) for item in ours.data["order"]] == [
        (product.sku, product.quantity) for product in theirs.products
    ]


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("sticker", {"id": "1", "mime_type": "image/webp", "animated": False}),
        ("location", {"latitude": 38.9, "longitude": -77.0, "name": "Main Street Beach"}),
        ("contacts", [{"name": {"formatted_name": "Ada"}}]),
        ("video", {"id": "1", "mime_type": "video/mp4"}),
        ("interactive", {"type": "nfm_reply", "nfm_reply": {"response_json": "{}"}}),
        ("unsupported", {"type": "unknown"}),
        ("of a later day", {"a": 1}),
    ],
)
def test_what_a_salesperson_has_no_use_for_is_kept_and_asks_nothing(kind, content):
    event = said(kind, content)
    assert (event.kind, event.text, event.media) == ("other", "", ())


def test_the_words_below_a_film_or_on_a_templates_button_are_words():
    assert said("video", {"id": "1", "caption": "this colour"}).text == "this colour"
    event = said("button", {"payload": "Yes", "text": "Yes, tell me"})
    assert (event.kind, event.text) == ("text", "Yes, tell me")


@pytest.mark.parametrize(
    "odd",
    [
        message("text", {"body": "hi"}, group_id="Y2FwaV9ncm91cDo"),
        message("system", {"type": "user_changed_number", "body": "changed"}),
        message("revoke", {"original_message_id": "wamid.0"}),
    ],
)
def test_groups_deletions_and_changed_numbers_are_left_alone(odd):
    assert parsed(whatsapp(change(odd))) == []


def test_a_delivery_for_another_number_or_another_product_is_not_ours():
    assert parsed(whatsapp(change(message("text", {"body": "hi"}), number="999"))) == []
    assert parsed({"object": "page", "entry": [{"id": "1", "messaging": []}]}) == []
    assert parsed(whatsapp({"field": "account_alerts", "value": {}})) == []


def test_a_batch_of_several_entries_and_changes_is_read_whole():
    first = whatsapp(change(message("text", {"body": "one"}, 1)), change(statuses=[status("wamid.o", "read")]))
    second = whatsapp(change(message("text", {"body": "two"}, 2), message("text", {"body": "three"}, 3)))
    other = whatsapp(change(message("text", {"body": "not ours"}, 4), number="999"))
    events = parsed({**first, "entry": [*first["entry"], *second["entry"], *other["entry"]]})
    assert [(event.kind, event.text) for event in events] == [
        ("text", "one"),
        ("status", ""),
        ("text", "two"),
        ("text", "three"),
    ]


def test_a_customer_who_hides_the_number_is_known_and_written_to_by_a_user_id(platform):
    hidden = message("text", {"body": "hi"}, from_user_id="US.1349")
    del hidden["from"]
    (event,) = parsed(whatsapp(change(hidden)))
    assert (event.contact_id, event.contact_name) == ("US.1349", "Ada Byron")
    sent(platform, CHANNEL.render(OutboundMessage("Hello."))[0], contact="US.1349")
    assert platform[0]["recipient"] == "US.1349"
    assert "to" not in platform[0]


def test_a_reaction_that_was_taken_away_takes_the_opinion_back():
    assert said("reaction", {"message_id": "wamid.out"}).data == {"verdict": "none", "platform_id": "wamid.out"}
    assert parsed(whatsapp(change(message("reaction", {"message_id": "wamid.out", "emoji": "😂"})))) == []


# --- out --------------------------------------------------------------------------------------------------------------


def test_several_products_are_a_picture_with_buttons_each_after_the_text():
    text, *products = CHANNEL.render(MESSAGE)
    assert text["text"]["body"] == "These keep the rain out.\nThe first is the lightest.\n\nFrom: Care guide"
    assert [call["interactive"]["header"]["image"]["link"] for call in products] == [card.image_url for card in CARDS]
    assert [call["interactive"]["body"]["text"] for call in products] == [
        "1. Moss jacket\n$89.00\nWaxed cotton, for men & women\nhttps://shop.example/p/1?a=1&b=2",
        "2. Rain shell <Pro> “Überzieher”\n$129.00\nWaxed cotton, for men & women\nhttps://shop.example/p/2?a=1&b=2",
        "3. 港湾 大衣\n$159.00\nWaxed cotton, for men & women\nhttps://shop.example/p/3?a=1&b=2",
    ]
    assert [[button["reply"]["id"] for button in call["interactive"]["action"]["buttons"]] for call in products] == [
        ["tok-1-abcdefg"],
        ["tok-2-abcdefg"],
        ["tok-3-abcdefg", "tok-up-abcdefg", "tok-down-abcdef"],
    ]


@pytest.mark.parametrize("kind", ["webp", "gif", "svg", "AVIF"])
def test_no_picture_is_sent_that_whatsapp_finds_it_cannot_show_only_later(kind):
    cards = (CARDS[0], replace(CARDS[1], image_url=f"https://cdn.example/2.{kind}?width=600"))
    _, first, second = CHANNEL.render(replace(MESSAGE, cards=cards))
    assert "header" in first["interactive"]
    assert "header" not in second["interactive"]
    assert second["interactive"]["body"]["text"].startswith("2. Rain shell")


BARE = replace(MESSAGE, cards=tuple(replace(card, image_url="") for card in CARDS))


def test_several_products_without_pictures_are_one_list_that_pywa_would_write_the_same():
    (call,) = CHANNEL.render(BARE)
    listed = call["interactive"]
    assert listed["body"]["text"] == (
        "These keep the rain out.\nThe first is the lightest.\n\nFrom: Care guide\n\n"
        "1. Moss jacket · $89.00\nWaxed cotton, for men & women\nhttps://shop.example/p/1?a=1&b=2\n\n"
        "2. Rain shell <Pro> “Überzieher” · $129.00\nWaxed cotton, for men & women\nhttps://shop.example/p/2?a=1&b=2\n\n"
        "3. 港湾 大衣 · $159.00\nWaxed cotton, for men & women\nhttps://shop.example/p/3?a=1&b=2\n\n"
        "Reply with a number to hear more"
    )
    theirs = types.SectionList(
        button_title="Products",
        sections=[
            types.Section(
                title="Products",
                rows=[
                    types.SectionRow("1. Moss jacket", "tok-1-abcdefg", "$89.00 · Waxed cotton, for men & women"),
                    types.SectionRow(
                        "2. Rain shell <Pro>…", "tok-2-abcdefg", "$129.00 · Waxed cotton, for men & women"
                    ),
                    types.SectionRow("3. 港湾 大衣", "tok-3-abcdefg", "$159.00 · Waxed cotton, for men & women"),
                ],
            ),
            types.Section(
                title="Was this helpful?",
                rows=[
                    types.SectionRow("👍 Helpful", "tok-up-abcdefg"),
                    types.SectionRow("👎 Not helpful", "tok-down-abcdef"),
                ],
            ),
        ],
    )
    assert plain(listed["action"]) == plain(theirs.to_dict())


def plain(value: Any) -> Any:
    """Without what is not said, and with lists for tuples."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items() if item is not None}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def test_one_product_is_a_picture_with_its_button_and_the_thumbs():
    (call,) = CHANNEL.render(replace(MESSAGE, cards=CARDS[:1], source=""))
    assert call["interactive"] == {
        "type": "button",
        "header": {"type": "image", "image": {"link": "https://cdn.example/1.jpg"}},
        "body": {
            "text": "These keep the rain out.\nThe first is the lightest.\n\nMoss jacket\n$89.00\n"
            "Waxed cotton, for men & women\nhttps://shop.example/p/1?a=1&b=2"
        },
        "action": {
            "buttons": [
                types.Button("Tell me more", "tok-1-abcdefg").to_dict(),
                types.Button("👍 Helpful", "tok-up-abcdefg").to_dict(),
                types.Button("👎 Not helpful", "tok-down-abcdef").to_dict(),
            ]
        },
    }


def test_a_link_longer_than_a_message_is_left_out_whole():
    long = replace(CARDS[0], url="https://shop.example/" + "a" * 1100)
    (call,) = CHANNEL.render(replace(MESSAGE, cards=(long,)))
    assert "shop.example" not in call["interactive"]["body"]["text"]
    assert "$89.00" in call["interactive"]["body"]["text"]


def test_a_picture_that_whatsapp_cannot_reach_is_left_out():
    card = replace(CARDS[0], image_url="http://localhost:8000/media/1.jpg")
    (call,) = CHANNEL.render(replace(MESSAGE, cards=(card,)))
    assert "header" not in call["interactive"]


def test_a_short_answer_has_its_thumbs_and_a_long_one_a_question_below():
    answer = replace(MESSAGE, cards=(), source="")
    (call,) = CHANNEL.render(answer)
    assert [button["reply"]["title"] for button in call["interactive"]["action"]["buttons"]] == [
        "👍 Helpful",
        "👎 Not helpful",
    ]
    text, question = CHANNEL.render(replace(answer, text="word " * 400))
    assert (text["type"], question["interactive"]["body"]["text"]) == ("text", "Was this helpful?")


@pytest.mark.parametrize(("count", "messages"), [(4, 5), (5, 1), (8, 1)])
def test_more_products_than_a_reply_of_ours_has_are_one_list_rather_than_many_messages(count, messages):
    cards = tuple(replace(card, image_url=f"https://cdn.example/{card.sku}.png") for card in many(count))
    assert len(CHANNEL.render(replace(MESSAGE, cards=cards))) == messages


@pytest.mark.parametrize(("count", "messages"), [(8, 1), (9, 2), (10, 2), (11, 1)])
def test_no_list_is_longer_than_ten_rows(count, messages):
    calls = CHANNEL.render(replace(MESSAGE, cards=many(count)))
    rows = [
        row
        for call in calls
        for section in call.get("interactive", {}).get("action", {}).get("sections", ())
        for row in section["rows"]
    ]
    assert len(calls) == messages
    assert len(rows) == (0 if count > 10 else count + (2 if count <= 8 else 0))
    assert all(f"Coat {number}" in str(calls) for number in range(count))
    assert MESSAGE.up.token in str(calls)


def many(count: int, detail: str = "") -> tuple[Card, ...]:
    return tuple(
        Card(f"S{number}", f"Coat {number}", "$5", detail, choice=Choice(f"t{number}", number + 1))
        for number in range(count)
    )


LONG = "a very long description 很长的说明 " * 60


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("count", [0, 1, 2, 4, 8, 10, 12])
@pytest.mark.parametrize("text", ["Hello.", "很" * 1500, "word " * 3000])
@pytest.mark.parametrize("picture", ["", "https://cdn.example/1.jpg"])
def test_every_part_keeps_to_its_length(language, count, text, picture):
    """As documented for buttons and lists; no two buttons or rows of a message say the same."""
    cards = tuple(
        replace(card, title=f"{card.title} {LONG}", url="https://shop.example/p", image_url=picture)
        for card in many(count, LONG)
    )
    for call in CHANNEL.render(replace(MESSAGE, text=text, language=language, cards=cards)):
        shown = call.get("interactive")
        if not shown:
            assert 0 < len(call["text"]["body"]) <= 4096
            continue
        assert 0 < len(shown["body"]["text"]) <= (1024 if shown["type"] == "button" else 4096)
        buttons = [button["reply"] for button in shown["action"].get("buttons", ())]
        assert len(buttons) <= 3
        rows = [row for section in shown["action"].get("sections", ()) for row in section["rows"]]
        assert all(len(section["title"]) <= 24 for section in shown["action"].get("sections", ()))
        assert all(len(row["title"]) <= 24 and len(row.get("description", "")) <= 72 for row in rows)
        assert all(len(button["title"]) <= 20 for button in buttons)
        for choices in (buttons, rows):
            assert len({choice["title"] for choice in choices}) == len(choices)


def test_after_the_window_there_is_the_template_and_nothing_without_one():
    assert CHANNEL.reopen(MESSAGE) == []
    channel = WhatsApp({**CONFIG, "template_name": "come_back", "template_language": "zh_CN"}, "key")
    assert channel.reopen(MESSAGE) == [
        {"type": "template", "template": {"name": "come_back", "language": {"code": "zh_CN"}}}
    ]


@pytest.fixture
def platform(monkeypatch) -> list[dict[str, Any]]:
    """The bodies that WhatsApp was sent; it refuses pictures."""
    bodies: list[dict[str, Any]] = []

    def handle(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        bodies.append(body)
        assert str(request.url) == f"{WhatsApp.api}/{NUMBER}/messages"
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        if "header" in body.get("interactive", {}):
            return httpx.Response(400, json={"error": {"code": 131053, "message": "Media upload error"}})
        return httpx.Response(200, json={"messages": [{"id": "wamid.out"}]})

    client = httpx.Client(transport=httpx.MockTransport(handle))
    monkeypatch.setattr(http, "client", lambda: client)
    return bodies


def sent(platform: list[dict[str, Any]], payload: dict[str, Any], contact: str = CUSTOMER) -> SendResult:
    return CHANNEL.send(Recipient(contact), payload, KEY)


def test_a_product_whose_picture_is_refused_arrives_without_it(platform):
    (call,) = CHANNEL.render(replace(MESSAGE, cards=CARDS[:1]))
    assert sent(platform, call).platform_id == "wamid.out"
    assert ["header" in body["interactive"] for body in platform] == [True, False]
    assert platform[1]["to"] == CUSTOMER


def test_typing_marks_the_message_it_answers_as_read(platform):
    CHANNEL.typing(Recipient(CUSTOMER))
    assert platform == []
    CHANNEL.typing(Recipient(CUSTOMER, {"message": "wamid.1"}))
    assert platform == [
        {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": "wamid.1",
            "typing_indicator": {"type": "text"},
        }
    ]


@pytest.mark.django_db
def test_a_customer_who_wrote_yesterday_is_asked_back_and_the_reply_is_kept(platform):
    config = {**CONFIG, "template_name": "come_back", "template_language": "en_US"}
    account = AccountFactory(shop=ShopFactory(), channel="whatsapp", sealed_config=seal(config))
    heard = timezone.now() - timedelta(hours=25)
    contact = ContactFactory(account=account, external_id=CUSTOMER, heard_at=heard)
    turn = TurnFactory(conversation=ConversationFactory(shop=account.shop, contact=contact))
    outbound = Outbound.objects.create(
        conversation=turn.conversation, turn=turn, content=OutboundMessage("Hello.", turn.pk).to_json()
    )
    delivery.deliver(outbound.pk)
    outbound.refresh_from_db()
    assert [body["type"] for body in platform] == ["template"]
    assert (outbound.status, outbound.parts_sent) == (Outbound.Status.FAILED, 0)
