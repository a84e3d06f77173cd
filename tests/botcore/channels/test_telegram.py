"""Telegram: what its updates mean, what a reply looks like there, and what becomes of a call."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from django.test import override_settings
from telegram import Update

from botcore.channels import http
from botcore.channels.telegram import Telegram
from botcore.channels.values import Card, Choice, MediaError, MediaReference, OutboundMessage, ReceivedEvent, Recipient
from botcore.models import Feedback
from tests.botcore.channels.conformance import KEY
from tests.botcore.channels.conftest import SECRET, TOKEN, update
from tests.botcore.channels.platform import as_json, delivery
from tests.factories import ContactFactory, ConversationFactory, TurnFactory

CHANNEL = Telegram({"token": TOKEN, "secret": SECRET, "api_base_url": "https://api.telegram.org"}, "key")
JACKET = Card(
    "J-1",
    "Moss jacket",
    "$89.00",
    "Waxed cotton",
    "https://cdn.example/j.jpg",
    "https://shop.example/j",
    Choice("token-1", 1),
)
ADA = Recipient("4711")


def parsed(value: dict[str, Any]) -> list[ReceivedEvent]:
    return CHANNEL.parse(delivery("https://chat.example/webhooks/telegram/key", as_json(value), {}))


def pressed(data: str, **message: Any) -> dict[str, Any]:
    person = {"id": 4711, "first_name": "Ada", "language_code": "zh-hans"}
    return {"update_id": 5, "callback_query": {"id": "q1", "from": person, "data": data, "message": message}}


def reacted(*emoji: str) -> dict[str, Any]:
    chat = {"id": 4711, "type": "private"}
    new = [{"type": "emoji", "emoji": one} for one in emoji]
    return {
        "update_id": 6,
        "message_reaction": {"chat": chat, "message_id": 77, "old_reaction": [], "new_reaction": new},
    }


# --- in


def test_a_message_carries_its_sender_and_language():
    assert parsed(update(3, "hello")) == [
        ReceivedEvent("3", "text", "4711", "hello", "Ada Byron", "en", {"message": "10"})
    ]


def test_a_caption_is_what_the_customer_wrote_under_a_picture():
    event = parsed(update(3, "", caption="one like this?"))[0]
    assert (event.kind, event.text) == ("text", "one like this?")


def test_a_sticker_is_kept_but_asks_nothing():
    value = update(3, "", sticker={"emoji": "👋"})
    assert [(event.kind, event.text) for event in parsed(value)] == [("other", "")]


@pytest.mark.parametrize("command", ["/start", "/start@shop_bot", "/start ref-1", "/new"])
def test_start_and_new_begin_again_with_a_greeting(command):
    events = parsed(update(9, command))
    assert [(event.event_key, event.kind, event.text) for event in events] == [
        ("9", "reset", ""),
        ("9:hello", "text", "hi"),
    ]


def test_groups_and_unknown_updates_are_left_alone():
    assert parsed(update(1, chat={"id": -5, "type": "group"})) == []
    assert parsed({"update_id": 1, "edited_message": update(1, "")["message"]}) == []
    assert parsed({"update_id": 1, "some_future_thing": {"a": 1}}) == []


def test_a_button_gives_its_token_back():
    event = parsed(pressed("token-1"))[0]
    assert (event.kind, event.text, event.data["token"]) == ("button", "", "token-1")


def test_a_photo_is_known_by_its_largest_size():
    event = parsed(update(3, "", photo=[{"file_id": "small"}, {"file_id": "large"}]))[0]
    assert (event.kind, event.media) == ("media", (MediaReference("photo", {"file_id": "large"}),))


@pytest.mark.parametrize(
    ("emoji", "verdict"), [(["👍"], "up"), (["❤️"], "up"), (["👎"], "down"), ([], "none"), (["🤔", "👎"], "down")]
)
def test_a_reaction_is_an_opinion_of_one_message(emoji, verdict):
    assert [dict(event.data) for event in parsed(reacted(*emoji))] == [{"verdict": verdict, "platform_id": "77"}]


def test_a_thoughtful_face_is_no_opinion():
    assert parsed(reacted("🤔")) == []


@pytest.mark.django_db
def test_a_pressed_button_stops_spinning_by_the_answer_to_its_webhook(webhook):
    assert webhook.post(pressed("token-1")).json() == {"method": "answerCallbackQuery", "callback_query_id": "q1"}
    assert webhook.post(update()).content == b""


@pytest.mark.django_db
def test_a_reaction_is_stored_with_the_reply_it_judges_and_goes_when_it_is_taken_back(webhook, telegram):
    contact = ContactFactory(account=telegram, external_id="4711")
    turn = TurnFactory(conversation=ConversationFactory(shop=telegram.shop, contact=contact))
    turn.conversation.outbound.create(turn=turn, content={}, platform_ids=["76", "77"])
    webhook.post(reacted("👎"))
    row = Feedback.objects.get()
    assert (row.turn, row.kind, row.source) == (turn, "down", "reaction")
    webhook.post({**reacted(), "update_id": 7})
    assert not Feedback.objects.exists()


@pytest.mark.parametrize(
    "value",
    [
        update(3, "hello 🧥 & <b>"),
        update(
            3, "", caption="one like this?", photo=[{"file_id": "f", "file_unique_id": "u", "width": 9, "height": 9}]
        ),
        {"update_id": 4, "edited_message": {**update(4, "blue")["message"], "edit_date": 5}},
        pressed("token-1"),
        reacted("👎"),
    ],
)
def test_other_peoples_reader_finds_the_same(value):
    """python-telegram-bot's, which is generated from the documentation with care."""
    (ours,) = parsed(value)
    theirs = Update.de_json({**value, **_complete(value)}, None)
    assert ours.event_key == str(theirs.update_id)
    assert theirs.effective_user is None or ours.contact_id == str(theirs.effective_user.id)
    message = theirs.message or theirs.edited_message
    if message:
        assert ours.text == (message.text or message.caption or "")
        assert ours.data["message"] == str(message.message_id)
        assert [media.reference["file_id"] for media in ours.media] == [size.file_id for size in message.photo[-1:]]
    elif theirs.callback_query:
        assert (ours.data["token"], ours.language) == (theirs.callback_query.data, "zh")
    else:
        assert ours.data["platform_id"] == str(theirs.message_reaction.message_id)
        assert theirs.message_reaction.new_reaction[0].emoji == "👎"


