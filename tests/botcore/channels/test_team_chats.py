"""A question and its answer all the way through intake and delivery, on the three chats of teams and communities."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.db import transaction
from django.test import Client

from botcore import delivery
from botcore.channels import http
from botcore.channels.teams import tokens
from botcore.channels.values import OutboundMessage, WebhookRequest
from botcore.models import ChannelAccount, Conversation, Feedback, InboundEvent, Outbound, Turn
from botcore.security import seal
from tests.botcore.channels import microsoft
from tests.botcore.channels import test_discord as discord
from tests.botcore.channels import test_slack as slack
from tests.botcore.channels import test_teams as teams
from tests.botcore.channels.conformance import CARDS
from tests.botcore.channels.platform import PlatformServer, Told, platform_server, post
from tests.factories import AccountFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PlatformServer]:
    quick = httpx.Client(timeout=2)
    monkeypatch.setattr(http, "client", lambda: quick)
    monkeypatch.setattr(tokens, "_granted", {})
    tokens.keys_at.cache_clear()
    with quick, platform_server(Told(200, {})) as running:
        microsoft.publish(running)
        running.pages[microsoft.TOKENS] = microsoft.GRANTED
        yield running


def connected(shop: Any, name: str, config: Any, server: PlatformServer) -> tuple[ChannelAccount, str]:
    sealed = seal({**config, "api_base_url": server.address})
    account = AccountFactory(shop=shop, channel=name, sealed_config=sealed)
    return account, f"https://x.example/webhooks/{name}/{account.key}"


def told(request: WebhookRequest) -> InboundEvent:
    """What is stored of a request that we take."""
    assert post(Client(), request).status_code == 200
    return InboundEvent.objects.latest("pk")


def answered(turn: Turn, server: PlatformServer, *answers: Told) -> Outbound:
    """A reply with products, sent as the platform answers."""
    Turn.objects.filter(pk=turn.pk).update(status=Turn.Status.ANSWERED, reply="Here.")
    conversation = Conversation.objects.select_related("contact__account").get(pk=turn.conversation_id)
    with transaction.atomic():
        outbound = delivery.post(conversation, OutboundMessage("Here.", turn.pk, cards=CARDS), turn)
    server.answers = list(answers)
    delivery.deliver(outbound.pk)
    outbound.refresh_from_db()
    assert (outbound.status, outbound.error) == ("sent", "")
    return outbound


def test_slack_in_a_channels_thread(shop, server):
    _, url = connected(shop, "slack", slack.CONFIG, server)
    mention = slack.message("<@U0BOT> a coat", type="app_mention", channel="C5", channel_type="channel")
    asked = told(slack.genuine(mention, url))
    sent = answered(asked.turn, server, Told(200, {"ok": True, "channel": "C5", "ts": "7.1"}))
    call = server.calls[-1].json
    assert (call["channel"], call["thread_ts"], sent.platform_ids) == ("C5", "1355517524.000005", ["C5:7.1"])
    thumbs = call["blocks"][-1]["elements"][0]
    container = {"message_ts": "7.1", "thread_ts": "1355517524.000005"}
    pressed = slack.pressed(thumbs["negative_button"]["value"], channel={"id": "C5"}, container=container)
    told(slack.interacted(pressed, url))
    assert [(row.turn, row.kind) for row in Feedback.objects.all()] == [(asked.turn, "down")]
    product = call["blocks"][1]["elements"][1]["actions"][0]["value"]
    chosen = told(slack.interacted(slack.pressed(product, channel={"id": "C5"}, container=container), url))
    assert (chosen.data["sku"], chosen.turn is not None) == ("SKU-2", True)


def test_discord_in_the_place_of_the_deferred_answer(shop, server):
    _, url = connected(shop, "discord", discord.CONFIG, server)
    asked = told(discord.genuine(discord.asked(), url))
    thinking, written = Told(200, {"id": "1100", "flags": 128}), Told(200, {"id": "1100"})
    sent = answered(asked.turn, server, thinking, written)
    call = server.calls[-1]
    assert (call.method, call.path, sent.platform_ids) == ("PATCH", discord.ORIGINAL, ["1100"])
    up = call.json["components"][-1]["components"][0]
    told(discord.genuine(discord.pressed(up["custom_id"], up["emoji"]["name"]), url))
    assert [(row.turn, row.kind) for row in Feedback.objects.all()] == [(asked.turn, "up")]
    delivery.show_verdict(sent.pk)
    shown = server.calls[-1]
    assert (shown.method, shown.path) == ("PATCH", discord.ORIGINAL.replace("@original", "1100"))
    assert [button["style"] for button in shown.json["components"][-1]["components"]] == [3, 2]


def test_discord_after_its_window(shop, server):
    _, url = connected(shop, "discord", discord.CONFIG, server)
    asked = told(discord.genuine(discord.asked(), url))
    conversation = Conversation.objects.select_related("contact__account").get(pk=asked.turn.conversation_id)
    with transaction.atomic():
        outbound = delivery.post(conversation, OutboundMessage("A person writes."))
    server.success = Told(404, {"message": "Unknown Webhook", "code": 10015})
    delivery.deliver(outbound.pk)
    outbound.refresh_from_db()
    assert (outbound.status, discord.TOKEN in outbound.error) == ("failed", False)


def test_teams_with_its_own_thumbs(shop, server):
    config = {**teams.CONFIG, "openid_url": server.address + microsoft.METADATA}
    _, url = connected(shop, "teams", config, server)
    asked = told(microsoft.called(url, microsoft.activity(text="a coat")))
    sent = answered(asked.turn, server, Told(201, {"id": "1:9"}))
    call = server.calls[-1].json
    assert (call["channelData"], sent.platform_ids) == ({"feedbackLoopEnabled": True}, ["1:9"])
    value = call["attachments"][2]["content"]["actions"][0]["data"]
    chosen = told(microsoft.called(url, microsoft.activity(number=2, value=value, replyToId="1:9")))
    assert (chosen.data["sku"], chosen.text) == ("SKU-3", "港湾 大衣")
    thumb = {"actionName": "feedback", "actionValue": {"reaction": "like", "feedback": "{}"}}
    said = microsoft.activity("invoke", 3, name="message/submitAction", value=thumb, replyToId="1:9")
    told(microsoft.called(url, said))
    assert [(row.turn, row.kind) for row in Feedback.objects.all()] == [(asked.turn, "up")]
