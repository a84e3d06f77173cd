"""Feishu and Lark: what events mean, what a reply looks like. lark-oapi opens, verifies and reads as well."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from lark_oapi.core.model import RawRequest
from lark_oapi.event.callback.model.p2_card_action_trigger import P2CardActionTriggerResponse
from lark_oapi.event.dispatcher_handler import EventDispatcherHandler

from botcore.channels import access, feishu
from botcore.channels.feishu import Feishu
from botcore.channels.values import (
    MalformedBodyError,
    MediaError,
    MediaReference,
    OutboundMessage,
    ReceivedEvent,
    Recipient,
    WebhookRequest,
)
from botcore.models import InboundEvent
from botcore.security import seal
from tests.botcore.channels.conformance import CARDS, KEY, MESSAGE
from tests.botcore.channels.platform import PlatformServer, Told, as_json, delivery, platform_server, post
from tests.botcore.channels.test_feishu_conformance import (
    BOT,
    CHAT,
    CONFIG,
    ENCRYPT_KEY,
    GRANTED,
    OPEN_ID,
    TOKEN,
    TOKENS,
    event,
    message,
    sealed,
    signed,
    words,
)
from tests.factories import AccountFactory

URL = "https://shop.example/webhooks/feishu/key"
FEISHU = Feishu(CONFIG, "key")
HERE = Recipient(OPEN_ID)
SENT = Told(200, {"code": 0, "msg": "success", "data": {"message_id": "om_dc13264520392913993dd051dba21dcf"}})
NAMES = {"x-lark-request-timestamp", "x-lark-request-nonce", "x-lark-signature"}


def parsed(value: Any) -> list[ReceivedEvent]:
    return FEISHU.parse(signed(URL, as_json(value)))


def received(content: Any, kind: str = "text", **parts: Any) -> ReceivedEvent:
    (one,) = parsed(event("im.message.receive_v1", message(content, kind, **parts)))
    return one


@pytest.fixture
def platform() -> Iterator[PlatformServer]:
    access._granted.clear()
    feishu._pictures.clear()
    with platform_server(SENT) as server:
        server.pages[TOKENS] = GRANTED
        yield server


def to(platform: PlatformServer) -> Feishu:
    return Feishu({**CONFIG, "api_base_url": platform.address}, "key")


# --- in ---------------------------------------------------------------------------------------------------------------


class Theirs:
    """What the platform's own SDK makes of a request."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.handler = (
            EventDispatcherHandler.builder(ENCRYPT_KEY, TOKEN)
            .register_p2_im_message_receive_v1(self.seen.append)
            .register_p2_im_message_reaction_created_v1(self.seen.append)
            .register_p2_im_message_message_read_v1(self.seen.append)
            .register_p2_card_action_trigger(self.pressed)
            .build()
        )

    def pressed(self, told: Any) -> P2CardActionTriggerResponse:
        self.seen.append(told)
        return P2CardActionTriggerResponse({"toast": {"type": "success", "content": "Thank you"}})

    def status(self, request: WebhookRequest) -> int:
        asked = RawRequest()
        asked.uri, asked.body = request.url, request.body
        asked.headers = {name.title(): value for name, value in request.headers.items()}
        return self.handler.do(asked).status_code


@pytest.mark.parametrize("wrap", [bytes, sealed])
def test_the_sdk_takes_and_refuses_the_same_requests(wrap):
    body = wrap(as_json(words("a green jacket")))
    genuine = signed(URL, body)
    requests = [
        genuine,
        signed(URL, body, key="another"),
        replace(genuine, body=body + b" "),
        replace(genuine, headers={**genuine.headers, "x-lark-request-nonce": "another"}),
        signed(URL, wrap(as_json(event("im.message.receive_v1", message({"text": "x"}), token="v-another")))),
    ]
    ours = [FEISHU.verify(request) for request in requests]
    theirs = [Theirs().status(request) == 200 for request in requests]
    assert ours == theirs == [True, False, False, False, False]


