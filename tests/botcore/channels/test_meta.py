"""WhatsApp, Messenger and Instagram: what is particular to Meta's platforms, beside another reader of their deliveries."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from pywa import WhatsApp as PyWa
from pywa.types import Message, MessageStatus
from pywa.utils import webhook_updates_validator

from botcore.channels import http
from botcore.channels.meta.graph import result_of
from botcore.channels.meta.messenger import Instagram, Messenger
from botcore.channels.meta.whatsapp import WhatsApp
from botcore.channels.values import Card, Choice, MediaError, MediaReference, OutboundMessage, Recipient, WebhookRequest
from tests.botcore.channels import test_messenger_conformance as of_messenger
from tests.botcore.channels.conformance import KEY
from tests.botcore.channels.meta_platform import APP_SECRET, SHARED, TOKEN, VERIFY_TOKEN, signed
from tests.botcore.channels.test_whatsapp_conformance import NUMBER, changed, entries, message

URL = "https://chat.example/webhooks/whatsapp/key"
WHATSAPP = WhatsApp({"phone_number_id": NUMBER, **SHARED}, "key")
MESSENGER = Messenger({"page_id": of_messenger.PAGE, **SHARED}, "key")
INSTAGRAM = Instagram({"account_id": of_messenger.PAGE, **SHARED}, "key")
JACKET = Card(
    "J-1",
    "Moss jacket",
    "$89.00",
    "Waxed cotton",
    "https://cdn.example/j.jpg",
    "https://shop.example/j",
    Choice("token-1", 1),
)
REPLY = OutboundMessage("This one keeps the rain out.", 31, "en", (JACKET,), "", Choice("up-1"), Choice("down-1"))
ADA = Recipient("4711", {"message": "wamid.1"})


def trial(**query: str) -> WebhookRequest:
    names = {f"hub.{name}": value for name, value in query.items()}
    return WebhookRequest("GET", URL, {}, names, b"", 0.0)


# --- Meta's trial of our address


@pytest.mark.parametrize("channel", [WHATSAPP, MESSENGER, INSTAGRAM])
def test_the_challenge_is_given_back_to_who_knows_the_verify_token(channel):
    answer = channel.handshake(trial(mode="subscribe", verify_token=VERIFY_TOKEN, challenge="1158201444"))
    assert (answer.status, answer.body) == (200, b"1158201444")


@pytest.mark.parametrize(
    "query",
    [
        {"mode": "subscribe", "verify_token": "wrong", "challenge": "1"},
        {"mode": "subscribe", "challenge": "1"},
        {"mode": "subscribe", "verify_token": "é", "challenge": "1"},
        {"mode": "other", "verify_token": VERIFY_TOKEN, "challenge": "1"},
        {},
    ],
)
def test_nobody_else_is_answered(query):
    answer = WHATSAPP.handshake(trial(**query))
    assert (answer.status, b"1" in answer.body) == (403, False)


def test_an_account_without_a_verify_token_or_secret_admits_nobody():
    bare = WhatsApp({"phone_number_id": NUMBER, "token": TOKEN}, "key")
    assert bare.handshake(trial(mode="subscribe", verify_token="", challenge="1")).status == 403
    assert not bare.verify(signed(URL, entries()))


def test_a_verify_token_is_made_for_every_account():
    given = {"phone_number_id": NUMBER, "token": TOKEN, "app_secret": APP_SECRET}
    made = {WhatsApp.prepare_config(given)["verify_token"] for _ in range(2)}
    assert len(made) == 2


# --- another reader


@pytest.mark.parametrize("secret", [APP_SECRET, APP_SECRET[::-1]])
def test_others_check_signatures_alike(secret):
    request = signed(URL, entries(changed(message(1, "text", text={"body": "港湾 🧥"}))))
    theirs = webhook_updates_validator(secret, request.body, request.headers["x-hub-signature-256"])
    assert WhatsApp({**WHATSAPP.config, "app_secret": secret}, "key").verify(request) is theirs


@pytest.mark.parametrize(
    "sent",
    [
        message(1, "text", text={"body": "a green jacket 🧥"}),
        message(2, "image", image={"id": "77", "mime_type": "image/jpeg", "sha256": "a", "caption": "like this?"}),
        message(3, "audio", audio={"id": "78", "mime_type": "audio/ogg", "sha256": "a", "voice": True}),
        message(4, "reaction", reaction={"message_id": "wamid.out", "emoji": "👎"}),
        message(5, "reaction", reaction={"message_id": "wamid.out"}),
    ],
)
def test_others_read_messages_alike(sent):
    update = entries(changed(sent))
    theirs = Message.from_update(PyWa(phone_id=NUMBER, token="x"), update)
    (ours,) = WHATSAPP.parse(signed(URL, update))
    assert (ours.event_key, ours.contact_id, ours.contact_name) == (theirs.id, theirs.from_user.wa_id, "Ada Byron")
    if theirs.reaction:
        verdict = "none" if theirs.reaction.is_removed else "down"
        assert ours.data == {"verdict": verdict, "platform_id": "wamid.out"}
        return
    assert ours.text == (theirs.text or theirs.caption or "")
    file = theirs.image or theirs.audio
    assert [media.reference["id"] for media in ours.media] == ([file.id] if file else [])


def test_others_read_receipts_alike():
    failed = {
        "id": "wamid.out",
        "status": "failed",
        "timestamp": "1750263773",
        "recipient_id": "4711",
        "errors": [{"code": 131026, "title": "Message undeliverable", "message": "Message undeliverable"}],
    }
    update = entries(
        changed({"contacts": [{"profile": {"name": "A"}, "wa_id": "4711", "user_id": "US.1"}], "statuses": [failed]})
    )
    theirs = MessageStatus.from_update(PyWa(phone_id=NUMBER, token="x"), update)
    (ours,) = WHATSAPP.parse(signed(URL, update))
    assert ours.data["platform_id"] == theirs.id
    assert ours.data == {"platform_id": "wamid.out", "status": "failed", "error": "131026 Message undeliverable"}


# --- in


def parsed(*changes: dict[str, Any]) -> list[Any]:
    return WHATSAPP.parse(signed(URL, entries(*changes)))


def test_messages_to_another_number_of_the_business_are_not_ours():
    assert parsed(changed(message(1, "text", text={"body": "hi"}), number="999999999")) == []


def test_a_customer_without_a_number_is_known_by_the_businesss_own_id(api):
    sent = message(1, "text", text={"body": "hi"})
    sent["contacts"] = [{"profile": {"name": "Ada"}, "user_id": "US.1349"}]
    del sent["messages"][0]["from"]
    sent["messages"][0]["from_user_id"] = "US.1349"
    (event,) = parsed(changed(sent))
    assert (event.contact_id, event.contact_name) == ("US.1349", "Ada")
    fake = api(SENT, SENT)
    for contact_id in ("US.1349", "4711"):
        assert WHATSAPP.send(Recipient(contact_id), WHATSAPP.render(OutboundMessage("Hello."))[0], KEY).ok
    first, second = (json.loads(request.read()) for request in fake.requests)
    assert (first.get("recipient"), first.get("to")) == ("US.1349", None)
    assert (second.get("recipient"), second.get("to")) == (None, "4711")


def test_an_order_says_what_was_put_into_the_cart():
    items = [
        {"product_retailer_id": "J-1", "quantity": 2, "item_price": 89, "currency": "USD"},
        {"product_retailer_id": "J-2", "quantity": 1, "item_price": 129, "currency": "USD"},
    ]
    (event,) = parsed(changed(message(1, "order", order={"catalog_id": "1", "product_items": items, "text": "soon?"})))
    assert (event.kind, event.text) == ("text", "2 × J-1, 1 × J-2\nsoon?")


def test_a_row_of_a_list_and_a_button_under_a_template_are_choices():
    row = {"type": "list_reply", "list_reply": {"id": "token-1", "title": "Moss jacket", "description": "$89"}}
    (chosen,) = parsed(changed(message(1, "interactive", interactive=row)))
    (asked_back,) = parsed(changed(message(2, "button", button={"payload": "x", "text": "Yes, please"})))
    assert (chosen.kind, chosen.data["token"]) == ("button", "token-1")
    assert (asked_back.kind, asked_back.text) == ("text", "Yes, please")


@pytest.mark.parametrize("kind", ["sticker", "location", "contacts", "unsupported", "some_future_thing"])
def test_what_a_salesperson_has_no_use_for_is_kept_and_asks_nothing(kind):
    (event,) = parsed(changed(message(1, kind, **{kind: {"id": "1"}})))
    assert (event.kind, event.text, event.media) == ("other", "", ())


def test_echoes_of_our_own_messages_are_dropped():
    messages = of_messenger.TestMessenger()
    echo = {
        "sender": {"id": of_messenger.PAGE},
        "recipient": {"id": "4711"},
        "message": {"mid": "m", "text": "x", "is_echo": True},
    }
    marked = {"message": {"mid": "m", "text": "x", "is_echo": True}}
    for value in (echo, marked):
        assert MESSENGER.parse(signed(URL, messages.events(value))) == []


def test_another_pages_entries_are_not_ours():
    value = of_messenger.TestMessenger().events({"message": {"mid": "m", "text": "x"}})
    other = Messenger({**MESSENGER.config, "page_id": "99999"}, "key")
    assert other.parse(signed(URL, value)) == []
    assert INSTAGRAM.parse(signed(URL, value)) == []


def test_a_like_sticker_is_no_photo():
    like = {"type": "image", "payload": {"url": "https://scontent.xx.fbcdn.net/s.png", "sticker_id": 369239263222822}}
    (event,) = MESSENGER.parse(
        signed(URL, of_messenger.TestMessenger().events({"message": {"mid": "m", "attachments": [like]}}))
    )
    assert (event.kind, event.media) == ("other", ())


# --- out


def test_whatsapp_shows_a_text_with_thumbs_and_a_picture_with_a_button():
    assert WHATSAPP.render(REPLY) == [
        {
            "type": "interactive",
            "interactive": {
                "type": "button",
                "body": {"text": "This one keeps the rain out."},
                "action": {
                    "buttons": [
                        {"type": "reply", "reply": {"id": "up-1", "title": "Helpful"}},
                        {"type": "reply", "reply": {"id": "down-1", "title": "Not helpful"}},
                    ]
                },
            },
        },
        {
            "type": "interactive",
            "interactive": {
                "type": "button",
                "body": {"text": "Moss jacket\n$89.00\nWaxed cotton\nhttps://shop.example/j"},
                "action": {"buttons": [{"type": "reply", "reply": {"id": "token-1", "title": "Tell me more"}}]},
                "header": {"type": "image", "image": {"link": "https://cdn.example/j.jpg"}},
            },
        },
    ]


def test_messenger_shows_a_text_and_a_carousel_with_the_thumbs_under_it():
    assert MESSENGER.render(REPLY) == [
        {"text": "This one keeps the rain out."},
        {
            "attachment": {
                "type": "template",
                "payload": {
                    "template_type": "generic",
                    "elements": [
                        {
                            "title": "Moss jacket",
                            "subtitle": "$89.00 · Waxed cotton",
                            "image_url": "https://cdn.example/j.jpg",
                            "default_action": {"type": "web_url", "url": "https://shop.example/j"},
                            "buttons": [
                                {"type": "postback", "title": "Tell me more", "payload": "token-1"},
                                {"type": "web_url", "title": "Open in shop", "url": "https://shop.example/j"},
                            ],
                        }
                    ],
                },
            },
            "quick_replies": [
                {"content_type": "text", "title": "Helpful", "payload": "up-1"},
                {"content_type": "text", "title": "Not helpful", "payload": "down-1"},
            ],
        },
    ]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_labels_keep_within_twenty_characters_and_bodies_within_their_limits(language):
    long = replace(REPLY, text="It is light and green. " * 300, language=language)
    for payload in WHATSAPP.render(replace(long, cards=(replace(JACKET, detail="soft " * 900),))):
        if interactive := payload.get("interactive"):
            assert len(interactive["body"]["text"]) <= 1024
            assert all(len(button["reply"]["title"]) <= 20 for button in interactive["action"]["buttons"])
    for payload in MESSENGER.render(replace(long, cards=(replace(JACKET, title="soft " * 90),))):
        assert len(payload.get("text", "").encode()) <= 2000
        assert all(len(reply["title"]) <= 20 for reply in payload.get("quick_replies", ()))
        for element in payload.get("attachment", {}).get("payload", {}).get("elements", ()):
            assert len(element["title"]) <= 80


def test_after_the_window_only_the_shops_template_may_be_sent():
    assert WHATSAPP.reopen(REPLY) == []
    assert MESSENGER.reopen(REPLY) == []
    named = WhatsApp({**WHATSAPP.config, "template_name": "write_to_us", "template_language": "zh_CN"}, "key")
    template = {"name": "write_to_us", "language": {"code": "zh_CN"}}
    assert named.reopen(REPLY) == [{"type": "template", "template": template}]


def failed(status: int, code: int, subcode: int = 0, **headers: str) -> httpx.Response:
    error = {"message": f"about {TOKEN}", "code": code, "error_subcode": subcode}
    return httpx.Response(status, json={"error": error}, headers=headers)


@pytest.mark.parametrize(
    ("response", "permanent", "closed", "wait"),
    [
        (failed(400, 131047), True, True, None),
        (failed(400, 10, 2018278), True, True, None),
        (failed(400, 10, 2534022), True, True, None),
        (failed(400, 131026), True, False, None),
        (failed(400, 551), True, False, None),
        (failed(400, 100), True, False, None),
        (failed(401, 190), False, False, None),
        (failed(400, 190), False, False, None),
        (failed(429, 130429, **{"Retry-After": "9"}), False, False, 9.0),
        (failed(400, 131056), False, False, None),
        (failed(400, 613), False, False, None),
        (failed(500, 131000), False, False, None),
        (failed(500, 1), False, False, None),
        (httpx.Response(200, text="<html>"), False, False, None),
        (httpx.Response(200, json={"error": "odd"}), False, False, None),
    ],
)
def test_every_refusal_means_what_meta_says_it_means(response, permanent, closed, wait):
    result = result_of("messages", response)
    assert (result.ok, result.permanent, result.window_closed, result.retry_after) == (False, permanent, closed, wait)
    assert result.error
    assert TOKEN not in result.error


class Api:
    """A Graph API that answers in turn and remembers what it was asked."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.answers, self.requests = list(answers), []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answers.pop(0)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch):
    def answering(*answers: httpx.Response) -> Api:
        fake = Api(*answers)
        monkeypatch.setattr(http, "client", lambda: httpx.Client(transport=httpx.MockTransport(fake)))
        return fake

    return answering


