"""DingTalk: what its messages mean, where they are answered, and its sealed events, made here from the formula."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import struct
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from Crypto.Cipher import AES
from django.test import Client

from botcore.channels import access, http
from botcore.channels.dingtalk import DingTalk
from botcore.channels.feishu import Feishu
from botcore.channels.values import (
    MediaError,
    MediaReference,
    OutboundMessage,
    ReceivedEvent,
    Recipient,
    WebhookRequest,
)
from botcore.security import seal
from tests.botcore.channels.conformance import CARDS, KEY, MESSAGE
from tests.botcore.channels.platform import PlatformServer, Told, as_json, delivery, platform_server, post
from tests.botcore.channels.test_dingtalk_conformance import (
    ADDRESS,
    APP_KEY,
    CONFIG,
    GRANTED,
    GROUP,
    SECRET,
    SENDER,
    TOKENS,
    UNTIL,
    message,
    signed,
    words,
)
from tests.factories import AccountFactory

URL = "https://shop.example/webhooks/dingtalk/key"
EVENT_TOKEN = "xxxxeventtoken"
AES_KEY = "o1w0aum42yaptlz8alnhwikjd3jenzt9cb9wmzptgus"
DINGTALK = DingTalk(CONFIG, "key")
EVENTS = DingTalk({**CONFIG, "event_token": EVENT_TOKEN, "event_aes_key": AES_KEY}, "key")
STAFF = Recipient("staff1", {"session": ADDRESS, "until": UNTIL, "staff": "staff1"})
PUSHED = Told(200, {"processQueryKey": "Gw9nq1", "invalidStaffIdList": [], "flowControlledStaffIdList": []})
GONE = Told(200, {"errcode": 300001, "errmsg": "session 不存在"})


def parsed(value: Any, channel: DingTalk = DINGTALK) -> list[ReceivedEvent]:
    return channel.parse(signed(URL, as_json(value)))


@pytest.fixture
def platform() -> Iterator[PlatformServer]:
    access._granted.clear()
    with platform_server(Told(200, {"errcode": 0, "errmsg": "ok"})) as server:
        server.pages[TOKENS] = GRANTED
        yield server


def to(platform: PlatformServer) -> DingTalk:
    return DingTalk({**CONFIG, "api_base_url": platform.address}, "key")


# --- in ---------------------------------------------------------------------------------------------------------------


def test_the_documented_signature_is_taken_for_an_hour():
    request = signed(URL, as_json(words("hi")))
    assert DINGTALK.verify(request) is True
    assert DINGTALK.verify(replace(request, at=request.at + 3599)) is True
    assert DINGTALK.verify(replace(request, at=request.at + 3601)) is False
    assert DINGTALK.verify(replace(request, at=request.at - 3601)) is False


@pytest.mark.parametrize(
    "headers", [{"timestamp": "x", "sign": "y"}, {"timestamp": "9" * 40, "sign": ""}, {"sign": "ü"}]
)
def test_headers_of_no_sense_are_refused(headers):
    assert DINGTALK.verify(delivery(URL, b"{}", headers)) is False


def test_a_colleague_is_reached_later_too_and_a_stranger_is_not():
    (colleague,) = parsed(words("a green jacket", senderStaffId="staff1"))
    assert (colleague.contact_id, colleague.contact_name, colleague.text) == ("staff1", "小钉", "a green jacket")
    assert colleague.address == {"session": ADDRESS, "until": UNTIL, "staff": "staff1"}
    (stranger,) = parsed(words("a green jacket"))
    assert (stranger.contact_id, stranger.address) == (SENDER, {"session": ADDRESS, "until": UNTIL})


def test_a_group_is_answered_where_it_calls_the_robot():
    group = {"conversationType": "2", "conversationId": GROUP, "senderStaffId": "staff1"}
    assert parsed(words("hi", isInAtList=False, **group)) == []
    assert parsed(words("hi", **group)) == []
    (received,) = parsed(words("a jacket", isInAtList=True, **group))
    assert received.contact_id == f"{GROUP}/staff1"
    assert received.address == {"session": ADDRESS, "until": UNTIL, "conversation": GROUP}


@pytest.mark.parametrize(
    "address",
    [
        "http://oapi.dingtalk.com/robot/sendBySession?session=x",
        "https://oapi.dingtalk.com.evil.example/robot",
        "https://evil.example/?https://oapi.dingtalk.com/",
        "https://oapi.dingtalk.com@evil.example/robot",
        "https://169.254.169.254/latest",
        "file:///etc/passwd",
        "",
    ],
)
def test_an_address_of_anybody_elses_is_not_kept(address):
    (received,) = parsed(words("hi", sessionWebhook=address))
    assert received.address == {}


def test_nothing_leaves_for_another_host(monkeypatch):
    """Whatever an address says, calls go to DingTalk's host or the account's own server."""
    called: list[str] = []

    def call(what: str, method: str, url: str, **options: Any) -> httpx.Response:
        called.append(url)
        return httpx.Response(200, json={"errcode": 0})

    monkeypatch.setattr(http, "call", call)
    for address in ("https://oapi.dingtalk.com//evil.example/x", "https://oapi.dingtalk.com/@evil.example"):
        (received,) = parsed(words("hi", sessionWebhook=address))
        DINGTALK.send(Recipient(SENDER, received.address), DINGTALK.render(MESSAGE)[0], KEY)
    assert called
    assert all(url.startswith("https://oapi.dingtalk.com/") for url in called)


def test_an_address_on_the_accounts_own_server_is_kept():
    own = DingTalk({**CONFIG, "api_base_url": "http://proxy.example/ding"}, "key")
    (received,) = parsed(words("hi", sessionWebhook="http://proxy.example/ding/robot/s?session=1"), own)
    assert received.address["session"] == "/robot/s?session=1"
    (received,) = parsed(words("hi", sessionWebhook="http://proxy.example/dingo/robot"), own)
    assert received.address == {}


def test_a_voice_message_is_the_words_that_dingtalk_heard():
    (heard,) = parsed(
        message(1, "audio", content={"recognition": "一件绿色的外套", "downloadCode": "c", "duration": 3000})
    )
    assert (heard.kind, heard.text, heard.media) == ("text", "一件绿色的外套", ())
    (unheard,) = parsed(message(2, "audio", content={"downloadCode": "c"}))
    assert (unheard.kind, unheard.media[0].kind) == ("media", "voice")


def test_a_rich_text_is_its_words_and_pictures():
    parts = [{"text": "like this: "}, {"downloadCode": "c1", "type": "picture"}, {"text": "in green"}]
    (received,) = parsed(message(1, "richText", content={"richText": parts}))
    assert (received.text, [one.reference["code"] for one in received.media]) == ("like this: in green", ["c1"])


def test_a_file_is_stored_and_asks_nothing():
    assert parsed(message(1, "file", content={"fileName": "a.pdf", "downloadCode": "c"}))[0].kind == "other"


# --- sealed events ----------------------------------------------------------------------------------------------------


def event(value: Any, key: str = APP_KEY, token: str = EVENT_TOKEN, at: float | None = None) -> WebhookRequest:
    """As https://open.dingtalk.com/document/orgapp/push-events has it, step by step."""
    content = as_json(value)
    plain = os.urandom(16) + struct.pack(">I", len(content)) + content + key.encode()
    pad = 32 - len(plain) % 32
    aes = base64.b64decode(AES_KEY + "=")
    encrypt = base64.b64encode(AES.new(aes, AES.MODE_CBC, aes[:16]).encrypt(plain + bytes([pad]) * pad)).decode()
    moment = time.time() if at is None else at
    stamp, nonce = str(int(moment * 1000)), "123456"
    signature = hashlib.sha1("".join(sorted([token, stamp, nonce, encrypt])).encode()).hexdigest()
    url = f"{URL}?msg_signature={signature}&timestamp={stamp}&nonce={nonce}"
    return delivery(url, as_json({"encrypt": encrypt}), {"content-type": "application/json"}, moment)


