"""``manage.py chat``: the same conversation as on any channel, in the terminal or, with ``--json``, for programs."""

from __future__ import annotations

import json
import sys
import uuid
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from botcore.conversing import Conversing
from botcore.learning import versions
from botcore.models import Turn
from workers import serving
from workers.management.commands._shop import shop_of


class Command(BaseCommand):
    help = "Chat with a shop's assistant: one message a line, /new begins a new conversation, end of input ends."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--shop", required=True, help="the shop's slug")
        parser.add_argument("--json", action="store_true", help="one JSON object per turn instead of text")

    def handle(self, **options: Any) -> None:
        shop = shop_of(options["shop"])
        with serving.answering(shop, partial(versions.live, shop)) as ports:
            self._talk(Conversing(shop, f"terminal-{uuid.uuid4().hex[:12]}", ports), options["json"])

    def _talk(self, talk: Conversing, as_json: bool) -> None:
        """One message a line until there are no more."""
        interactive = sys.stdin.isatty() and not as_json
        if interactive:
            self.stdout.write(f"{talk.account.shop.name}. Write a message; /new begins again, Ctrl-D ends.")
        while (line := self._line(interactive)) is not None:
            if line == "/new":
                talk.begin_again()
            elif line:
                turn = talk.say(line)
                self.stdout.write(json.dumps(turn_json(turn), ensure_ascii=False) if as_json else _text(turn))
                self.stdout.flush()

    @staticmethod
    def _line(interactive: bool) -> str | None:
        try:
            return input("> " if interactive else "").strip()
        except EOFError:
            return None


def turn_json(turn: Turn) -> dict[str, Any]:
    """One answered turn as programs read it."""
    shown = [
        {key: item[key] for key in ("sku", "name", "price", "currency", "category", "attributes")}
        for item in turn.slate
    ]
    return {
        "act": turn.act,
        "reply": turn.reply,
        "shown": shown,
        "relaxed": turn.brief.get("gave_up", []),
        "written_by": turn.written_by,
        "language": turn.language,
        "model_version": turn.model_version,
        "state": turn.state_after,
        "timings_ms": turn.timings_ms,
    }


def _text(turn: Turn) -> str:
    lines = [
        turn.reply,
        *(f"  {n}. {item['name']}  {item['price']} {item['currency']}" for n, item in enumerate(turn.slate, 1)),
    ]
    if turn.source:
        lines.append(f"  ({turn.source['title']})")
    return "\n".join(lines)
