"""LINE: what its events mean, what a reply looks like there, how it is sent. line-bot-sdk reads it as well."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from linebot.v3.messaging import FlexMessage, PushMessageRequest, TextMessage
from linebot.v3.webhook import SignatureValidator, WebhookParser

from botcore import delivery
from botcore.channels.line import Line
from botcore.channels.values import (
    Card,
    MalformedBodyError,
    MediaError,
    MediaReference,
    OutboundMessage,
    ReceivedEvent,
    Recipient,
    SendResult,
)
from botcore.security import seal
from tests.botcore.channels.conformance import CARDS, KEY, MESSAGE
from tests.botcore.channels.platform import PlatformServer, Told, as_json, platform_server
from tests.botcore.channels.test_line_conformance import (
    REPLY_TOKEN,
    SECRET,
    TOKEN,
    USER,
    body_of,
    event,
    signature,
    signed,
    text_message,
)
from tests.factories import AccountFactory, ContactFactory, ConversationFactory

CONFIG = {"channel_id": "1234567890", "channel_secret": SECRET, "channel_access_token": TOKEN}
LINE = Line(CONFIG, "key")
URL = "https://shop.example/webhooks/line/key"
GROUP = "Ca56f94637c" + "0" * 22
SENT = Told(200, {"sentMessages": [{"id": "461230966842064897"}, {"id": "461230966842064898"}]})
STALE_TOKEN = Told(400, {"message": "Invalid reply token"})


def parsed(*events: Any) -> list[ReceivedEvent]:
    return LINE.parse(signed(URL, body_of(*events)))


def in_group(text: str, **mention: Any) -> dict[str, Any]:
    source = {"type": "group", "groupId": GROUP, "userId": USER}
    parts = {"mention": {"mentionees": [mention]}} if mention else {}
    return event(message=text_message(text, **parts), source=source)


@pytest.fixture
def platform() -> Iterator[PlatformServer]:
    with platform_server(SENT) as server:
        yield server


def to(platform: PlatformServer) -> Line:
    return Line({**CONFIG, "api_base_url": platform.address}, "key")


def person(seconds_ago: float = 1, sent_since: int = 0, **address: Any) -> Recipient:
    heard = timezone.now() - timedelta(seconds=seconds_ago)
    return Recipient(USER, {"reply_token": REPLY_TOKEN, **address}, heard, sent_since)


# --- in ---------------------------------------------------------------------------------------------------------------


def test_signatures_are_judged_as_the_sdk_does():
    rng = random.Random(5)
    validator = SignatureValidator(SECRET)
    for _ in range(200):
        body = as_json({"events": [], "destination": rng.choice(["港湾", "a", "🧥"]) * rng.randrange(9)})
        given = rng.choice([signature(body), signature(body + b" "), signature(body)[:-2], "", "ü", "===="])
        request = replace(signed(URL, body), headers={"x-line-signature": given})
        assert LINE.verify(request) is validator.validate(body.decode(), given)


def test_the_sdk_reads_the_same_messages():
    body = body_of(
        event(1, message=text_message("a green jacket 🧥")),
        event(2, "postback", postback={"data": "tok-1"}),
        event(
            3,
            message={
                "id": "354718705033693859",
                "type": "image",
                "quoteToken": "q",
                "contentProvider": {"type": "line"},
            },
        ),
        event(
            4,
            message={
                "id": "354718705033693860",
                "type": "audio",
                "duration": 60000,
                "contentProvider": {"type": "line"},
            },
        ),
    )
    theirs = WebhookParser(SECRET).parse(body.decode(), signature(body))
    ours = LINE.parse(signed(URL, body))
    assert [one.event_key for one in ours] == [one.webhook_event_id for one in theirs]
    assert [one.contact_id for one in ours] == [one.source.user_id for one in theirs]
    assert [one.address["reply_token"] for one in ours] == [one.reply_token for one in theirs]
    assert [one.kind for one in ours] == ["text", "button", "media", "media"]
    assert ours[0].text == theirs[0].message.text
    assert ours[1].data["token"] == theirs[1].postback.data
    assert [one.media[0].reference["message"] for one in ours[2:]] == [one.message.id for one in theirs[2:]]
    assert [one.media[0].kind for one in ours[2:]] == ["photo", "voice"]


def test_the_trial_of_an_address_has_no_events_and_is_answered():
    assert parsed() == []
    assert LINE.ack([]).status == 200


def test_a_redelivery_is_the_same_event():
    words = text_message("a green jacket")
    first, again = event(message=words), event(message=words, deliveryContext={"isRedelivery": True})
    assert parsed(first)[0].event_key == parsed(again)[0].event_key


@pytest.mark.parametrize("kind", ["follow", "unfollow", "join", "leave", "memberJoined", "unsend", "videoPlayComplete"])
def test_what_asks_nothing_is_left_alone(kind):
    assert parsed(event(kind=kind)) == []


def test_what_another_module_answers_is_left_alone():
    assert parsed(event(mode="standby", message=text_message("hello"))) == []


def test_a_quoted_message_is_its_words():
    assert parsed(event(message=text_message("this one", quotedMessageId="4687895")))[0].text == "this one"


def test_a_sticker_is_stored_and_asks_nothing():
    (received,) = parsed(event(message={"id": "1", "type": "sticker", "packageId": "1", "stickerId": "2"}))
    assert (received.kind, received.text, received.media) == ("other", "", ())


def test_a_picture_on_another_server_is_not_fetched():
    provider = {"type": "external", "originalContentUrl": "http://169.254.169.254/latest"}
    (received,) = parsed(event(message={"id": "1", "type": "image", "contentProvider": provider}))
    assert (received.kind, received.media) == ("other", ())


def test_a_group_is_answered_where_it_names_us():
    assert parsed(in_group("a green jacket")) == []
    assert parsed(in_group("@Ann a green jacket", index=0, length=4, type="user", userId="U1", isSelf=False)) == []
    (received,) = parsed(in_group("🧥 @Shop a green jacket", index=3, length=5, type="user", isSelf=True))
    assert received.text == "🧥  a green jacket"
    assert received.contact_id == f"{GROUP}/{USER}"
    assert received.address == {"reply_token": REPLY_TOKEN, "to": GROUP}


def test_a_mention_beyond_the_text_takes_nothing_away():
    (received,) = parsed(in_group("hi @Shop", index=300, length=5, type="user", isSelf=True))
    assert received.text == "hi @Shop"


def test_somebody_without_an_id_is_left_alone():
    assert parsed(event(source={"type": "group", "groupId": GROUP}, message=text_message("hi"))) == []


def test_events_must_be_a_list():
    with pytest.raises(MalformedBodyError, match="events"):
        LINE.parse(signed(URL, b'{"events": 1}'))


# --- out --------------------------------------------------------------------------------------------------------------


def test_a_reply_is_a_text_a_carousel_and_quick_replies():
    (call,) = LINE.render(MESSAGE)
    text, flex = call["messages"]
    assert text == {
        "type": "text",
        "text": "These keep the rain out.\nThe first is the lightest.\n\nFrom: Care guide",
    }
    assert flex["altText"].startswith("Moss jacket · $89.00\nRain shell")
    first = flex["contents"]["contents"][0]
    assert first["hero"]["url"] == "https://cdn.example/1.jpg"
    assert [line["text"] for line in first["body"]["contents"]] == [
        "Moss jacket",
        "$89.00",
        "Waxed cotton, for men & women",
    ]
    assert [button["action"] for button in first["footer"]["contents"]] == [
        {"type": "postback", "label": "Tell me more", "data": "tok-1-abcdefg", "displayText": "Moss jacket"},
        {"type": "uri", "label": "Open in shop", "uri": "https://shop.example/p/1?a=1&b=2"},
    ]
    assert [item["action"] for item in flex["quickReply"]["items"]] == [
        {"type": "postback", "label": "👍 Helpful", "data": "tok-up-abcdefg", "displayText": "👍 Helpful"},
        {"type": "postback", "label": "👎 Not helpful", "data": "tok-down-abcdef", "displayText": "👎 Not helpful"},
    ]


def test_the_sdk_takes_what_we_send():
    for message in (MESSAGE, replace(MESSAGE, language="zh"), OutboundMessage("Hello.", 0)):
        for call in LINE.render(message):
            theirs = PushMessageRequest.from_dict({"to": USER, **call})
            assert [type(one) for one in theirs.messages][:1] == [TextMessage]
            assert all(isinstance(one, TextMessage | FlexMessage) for one in theirs.messages)
            labels = [item.action.label for one in theirs.messages if one.quick_reply for item in one.quick_reply.items]
            assert all(len(label) <= 20 for label in labels)


def test_fifteen_products_are_two_carousels_and_twenty_thousand_words_are_calls_of_five():
    cards = tuple(replace(CARDS[0], sku=f"S{number}") for number in range(15))
    (call,) = LINE.render(replace(MESSAGE, cards=cards))
    assert [len(one["contents"]["contents"]) for one in call["messages"][1:]] == [12, 3]
    calls = LINE.render(OutboundMessage("word " * 6000, 7))
    assert [len(call["messages"]) for call in calls] == [5, 1]


def test_a_picture_or_page_that_line_cannot_reach_is_left_out():
    card = Card("S", "Jacket", "$1", image_url="http://localhost:8000/media/1.jpg", url="http://192.168.1.1/p")
    (call,) = LINE.render(OutboundMessage("Here.", 7, cards=(card,)))
    assert set(call["messages"][1]["contents"]["contents"][0]) == {"type", "body"}


def test_the_first_answer_within_a_minute_is_a_reply(platform):
    assert to(platform).send(person(), LINE.render(MESSAGE)[0], KEY).platform_id == "461230966842064897"
    (call,) = platform.calls
    assert (call.path, call.json["replyToken"]) == ("/v2/bot/message/reply", REPLY_TOKEN)
    assert call.headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("recipient", [person(seconds_ago=70), person(sent_since=1), Recipient(USER)])
def test_every_other_answer_is_pushed_with_a_retry_key(platform, recipient):
    assert to(platform).send(recipient, LINE.render(MESSAGE)[0], KEY).ok
    (call,) = platform.calls
    assert (call.path, call.json["to"]) == ("/v2/bot/message/push", USER)
    assert call.headers["x-line-retry-key"] == str(KEY)


def test_what_does_not_fit_into_the_reply_is_pushed_after_it(db, platform):
    account = AccountFactory(channel="line", sealed_config=seal({**CONFIG, "api_base_url": platform.address}))
    contact = ContactFactory(
        account=account, external_id=USER, address={"reply_token": REPLY_TOKEN}, heard_at=timezone.now()
    )
    conversation = ConversationFactory(shop=account.shop, contact=contact)
    outbound = delivery.post(conversation, OutboundMessage("word " * 6000))
    delivery.deliver(outbound.pk)
    assert [call.path for call in platform.calls] == ["/v2/bot/message/reply", "/v2/bot/message/push"]
    assert [len(call.json["messages"]) for call in platform.calls] == [5, 1]


def test_a_refused_reply_token_is_followed_by_a_push(platform):
    platform.answers = [STALE_TOKEN]
    assert to(platform).send(person(to=GROUP), LINE.render(MESSAGE)[0], KEY).ok
    assert [call.path for call in platform.calls] == ["/v2/bot/message/reply", "/v2/bot/message/push"]
    assert platform.calls[1].json["to"] == GROUP


@pytest.mark.parametrize("trouble", ["reset", "silence"])
def test_a_reply_without_an_answer_is_tried_again_and_arrived_where_its_token_was_used(platform, trouble):
    platform.answers = [Told(trouble=trouble), STALE_TOKEN]
    assert to(platform).send(person(), LINE.render(MESSAGE)[0], KEY) == SendResult(ok=True)
    assert [(call.path, call.json["replyToken"]) for call in platform.calls] == [
        ("/v2/bot/message/reply", REPLY_TOKEN)
    ] * 2


def test_a_reply_without_an_answer_that_had_not_arrived_is_sent_by_the_second_call(platform):
    platform.answers = [Told(trouble="reset")]
    assert to(platform).send(person(), LINE.render(MESSAGE)[0], KEY).platform_id == "461230966842064897"
    assert [call.path for call in platform.calls] == ["/v2/bot/message/reply"] * 2


def test_a_reply_whose_second_call_fails_as_well_is_for_another_attempt(platform):
    platform.answers = [Told(trouble="reset"), Told(500, {})]
    result = to(platform).send(person(), LINE.render(MESSAGE)[0], KEY)
    assert (result.ok, result.permanent, len(platform.calls)) == (False, False, 2)


def test_a_push_that_was_taken_before_is_a_success(platform):
    accepted = {"X-Line-Accepted-Request-Id": "5ac3cba2"}
    platform.answers = [Told(409, {"message": "The retry key is already accepted", **SENT.value}, accepted)]
    result = to(platform).send(Recipient(USER), LINE.render(MESSAGE)[0], KEY)
    assert (result.ok, result.platform_id) == (True, "461230966842064897")


def test_another_conflict_is_none(platform):
    platform.answers = [Told(409, {"message": "Conflict"})]
    assert not to(platform).send(Recipient(USER), LINE.render(MESSAGE)[0], KEY).ok


def test_a_month_that_is_used_up_stops_its_message_alone(platform):
    platform.answers = [Told(429, {"message": "You have reached your monthly limit."}, {"Retry-After": "9"})]
    result = to(platform).send(Recipient(USER), LINE.render(MESSAGE)[0], KEY)
    assert (result.permanent, result.retry_after) == (True, None)


def test_a_wrong_token_is_the_accounts_failure(platform):
    platform.answers = [Told(401, {"message": "Authentication failed"})]
    result = to(platform).send(Recipient(USER), LINE.render(MESSAGE)[0], KEY)
    assert (result.ok, result.permanent, result.error) == (False, False, "push: 401 Authentication failed")


def test_loading_is_shown_to_single_persons(platform):
    to(platform).typing(person())
    to(platform).typing(person(to=GROUP))
    assert [call.json for call in platform.calls] == [{"chatId": USER, "loadingSeconds": 20}]


def test_a_file_is_fetched_by_its_message(platform):
    platform.answers = [Told(200, b"\xff\xd8\xff\xe0 a picture"), Told(404, {"message": "Not found"})]
    reference = MediaReference("photo", {"message": "354718705033693859"})
    assert to(platform).fetch_media(reference, 1000).content_type == "image/jpeg"
    assert platform.calls[0].path == "/v2/bot/message/354718705033693859/content"
    with pytest.raises(MediaError, match="404"):
        to(platform).fetch_media(reference, 1000)
    with pytest.raises(MediaError, match="no such message"):
        to(platform).fetch_media(MediaReference("photo", {"message": "../info"}), 1000)


# --- setting up -------------------------------------------------------------------------------------------------------


def test_the_credentials_name_the_bot(platform):
    platform.answers = [Told(200, {"userId": "Ub9952f8", "basicId": "@216ru", "displayName": "Lantern"})]
    assert to(platform).check().detail == "Lantern (@216ru)"
    platform.answers = [Told(401, {"message": "Authentication failed"})]
    check = to(platform).check()
    assert (check.ok, check.detail) == (False, "info: 401 Authentication failed")


def test_connecting_sets_the_webhook_and_has_it_tried(platform):
    platform.answers = [Told(200, {}), Told(200, {"success": True, "statusCode": 200})]
    assert "LINE reached it" in to(platform).connect(URL)
    assert [(call.method, call.path, call.json) for call in platform.calls] == [
        ("PUT", "/v2/bot/channel/webhook/endpoint", {"endpoint": URL}),
        ("POST", "/v2/bot/channel/webhook/test", {"endpoint": URL}),
    ]


def test_connecting_says_what_went_wrong(platform):
    platform.answers = [Told(200, {}), Told(200, {"success": False, "statusCode": 401})]
    assert any("it tried it and got 401" in line for line in to(platform).connect(URL))
    platform.answers = [Told(400, {"message": "Invalid webhook endpoint URL"})]
    assert any("Invalid webhook endpoint URL" in line for line in to(platform).connect(URL))
    assert any("https addresses only" in line for line in LINE.connect("http://localhost:8000/webhooks/line/key"))
