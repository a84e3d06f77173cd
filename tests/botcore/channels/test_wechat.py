"""WeChat: what is read, what is sealed, how accounts without an API answer. wechatpy reads it as well."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.test import Client
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException

from botcore import delivery, held
from botcore.channels import access
from botcore.channels.envelope import Envelope
from botcore.channels.values import (
    MalformedBodyError,
    MediaError,
    MediaReference,
    OutboundMessage,
    ReceivedEvent,
    Recipient,
    WebhookRequest,
)
from botcore.channels.wechat import passive
from botcore.channels.wechat.channel import WeChat
from botcore.channels.wechat.messages import read_xml, write_xml
from botcore.models import ChannelAccount, InboundEvent, Outbound, Turn
from botcore.security import seal
from tests.botcore.channels.conformance import KEY, MESSAGE
from tests.botcore.channels.platform import PlatformServer, Told, platform_server, post
from tests.botcore.channels.platform import delivery as delivered
from tests.botcore.channels.test_wechat_conformance import (
    ACCOUNT,
    AES_KEY,
    APP,
    CONFIG,
    GRANTED,
    NONCE,
    OPENID,
    TOKEN,
    at,
    plain,
    sealed,
    signed_by,
    xml,
)
from tests.factories import AccountFactory

URL = "https://shop.example/webhooks/wechat/key"
WECHAT = WeChat(CONFIG, "key")
SEALED = WeChat({**CONFIG, "encoding_aes_key": AES_KEY}, "key")
PASSIVE = WeChat({**CONFIG, "passive": "yes"}, "key")
HERE = Recipient(OPENID)


def parsed(body: bytes, channel: WeChat = WECHAT) -> list[ReceivedEvent]:
    return channel.parse(plain(URL, body))


def trial(word: str, when: float | None = None, **query: str) -> WebhookRequest:
    """WeChat's GET before it uses an address."""
    asked = plain(at(URL, echostr=word, **query), b"", when)
    return replace(asked, method="GET")


@pytest.fixture
def platform() -> Iterator[PlatformServer]:
    access._granted.clear()
    with platform_server(Told(200, {"errcode": 0, "errmsg": "ok"})) as server:
        server.pages["/cgi-bin/stable_token"] = GRANTED
        yield server


def to(platform: PlatformServer, **config: str) -> WeChat:
    return WeChat({**CONFIG, "api_base_url": platform.address, **config}, "key")


# --- in ---------------------------------------------------------------------------------------------------------------


def test_an_address_is_tried_with_a_word_that_we_give_back():
    answer = WECHAT.handshake(trial("5927782489442352469"))
    assert (answer.status, answer.body, answer.content_type) == (
        200,
        b"5927782489442352469",
        "text/plain; charset=utf-8",
    )
    assert WECHAT.handshake(replace(trial("59"), at=time.time() + 301)).status == 401
    assert WeChat({**CONFIG, "token": "another"}, "key").handshake(trial("59")).status == 401


def test_a_sealed_word_is_opened():
    stamp = str(int(time.time()))
    word = WeChatCrypto(TOKEN, AES_KEY, APP).encrypt_message("the word", NONCE, stamp)
    word = word.partition("<Encrypt><![CDATA[")[2].partition("]]>")[0]
    signature = signed_by(TOKEN, stamp, NONCE, word)
    asked = trial(word, float(stamp), msg_signature=signature)
    assert SEALED.handshake(asked).body == b"the word"
    assert SEALED.handshake(trial(word, float(stamp), msg_signature=signature[::-1])).status == 401
    assert WECHAT.handshake(asked).status == 401


def test_the_sdk_reads_the_same_messages():
    bodies = [
        xml(1, Content="港湾 <b>大衣</b> & 🧥"),
        xml(2, "image", PicUrl="http://mmbiz.qpic.cn/a/0", MediaId="picture"),
        xml(3, "voice", MediaId="voice", Format="amr"),
        xml(4, "voice", MediaId="voice", Format="amr", Recognition="一件绿色的外套。"),
        xml(kind="event", Event="CLICK", EventKey="New arrivals"),
    ]
    theirs = [parse_message(body) for body in bodies]
    ours = [parsed(body)[0] for body in bodies]
    assert [one.contact_id for one in ours] == [one.source for one in theirs]
    assert [one.event_key for one in ours[:4]] == [str(one.id) for one in theirs[:4]]
    assert [one.kind for one in ours] == ["text", "media", "media", "text", "text"]
    assert [ours[0].text, ours[3].text, ours[4].text] == [theirs[0].content, theirs[3].recognition, theirs[4].key]
    assert [one.media[0].reference["media_id"] for one in ours[1:3]] == [one.media_id for one in theirs[1:3]]