def _complete(value: dict[str, Any]) -> dict[str, Any]:
    """What that reader insists on and we do not need."""
    if "callback_query" in value:
        sender = {**value["callback_query"]["from"], "is_bot": False}
        return {"callback_query": {"id": "q1", "chat_instance": "c", "data": "token-1", "from": sender}}
    if "message_reaction" in value:
        return {"message_reaction": {**value["message_reaction"], "date": 1}}
    return {}


# --- out


def test_a_reply_with_a_product_is_a_text_with_thumbs_and_a_picture_with_buttons():
    message = OutboundMessage(
        "This one keeps the rain out.", 31, "en", (JACKET,), "Care guide", Choice("up-1"), Choice("down-1")
    )
    assert CHANNEL.render(message) == [
        {
            "method": "sendMessage",
            "params": {
                "text": "This one keeps the rain out.\n\nFrom: Care guide",
                "link_preview_options": {"is_disabled": True},
                "reply_markup": {
                    "inline_keyboard": [
                        [
                            {"text": "👍", "callback_data": "up-1"},
                            {"text": "👎", "callback_data": "down-1"},
                        ]
                    ]
                },
            },
        },
        {
            "method": "sendPhoto",
            "params": {
                "caption": "Moss jacket\n$89.00\nWaxed cotton",
                "caption_entities": [{"type": "bold", "offset": 0, "length": 11}],
                "reply_markup": {
                    "inline_keyboard": [
                        [
                            {"text": "Tell me more", "callback_data": "token-1"},
                            {"text": "Open in shop", "url": "https://shop.example/j"},
                        ]
                    ]
                },
                "photo": "https://cdn.example/j.jpg",
            },
        },
    ]


def test_a_product_without_a_picture_is_a_text():
    call = CHANNEL.render(OutboundMessage("Here.", 1, cards=(Card("J-1", "Moss jacket", "$89.00"),)))[1]
    assert (call["method"], call["params"]["text"]) == ("sendMessage", "Moss jacket\n$89.00")


def test_the_pressed_thumb_is_marked():
    message = OutboundMessage("Here.", 1, up=Choice("up-1"), down=Choice("down-1"), verdict="up")
    keyboard = CHANNEL.render(message)[0]["params"]["reply_markup"]["inline_keyboard"]
    assert [button["text"] for button in keyboard[0]] == ["👍 ✓", "👎"]


