"""Discord: what its interactions mean, what a reply looks like there, and what becomes of a call."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from django.test import Client

from botcore.channels import http
from botcore.channels.discord import Discord
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
from tests.botcore.channels.test_discord_conformance import (
    APPLICATION,
    BOT,
    TOKEN,
    TestDiscord,
    asked,
    interaction,
    pressed,
    signed,
)
from tests.factories import AccountFactory

CONFIG = TestDiscord.config
DISCORD = Discord(CONFIG, "key")
URL = "https://shop.example/webhooks/discord/key"
HERE = Recipient("5390", {"token": TOKEN, "private": False}, None)
ORIGINAL = f"/webhooks/{APPLICATION}/{TOKEN}/messages/@original"
del TestDiscord  # its tests run once


def genuine(value: Any, url: str = URL) -> WebhookRequest:
    return signed(delivery(url, b"", {"content-type": "application/json"}), as_json(value))


def parsed(value: Any) -> list[ReceivedEvent]:
    return DISCORD.parse(genuine(value))


def acked(value: Any) -> Any:
    return json.loads(DISCORD.ack(parsed(value)).body)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PlatformServer]:
    quick = httpx.Client(timeout=2)
    monkeypatch.setattr(http, "client", lambda: quick)
    with quick, platform_server(Told(200, {"id": "1100"})) as running:
        yield running


def at(server: PlatformServer) -> Discord:
    return Discord({**CONFIG, "api_base_url": server.address}, "key")


# --- in


def test_a_ping_is_answered_when_it_is_signed_and_only_then():
    ping = genuine({"id": "1", "type": 1, "application_id": APPLICATION, "token": "t", "version": 1})
    answer = DISCORD.handshake(ping)
    assert answer is not None
    assert (answer.content_type, json.loads(answer.body)) == ("application/json", {"type": 1})
    assert DISCORD.handshake(with_header(ping, "x-signature-ed25519", "00" * 64)) is None
    assert DISCORD.handshake(replace(ping, body=ping.body + b" ")) is None
    assert DISCORD.handshake(genuine(asked())) is None


@pytest.mark.django_db
def test_discords_trial_with_a_wrong_signature_is_401(shop):
    account = AccountFactory(shop=shop, channel="discord", sealed_config=seal(dict(CONFIG)))
    ping = genuine({"id": "1", "type": 1}, f"https://x.example/webhooks/discord/{account.key}")
    assert post(Client(), ping).json() == {"type": 1}
    assert post(Client(), with_header(ping, "x-signature-ed25519", "00" * 64)).status_code == 401
    assert post(Client(), with_header(ping, "x-signature-ed25519", "")).status_code == 401


@pytest.mark.parametrize("signature", ["", "zz", "00", "00" * 65, "é" * 128, "0" * 127])
def test_a_signature_that_is_none_is_refused_without_an_error(signature):
    assert not DISCORD.verify(with_header(genuine(asked()), "x-signature-ed25519", signature))


@pytest.mark.parametrize("key", ["", "zz", "00", "00" * 32])
def test_an_account_with_no_key_of_sense_admits_nobody(key):
    assert not Discord({**CONFIG, "public_key": key}, "key").verify(genuine(asked()))


def test_a_command_is_a_message_with_its_sender_and_where_to_answer():
    (found,) = parsed(asked("a green jacket"))
    assert (found.kind, found.text, found.contact_name, found.language) == ("text", "a green jacket", "Ada Byron", "en")
    assert found.address == {"token": TOKEN, "private": False}


def test_in_a_server_the_member_is_the_same_contact_and_alone_sees_the_answer():
    value = asked()
    member = {"user": value.pop("user"), "roles": []}
    in_server = {**value, "member": member, "context": 0, "guild_id": "9"}
    (found,) = parsed(in_server)
    assert (found.contact_id, found.address["private"]) == (member["user"]["id"], True)
    assert acked(in_server) == {"type": 5, "data": {"flags": 64}}
    assert acked(asked()) == {"type": 5}
    assert acked(asked(context=2)) == {"type": 5, "data": {"flags": 64}}


def test_a_command_without_words_is_a_greeting_and_one_with_a_photo_has_it():
    assert [(one.kind, one.text) for one in parsed(asked("", locale="zh-CN"))] == [("text", "你好")]
    file = {"id": "88", "content_type": "image/png", "url": "https://cdn.discordapp.com/a.png"}
    options = [{"type": 3, "name": "text", "value": "like this"}, {"type": 11, "name": "photo", "value": "88"}]
    data = {"name": "ask", "options": options, "resolved": {"attachments": {"88": file}}}
    (found,) = parsed(asked(data=data))
    assert (found.kind, found.text) == ("media", "like this")
    assert found.media == (MediaReference("photo", {"url": "https://cdn.discordapp.com/a.png"}),)


def test_a_products_button_is_answered_later_and_a_thumb_leaves_all_as_it_is():
    assert acked(pressed("tok-1")) == {"type": 5}
    assert acked(pressed("tok-up", "👍")) == {"type": 6}
    assert parsed(pressed("tok-up", "👍"))[0].address == {}
    assert parsed(pressed("tok-1", "🧥"))[0].address != {}


def test_forms_completions_and_other_commands_are_left_alone():
    assert parsed(interaction(1, type=5, data={"custom_id": "a"})) == []
    assert parsed(interaction(1, type=4, data={"name": "ask"})) == []
    assert parsed(asked(data={"name": "weather"})) == []


@pytest.mark.parametrize("token", ["", "a/b", "../x", "a?b", "a b", "a#b", None])
def test_a_token_that_would_change_an_address_is_refused(token):
    with pytest.raises(MalformedBodyError):
        parsed(asked(token=token))


@pytest.mark.django_db
def test_a_repeated_interaction_is_one(shop):
    account = AccountFactory(shop=shop, channel="discord", sealed_config=seal(dict(CONFIG)))
    request = genuine(asked(), f"https://x.example/webhooks/discord/{account.key}")
    assert [post(Client(), request).json() for _ in range(2)] == [{"type": 5}] * 2
    assert (InboundEvent.objects.count(), Turn.objects.count()) == (1, 1)


# --- out


def test_a_reply_is_a_text_with_embeds_and_rows_of_buttons():
    card = Card("J-1", "Moss_jacket", "$89.00", "Waxed", "https://cdn.example/j.jpg", "https://shop.example/j",
                Choice("tok-1", 1))  # fmt: skip
    shown = OutboundMessage(
        "*Dry* at https://shop.example/a_b_c today.",
        31,
        "en",
        (card,),
        up=Choice("tok-up", 2),
        down=Choice("tok-down", 3),
    )
    thumb = {"type": 2, "style": 2}
    assert DISCORD.render(shown) == [
        {
            "content": "\\*Dry\\* at https://shop.example/a_b_c today.",
            "embeds": [
                {
                    "title": "1. Moss\\_jacket",
                    "description": "$89.00\nWaxed",
                    "url": "https://shop.example/j",
                    "thumbnail": {"url": "https://cdn.example/j.jpg"},
                }
            ],
            "components": [
                {
                    "type": 1,
                    "components": [{"type": 2, "style": 2, "label": "1. Moss_jacket", "custom_id": "tok-1"}],
                },
                {
                    "type": 1,
                    "components": [
                        {**thumb, "emoji": {"name": "👍"}, "custom_id": "tok-up"},
                        {**thumb, "emoji": {"name": "👎"}, "custom_id": "tok-down"},
                    ],
                },
            ],
            "allowed_mentions": {"parse": []},
        }
    ]


def test_a_pressed_thumb_is_filled():
    before, after = (DISCORD.render(replace(MESSAGE, verdict=verdict))[-1] for verdict in ("", "up"))
    assert [button["style"] for button in before["components"][-1]["components"]] == [2, 2]
    assert [button["style"] for button in after["components"][-1]["components"]] == [3, 2]
    assert before["embeds"] == after["embeds"]


@pytest.mark.parametrize(
    "shown",
    [
        MESSAGE,
        replace(MESSAGE, cards=CARDS * 9),
        replace(MESSAGE, cards=(replace(CARDS[0], title="_" * 400, detail="*" * 900, price="~" * 90),) * 23),
        OutboundMessage("*" * 9000, 7),
        OutboundMessage("Hello.", 0, "en", CARDS),
    ],
)
def test_every_message_keeps_discords_limits(shown):
    for payload in DISCORD.render(shown):
        embeds, rows = payload.get("embeds", []), payload.get("components", [])
        assert len(payload.get("content", "")) <= 2000
        assert len(embeds) <= 10
        assert sum(len(embed["title"]) + len(embed["description"]) for embed in embeds) <= 6000
        assert all(len(embed["title"]) <= 256 for embed in embeds)
        assert len(rows) <= 5
        assert all(1 <= len(row["components"]) <= 5 for row in rows)
        assert all(len(button.get("label", "")) <= 80 for row in rows for button in row["components"])


def test_the_deferred_answer_is_written_in_its_place_and_what_follows_comes_after_it(server):
    server.answers = [Told(200, {"id": "1100", "flags": 128 | 64}), Told(200, {"id": "1100"})]
    first, second = (DISCORD.render(OutboundMessage(text, 7))[0] for text in ("One.", "Two."))
    assert at(server).send(HERE, first, KEY).ok
    server.answers = [Told(200, {"id": "1100", "flags": 64}), Told(200, {"id": "1200"})]
    assert at(server).send(HERE, second, KEY).platform_id == "1200"
    assert [(call.method, call.path) for call in server.calls] == [
        ("GET", ORIGINAL),
        ("PATCH", ORIGINAL),
        ("GET", ORIGINAL),
        ("POST", f"/webhooks/{APPLICATION}/{TOKEN}"),
    ]
    assert server.calls[1].json == {"content": "One.", "allowed_mentions": {"parse": []}}
    assert not any("authorization" in call.headers for call in server.calls)


def test_where_others_listen_a_following_message_is_private_too(server):
    server.answers = [Told(200, {"id": "1100", "flags": 64})]
    at(server).send(Recipient("5390", {"token": TOKEN, "private": True}, None), {"content": "Two."}, KEY)
    assert server.calls[1].json["flags"] == 64


@pytest.mark.parametrize(("status", "code"), [(401, 50027), (404, 10015), (404, 10062)])
def test_a_token_that_is_over_closes_the_window(server, status, code):
    server.success = Told(status, {"message": "over", "code": code})
    result = at(server).send(HERE, {"content": "Two."}, KEY)
    assert (result.ok, result.window_closed, TOKEN in result.error) == (False, True, False)


def test_without_an_interaction_nothing_can_be_said():
    result = DISCORD.send(Recipient("5390", {}, None), {"content": "Hello."}, KEY)
    assert (result.ok, result.window_closed) == (False, True)


def test_a_limit_counts_parts_of_seconds(server):
    server.answers = [Told(429, {"message": "You are being rate limited.", "retry_after": 0.65, "global": False})]
    assert at(server).send(HERE, {"content": "Hello."}, KEY).retry_after == 0.65


def test_a_form_that_discord_refuses_is_given_up(server):
    server.answers = [Told(200, {"id": "1100"}), Told(400, {"message": "Invalid Form Body", "code": 50035})]
    result = at(server).send(HERE, {"content": "Hello."}, KEY)
    assert (result.permanent, result.error) == (True, "follow up: 400 code 50035")


def test_connecting_registers_the_command_and_the_address(server):
    lines = at(server).connect("https://shop.example/webhooks/discord/key")
    command, address = server.calls
    assert (command.method, command.path) == ("POST", f"/applications/{APPLICATION}/commands")
    assert (command.json["name"], [option["name"] for option in command.json["options"]]) == ("ask", ["text", "photo"])
    assert (address.method, address.path) == ("PATCH", "/applications/@me")
    assert address.json == {"interactions_endpoint_url": "https://shop.example/webhooks/discord/key"}
    assert command.headers["authorization"] == f"Bot {BOT}"
    assert len(lines) == 3


def test_what_discord_does_not_take_is_said(server):
    server.success = Told(400, {"code": 50035, "message": "Validation failed"})
    assert "did not take the command" in at(server).connect(URL)[1]
    assert "did not take the address (address: 400 code 50035)" in at(server).connect(URL)[2]


def test_the_credentials_must_be_one_applications(server):
    mine = {"id": APPLICATION, "name": "Lantern", "verify_key": CONFIG["public_key"].upper()}
    others = [{**mine, "id": "845027738276462633"}, {**mine, "verify_key": "00" * 32}]
    server.answers = [Told(200, mine), *(Told(200, other) for other in others), Told(401, {"code": 0})]
    checks = [at(server).check() for _ in range(4)]
    assert [check.ok for check in checks] == [True, False, False, False]
    assert checks[0].detail == "Lantern"


@pytest.mark.parametrize(
    "url", ["https://evil.example/a.png", "http://cdn.discordapp.com/a.png", "https://cdn.discordapp.com.evil.example/"]
)
def test_files_are_fetched_from_discord_alone(url):
    with pytest.raises(MediaError, match="not an address of Discord's"):
        DISCORD.fetch_media(MediaReference("photo", {"url": url}), 100)