def test_a_follower_is_greeted_like_one_who_starts_anew():
    first, second = parsed(xml(kind="event", Event="subscribe", EventKey="qrscene_123"))
    assert (first.kind, second.kind, second.text) == ("reset", "text", "你好")
    assert first.event_key != second.event_key


@pytest.mark.parametrize("event", ["unsubscribe", "SCAN", "LOCATION", "VIEW", "TEMPLATESENDJOBFINISH"])
def test_other_events_are_left_alone(event):
    assert parsed(xml(kind="event", Event=event, EventKey="x")) == []


def test_events_are_told_apart_by_who_when_and_what():
    keys = {
        parsed(xml(kind="event", Event="CLICK", EventKey=said, **more))[0].event_key
        for said, more in [("a", {}), ("b", {}), ("a", {"CreateTime": 1348831861}), ("a", {"FromUserName": "o"})]
    }
    assert len(keys) == 4


def test_what_has_no_words_is_stored_and_asks_nothing():
    assert [parsed(xml(1, kind))[0].kind for kind in ("video", "location", "link")] == ["other"] * 3
    assert parsed(xml(1, "hologram")) == []


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><xml><MsgType>&b;</MsgType></xml>'
LEAK = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><MsgType>&a;</MsgType></xml>'


@pytest.mark.parametrize("body", [BOMB, LEAK, b"<xml>", b"", b'<?xml version="1.0" encoding="utf-99"?><xml/>'])
def test_what_xml_can_do_to_its_reader_is_refused(body):
    with pytest.raises(MalformedBodyError):
        parsed(body)


def test_an_account_that_seals_takes_nothing_plain():
    assert SEALED.verify(sealed(URL, xml(Content="hi"))) is True
    assert SEALED.verify(plain(URL, xml(Content="hi"))) is False
    compatible = sealed(URL, xml(Content="sealed"))
    both = compatible.body.replace(b"</xml>", b"<MsgType>text</MsgType><Content>plain</Content></xml>")
    assert SEALED.parse(replace(compatible, body=both))[0].text == "sealed"


def test_what_is_sealed_for_another_app_or_with_another_key_is_refused():
    assert SEALED.verify(sealed(URL, xml(Content="hi"), app="wxfedcba9876543210")) is False
    assert SEALED.verify(sealed(URL, xml(Content="hi"), key=AES_KEY[::-1])) is False


def test_the_sdk_opens_what_we_seal_and_we_what_it_seals():
    ours = Envelope(AES_KEY, APP)
    for length in range(70):
        text = "港" * length
        stamp = "1409735669"
        encrypted = ours.seal(text.encode())
        written = write_xml({"Encrypt": encrypted}).decode()
        signature = signed_by(TOKEN, stamp, NONCE, encrypted)
        assert WeChatCrypto(TOKEN, AES_KEY, APP).decrypt_message(written, signature, stamp, NONCE) == text
        theirs = read_xml(WeChatCrypto(TOKEN, AES_KEY, APP).encrypt_message(text, NONCE, stamp).encode())
        assert ours.open(theirs["Encrypt"]) == text.encode()
    with pytest.raises(InvalidAppIdException):
        WeChatCrypto(TOKEN, AES_KEY, "another").decrypt_message(written, signature, stamp, NONCE)


@pytest.mark.parametrize("spoiled", ["", "AAAA", "not base64", "ü", "A" * 44, "A" * 43 + "="])
def test_what_was_never_sealed_is_a_clear_refusal(spoiled):
    with pytest.raises(ValueError, match=r".+"):
        Envelope(AES_KEY, APP).open(spoiled)


# --- out --------------------------------------------------------------------------------------------------------------