def test_the_sdk_reads_the_same_events():
    theirs = Theirs()
    bodies = [
        event("im.message.receive_v1", message({"text": "港湾 🧥"})),
        event("im.message.reaction.created_v1", reaction("THUMBSUP")),
        event(
            "im.message.message_read_v1", {"reader": {"reader_id": {"open_id": OPEN_ID}}, "message_id_list": ["om_1"]}
        ),
        event("card.action.trigger", pressed({"token": "tok-1"})),
    ]
    assert {theirs.status(signed(URL, sealed(as_json(body)))) for body in bodies} <= {200}
    (text, reacted, read, button) = (parsed(body)[0] for body in bodies)
    assert text.event_key == theirs.seen[0].event.message.message_id
    assert text.text == json.loads(theirs.seen[0].event.message.content)["text"]
    assert text.contact_id == theirs.seen[0].event.sender.sender_id.open_id
    assert reacted.data == {"verdict": "up", "platform_id": theirs.seen[1].event.message_id}
    assert read.data == {"platform_id": theirs.seen[2].event.message_id_list[0], "status": "read"}
    assert button.data["token"] == theirs.seen[3].event.action.value["token"]
    assert button.contact_id == theirs.seen[3].event.operator.open_id


def reaction(emoji: str, **parts: Any) -> dict[str, Any]:
    told = {"message_id": "om_1", "reaction_type": {"emoji_type": emoji}, "operator_type": "user"}
    return {**told, "user_id": {"open_id": OPEN_ID}, "action_time": "1627641418803", **parts}


def pressed(value: Any) -> dict[str, Any]:
    return {
        "operator": {"open_id": OPEN_ID},
        "action": {"value": value, "tag": "button"},
        "context": {"open_chat_id": CHAT},
    }


@pytest.mark.parametrize("wrap", [bytes, sealed])
def test_a_new_address_is_tried_with_a_challenge(wrap):
    asked = as_json({"challenge": "ajls384kdjx98XX", "token": TOKEN, "type": "url_verification"})
    answer = FEISHU.handshake(delivery(URL, wrap(asked), {}))
    assert json.loads(answer.body) == {"challenge": "ajls384kdjx98XX"}
    stranger = as_json({"challenge": "ajls384kdjx98XX", "token": "v-another", "type": "url_verification"})
    assert FEISHU.handshake(delivery(URL, wrap(stranger), {})) is None
    assert FEISHU.verify(delivery(URL, wrap(asked), {})) is False


def test_a_challenge_is_answered_by_the_application(db):
    account = AccountFactory(channel="feishu", sealed_config=seal(CONFIG))
    asked = sealed(as_json({"challenge": "ajls384kdjx98XX", "token": TOKEN, "type": "url_verification"}))
    answer = post(Client(), delivery(f"https://shop.example/webhooks/feishu/{account.key}", asked, {}))
    assert (answer.status_code, answer.json()) == (200, {"challenge": "ajls384kdjx98XX"})


def test_one_message_in_two_events_is_one(db):
    account = AccountFactory(channel="feishu", sealed_config=seal(CONFIG))
    url = f"https://shop.example/webhooks/feishu/{account.key}"
    for number in (1, 2):
        body = as_json(event("im.message.receive_v1", message({"text": "a green jacket"}), number))
        assert post(Client(), signed(url, body)).status_code == 200
    assert InboundEvent.objects.count() == 1


def test_a_rich_text_is_read_as_plain_lines():
    post_content = {
        "title": "Looking",
        "content": [
            [{"tag": "text", "text": "a green "}, {"tag": "a", "text": "jacket", "href": "https://shop.example"}],
            [{"tag": "img", "image_key": "img_7ea74629"}],
            [{"tag": "text", "text": "size M", "style": ["bold"]}, {"tag": "emotion", "emoji_type": "SMILE"}],
        ],
    }
    one = received(post_content, "post")
    assert one.text == "Looking\na green jacket\nsize M"
    assert [media.reference["key"] for media in one.media] == ["img_7ea74629"]