def opened(answer: Any) -> bytes:
    assert (
        hashlib.sha1(
            "".join(sorted([EVENT_TOKEN, answer["timeStamp"], answer["nonce"], answer["encrypt"]])).encode()
        ).hexdigest()
        == (answer["msg_signature"])
    )
    aes = base64.b64decode(AES_KEY + "=")
    plain = AES.new(aes, AES.MODE_CBC, aes[:16]).decrypt(base64.b64decode(answer["encrypt"]))
    plain = plain[: -plain[-1]]
    (length,) = struct.unpack(">I", plain[16:20])
    assert plain[20 + length :] == APP_KEY.encode()
    return plain[20 : 20 + length]


@pytest.mark.parametrize("kind", ["check_url", "user_add_org", "something_new"])
def test_a_sealed_event_is_answered_with_a_sealed_success(kind):
    assert opened(json.loads(EVENTS.handshake(event({"EventType": kind})).body)) == b"success"


def test_what_is_not_dingtalks_event_is_left_to_the_signature_of_messages():
    genuine = event({"EventType": "check_url"})
    for request in (
        event({"EventType": "check_url"}, key="another"),
        event({"EventType": "check_url"}, token="another"),
        replace(genuine, at=genuine.at + 301),
        replace(genuine, query={**genuine.query, "nonce": "1"}),
        replace(genuine, body=as_json({"encrypt": "AAAA"})),
        replace(genuine, body=b"\xff"),
    ):
        assert EVENTS.handshake(request) is None
        assert EVENTS.verify(request) is False
    assert DINGTALK.handshake(genuine) is None