SENT = httpx.Response(200, json={"messages": [{"id": "wamid.out"}]})


def test_a_picture_that_whatsapp_refuses_arrives_without_it(api):
    fake = api(failed(400, 131053), SENT)
    assert WHATSAPP.send(ADA, WHATSAPP.render(REPLY)[1], KEY).ok
    first, second = (request.read() for request in fake.requests)
    assert b'"header"' in first
    assert b'"header"' not in second


def test_typing_is_shown_under_the_message_that_is_answered(api):
    fake = api(SENT)
    WHATSAPP.typing(Recipient("4711"))
    WHATSAPP.typing(ADA)
    assert len(fake.requests) == 1
    assert b'"message_id":"wamid.1"' in fake.requests[0].read()


def test_a_photo_is_fetched_where_the_api_says_it_is(api):
    named = httpx.Response(200, json={"url": "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=77"})
    fake = api(named, httpx.Response(200, content=b"\xff\xd8\xff\xe0 jpeg"))
    media = WHATSAPP.fetch_media(MediaReference("photo", {"id": "77"}), 100)
    assert media.content_type == "image/jpeg"
    assert [request.headers["Authorization"] for request in fake.requests] == [f"Bearer {TOKEN}"] * 2


@pytest.mark.parametrize(
    "reference",
    [
        {"id": "../me"},
        {"id": ""},
        {"url": "https://evil.example/fbcdn.net/photo.jpg"},
        {"url": "https://fbcdn.net.evil.example/photo.jpg"},
        {"url": "http://scontent.xx.fbcdn.net/photo.jpg"},
        {"url": "https://graph.facebook.com@evil.example/photo.jpg"},
        {"url": "file:///etc/passwd"},
    ],
)
def test_the_token_travels_to_meta_alone(api, reference):
    fake = api()
    with pytest.raises(MediaError):
        WHATSAPP.fetch_media(MediaReference("photo", reference), 100)
    assert fake.requests == []


def test_connecting_messenger_subscribes_its_page(api):
    fake = api(httpx.Response(200, json={"success": True}))
    lines = MESSENGER.connect("https://chat.example/webhooks/messenger/key")
    assert str(fake.requests[0].url).endswith(f"/{of_messenger.PAGE}/subscribed_apps")
    assert lines[-1] == "the account is subscribed to the app"
    assert f"verify token: {VERIFY_TOKEN}" in lines
    assert TOKEN not in "".join(lines)