def test_a_reply_is_numbered_text():
    (call,) = WECHAT.render(MESSAGE)
    assert call["msgtype"] == "text"
    assert call["text"]["content"] == (
        "These keep the rain out.\nThe first is the lightest.\n\nFrom: Care guide\n\n"
        "1. Moss jacket · $89.00\nWaxed cotton, for men & women\nhttps://shop.example/p/1?a=1&b=2\n\n"
        "2. Rain shell <Pro> “Überzieher” · $129.00\nWaxed cotton, for men & women\nhttps://shop.example/p/2?a=1&b=2\n\n"
        "3. 港湾 大衣 · $159.00\nWaxed cotton, for men & women\nhttps://shop.example/p/3?a=1&b=2\n\n"
        "Reply with a number to hear more; 4 = helpful, 5 = not helpful"
    )


def test_text_goes_out_unescaped_under_one_kept_token(platform):
    for _ in range(2):
        assert to(platform).send(HERE, {"msgtype": "text", "text": {"content": "港湾"}}, KEY).ok
    token, first, second = platform.calls
    assert token.json == {
        "grant_type": "client_credential",
        "appid": APP,
        "secret": CONFIG["app_secret"],
        "force_refresh": False,
    }
    assert first.path == second.path == "/cgi-bin/message/custom/send?access_token=granted-access-token"
    assert "港湾".encode() in first.body
    assert first.json["touser"] == OPENID


@pytest.mark.parametrize("code", [40001, 40014, 42001])
def test_a_token_that_ended_early_is_asked_for_again_once(platform, code):
    ended = Told(200, {"errcode": code, "errmsg": "invalid credential"})
    platform.answers = [ended]
    assert to(platform).send(HERE, WECHAT.render(MESSAGE)[0], KEY).ok
    assert [call.path.partition("?")[0] for call in platform.calls] == [
        "/cgi-bin/stable_token",
        "/cgi-bin/message/custom/send",
    ] * 2
    platform.answers = [ended, ended]
    result = to(platform).send(HERE, WECHAT.render(MESSAGE)[0], KEY)
    assert (result.ok, result.permanent) == (False, False)


def test_what_an_answer_of_status_200_means(platform):
    def told(code: int) -> tuple[bool, bool, float | None]:
        platform.answers = [Told(200, {"errcode": code, "errmsg": "what happened"})]
        result = to(platform).send(HERE, WECHAT.render(MESSAGE)[0], KEY)
        assert not result.ok
        assert str(code) in result.error
        return result.permanent, result.window_closed, result.retry_after

    assert told(45015) == told(45047) == (False, True, None)
    assert told(45009) == (False, False, 3600.0)
    assert told(45011) == (False, False, 60.0)
    assert told(40003) == told(43004) == (True, False, None)
    assert told(48001) == told(-1) == (False, False, None)


def test_no_token_is_never_the_messages_fault_and_tells_no_secret(platform):
    refused = {"errcode": 40125, "errmsg": f"invalid appsecret {CONFIG['app_secret']}, view more"}
    platform.pages["/cgi-bin/stable_token"] = Told(200, refused)
    result = to(platform).send(HERE, WECHAT.render(MESSAGE)[0], KEY)
    assert (result.ok, result.permanent) == (False, False)
    assert result.error == "token: 200 40125 invalid appsecret ***, view more"
    assert to(platform).check().detail == result.error


def test_typing_is_a_call_of_the_same_api(platform):
    to(platform).typing(HERE)
    assert platform.calls[-1].json == {"touser": OPENID, "command": "Typing"}
    to(platform, passive="yes").typing(HERE)
    assert len(platform.calls) == 2


def test_a_file_is_fetched_by_its_id(platform):
    platform.answers = [Told(200, b"\xff\xd8\xff picture"), Told(200, {"errcode": 40007, "errmsg": "invalid media_id"})]
    reference = MediaReference("photo", {"media_id": "m 1"})
    assert to(platform).fetch_media(reference, 1000).content_type == "image/jpeg"
    assert platform.calls[-1].path == "/cgi-bin/media/get?access_token=granted-access-token&media_id=m+1"
    with pytest.raises(MediaError, match="40007"):
        to(platform).fetch_media(reference, 1000)


