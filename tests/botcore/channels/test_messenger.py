"""Messenger and Instagram: what their deliveries mean, and what a reply looks like there."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from botcore.channels import http
from botcore.channels.chunking import size
from botcore.channels.meta.messenger import Instagram, Messenger
from botcore.channels.values import Card, Choice, ReceivedEvent, Recipient
from tests.botcore.channels.conformance import CARDS, KEY, MESSAGE
from tests.botcore.channels.meta_platform import (
    ACCOUNT,
    APP_SECRET,
    CUSTOMER,
    PAGE,
    TOKEN,
    VERIFY,
    messaging,
    page,
    signed,
)

SECRETS = {"token": TOKEN, "app_secret": APP_SECRET, "verify_token": VERIFY}
MESSENGER = Messenger({"page_id": PAGE, **SECRETS}, "key")
INSTAGRAM = Instagram({"account_id": ACCOUNT, **SECRETS}, "key")
URL = "https://shop.example/webhooks/messenger/key"
BOTH = pytest.mark.parametrize("channel", [MESSENGER, INSTAGRAM], ids=lambda channel: channel.name)


def parsed(channel: Messenger, **told: Any) -> list[ReceivedEvent]:
    account = channel.account_id
    return channel.parse(signed(URL, page(account, messaging(account, **told), kind=channel.kind)))


# --- in ---------------------------------------------------------------------------------------------------------------


@BOTH
def test_a_message_is_known_by_its_id(channel):
    assert parsed(channel, message={"mid": "m_1", "text": "hi"}) == [
        ReceivedEvent("m_1", "text", CUSTOMER, "hi", data={"message": "m_1"})
    ]


@BOTH
@pytest.mark.parametrize("mark", ["is_echo", "is_deleted", "is_self"])
def test_the_shops_own_words_and_what_was_taken_back_are_left_alone(channel, mark):
    assert parsed(channel, message={"mid": "m_1", "text": "hi", mark: True}) == []


def test_what_the_page_itself_does_is_left_alone():
    event = {"sender": {"id": PAGE}, "recipient": {"id": CUSTOMER}, "timestamp": 1}
    reaction = {"mid": "m", "action": "react", "emoji": "👍"}
    assert MESSENGER.parse(signed(URL, page(PAGE, {**event, "reaction": reaction}))) == []
    to_itself = {**event, "recipient": {"id": PAGE}, "message": {"mid": "m", "text": "a note"}}
    assert MESSENGER.parse(signed(URL, page(PAGE, to_itself))) == []


def test_a_delivery_for_another_page_is_not_ours():
    event = messaging(PAGE, message={"mid": "m_1", "text": "hi"})
    assert MESSENGER.parse(signed(URL, page("999", event))) == []
    assert MESSENGER.parse(signed(URL, page(PAGE, {**event, "recipient": {"id": "999"}}))) == []
    assert MESSENGER.parse(signed(URL, page(PAGE, event, kind="instagram"))) == []


def test_what_another_application_answers_is_left_alone():
    event = messaging(PAGE, message={"mid": "m_1", "text": "hi"})
    assert MESSENGER.parse(signed(URL, {"object": "page", "entry": [{"id": PAGE, "standby": [event]}]})) == []


def test_a_batch_of_several_entries_is_read_whole():
    entries = [
        {"id": PAGE, "messaging": [messaging(PAGE, message={"mid": f"m_{number}", "text": str(number)})]}
        for number in range(3)
    ]
    assert [event.text for event in MESSENGER.parse(signed(URL, {"object": "page", "entry": entries}))] == [
        "0",
        "1",
        "2",
    ]


@BOTH
def test_a_quick_reply_and_a_carousels_button_give_their_tokens_back(channel):
    quick = parsed(channel, message={"mid": "m_1", "text": "👍 Helpful", "quick_reply": {"payload": "tok-up"}})
    button = parsed(channel, postback={"mid": "m_1", "title": "Tell me more", "payload": "tok-1"})
    assert [(event.kind, event.text, event.data) for event in quick + button] == [
        ("button", "", {"token": "tok-up"}),
        ("button", "", {"token": "tok-1"}),
    ]
    assert quick[0].event_key != button[0].event_key


def test_a_button_without_an_id_is_known_by_its_time():
    (event,) = parsed(MESSENGER, postback={"title": "Tell me more", "payload": "tok-1"})
    assert event.event_key == f"{CUSTOMER}:1458692752478:postback"


@BOTH
@pytest.mark.parametrize(
    ("reaction", "verdict"),
    [
        ({"action": "react", "emoji": "👍", "reaction": "like"}, "up"),
        ({"action": "react", "emoji": "\u2764\ufe0f", "reaction": "love"}, "up"),
        ({"action": "react", "reaction": "dislike"}, "down"),
        ({"action": "unreact"}, "none"),
    ],
)
def test_a_reaction_is_a_verdict(channel, reaction, verdict):
    (event,) = parsed(channel, reaction={"mid": "m_out", **reaction})
    assert (event.kind, event.data) == ("reaction", {"verdict": verdict, "platform_id": "m_out"})


def test_other_feelings_say_nothing():
    assert parsed(MESSENGER, reaction={"mid": "m_out", "action": "react", "reaction": "wow", "emoji": "😮"}) == []
    assert parsed(MESSENGER, reaction={"mid": "m_out", "action": "react", "reaction": "other"}) == []


def test_a_receipt_is_noted_for_every_message_that_is_named():
    events = parsed(MESSENGER, delivery={"mids": ["m_1", "m_2"], "watermark": 1})
    assert [event.data for event in events] == [{"platform_id": mid, "status": "delivered"} for mid in ("m_1", "m_2")]
    assert parsed(MESSENGER, delivery={"watermark": 1}) == []
    assert parsed(MESSENGER, read={"watermark": 1}) == []
    assert [event.data["status"] for event in parsed(INSTAGRAM, read={"mid": "m_1"})] == ["read"]


def test_photos_and_voice_are_kept_by_their_addresses_and_stickers_are_not():
    url = "https://scontent.xx.fbcdn.net/v/1"
    files = [{"type": kind, "payload": {"url": url}} for kind in ("image", "image", "audio", "video", "file")]
    (event,) = parsed(MESSENGER, message={"mid": "m", "text": "like these?", "attachments": files})
    assert (event.kind, event.text, [media.kind for media in event.media]) == (
        "media",
        "like these?",
        ["photo", "photo", "voice"],
    )
    sticker = [{"type": "image", "payload": {"url": url, "sticker_id": 369239263222822}}]
    (event,) = parsed(MESSENGER, message={"mid": "m", "attachments": sticker})
    assert (event.kind, event.media) == ("other", ())


@BOTH
@pytest.mark.parametrize("told", [{"optin": {"ref": "a"}}, {"referral": {"ref": "a"}}, {"pass_thread_control": {}}, {}])
def test_what_we_do_not_need_is_left_alone(channel, told):
    assert parsed(channel, **told) == []


def test_a_second_edit_is_another_event():
    keys = [
        parsed(MESSENGER, message_edit={"mid": "m", "text": "blue", "num_edit": number})[0].event_key
        for number in (1, 2, 2)
    ]
    assert keys == ["m:edit:1", "m:edit:2", "m:edit:2"]


# --- out --------------------------------------------------------------------------------------------------------------

THUMBS = [
    {"content_type": "text", "title": "👍 Helpful", "payload": "tok-up-abcdefg"},
    {"content_type": "text", "title": "👎 Not helpful", "payload": "tok-down-abcdef"},
]


def test_messengers_reply_is_its_text_and_a_carousel_with_the_thumbs_below():
    text, products = MESSENGER.render(MESSAGE)
    assert text == {"text": "These keep the rain out.\nThe first is the lightest.\n\nFrom: Care guide"}
    assert products["quick_replies"] == THUMBS
    template = products["attachment"]["payload"]
    assert (products["attachment"]["type"], template["template_type"]) == ("template", "generic")
    assert template["elements"][0] == {
        "title": "Moss jacket",
        "subtitle": "$89.00 · Waxed cotton, for men & women",
        "image_url": "https://cdn.example/1.jpg",
        "buttons": [
            {"type": "postback", "title": "Tell me more", "payload": "tok-1-abcdefg"},
            {"type": "web_url", "title": "Open in shop", "url": "https://shop.example/p/1?a=1&b=2"},
        ],
    }


def test_instagrams_thumbs_stand_under_a_text():
    text, products, question = INSTAGRAM.render(MESSAGE)
    assert "quick_replies" not in text
    assert "quick_replies" not in products
    assert question == {"text": "Was this helpful?", "quick_replies": THUMBS}
    assert INSTAGRAM.render(replace(MESSAGE, cards=()))[-1]["quick_replies"] == THUMBS


def test_what_meta_cannot_reach_is_left_out():
    card = replace(CARDS[0], image_url="http://localhost/1.jpg", url="")
    products = MESSENGER.render(replace(MESSAGE, cards=(card,)))[-1]
    (element,) = products["attachment"]["payload"]["elements"]
    assert "image_url" not in element
    assert [button["type"] for button in element["buttons"]] == ["postback"]


@BOTH
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("count", [0, 1, 10, 23])
def test_every_part_keeps_to_its_length(channel, language, count):
    long = "a very long description 很长的说明 " * 20
    cards = tuple(
        Card(f"S{n}", f"Coat {n} {long}", "$5", long, choice=Choice(f"t{n}", n + 1), url="https://shop.example/p")
        for n in range(count)
    )
    calls = channel.render(replace(MESSAGE, text=long * 8, language=language, cards=cards))
    elements = [
        element for call in calls if "attachment" in call for element in call["attachment"]["payload"]["elements"]
    ]
    assert len(elements) == count
    assert all(len(call["attachment"]["payload"]["elements"]) <= 10 for call in calls if "attachment" in call)
    assert all(size(call["text"], "bytes") <= channel.capabilities.text_limit for call in calls if "text" in call)
    for element in elements:
        assert len(element["title"]) <= 80
        assert len(element["subtitle"]) <= 80
        assert all(len(button["title"]) <= 20 for button in element["buttons"])
    assert [bool(call.get("quick_replies")) for call in calls] == [False] * (len(calls) - 1) + [True]


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        (MESSENGER, "https://graph.facebook.com/v23.0/me/messages"),
        (INSTAGRAM, "https://graph.instagram.com/v23.0/me/messages"),
    ],
)
def test_a_message_is_a_response_and_wears_no_persons_tag(monkeypatch, channel, address):
    bodies = []

    def handle(request: httpx.Request) -> httpx.Response:
        assert (str(request.url), request.headers["Authorization"]) == (address, f"Bearer {TOKEN}")
        bodies.append(json.loads(request.content))
        return httpx.Response(200, json={"recipient_id": CUSTOMER, "message_id": "m_out"})

    client = httpx.Client(transport=httpx.MockTransport(handle))
    monkeypatch.setattr(http, "client", lambda: client)
    assert channel.send(Recipient(CUSTOMER), {"text": "Hello."}, KEY).platform_id == "m_out"
    channel.typing(Recipient(CUSTOMER))
    assert bodies == [
        {"recipient": {"id": CUSTOMER}, "messaging_type": "RESPONSE", "message": {"text": "Hello."}},
        {"recipient": {"id": CUSTOMER}, "sender_action": "typing_on"},
    ]


@BOTH
def test_nothing_is_sent_after_the_window(channel):
    assert channel.reopen(MESSAGE) == []
