"""Logged dialogues replayed: what the bot would rank, do and say after the last turn of each.

The customer's messages are read as in a live conversation, the state carried from turn to turn. What the logged
salesperson said stands in the place of the bot's own replies: the bot has shown only what their words name (a product's
whole title), and has asked something where their message ends in a question. What they showed as pictures or cards is not
in the log, so the bot does not claim to know it. Only the last message is answered by the bot itself.

For ``manage.py replay`` and benchmarks; the formats are in docs/benchmarks.md.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import F, TextField, Value

from botcore.dialogue.find import in_reach
from botcore.dialogue.lexicon.kept import lexicon_of
from botcore.dialogue.pipeline import respond, shown_items
from botcore.dialogue.ports import Ports
from botcore.dialogue.rank import Ranked, rank
from botcore.dialogue.relevance import Relevance, Talk
from botcore.dialogue.reply import Reply
from botcore.dialogue.state import DialogueState, Question
from botcore.dialogue.track import after_reply, track
from botcore.dialogue.understand import Understanding, understand
from catalog.models import Product, Shop

CUSTOMER, ASSISTANT = "customer", "assistant"
LOGGED_QUESTION = Question("logged", alone=True)
"""What the open question is called when the logged salesperson asked it: about what, nobody knows."""
TELLING_TITLE = 2
"""A title of fewer words is no name: "Soap" in a message is not that product."""
SECONDS = 60.0
"""For writing one reply: a replay judges what is said, not how fast."""


class ReplayError(ValueError):
    """A line of the log cannot be replayed; the message names the line and what is wrong with it."""


@dataclass(frozen=True)
class LoggedTurn:
    role: str
    text: str


@dataclass(frozen=True)
class LoggedDialogue:
    """One dialogue; messages in a row by the same side are one turn, as in a live conversation."""

    id: str | int
    turns: tuple[LoggedTurn, ...]

    @property
    def talk(self) -> Talk:
        return Talk(tuple(turn.text for turn in self.turns if turn.role == CUSTOMER))


@dataclass(frozen=True)
class Replayed:
    """One line of the output. ``latency_ms`` is the time for the last turn: reply and ranking."""

    id: str | int
    ranked: tuple[str, ...]
    act: str
    reply: str
    state: dict[str, Any]
    latency_ms: float

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "ranked": list(self.ranked)}


def read_dialogues(path: Path) -> list[LoggedDialogue]:
    """The dialogues of a JSONL file. Raises :class:`ReplayError`; blank lines are skipped."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ReplayError(f"{path} cannot be read: {error}") from error
    dialogues: dict[str | int, tuple[int, LoggedDialogue]] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            dialogue = dialogue_of(json.loads(line))
        except (ValueError, RecursionError) as error:
            raise ReplayError(f"{path.name}, line {number}: {error}") from error
        if dialogue.id in dialogues:
            raise ReplayError(
                f"{path.name}, line {number}: id {dialogue.id!r} is already that of line {dialogues[dialogue.id][0]}"
            )
        dialogues[dialogue.id] = (number, dialogue)
    if not dialogues:
        raise ReplayError(f"{path.name} holds no dialogue")
    return [dialogue for _, dialogue in dialogues.values()]


def dialogue_of(row: Any) -> LoggedDialogue:
    """A parsed line. Raises ``ValueError`` that says what is wrong."""
    if not isinstance(row, dict):
        raise ValueError('not an object with "id" and "turns"')
    if not isinstance(row.get("id"), str | int) or isinstance(row["id"], bool) or row["id"] == "":
        raise ValueError('"id" must be a text or a whole number')
    if not isinstance(row.get("turns"), list):
        raise ValueError('"turns" must be a list')
    turns = [_turn(place, turn) for place, turn in enumerate(row["turns"], 1)]
    merged = tuple(
        LoggedTurn(role, "\n".join(turn.text for turn in said)) for role, said in groupby(turns, key=lambda t: t.role)
    )
    if not any(turn.role == CUSTOMER for turn in merged):
        raise ValueError("no turn is the customer's: there is nothing to answer")
    return LoggedDialogue(row["id"], merged)


def _turn(place: int, turn: Any) -> LoggedTurn:
    if not isinstance(turn, dict) or turn.get("role") not in (CUSTOMER, ASSISTANT):
        raise ValueError(f'turn {place} must be an object with "role" {CUSTOMER} or {ASSISTANT}')
    if not isinstance(turn.get("text"), str):
        raise ValueError(f'turn {place}: "text" must be a text')
    return LoggedTurn(turn["role"], _storable(turn["text"]))