@pytest.mark.parametrize(
    "address", ["http://169.254.169.254/a", "http://qpic.cn.evil.example/a", "http://a@b.qpic.cn:1/a", "", "x"]
)
def test_a_passive_account_fetches_pictures_from_wechat_alone(address):
    with pytest.raises(MediaError, match="customer-service API"):
        PASSIVE.fetch_media(MediaReference("photo", {"media_id": "m", "address": address}), 1000)


# --- answering without an API -----------------------------------------------------------------------------------------


@pytest.fixture
def account(db: None) -> ChannelAccount:
    return AccountFactory(channel="wechat", sealed_config=seal({**CONFIG, "passive": "yes"}))


class Clock:
    """Time that passes only while the code under test sleeps; ``at`` says what happens at which second."""

    def __init__(self) -> None:
        self.now = 0.0
        self.plans: list[tuple[float, Callable[[], Any]]] = []

    def at(self, second: float, what: Callable[[], Any]) -> None:
        self.plans.append((second, what))

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        for plan in [plan for plan in self.plans if plan[0] <= self.now]:
            self.plans.remove(plan)
            await sync_to_async(plan[1])()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(passive, "time", clock)
    monkeypatch.setattr(passive, "asyncio", clock)
    return clock


def comes(account: ChannelAccount, body: bytes, build: Any = plain) -> str:
    """What WeChat is answered with; its text where that is XML."""
    url = f"https://shop.example/webhooks/wechat/{account.key}"
    answer = post(Client(), build(url, body))
    assert answer.status_code == 200
    return answer.content.decode()


def spoken(answer: str) -> str:
    values = {child.tag: child.text for child in ElementTree.fromstring(answer)}
    assert (values["ToUserName"], values["FromUserName"], values["MsgType"]) == (OPENID, ACCOUNT, "text")
    return str(values["Content"])


def reply(text: str = "这件很轻。") -> None:
    turn = Turn.objects.get(status=Turn.Status.WAITING)
    Turn.objects.filter(pk=turn.pk).update(status=Turn.Status.ANSWERED, language="zh")
    outbound = delivery.post(turn.conversation, OutboundMessage(text, turn.pk, "zh"), turn)
    delivery.deliver(outbound.pk)


def earlier(seconds: float) -> None:
    """The messages came that long ago."""
    for event in InboundEvent.objects.all():
        event.received_at -= timedelta(seconds=seconds)
        event.save()


def test_a_reply_that_is_ready_in_time_is_the_answer(account, clock):
    clock.at(2, reply)
    assert spoken(comes(account, xml(Content="外套"))) == "这件很轻。"
    assert clock.now < 3
    assert Outbound.objects.get().status == "sent"


def test_what_is_late_for_the_first_try_is_found_by_the_next(account, clock):
    clock.at(5, reply)
    comes(account, xml(Content="外套"))
    assert clock.now > 5, "WeChat must have hung up"
    assert Outbound.objects.get().status == "held", "an answer that nobody waits for gives nothing"
    earlier(5)
    assert spoken(comes(account, xml(Content="外套"))) == "这件很轻。"
    assert Turn.objects.count() == 1


def test_a_try_whose_answer_was_lost_is_given_the_same_again(account, clock):
    clock.at(1, reply)
    first = spoken(comes(account, xml(Content="外套")))
    assert spoken(comes(account, xml(Content="外套"))) == first


def test_the_third_try_says_that_we_look(account, clock):
    comes(account, xml(Content="外套"))
    earlier(10)
    began = clock.now
    assert spoken(comes(account, xml(Content="外套"))) == "正在查找，请稍后回复“继续”查看"
    assert clock.now - began <= 4.75, "it must arrive within WeChat's five seconds"
    reply()
    assert spoken(comes(account, xml(2, Content="继续"))) == "这件很轻。"
    assert Turn.objects.count() == 1


def test_the_rest_is_kept_for_those_who_ask(account, clock):
    clock.at(1, lambda: reply("这件外套很轻，下雨也不怕。" * 100))
    first = spoken(comes(account, xml(Content="外套")))
    assert first.endswith("\n\n回复“继续”看余下内容")
    assert len(first.encode()) <= 2048
    rest = spoken(comes(account, xml(2, Content=" 继续。 ")))
    note = "\n\n回复“继续”看余下内容"
    assert (first.removesuffix(note) + rest.removesuffix(note)) == "这件外套很轻，下雨也不怕。" * 100


