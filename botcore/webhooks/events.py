"""What a shop's systems can be told of, and what each event says.

Events are thin: they name rows, whose texts are then read with a token that may read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

KEY = "5b1c8f4e-0c6f-4d5e-9a43-8a2f6c1d7e90"


class Event(StrEnum):
    REPLY_SENT = "reply.sent"
    HANDOFF_OPENED = "handoff.opened"
    FEEDBACK_GIVEN = "feedback.given"
    ALERT_OPENED = "alert.opened"
    RUN_FINISHED = "run.finished"
    VERSION_PROMOTED = "version.promoted"
    TEST = "test"


OFFERED = tuple(event for event in Event if event != Event.TEST)
"""What an endpoint can ask for. The test comes when somebody asks for it."""


@dataclass(frozen=True)
class Told:
    """When an event happens, and its ``data`` in an example."""

    when: str
    example: Mapping[str, Any]


DESCRIBED: Mapping[Event, Told] = {
    Event.REPLY_SENT: Told(
        "The platform has taken a reply, whole. `turn` is null where a person wrote it.",
        {"conversation": KEY, "turn": 311, "act": "recommend", "written_by": "model", "channel": "webchat"},
    ),
    Event.HANDOFF_OPENED: Told(
        "A conversation waits for a person. `by` is `bot` where the bot handed it over, else `person`.",
        {"conversation": KEY, "by": "bot"},
    ),
    Event.FEEDBACK_GIVEN: Told(
        "A customer judged a reply, or thought better of it.",
        {"feedback": 52, "conversation": KEY, "turn": 311, "kind": "down", "source": "button"},
    ),
    Event.ALERT_OPENED: Told(
        "Something should be looked at.",
        {"alert": 7, "subject": "drift: intents"},
    ),
    Event.RUN_FINISHED: Told(
        "A training run ended: `done`, `failed` or `stopped`.",
        {"run": 12, "recipe": "sft", "status": "done", "version": 4},
    ),
    Event.VERSION_PROMOTED: Told(
        "Another version of the model answers the customers, those of one department where it names one.",
        {"version": 4, "name": "pine-4", "before": "canary", "department": ""},
    ),
    Event.TEST: Told("Somebody tried the endpoint.", {}),
}