def test_a_voice_message_is_a_file_of_its_message():
    one = received({"file_key": "75235e0c", "duration": 2000}, "audio")
    assert (one.kind, one.media[0].kind, one.media[0].reference["key"]) == ("media", "voice", "75235e0c")


def test_content_that_spells_nul_can_be_stored():
    value = event("im.message.receive_v1", message({"text": "x"}))
    value["event"]["message"]["content"] = '{"text": "a\\u0000b\\ud800"}'
    assert parsed(value)[0].text == "ab?"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"text": 1}', "null"])
def test_content_that_is_no_object_is_refused(content):
    value = event("im.message.receive_v1", message({}))
    value["event"]["message"]["content"] = content
    with pytest.raises(MalformedBodyError):
        parsed(value)


def mention(key: str, open_id: str, name: str) -> dict[str, Any]:
    return {"key": key, "id": {"open_id": open_id}, "name": name, "tenant_key": "736588c9260f175e"}


def test_a_group_is_answered_where_it_names_us():
    group = {"chat_type": "group"}
    everybody = [mention(f"@_user_{n}", BOT if n == 1 else f"ou_{n}", f"Person {n}") for n in range(1, 11)]
    assert parsed(event("im.message.receive_v1", message({"text": "a jacket"}, **group))) == []
    assert parsed(event("im.message.receive_v1", message({"text": "@_user_2"}, mentions=everybody[1:], **group))) == []
    one = received({"text": "@_user_1 @_user_10 wants a jacket"}, mentions=everybody, **group)
    assert (one.text, one.contact_id, one.address) == (
        "@Person 10 wants a jacket",
        f"{CHAT}/{OPEN_ID}",
        {"chat": CHAT},
    )
    nameless = Feishu({name: value for name, value in CONFIG.items() if name != "bot_open_id"}, "key")
    body = as_json(event("im.message.receive_v1", message({"text": "@_user_1"}, mentions=everybody, **group)))
    assert nameless.parse(signed(URL, body)) == []


def test_our_own_messages_are_left_alone():
    value = event("im.message.receive_v1", message({"text": "x"}))
    value["event"]["sender"]["sender_type"] = "app"
    assert parsed(value) == []
    assert parsed(event("im.message.reaction.created_v1", reaction("THUMBSUP", operator_type="app"))) == []


@pytest.mark.parametrize(("emoji", "verdict"), [("THUMBSUP", "up"), ("ThumbsDown", "down"), ("HEART", "up")])
def test_a_reaction_judges_and_is_taken_back(emoji, verdict):
    assert parsed(event("im.message.reaction.created_v1", reaction(emoji)))[0].data["verdict"] == verdict
    assert parsed(event("im.message.reaction.deleted_v1", reaction(emoji)))[0].data["verdict"] == "none"


def test_another_reaction_says_nothing():
    assert parsed(event("im.message.reaction.created_v1", reaction("COFFEE"))) == []


def test_a_pressed_button_is_thanked_for_on_the_spot():
    answer = FEISHU.ack(parsed(event("card.action.trigger", pressed({"token": "tok-1"}))))
    assert json.loads(answer.body)["toast"] == {
        "type": "success",
        "content": "Thank you",
        "i18n": {"en_us": "Thank you", "zh_cn": "谢谢"},
    }
    assert FEISHU.ack([]).body == b"{}"


# --- out --------------------------------------------------------------------------------------------------------------


def test_a_reply_is_one_card():
    (call,) = FEISHU.render(MESSAGE)
    elements = call["content"]["elements"]
    assert [element["tag"] for element in elements] == ["div", *["hr", "div", "action"] * 3, "action"]
    assert elements[0]["text"] == {
        "tag": "plain_text",
        "content": "These keep the rain out.\nThe first is the lightest.\n\nFrom: Care guide",
    }
    assert elements[2]["text"]["content"] == "Moss jacket\n$89.00\nWaxed cotton, for men & women"
    choose, link = elements[3]["actions"]
    assert (choose["text"]["content"], choose["value"]) == ("Tell me more", {"token": "tok-1-abcdefg"})
    assert link["url"] == "https://shop.example/p/1?a=1&b=2"
    assert [(button["text"]["content"], button["value"]["token"]) for button in elements[-1]["actions"]] == [
        ("👍 Helpful", "tok-up-abcdefg"),
        ("👎 Not helpful", "tok-down-abcdef"),
    ]