def test_a_word_for_more_asks_its_own_turn_where_nothing_is_kept(account, clock):
    clock.at(1, reply)
    assert spoken(comes(account, xml(Content="more"))) == "这件很轻。"
    assert Turn.objects.get().events.get().text == "more"


def test_an_account_with_the_api_takes_the_word_as_any_other():
    assert parsed(xml(Content="继续"))[0].data == {}


def test_what_asks_nothing_is_answered_at_once(account, clock):
    assert comes(account, xml(kind="event", Event="VIEW")) == "success"
    assert comes(account, xml(1, "location")) == "success"
    assert clock.now == 0


def test_a_follower_is_answered_passively(account, clock):
    clock.at(1, reply)
    assert spoken(comes(account, xml(kind="event", Event="subscribe"))) == "这件很轻。"


def test_a_sealed_account_answers_sealed(db, clock):
    config = {**CONFIG, "passive": "yes", "encoding_aes_key": AES_KEY}
    account = AccountFactory(channel="wechat", sealed_config=seal(config))
    clock.at(1, reply)
    answer = comes(account, xml(Content="外套"), sealed)
    values = read_xml(answer.encode())
    opened = WeChatCrypto(TOKEN, AES_KEY, APP).decrypt_message(
        answer, values["MsgSignature"], values["TimeStamp"], values["Nonce"]
    )
    assert spoken(opened) == "这件很轻。"


def test_a_database_that_is_away_for_a_moment_costs_nothing(account, clock, monkeypatch):
    looks = iter([OperationalError("away"), OperationalError("away")])
    genuine = held.look

    def shaky(*args: Any) -> held.Look:
        if error := next(looks, None):
            raise error
        return genuine(*args)

    clock.at(0.1, reply)
    monkeypatch.setattr(held, "look", shaky)
    assert spoken(comes(account, xml(Content="外套"))) == "这件很轻。"


def test_text_that_xml_cannot_hold_is_left_out():
    values = {"Content": "a]]>b\x0bc & <d> 🧥", "CreateTime": 1}
    assert read_xml(write_xml(values)) == {"Content": "a]]>bc & <d> 🧥", "CreateTime": "1"}


@pytest.mark.django_db(transaction=True)
def test_fifty_who_wait_hold_no_thread(monkeypatch):
    from botcore.channels import database_threads

    async def threaded(call: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(database_threads.THREADS, call, *args)

    monkeypatch.setattr(database_threads, "in_database_thread", threaded)
    monkeypatch.setattr(held, "look", lambda *args: held.Look(age=timedelta(seconds=10)))
    monkeypatch.setattr(passive, "TRY_SECONDS", 0.6)

    async def crowd() -> list[str]:
        return await asyncio.gather(*(passive.words_for("key", [str(number)]) for number in range(50)))

    began = time.monotonic()
    assert set(asyncio.run(crowd())) == {"正在查找，请稍后回复“继续”查看"}
    assert time.monotonic() - began < 3


# --- setting up -------------------------------------------------------------------------------------------------------


def test_only_a_passive_account_does_without_a_secret():
    bare = {name: value for name, value in CONFIG.items() if name != "app_secret"}
    with pytest.raises(ValueError, match="app_secret"):
        WeChat.prepare_config(bare)
    assert WeChat.prepare_config({**bare, "passive": "yes"})["passive"] == "yes"
    assert WeChat({**bare, "passive": "yes"}, "key").check().ok is True


def test_sending_on_a_passive_account_keeps_the_message():
    result = PASSIVE.send(HERE, PASSIVE.render(MESSAGE)[0], KEY)
    assert (result.ok, result.held, result.permanent) == (False, True, False)


def test_a_passive_event_says_whom_to_answer_as():
    (received,) = PASSIVE.parse(delivered(plain(URL, b"").url, xml(Content="hi"), {}))
    assert received.address == {"account": ACCOUNT}


def test_an_address_that_wechat_cannot_call_is_said_so():
    assert WECHAT.connect(URL) == [f"webhook: {URL}"]
    assert "ports 80 and 443" in WECHAT.connect("http://shop.example:8000/webhooks/wechat/key")[1]