def test_an_event_is_answered_by_the_application(db):
    account = AccountFactory(channel="dingtalk", sealed_config=seal(EVENTS.config))
    asked = event({"EventType": "check_url"})
    url = f"https://shop.example/webhooks/dingtalk/{account.key}?{asked.url.partition('?')[2]}"
    answer = post(Client(), replace(asked, url=url))
    assert (answer.status_code, opened(answer.json())) == (200, b"success")
    assert post(Client(), replace(asked, url=url.replace("nonce=1", "nonce=2"))).status_code == 401


# --- out --------------------------------------------------------------------------------------------------------------


def test_a_reply_with_products_is_a_card():
    (call,) = DINGTALK.render(MESSAGE)
    card = call["actionCard"]
    assert card["title"] == "These keep the rain out.\nThe first is the lightest."
    assert card["text"] == (
        "These keep the rain out.\n\nThe first is the lightest.\n\nFrom: Care guide\n\n"
        "![Moss jacket](https://cdn.example/1.jpg)\n\n"
        "**1. [Moss jacket](https://shop.example/p/1?a=1&b=2)** · $89.00\n\nWaxed cotton, for men & women\n\n"
        "![Rain shell \\<Pro\\> “Überzieher”](https://cdn.example/2.jpg)\n\n"
        "**2. [Rain shell \\<Pro\\> “Überzieher”](https://shop.example/p/2?a=1&b=2)** · $129.00\n\n"
        "Waxed cotton, for men & women\n\n"
        "![港湾 大衣](https://cdn.example/3.jpg)\n\n"
        "**3. [港湾 大衣](https://shop.example/p/3?a=1&b=2)** · $159.00\n\nWaxed cotton, for men & women\n\n"
        "Reply with a number to hear more; 4 = helpful, 5 = not helpful"
    )
    assert card["btns"] == [
        {"title": "1. Moss jacket", "actionURL": "dtmd://dingtalkclient/sendMessage?content=1"},
        {"title": "2. Rain shell <Pro>", "actionURL": "dtmd://dingtalkclient/sendMessage?content=2"},
        {"title": "3. 港湾 大衣", "actionURL": "dtmd://dingtalkclient/sendMessage?content=3"},
        {"title": "4. 👍 Helpful", "actionURL": "dtmd://dingtalkclient/sendMessage?content=4"},
        {"title": "5. 👎 Not helpful", "actionURL": "dtmd://dingtalkclient/sendMessage?content=5"},
    ]


def test_words_alone_are_a_text_and_a_title_can_break_no_link():
    assert DINGTALK.render(OutboundMessage("**Hello.**", 0)) == [{"msgtype": "text", "text": {"content": "**Hello.**"}}]
    card = replace(CARDS[0], title="A](https://evil.example) [b", url="https://shop.example/p(1) 2")
    (call,) = DINGTALK.render(OutboundMessage("Here.", 7, cards=(card,)))
    assert "[A\\](https://evil.example) \\[b](https://shop.example/p%281%29%202)" in call["actionCard"]["text"]


def test_an_answer_goes_to_the_address_that_the_message_brought(platform):
    assert to(platform).send(STAFF, DINGTALK.render(MESSAGE)[0], KEY).ok
    (call,) = platform.calls
    assert (call.path, call.json["msgtype"]) == (ADDRESS, "actionCard")


@pytest.mark.parametrize(("until", "answers"), [(0, [PUSHED]), (UNTIL, [GONE, PUSHED])], ids=["over", "not over"])
def test_after_that_the_robots_own_api_sends(platform, until, answers):
    platform.answers = list(answers)
    recipient = replace(STAFF, address={**STAFF.address, "until": until})
    result = to(platform).send(recipient, DINGTALK.render(MESSAGE)[0], KEY)
    assert (result.ok, result.platform_id) == (True, "Gw9nq1")
    call = platform.calls[-1]
    assert call.path == "/v1.0/robot/oToMessages/batchSend"
    assert call.headers["x-acs-dingtalk-access-token"] == "granted-access-token"
    assert (call.json["robotCode"], call.json["userIds"], call.json["msgKey"]) == (
        APP_KEY,
        ["staff1"],
        "sampleMarkdown",
    )
    assert "1. [Moss jacket]" in json.loads(call.json["msgParam"])["text"]


