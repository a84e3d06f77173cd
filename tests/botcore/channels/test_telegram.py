"""Telegram: what its updates mean, what a reply looks like there, and what becomes of a call."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from django.test import override_settings

from botcore.channels import telegram as module
from botcore.channels.telegram import Telegram
from botcore.channels.values import Card, OutboundMessage, ReceivedEvent
from botcore.models import Feedback, InboundEvent
from tests.botcore.channels.conftest import SECRET, TOKEN, update
from tests.factories import ContactFactory, ConversationFactory, TurnFactory

CHANNEL = Telegram({"token": TOKEN, "secret": SECRET, "api_base_url": "https://api.telegram.org"}, "key")
JACKET = Card("J-1", "Moss jacket", "$89.00", "Waxed cotton", "https://cdn.example/j.jpg", "https://shop.example/j")


def parsed(value: dict[str, Any]) -> list[ReceivedEvent]:
    return CHANNEL.parse(json.dumps(value).encode())


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
    assert parsed(update(3, "hello")) == [ReceivedEvent("3", "text", "4711", "hello", "Ada Byron", "en")]


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
    assert parsed({"update_id": 1, "edited_message": update()["message"]}) == []
    assert parsed({"update_id": 1, "some_future_thing": {"a": 1}}) == []


def test_a_thumb_button_names_its_turn():
    event = parsed(pressed("fb:31:down"))[0]
    assert (event.kind, event.data["verdict"], event.data["turn"]) == ("button", "down", 31)


def test_a_product_button_is_a_question_about_its_title():
    event = parsed(pressed("sku:J-1", caption="Moss jacket\n$89.00"))[0]
    assert (event.kind, event.text, event.data["sku"]) == ("button", "Moss jacket", "J-1")


@pytest.mark.parametrize("data", ["", "fb:x:up", "fb:1:sideways", "fb:" + "9" * 30 + ":up", "anything"])
def test_a_button_of_nobodys_making_asks_nothing(data):
    event = parsed(pressed(data))[0]
    assert (event.kind, event.text, "verdict" in event.data) == ("other", "", False)


@pytest.mark.parametrize(
    ("emoji", "verdict"), [(["👍"], "up"), (["❤️"], "up"), (["👎"], "down"), ([], "none"), (["🤔", "👎"], "down")]
)
def test_a_reaction_is_an_opinion_of_one_message(emoji, verdict):
    assert [dict(event.data) for event in parsed(reacted(*emoji))] == [{"verdict": verdict, "platform_id": "77"}]


def test_a_thoughtful_face_is_no_opinion():
    assert parsed(reacted("🤔")) == []


@pytest.mark.django_db
def test_a_pressed_button_stops_spinning_by_the_answer_to_its_webhook(webhook):
    assert webhook.post(pressed("fb:31:up")).json() == {
        "method": "answerCallbackQuery",
        "callback_query_id": "q1",
        "text": "谢谢",
    }
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


@pytest.mark.django_db
def test_nobody_judges_a_reply_to_somebody_else(webhook):
    turn = TurnFactory()
    webhook.post(pressed(f"fb:{turn.pk}:up"))
    assert InboundEvent.objects.count() == 1
    assert not Feedback.objects.exists()


# --- out


def test_a_reply_with_a_product_is_a_text_with_thumbs_and_a_picture_with_buttons():
    message = OutboundMessage("This one keeps the rain out.", 31, "en", (JACKET,), "Care guide")
    assert CHANNEL.render(message) == [
        {
            "method": "sendMessage",
            "params": {
                "text": "This one keeps the rain out.\n\nFrom: Care guide",
                "link_preview_options": {"is_disabled": True},
                "reply_markup": {
                    "inline_keyboard": [
                        [
                            {"text": "👍", "callback_data": "fb:31:up"},
                            {"text": "👎", "callback_data": "fb:31:down"},
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
                            {"text": "Tell me more", "callback_data": "sku:J-1"},
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


def test_a_sku_too_long_for_a_button_has_none():
    call = CHANNEL.render(OutboundMessage("Here.", 1, cards=(Card("é" * 40, "Moss jacket", "$89.00"),)))[1]
    assert "reply_markup" not in call["params"]


def test_a_long_reply_is_cut_and_its_thumbs_are_under_the_last_piece():
    calls = CHANNEL.render(OutboundMessage("🧥 jacket. " * 1000, 1))
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
        monkeypatch.setattr(module, "http", lambda: client)
        return fake

    return answering


def refusal(status: int, description: str = "no", **parameters: Any) -> httpx.Response:
    return httpx.Response(status, json={"ok": False, "description": description, "parameters": parameters})


SENT = httpx.Response(200, json={"ok": True, "result": {"message_id": 42}})
TEXT = {"method": "sendMessage", "params": {"text": "Hello."}}


def test_a_sent_message_brings_its_id(api):
    fake = api(SENT)
    assert CHANNEL.send("4711", TEXT).platform_id == "42"
    assert str(fake.requests[0].url) == f"https://api.telegram.org/bot{TOKEN}/sendMessage"
    assert json.loads(fake.requests[0].content) == {"chat_id": "4711", "text": "Hello."}


def test_too_many_requests_are_repeated_when_telegram_says(api):
    api(refusal(429, "Too Many Requests", retry_after=7))
    result = CHANNEL.send("4711", TEXT)
    assert (result.ok, result.retry_after, result.permanent) == (False, 7.0, False)


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
    result = CHANNEL.send("4711", TEXT)
    assert (result.ok, result.permanent) == (False, False)
    assert TOKEN not in result.error


@pytest.mark.parametrize("status", [400, 403])
def test_a_refusal_for_good_is_not_tried_again(api, status):
    api(refusal(status, f"bot{TOKEN} was blocked by the user"))
    result = CHANNEL.send("4711", TEXT)
    assert (result.ok, result.permanent) == (False, True)
    assert result.error == f"sendMessage: {status} bot*** was blocked by the user"


def test_a_picture_telegram_refuses_arrives_as_text(api):
    fake = api(refusal(400, "Bad Request: wrong file identifier/HTTP URL specified"), SENT)
    result = CHANNEL.send("4711", CHANNEL.render(OutboundMessage("Here.", 1, cards=(JACKET,)))[1])
    assert result.ok
    assert json.loads(fake.requests[1].content)["text"] == "Moss jacket\n$89.00\nWaxed cotton"


def test_an_upload_carries_the_file(api, tmp_path):
    (tmp_path / "j.jpg").write_bytes(b"jpeg bytes")
    fake = api(SENT)
    with override_settings(MEDIA_ROOT=tmp_path):
        params = {"caption": "Moss jacket", "caption_entities": []}
        assert CHANNEL.send("4711", {"method": "sendPhoto", "upload": "j.jpg", "params": params}).ok
    body = fake.requests[0].content
    assert b'name="photo"; filename="j.jpg"' in body
    assert b"jpeg bytes" in body


def test_a_failing_typing_sign_is_of_no_consequence(api):
    api(httpx.ConnectError("no"))
    CHANNEL.typing("4711")


# --- setting up


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({}, "needs --config token"),
        ({"token": "nonsense"}, "BotFather"),
        ({"token": TOKEN, "secret": "has spaces"}, "secret may hold"),
        ({"token": TOKEN, "api_base_url": "localhost"}, "not an address"),
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
    assert asked["allowed_updates"] == ["message", "callback_query", "message_reaction"]
    assert TOKEN not in "".join(lines)


def test_connecting_without_https_says_what_to_do(api):
    lines = CHANNEL.connect("http://127.0.0.1:8000/webhooks/telegram/key")
    assert f"secret token: {SECRET}" in lines
    assert "PUBLIC_URL=https://" in lines[-1]