def test_a_long_reply_is_cut_and_its_thumbs_are_under_the_last_piece():
    calls = CHANNEL.render(OutboundMessage("🧥 jacket. " * 1000, 1, up=Choice("u"), down=Choice("d")))
    assert len(calls) == 3
    assert all(len(call["params"]["text"].encode("utf-16-le")) <= 2 * 4096 for call in calls)
    assert ["reply_markup" in call["params"] for call in calls] == [False, False, True]


def test_a_caption_stays_within_its_limit():
    call = CHANNEL.render(
        OutboundMessage("Here.", 1, cards=(Card("J", "Jacket", "$1", "soft " * 500, JACKET.image_url),))
    )
    assert len(call[1]["params"]["caption"]) <= 1024


def test_a_picture_on_a_server_telegram_cannot_reach_is_uploaded(tmp_path):
    (tmp_path / "j.jpg").write_bytes(b"jpeg")
    with override_settings(PUBLIC_URL="http://127.0.0.1:8000", MEDIA_ROOT=tmp_path):
        card = Card("J-1", "Moss jacket", "$89.00", image_url="http://127.0.0.1:8000/media/j.jpg")
        call = CHANNEL.render(OutboundMessage("Here.", 1, cards=(card,)))[1]
        assert (call["method"], call["upload"], "photo" in call["params"]) == ("sendPhoto", "j.jpg", False)
        escaping = Card("J-1", "Moss jacket", "$89.00", image_url="http://127.0.0.1:8000/media/../../etc/passwd")
        assert CHANNEL.render(OutboundMessage("Here.", 1, cards=(escaping,)))[1]["method"] == "sendMessage"


# --- calls