def test_a_pressed_thumb_is_marked_by_an_edit(platform):
    (call,) = FEISHU.render(replace(MESSAGE, verdict="up"))
    labels = [button["text"]["content"] for button in call["content"]["elements"][-1]["actions"]]
    assert labels == ["👍 ✓", "👎 Not helpful"]
    assert to(platform).edit(HERE, "om_1", call).ok
    edited = platform.calls[-1]
    assert (edited.method, edited.path) == ("PATCH", "/open-apis/im/v1/messages/om_1")
    assert "👍 ✓" in edited.json["content"]
    assert to(platform).edit(HERE, "../../x", call).permanent
    assert to(platform).edit(HERE, "om_1", FEISHU.render(OutboundMessage("Hello.", 0))[0]).permanent


def test_words_that_would_call_everybody_are_only_words():
    (call,) = FEISHU.render(OutboundMessage('<at user_id="all"></at> **hi**', 0))
    assert call["msg_type"] == "post"
    assert call["content"]["en_us"]["content"] == [[{"tag": "text", "text": '<at user_id="all"></at> **hi**'}]]


def test_a_card_with_many_products_stays_below_thirty_kilobytes():
    cards = tuple(
        replace(CARDS[2], sku=f"S{n}", title="港" * 100, detail="湾" * 150, url=f"https://shop.example/{'p' * 200}")
        for n in range(25)
    )
    calls = FEISHU.render(replace(MESSAGE, text="港湾 " * 3000, cards=cards))
    assert [call["msg_type"] for call in calls] == ["post", "post", *["interactive"] * 3]
    assert max(len(as_json(call["content"])) for call in calls) < 30_000


def test_a_message_names_its_reader_its_key_and_its_content_in_a_string(platform):
    result = to(platform).send(HERE, FEISHU.render(MESSAGE)[0], KEY)
    assert (result.ok, result.platform_id) == (True, "om_dc13264520392913993dd051dba21dcf")
    token, sent = platform.calls
    assert token.json == {"app_id": CONFIG["app_id"], "app_secret": CONFIG["app_secret"]}
    assert sent.path == "/open-apis/im/v1/messages?receive_id_type=open_id"
    assert sent.headers["authorization"] == "Bearer t-granted-token"
    assert (sent.json["receive_id"], sent.json["msg_type"], sent.json["uuid"]) == (OPEN_ID, "interactive", str(KEY))
    assert json.loads(sent.json["content"]) == FEISHU.render(MESSAGE)[0]["content"]


def test_in_a_group_a_button_says_where_it_is_pressed(platform):
    to(platform).send(Recipient(f"{CHAT}/{OPEN_ID}", {"chat": CHAT}), FEISHU.render(MESSAGE)[0], KEY)
    sent = platform.calls[-1]
    assert (sent.path.partition("=")[2], sent.json["receive_id"]) == ("chat_id", CHAT)
    buttons = json.loads(sent.json["content"])["elements"][3]["actions"]
    assert (buttons[0]["value"], "value" in buttons[1]) == ({"token": "tok-1-abcdefg", "chat": CHAT}, False)
    (received,) = parsed(event("card.action.trigger", pressed(buttons[0]["value"])))
    assert received.contact_id == f"{CHAT}/{OPEN_ID}"


@pytest.fixture
def picture(settings: Any, tmp_path: Path) -> str:
    settings.MEDIA_ROOT = tmp_path
    (tmp_path / "jacket.jpg").write_bytes(b"\xff\xd8\xff a jacket")
    return f"{settings.PUBLIC_URL}{settings.MEDIA_URL}jacket.jpg"


