"""Slack: what its events mean, what a reply looks like there, and what becomes of a call."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from django.test import Client
from slack_sdk.models.blocks import Block
from slack_sdk.signature import SignatureVerifier

from botcore.channels import http
from botcore.channels.slack import Slack
from botcore.channels.values import (
    Card,
    Choice,
    MalformedBodyError,
    MediaError,
    MediaReference,
    OutboundMessage,
    ReceivedEvent,
    Recipient,
    WebhookRequest,
)
from botcore.models import InboundEvent, Turn
from botcore.security import seal
from tests.botcore.channels.conformance import CARDS, KEY, MESSAGE
from tests.botcore.channels.platform import PlatformServer, Told, as_json, delivery, platform_server, post, with_header
from tests.botcore.channels.test_slack_conformance import (
    CHANNEL,
    SECRET,
    TOKEN,
    edited,
    event,
    message,
    pressed,
    signed,
)
from tests.factories import AccountFactory

CONFIG = {"token": TOKEN, "signing_secret": SECRET}
SLACK = Slack(CONFIG, "key")
URL = "https://shop.example/webhooks/slack/key"
FORM = {"content-type": "application/x-www-form-urlencoded"}
HERE = Recipient("U2147483697", {"channel": CHANNEL}, None)


def genuine(value: Any, url: str = URL) -> WebhookRequest:
    return signed(delivery(url, b"", {"content-type": "application/json"}), as_json(value))


def parsed(value: Any) -> list[ReceivedEvent]:
    return SLACK.parse(genuine(value))


def interacted(value: Any, url: str = URL) -> WebhookRequest:
    return signed(delivery(url, b"", FORM), urlencode({"payload": json.dumps(value)}).encode())


def chosen(value: Any) -> list[ReceivedEvent]:
    return SLACK.parse(interacted(value))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PlatformServer]:
    quick = httpx.Client(timeout=2)
    monkeypatch.setattr(http, "client", lambda: quick)
    with quick, platform_server(Told(200, {"ok": True, "channel": CHANNEL, "ts": "7.1"})) as running:
        yield running


def at(server: PlatformServer) -> Slack:
    return Slack({**CONFIG, "api_base_url": server.address}, "key")


# --- in


def test_slacks_own_verifier_agrees_with_us():
    request = genuine(message())
    for changed in (
        request,
        replace(request, body=request.body + b" "),
        with_header(request, "x-slack-signature", "v0="),
    ):
        assert SLACK.verify(changed) == SignatureVerifier(SECRET).is_valid_request(changed.body, dict(changed.headers))
    assert SLACK.verify(request)


@pytest.mark.parametrize("signature", ["", "v0=é", "v0=" + "0" * 64, "\0"])
def test_a_signature_that_is_none_is_refused_without_an_error(signature):
    assert not SLACK.verify(with_header(genuine(message()), "x-slack-signature", signature))


def test_bytes_that_are_no_text_and_an_account_without_a_secret_are_refused():
    assert not SLACK.verify(signed(genuine(message()), b"\xff\xfe"))
    for secret in ("", " "):
        assert not Slack({"token": TOKEN, "signing_secret": secret}, "key").verify(genuine(message()))


def test_the_challenge_is_answered_when_it_is_signed_and_only_then():
    request = genuine({"token": "old", "challenge": "3eZbrw1aBm2rZgRNFdxV2595", "type": "url_verification"})
    answer = SLACK.handshake(request)
    assert answer is not None
    assert (answer.status, answer.body) == (200, b"3eZbrw1aBm2rZgRNFdxV2595")
    assert SLACK.handshake(signed(request, request.body, "another-secret-of-16")) is None
    assert SLACK.handshake(genuine(message("url_verification"))) is None


@pytest.mark.django_db
def test_an_unsigned_challenge_is_401(shop):
    account = AccountFactory(shop=shop, channel="slack", sealed_config=seal(CONFIG))
    request = genuine({"challenge": "c", "type": "url_verification"}, f"https://x.example/webhooks/slack/{account.key}")
    assert post(Client(), request).content == b"c"
    assert post(Client(), with_header(request, "x-slack-signature", "v0=0")).status_code == 401


@pytest.mark.django_db
def test_one_message_under_two_event_ids_and_a_retry_is_one(shop):
    account = AccountFactory(shop=shop, channel="slack", sealed_config=seal(CONFIG))
    url = f"https://x.example/webhooks/slack/{account.key}"
    first = message()
    for value in (first, {**first, "event_id": "Ev0ANOTHER"}, {**first, "event_time": 1355517999}):
        retried = with_header(genuine(value, url), "x-slack-retry-num", "1")
        assert post(Client(), retried).status_code == 200
    assert (InboundEvent.objects.count(), Turn.objects.count()) == (1, 1)


def test_the_same_moment_in_another_workspace_or_conversation_is_another_message():
    keys = [parsed(value)[0].event_key for value in (message(), message(team="T2"), message(channel="D9"))]
    assert len(set(keys)) == 3


def test_a_direct_message_is_answered_where_it_was_written():
    assert parsed(message("hi")) == [
        ReceivedEvent(
            f"T1:{CHANNEL}:1355517524.000005", "text", "U2147483697", "hi",
            data={"message": "1355517524.000005"}, address={"channel": CHANNEL},
        )
    ]  # fmt: skip


def test_a_message_in_a_thread_is_answered_in_the_thread():
    assert parsed(message("hi", thread_ts="1.2"))[0].address == {"channel": CHANNEL, "thread": "1.2"}


def test_a_mention_in_a_channel_is_answered_in_its_thread_and_is_another_contact():
    value = message("<@U0BOT> a green jacket", type="app_mention", channel="C5", channel_type="channel")
    found = parsed(value)[0]
    assert (found.text, found.contact_id) == ("a green jacket", "C5:U2147483697")
    assert found.address == {"channel": "C5", "thread": "1355517524.000005"}


def test_a_channels_other_messages_are_none_of_ours():
    assert parsed(message(channel="C5", channel_type="channel")) == []
    assert parsed(message(channel="G5", channel_type="mpim")) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"bot_id": "B1"},
        {"user": "U0BOT"},
        {"user": "USLACKBOT"},
        {"subtype": "bot_message", "bot_id": "B1", "user": None},
        {"subtype": "message_deleted", "deleted_ts": "1.2", "previous_message": {"text": "x"}},
        {"subtype": "channel_join"},
    ],
)
def test_bots_deletions_and_notes_are_left_alone(fields):
    value = message(**fields)
    value["event"] = {name: item for name, item in value["event"].items() if item is not None}
    assert parsed(value) == []


def test_an_edit_has_its_own_key_and_names_the_message():
    (found,) = parsed(edited("a green jacket", "a blue jacket"))
    assert (found.kind, found.text, dict(found.data)) == ("edit", "a blue jacket", {"message": "1355517524.000005"})
    assert found.event_key == f"T1:{CHANNEL}:1355517524.000005:1355517600.000000"


def test_a_link_preview_our_own_edit_and_a_deleted_parent_are_no_edits():
    assert parsed(edited("same", "same")) == []
    unfurled = edited("https://shop.example", "https://shop.example", attachments=[{"id": 1}])
    del unfurled["event"]["message"]["edited"]
    assert parsed(unfurled) == []
    assert parsed(edited("a", "b", bot_id="B1")) == []
    assert parsed(edited("a", "b", user="U0BOT")) == []
    assert parsed(edited("a", "This message was deleted.", subtype="tombstone", user="USLACKBOT")) == []


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("<https://shop.example/j?a=1&amp;b=2|shop.example/j>", "shop.example/j"),
        ("<https://shop.example/j?a=1&amp;b=2>", "https://shop.example/j?a=1&b=2"),
        ("<mailto:ada@example.com|ada@example.com>", "ada@example.com"),
        (
            "<@U0BOT> hello <@U7|grace> in <#C1|coats> <!here> <!subteam^S1|@sales>",
            "hello @grace in #coats @here @sales",
        ),
    ],
)
def test_slacks_marks_are_read_as_a_person_sees_them(given, read):
    assert parsed(message(given))[0].text == read


def test_pictures_and_voice_are_kept_and_other_files_are_not():
    files = [
        {"mimetype": "image/jpeg", "url_private": "https://files.slack.com/a.jpg"},
        {"mimetype": "audio/webm", "subtype": "slack_audio", "url_private": "https://files.slack.com/v"},
        {"mimetype": "application/pdf", "url_private": "https://files.slack.com/p"},
    ]
    (found,) = parsed(message("like this?", subtype="file_share", files=files))
    assert (found.kind, found.text, [media.kind for media in found.media]) == (
        "media",
        "like this?",
        ["photo", "voice"],
    )


@pytest.mark.parametrize(
    ("kind", "emoji", "verdict"),
    [
        ("reaction_added", "+1", "up"),
        ("reaction_added", "+1::skin-tone-4", "up"),
        ("reaction_added", "-1", "down"),
        ("reaction_removed", "-1", "none"),
        ("reaction_added", "eyes", None),
    ],
)
def test_a_reaction_is_an_opinion_of_one_message(kind, emoji, verdict):
    item = {"type": "message", "channel": "C5", "ts": "7.1"}
    found = parsed(event(type=kind, user="U7", reaction=emoji, item=item))
    assert [(one.contact_id, dict(one.data)) for one in found] == (
        [("C5:U7", {"verdict": verdict, "platform_id": "C5:7.1"})] if verdict else []
    )


def test_our_own_reaction_and_one_to_a_file_are_left_alone():
    item = {"type": "message", "channel": CHANNEL, "ts": "7.1"}
    assert parsed(event(type="reaction_added", user="U0BOT", reaction="+1", item=item)) == []
    assert parsed(event(type="reaction_added", user="U7", reaction="+1", item={"type": "file", "file": "F1"})) == []


def test_a_press_in_a_thread_is_answered_there_and_slacks_own_thumbs_bring_their_token():
    value = pressed("tok-1", channel={"id": "C5"}, container={"message_ts": "9.9", "thread_ts": "1.2"})
    (found,) = chosen(value)
    assert (found.contact_id, dict(found.address)) == ("C5:U2147483697", {"channel": "C5", "thread": "1.2"})
    value["actions"] = [{"type": "feedback_buttons", "action_id": "feedback", "value": "tok-up", "action_ts": "2.0"}]
    assert [one.data["token"] for one in chosen(value)] == ["tok-up"]


def test_a_followed_link_a_form_and_a_command_ask_nothing():
    link = {"type": "button", "action_id": "open", "block_id": "b", "action_ts": "1.1"}
    assert chosen(pressed("", actions=[link])) == []
    assert chosen({"type": "view_submission", "user": {"id": "U7"}, "view": {}}) == []
    assert SLACK.parse(signed(delivery(URL, b"", FORM), b"command=%2Fask&text=hi&user_id=U7")) == []


def test_an_interaction_is_answered_with_nothing_at_all():
    assert (SLACK.ack([]).status, SLACK.ack([]).body) == (200, b"")


def test_five_thousand_wrong_forms_never_break_the_reader():
    rng = random.Random(7)
    body = bytearray(urlencode({"payload": json.dumps(pressed("tok-1"))}).encode())
    for _ in range(5000):
        spoiled = bytearray(body)
        for _ in range(rng.randrange(1, 6)):
            place = rng.randrange(len(spoiled))
            spoiled[place : place + rng.randrange(4)] = rng.randbytes(rng.randrange(4))
        try:
            found = SLACK.parse(delivery(URL, bytes(spoiled), FORM))
        except MalformedBodyError:
            continue
        assert all(one.event_key and one.contact_id for one in found)


# --- out


def test_a_reply_is_a_section_a_carousel_and_slacks_own_thumbs():
    card = Card("J-1", "Moss & <jacket>", "$89.00", "Waxed", "https://cdn.example/j.jpg", "https://shop.example/j",
                Choice("tok-1", 1))  # fmt: skip
    shown = OutboundMessage("Light & dry.", 31, "en", (card,), up=Choice("tok-up", 2), down=Choice("tok-down", 3))
    assert SLACK.render(shown) == [
        {
            "text": "Light &amp; dry.\n\n1. Moss &amp; &lt;jacket&gt; · $89.00\nWaxed\n<https://shop.example/j>\n\n"
            "Reply with a number to hear more",
            "blocks": [
                {
                    "type": "section",
                    "expand": True,
                    "text": {"type": "mrkdwn", "text": "Light &amp; dry.", "verbatim": True},
                },
                {
                    "type": "carousel",
                    "elements": [
                        {
                            "type": "card",
                            "title": {"type": "mrkdwn", "text": "Moss &amp; &lt;jacket&gt;", "verbatim": True},
                            "subtitle": {"type": "mrkdwn", "text": "$89.00", "verbatim": True},
                            "body": {"type": "mrkdwn", "text": "Waxed", "verbatim": True},
                            "hero_image": {
                                "type": "image",
                                "image_url": "https://cdn.example/j.jpg",
                                "alt_text": "Moss & <jacket>",
                            },
                            "actions": [
                                {
                                    "type": "button",
                                    "action_id": "choose",
                                    "text": {"type": "plain_text", "text": "Tell me more"},
                                    "value": "tok-1",
                                },
                                {
                                    "type": "button",
                                    "action_id": "open",
                                    "text": {"type": "plain_text", "text": "Open in shop"},
                                    "url": "https://shop.example/j",
                                },
                            ],
                        }
                    ],
                },
                {
                    "type": "context_actions",
                    "elements": [
                        {
                            "type": "feedback_buttons",
                            "action_id": "feedback",
                            "positive_button": {"text": {"type": "plain_text", "text": "Helpful"}, "value": "tok-up"},
                            "negative_button": {
                                "text": {"type": "plain_text", "text": "Not helpful"},
                                "value": "tok-down",
                            },
                        }
                    ],
                },
            ],
        }
    ]


@pytest.mark.parametrize(
    "shown",
    [
        MESSAGE,
        replace(MESSAGE, cards=CARDS * 9, text="&" * 2999),
        replace(MESSAGE, cards=(replace(CARDS[0], title="&" * 400, detail="<" * 900, price="1 < 2"),)),
        OutboundMessage("<&>" * 3000, 7),
        OutboundMessage("这件外套很轻。" * 900 + " https://shop.example/a?b=1&c=2 ", 7, "zh"),
        OutboundMessage("Hello.", 0),
    ],
)
def test_slacks_own_models_accept_every_block(shown):
    for payload in SLACK.render(shown):
        blocks = Block.parse_all(payload["blocks"])
        assert len(blocks) <= 50
        for block, ours in zip(blocks, payload["blocks"], strict=True):
            block.validate_json()
            assert json.loads(json.dumps(block.to_dict())) == ours
            for card in ours.get("elements", []):
                if card["type"] == "card":
                    Block.parse(card).validate_json()
        assert len(payload["text"]) <= 3000


def test_an_escaped_sign_is_never_cut_in_two():
    for payload in SLACK.render(OutboundMessage("&" * 5000, 7)):
        assert set(payload["text"].replace("&amp;", "")) == set()


def test_a_reply_in_a_thread_names_it_and_the_token_is_a_header(server):
    place = Recipient("C5:U7", {"channel": "C5", "thread": "1.2"}, None)
    at(server).send(place, SLACK.render(OutboundMessage("Hello.", 7))[0], KEY)
    (call,) = server.calls
    assert (call.method, call.path, call.headers["authorization"]) == ("POST", "/chat.postMessage", f"Bearer {TOKEN}")
    assert (call.json["channel"], call.json["thread_ts"], call.json["unfurl_links"]) == ("C5", "1.2", False)
    assert TOKEN.encode() not in call.body


def test_blocks_that_slack_refuses_are_sent_as_text(server):
    server.answers = [Told(200, {"ok": False, "error": "invalid_blocks"})]
    assert at(server).send(HERE, SLACK.render(MESSAGE)[0], KEY).ok
    assert "blocks" not in server.calls[1].json
    assert "1. Moss jacket · $89.00" in server.calls[1].json["text"]


@pytest.mark.parametrize(
    ("error", "permanent"),
    [
        ("channel_not_found", True),
        ("is_archived", True),
        ("msg_too_long", True),
        ("user_disabled", True),
        ("invalid_auth", False),
        ("token_revoked", False),
        ("account_inactive", False),
        ("missing_scope", False),
        ("internal_error", False),
        ("an_error_of_tomorrow", False),
    ],
)
def test_an_error_in_a_200_is_the_messages_or_the_accounts(server, error, permanent):
    server.answers = [Told(200, {"ok": False, "error": error})]
    result = at(server).send(HERE, SLACK.render(OutboundMessage("Hello.", 7))[0], KEY)
    assert (result.ok, result.permanent, result.error) == (False, permanent, f"chat.postMessage: 200 {error}")


def test_a_limit_in_a_200_waits_too(server):
    server.answers = [Told(200, {"ok": False, "error": "ratelimited"}, {"Retry-After": "30"})]
    assert at(server).send(HERE, SLACK.render(OutboundMessage("Hello.", 7))[0], KEY).retry_after == 30


def test_typing_shows_in_threads_alone_and_an_edit_names_its_message(server):
    at(server).typing(HERE)
    assert server.calls == []
    at(server).typing(Recipient("U7", {"channel": CHANNEL, "thread": "1.2"}, None))
    assert (server.calls[0].path, server.calls[0].json["thread_ts"]) == ("/assistant.threads.setStatus", "1.2")
    at(server).edit(HERE, "C5:7.1", {"text": "Hello."})
    assert server.calls[1].json == {"channel": "C5", "ts": "7.1", "text": "Hello."}


def test_a_file_is_fetched_with_the_token(server):
    server.success = Told(200, b"\x89PNG\r\n\x1a\n....")
    media = at(server).fetch_media(MediaReference("photo", {"url": f"{server.address}/files-pri/a.png"}), 100)
    assert media.content_type == "image/png"
    assert server.calls[0].headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/a.png",
        "http://files.slack.com/a.png",
        "https://files.slack.com.evil.example/a.png",
        "https://files.slack.com@evil.example/a.png",
        "https://evil.example\\.slack.com/a.png",
        "https://evilslack.com/a.png",
        "https://[",
        "",
    ],
)
def test_the_token_travels_nowhere_else(url):
    with pytest.raises(MediaError, match="not an address of Slack's"):
        SLACK.fetch_media(MediaReference("photo", {"url": url}), 100)


def test_a_renewed_token_is_the_same_bots():
    assert Slack.identity({"token": "xoxb-11-22-old"}) == Slack.identity({"token": "xoxb-11-22-new"}) == "11-22"
    assert Slack.identity({"token": "xoxb-11-33-old"}) != "11-22"


def test_the_credentials_are_checked_by_asking_slack(server):
    server.answers = [
        Told(200, {"ok": True, "user": "shop", "team": "Lantern"}),
        Told(200, {"ok": False, "error": "invalid_auth"}),
    ]
    assert at(server).check().detail == "shop in Lantern"
    assert (at(server).check().ok, server.calls[0].path) == (False, "/auth.test")