def test_a_group_is_pushed_to_as_a_group(platform):
    platform.answers = [PUSHED]
    recipient = Recipient("x", {"conversation": GROUP})
    assert to(platform).send(recipient, DINGTALK.render(OutboundMessage("Hello.", 0))[0], KEY).ok
    call = platform.calls[-1]
    assert (call.path, call.json["openConversationId"], call.json["msgKey"]) == (
        "/v1.0/robot/groupMessages/send",
        GROUP,
        "sampleText",
    )


def test_a_stranger_cannot_be_reached_later(platform):
    result = to(platform).send(Recipient(SENDER, {"session": ADDRESS, "until": 0}), DINGTALK.render(MESSAGE)[0], KEY)
    assert (result.ok, result.window_closed, platform.calls) == (False, True, [])


def test_what_an_answer_of_status_200_means(platform):
    def told(code: int) -> tuple[bool, float | None]:
        platform.answers = [Told(200, {"errcode": code, "errmsg": "what happened"})]
        result = to(platform).send(STAFF, DINGTALK.render(MESSAGE)[0], KEY)
        assert not result.ok
        assert str(code) in result.error
        return result.permanent, result.retry_after

    assert told(130101) == told(410100) == (False, 600.0)
    assert told(430102) == told(40035) == (True, None)
    assert told(-1) == (False, None)


@pytest.mark.parametrize(
    ("told", "permanent", "retry_after"),
    [
        (Told(200, {"processQueryKey": "x", "invalidStaffIdList": ["staff1"]}), True, None),
        (Told(200, {"processQueryKey": "x", "flowControlledStaffIdList": ["staff1"]}), False, 60.0),
        (Told(403, {"code": "Forbidden.AccessDenied.AccessTokenPermissionDenied", "message": "no"}), False, None),
        (Told(400, {"code": "invalidParameter.robotCode.invalid", "message": "no"}), True, None),
        (Told(500, {}), False, None),
    ],
)
def test_what_a_push_may_come_to(platform, told, permanent, retry_after):
    platform.answers = [told]
    recipient = replace(STAFF, address={"staff": "staff1"})
    result = to(platform).send(recipient, DINGTALK.render(MESSAGE)[0], KEY)
    assert (result.ok, result.permanent, result.retry_after) == (False, permanent, retry_after)


def test_a_file_is_fetched_by_its_code(platform):
    platform.answers = [Told(200, {"downloadUrl": f"{platform.address}/f/1"}), Told(200, b"\xff\xd8\xff a picture")]
    reference = MediaReference("photo", {"code": "mIofN681YE3f"})
    assert to(platform).fetch_media(reference, 1000).content_type == "image/jpeg"
    assert platform.calls[1].json == {"downloadCode": "mIofN681YE3f", "robotCode": APP_KEY}
    assert "x-acs-dingtalk-access-token" not in platform.calls[2].headers
    platform.answers = [Told(200, {"downloadUrl": "http://169.254.169.254/latest"})]
    with pytest.raises(MediaError, match="no such file"):
        to(platform).fetch_media(reference, 1000)


# --- setting up -------------------------------------------------------------------------------------------------------


def test_the_credentials_are_tried_by_asking_for_a_token(platform):
    assert to(platform).check().ok is True
    access._granted.clear()
    platform.pages[TOKENS] = Told(400, {"code": "invalidClientIdOrSecret", "message": f"无效的 {SECRET}"})
    check = to(platform).check()
    assert (check.ok, check.detail) == (False, "token: 400 invalidClientIdOrSecret 无效的 ***")


def test_events_need_both_of_their_keys():
    with pytest.raises(ValueError, match="event_aes_key"):
        DingTalk.prepare_config({**CONFIG, "event_token": EVENT_TOKEN})
    assert DingTalk.prepare_config(dict(EVENTS.config)) == EVENTS.config


@pytest.mark.parametrize("channel", [DINGTALK, Feishu({}, "key")])
def test_an_address_without_https_is_said_so(channel):
    assert channel.connect(URL) == [f"webhook: {URL}"]
    assert "https" in channel.connect(URL.replace("https", "http"))[1]