def test_a_picture_of_ours_is_uploaded_once(platform, picture):
    platform.pages["/open-apis/im/v1/images"] = Told(200, {"code": 0, "data": {"image_key": "img_v2_1"}})
    message = replace(MESSAGE, cards=(replace(CARDS[0], image_url=picture),))
    for _ in range(2):
        assert to(platform).send(HERE, FEISHU.render(message)[0], KEY).ok
    uploads = [call for call in platform.calls if call.path.endswith("/images")]
    assert len(uploads) == 1
    assert b"a jacket" in uploads[0].body
    shown = json.loads(platform.calls[-1].json["content"])["elements"][2]
    assert shown == {"tag": "img", "img_key": "img_v2_1", "alt": {"tag": "plain_text", "content": "Moss jacket"}}


@pytest.mark.parametrize("told", [Told(500, {}), Told(400, {"code": 234001, "msg": "invalid"}), Told(trouble="reset")])
def test_a_picture_that_cannot_be_uploaded_is_left_out(platform, picture, told):
    platform.pages["/open-apis/im/v1/images"] = told
    message = replace(MESSAGE, cards=(replace(CARDS[0], image_url=picture),))
    assert to(platform).send(HERE, FEISHU.render(message)[0], KEY).ok
    assert '"img"' not in platform.calls[-1].json["content"]


def test_a_picture_elsewhere_is_not_fetched():
    (call,) = FEISHU.render(replace(MESSAGE, cards=(replace(CARDS[0], image_url="https://cdn.example/1.jpg"),)))
    assert "img" not in [element["tag"] for element in call["content"]["elements"]]


def test_what_a_code_means(platform):
    def told(status: int, code: int) -> tuple[bool, float | None]:
        platform.answers = [Told(status, {"code": code, "msg": "what happened"})]
        result = to(platform).send(HERE, FEISHU.render(MESSAGE)[0], KEY)
        assert not result.ok
        assert str(code) in result.error
        return result.permanent, result.retry_after

    assert told(400, 230020) == told(400, 99991400) == told(429, 1) == (False, None)
    assert told(400, 230013) == told(400, 230002) == told(200, 230025) == (True, None)
    assert told(400, 99991672) == told(403, 99991401) == (False, None)
    assert told(500, 1) == told(200, 1) == (False, None)


def test_a_token_that_ended_early_is_asked_for_again_once(platform):
    platform.answers = [Told(400, {"code": 99991663, "msg": "token invalid"})]
    assert to(platform).send(HERE, FEISHU.render(MESSAGE)[0], KEY).ok
    assert [call.path.partition("?")[0] for call in platform.calls] == [TOKENS, "/open-apis/im/v1/messages"] * 2


def test_a_file_is_fetched_by_its_message(platform):
    platform.answers = [Told(200, b"OggS voice")]
    reference = MediaReference("voice", {"message": "om_1", "key": "file_v2_1"})
    assert to(platform).fetch_media(reference, 1000).content_type == "audio/ogg"
    assert platform.calls[-1].path == "/open-apis/im/v1/messages/om_1/resources/file_v2_1?type=file"
    with pytest.raises(MediaError, match="no such file"):
        to(platform).fetch_media(MediaReference("photo", {"message": "om_1", "key": "../../x"}), 1000)


def test_the_credentials_name_the_bot(platform):
    platform.answers = [Told(200, {"code": 0, "bot": {"app_name": "Lantern", "open_id": BOT, "activate_status": 2}})]
    check = to(platform).check()
    assert (check.ok, check.detail) == (True, f"Lantern (bot_open_id={BOT})")
    platform.pages[TOKENS] = Told(200, {"code": 10014, "msg": "app secret invalid"})
    access._granted.clear()
    assert to(platform).check().detail == "token: 200 10014 app secret invalid"


def test_old_events_and_their_kind_are_left_alone():
    assert parsed({"uuid": "1", "token": TOKEN, "type": "event_callback", "event": {"type": "message"}}) == []


def test_only_a_fresh_signature_counts():
    genuine = signed(URL, as_json(words("hi")), time.time() - 200)
    assert FEISHU.verify(genuine) is True
    assert FEISHU.verify(replace(genuine, at=genuine.at + 301)) is False
    assert set(genuine.headers) >= NAMES
