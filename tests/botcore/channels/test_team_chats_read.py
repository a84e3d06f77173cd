"""What we send to Discord and Teams, as their own published readers have it: npm's Discord OpenAPI and Adaptive Cards."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from botcore.channels.discord import COMMAND_SHAPE
from botcore.channels.values import OutboundMessage
from tests.botcore.channels.conformance import CARDS, MESSAGE
from tests.botcore.channels.npm_oracles import npm_folder
from tests.botcore.channels.test_discord import DISCORD, acked, asked, pressed
from tests.botcore.channels.test_teams import TEAMS

__all__ = ["npm_folder"]
MESSAGES = (
    MESSAGE,
    replace(MESSAGE, verdict="down"),
    replace(MESSAGE, cards=CARDS * 9, text="这件外套很轻。" * 900),
    replace(MESSAGE, cards=(replace(CARDS[0], title="_" * 400, detail="*" * 900, price="~" * 90, image_url=""),) * 23),
    OutboundMessage("*" * 9000, 7),
    OutboundMessage("Hello.", 0, "zh", CARDS),
)


def judged(folder: Path, script: str, values: Any) -> Any:
    done = subprocess.run(
        ["node", script], cwd=folder, input=json.dumps(values), capture_output=True, text=True, timeout=60, check=True
    )
    return json.loads(done.stdout)


def test_discords_own_schema_takes_every_call_and_answer(npm_folder):
    payloads = [payload for message in MESSAGES for payload in DISCORD.render(message)]
    calls = [
        *(("IncomingWebhookRequestPartialSchema", payload | {"flags": 64}) for payload in payloads),
        *(("IncomingWebhookUpdateRequestPartialSchema", payload) for payload in payloads),
        ("ApplicationCommandCreateRequestSchema", COMMAND_SHAPE),
        ("ApplicationFormPartialSchema", {"interactions_endpoint_url": "https://shop.example/webhooks/discord/key"}),
        ("CreateMessageInteractionCallbackRequestSchema", acked(asked())),
        ("CreateMessageInteractionCallbackRequestSchema", acked(asked(context=2))),
        ("UpdateMessageInteractionCallbackRequestSchema", acked(pressed("tok-up", "👍"))),
        ("PongInteractionCallbackRequestSchema", {"type": 1}),
    ]
    verdicts = judged(npm_folder, "discord.mjs", [{"schema": schema, "value": value} for schema, value in calls])
    assert verdicts == [[]] * len(calls)


@pytest.mark.parametrize(
    "wrong", [{"content": "x" * 2001}, {"colour": "green"}, {"components": [{"type": 1, "components": []}]}]
)
def test_discords_own_schema_refuses_what_it_should(npm_folder, wrong):
    (verdict,) = judged(npm_folder, "discord.mjs", [{"schema": "IncomingWebhookRequestPartialSchema", "value": wrong}])
    assert verdict


def test_microsofts_own_reader_takes_every_card_and_loses_nothing_of_it(npm_folder):
    payloads = [payload for message in MESSAGES for payload in TEAMS.render(message)]
    cards = [one["content"] for payload in payloads for one in payload.get("attachments", ())]
    assert cards
    for card, verdict in zip(cards, judged(npm_folder, "cards.cjs", cards), strict=True):
        assert verdict == {"problems": [], "read": card}


def test_microsofts_own_reader_says_what_it_does_not_know(npm_folder):
    card = {"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "Image", "size": "Huge", "url": "https://a/b"}]}
    (verdict,) = judged(npm_folder, "cards.cjs", [card])
    assert verdict["problems"]