class Api:
    """A Bot API that answers what it is told to and remembers what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch):
    def answering(*answers: httpx.Response | Exception) -> Api:
        fake = Api(*answers)
        client = httpx.Client(transport=httpx.MockTransport(fake))
        monkeypatch.setattr(http, "client", lambda: client)
        return fake

    return answering


def refusal(status: int, description: str = "no", **parameters: Any) -> httpx.Response:
    return httpx.Response(status, json={"ok": False, "description": description, "parameters": parameters})


SENT = httpx.Response(200, json={"ok": True, "result": {"message_id": 42}})
TEXT = {"method": "sendMessage", "params": {"text": "Hello."}}


def test_a_sent_message_brings_its_id(api):
    fake = api(SENT)
    assert CHANNEL.send(ADA, TEXT, KEY).platform_id == "42"
    assert str(fake.requests[0].url) == f"https://api.telegram.org/bot{TOKEN}/sendMessage"
    assert json.loads(fake.requests[0].content) == {"chat_id": "4711", "text": "Hello."}


def test_too_many_requests_are_repeated_when_telegram_says(api):
    api(refusal(429, "Too Many Requests", retry_after=7))
    result = CHANNEL.send(ADA, TEXT, KEY)
    assert (result.ok, result.retry_after, result.permanent) == (False, 7.0, False)
    api(refusal(429, "Too Many Requests", retry_after=86_400))
    assert CHANNEL.send(ADA, TEXT, KEY).retry_after == 3600.0


@pytest.mark.parametrize(
    "answer",
    [
        refusal(500),
        httpx.Response(502, text="<html>"),
        httpx.Response(200, text="<html>"),
        refusal(401, "Unauthorized"),
        httpx.ReadTimeout(f"https://api.telegram.org/bot{TOKEN}/sendMessage"),
        httpx.ConnectError(f"https://api.telegram.org/bot{TOKEN}/sendMessage"),
    ],
)
def test_what_may_pass_is_tried_again(api, answer):
    api(answer)
    result = CHANNEL.send(ADA, TEXT, KEY)
    assert (result.ok, result.permanent) == (False, False)
    assert TOKEN not in result.error


@pytest.mark.parametrize("status", [400, 403])
def test_a_refusal_for_good_is_not_tried_again(api, status):
    api(refusal(status, f"bot{TOKEN} was blocked by the user"))
    result = CHANNEL.send(ADA, TEXT, KEY)
    assert (result.ok, result.permanent) == (False, True)
    assert result.error == f"sendMessage: {status} bot*** was blocked by the user"


def test_a_picture_telegram_refuses_arrives_as_text(api):
    fake = api(refusal(400, "Bad Request: wrong file identifier/HTTP URL specified"), SENT)
    result = CHANNEL.send(ADA, CHANNEL.render(OutboundMessage("Here.", 1, cards=(JACKET,)))[1], KEY)
    assert result.ok
    assert json.loads(fake.requests[1].content)["text"] == "Moss jacket\n$89.00\nWaxed cotton"


def test_an_upload_carries_the_file(api, tmp_path):
    (tmp_path / "j.jpg").write_bytes(b"jpeg bytes")
    fake = api(SENT)
    with override_settings(MEDIA_ROOT=tmp_path):
        params = {"caption": "Moss jacket", "caption_entities": []}
        assert CHANNEL.send(ADA, {"method": "sendPhoto", "upload": "j.jpg", "params": params}, KEY).ok
    body = fake.requests[0].content
    assert b'name="photo"; filename="j.jpg"' in body
    assert b"jpeg bytes" in body


def test_a_draft_is_shown_where_the_operator_wants_it(api):
    fake = api(SENT)
    CHANNEL.stream(ADA, 31, "It is")
    assert fake.requests == []
    Telegram({**CHANNEL.config, "streaming": "yes"}, "key").stream(ADA, 31, "It is")
    assert json.loads(fake.requests[0].content) == {"chat_id": 4711, "draft_id": 31, "text": "It is"}


def test_a_photo_is_fetched_by_the_path_that_telegram_names(api):
    named = httpx.Response(200, json={"ok": True, "result": {"file_path": "photos/file_1.jpg"}})
    fake = api(named, httpx.Response(200, content=b"\xff\xd8\xff\xe0 jpeg"))
    media = CHANNEL.fetch_media(MediaReference("photo", {"file_id": "large"}), 100)
    assert (media.content_type, media.content[:2]) == ("image/jpeg", b"\xff\xd8")
    assert str(fake.requests[1].url) == f"https://api.telegram.org/file/bot{TOKEN}/photos/file_1.jpg"


@pytest.mark.parametrize(
    "answers",
    [
        [httpx.Response(200, json={"ok": True, "result": {"file_path": "../../etc/passwd"}})],
        [refusal(400, "wrong file_id")],
        [httpx.ConnectError(f"https://api.telegram.org/bot{TOKEN}/getFile")],
        [
            httpx.Response(200, json={"ok": True, "result": {"file_path": "a.jpg"}}),
            httpx.Response(200, content=b"x" * 101),
        ],
        [httpx.Response(200, json={"ok": True, "result": {"file_path": "a.jpg"}}), httpx.ReadTimeout(TOKEN)],
    ],
)
def test_a_photo_that_cannot_be_had_says_why_without_a_secret(api, answers):
    api(*answers)
    with pytest.raises(MediaError) as refusal:
        CHANNEL.fetch_media(MediaReference("photo", {"file_id": "large"}), 100)
    assert TOKEN not in str(refusal.value)


def test_a_failing_typing_sign_is_of_no_consequence(api):
    api(httpx.ConnectError("no"))
    CHANNEL.typing(ADA)


# --- setting up


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({}, "needs --config token"),
        ({"token": "nonsense"}, "BotFather"),
        ({"token": TOKEN, "secret": "has spaces"}, "1 to 256 letters"),
        ({"token": TOKEN, "api_base_url": "localhost"}, "an address like"),
        ({"token": TOKEN, "tokken": "x"}, "knows no --config tokken"),
    ],
)
def test_a_wrong_configuration_says_what_to_write(config, complaint):
    with pytest.raises(ValueError, match=complaint):
        Telegram.prepare_config(config)


def test_a_secret_is_made_for_every_account():
    first, second = (Telegram.prepare_config({"token": TOKEN})["secret"] for _ in range(2))
    assert len(first) >= 32
    assert first != second


def test_connecting_tells_telegram_the_address_the_secret_and_what_to_send(api):
    fake = api(httpx.Response(200, json={"ok": True, "result": True}))
    lines = CHANNEL.connect("https://chat.example/webhooks/telegram/key")
    assert lines[0] == "webhook: https://chat.example/webhooks/telegram/key"
    asked = json.loads(fake.requests[0].content)
    assert asked["secret_token"] == SECRET
    assert asked["allowed_updates"] == ["message", "edited_message", "callback_query", "message_reaction"]
    assert TOKEN not in "".join(lines)


def test_connecting_without_https_says_what_to_do(api):
    lines = CHANNEL.connect("http://127.0.0.1:8000/webhooks/telegram/key")
    assert f"secret token: {SECRET}" in lines
    assert "PUBLIC_URL=https://" in lines[-1]