def _storable(text: str) -> str:
    """JSON can escape what neither UTF-8 nor PostgreSQL can hold: NUL and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def replay(
    dialogue: LoggedDialogue, shop: Shop, ports: Ports, *, top: int, model: Relevance | None = None, seed: int = 0
) -> Replayed:
    """Read a dialogue to its end, answer its last customer message, and rank ``top`` products."""
    last = max(place for place, turn in enumerate(dialogue.turns) if turn.role == CUSTOMER)
    before = DialogueState()
    for turn in dialogue.turns[:last]:
        before = _read(shop, turn.text, before, ports)[0] if turn.role == CUSTOMER else heard(shop, turn.text, before)
    started = time.monotonic()
    reply = _answer(shop, dialogue.turns[last].text, before, ports, seed)
    ranked = ranking(shop, dialogue, before, reply, ports, top=top, model=model)
    latency = round((time.monotonic() - started) * 1000, 1)
    skus = tuple(item.sku for item in ranked)
    return Replayed(dialogue.id, skus, str(reply.act), reply.text, reply.state.to_json(), latency)


def ranking(
    shop: Shop,
    dialogue: LoggedDialogue,
    before: DialogueState,
    reply: Reply,
    ports: Ports,
    *,
    top: int,
    model: Relevance | None = None,
) -> list[Ranked]:
    """The ranking after the last turn, led by what the reply shows. What was shown before is hidden from a customer who
    asks for something else."""
    hidden = tuple(before.seen) if reply.said.intent.name in ("more", "reject") else ()
    lead = [item.sku for item in reply.items]
    lexicon = lexicon_of(shop)
    return rank(
        shop, reply.state, dialogue.talk, lexicon, ports.encoder, top=top, lead=lead, hidden=hidden, model=model
    )


def _read(shop: Shop, text: str, before: DialogueState, ports: Ports) -> tuple[DialogueState, Understanding]:
    """The state after a customer's message that somebody else answered."""
    shown = shown_items(shop, before)
    said = understand(text, before, shown, lexicon_of(shop), ports.reader, ports.encoder)
    return in_reach(shop, track(before, said, shown)), said


def _answer(shop: Shop, text: str, before: DialogueState, ports: Ports, seed: int) -> Reply:
    samples = settings.DAOGOU_SAMPLES if ports.generator else 0
    return respond(shop, text, before, ports, samples=samples, seed=seed, deadline=time.monotonic() + SECONDS)


def heard(shop: Shop, text: str, state: DialogueState) -> DialogueState:
    """The state after what the logged salesperson said: the products their words name were shown, a question is open."""
    named = named_products(shop, text)
    asks = text.rstrip().endswith(("?", "？"))
    return after_reply(
        state, named, question=LOGGED_QUESTION if asks and not named else None, article="", quote="", failed=False
    )


def named_products(shop: Shop, text: str) -> tuple[str, ...]:
    """SKUs of the products whose whole title stands in a text, in its order. Reads every title of the shop."""
    said = " ".join(text.lower().split())
    rows = Product.objects.filter(shop=shop, active=True).annotate(said=Value(said, TextField()))
    places = {}
    for sku, title in rows.filter(said__icontains=F("title")).values_list("sku", "title"):
        found = re.search(rf"(?<!\w){re.escape(' '.join(title.lower().split()))}(?!\w)", said)
        if found and len(title.split()) >= TELLING_TITLE:
            places[sku] = found.start()
    return tuple(sorted(places, key=lambda sku: places[sku]))


def write_replayed(path: Path, replayed: Iterable[Replayed]) -> int:
    """Write the output whole or not at all; how many lines. An older file stays until the new one is complete."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with unfinished.open("w", encoding="utf-8") as file:
            count = 0
            for line in replayed:
                file.write(json.dumps(line.to_json(), ensure_ascii=False) + "\n")
                count += 1
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def replay_all(dialogues: Sequence[LoggedDialogue], shop: Shop, ports: Ports, *, top: int) -> Iterator[Replayed]:
    for seed, dialogue in enumerate(dialogues):
        yield replay(dialogue, shop, ports, top=top, seed=seed)
