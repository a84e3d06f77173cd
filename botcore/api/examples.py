"""An example of every operation, by its id; a test holds each against the document's own schemas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botcore.webhooks.events import KEY

AT = "2026-11-29T20:00:00Z"
LATER = "2026-11-29T20:00:04Z"


@dataclass(frozen=True)
class Example:
    """``request`` and ``response`` are bodies. ``has_etag``: the answer names the state that it shows."""

    response: Any = None
    request: Any = None
    has_etag: bool = False


def _page(row: Mapping[str, Any]) -> Example:
    return Example({"items": [row], "next_cursor": None, "next": None})


VARIANT = {"sku": "JK-1-M", "price": "49.00", "stock": 5, "attributes": {"size": ["m"]}, "image": ""}
ITEM = {
    "sku": "JK-1",
    "title": "Canvas jacket",
    "category": ["Clothing", "Jackets"],
    "attributes": {"material": ["canvas"], "color": ["green"]},
    "variants": [{"sku": "JK-1-M", "price": "49.00", "stock": 5, "attributes": {"size": ["m"]}}],
    "translations": {"zh": {"title": "帆布夹克"}},
}
PRODUCT = {
    "id": 17,
    "sku": "JK-1",
    "title": "Canvas jacket",
    "description": "",
    "brand": "",
    "category_path": "clothing/jackets",
    "attributes": {"material": ["canvas"], "color": ["green"], "size": ["m"]},
    "translations": {"zh": {"title": "帆布夹克"}},
    "image": "",
    "url": "",
    "rating": None,
    "rating_count": 0,
    "active": True,
    "variants": [VARIANT],
    "updated_at": AT,
}
DONE = {"created": 1, "updated": 0, "unchanged": 0, "refused": 0, "items": [{"index": 0, "status": "created"}]}
DID = {"customer": "C-1001", "sku": "JK-1", "kind": "order", "at": AT, "quantity": 2}
INTERACTION = {"id": 4711, **DID, "rating": None, "text": "", "language": ""}
CONVERSATION = {
    "key": KEY,
    "channel": "webchat",
    "contact": "visitor-8",
    "customer": None,
    "waiting_for_person": False,
    "closed": False,
    "created_at": AT,
    "last_message_at": LATER,
}
TURN = {
    "id": 311,
    "number": 1,
    "status": "answered",
    "text": "I need a green jacket",
    "reply": "The Canvas jacket is green and costs $49.00.",
    "act": "recommend",
    "language": "en",
    "written_by": "model",
    "model_version": "pine-4",
    "slate": [{"letter": "A", "sku": "JK-1", "price": "$49.00"}],
    "source": {},
    "timings_ms": {"total": 870.2},
    "created_at": AT,
    "answered_at": LATER,
}
FEEDBACK = {
    "id": 52,
    "conversation": KEY,
    "turn": 311,
    "kind": "down",
    "source": "button",
    "text": "",
    "created_at": AT,
    "updated_at": AT,
}
ANNOTATION = {
    "id": 9,
    "conversation": KEY,
    "turn": 311,
    "author": None,
    "verdict": "corrected",
    "wording": "The [A.name] costs [A.price].",
    "reason": "shorter",
    "for_training": True,
    "created_at": AT,
    "updated_at": AT,
}
SNAPSHOT = {"id": 3, "content_hash": "9f" * 32, "counts": {"sft": 120}, "created_at": AT, "approved_at": LATER}
RUN = {
    "id": 12,
    "recipe": "sft",
    "snapshot": 3,
    "options": {"epochs": 2},
    "status": "queued",
    "stage": "",
    "error": "",
    "version": None,
    "measures": None,
    "created_at": AT,
    "started_at": None,
    "finished_at": None,
}
VERSION = {
    "id": 4,
    "name": "pine-4",
    "recipe": "sft",
    "run": 12,
    "snapshot": 3,
    "parent": None,
    "state": "canary",
    "share": 10,
    "passed_gate": True,
    "created_at": AT,
    "state_since": LATER,
}
ALERT = {
    "id": 7,
    "subject": "drift: intents",
    "sentence": "What customers ask for has changed.",
    "measured": {"value": 0.4},
    "proposal": "Train a new version.",
    "opened_at": AT,
    "seen_at": LATER,
    "closed_at": None,
}
METRICS = {
    "since": "2026-11-22T20:00:00Z",
    "until": AT,
    "metrics": [
        {"key": "replies", "group": "traffic", "unit": "count", "better": "", "value": 640.0},
        {"key": "answer_p95", "group": "speed", "unit": "ms", "better": "lower", "value": 1600.0},
        {"key": "conversion", "group": "sales", "unit": "share", "better": "higher", "value": None},
    ],
}
WEBHOOK = {
    "id": 2,
    "url": "https://shop.example/hooks/daogou",
    "events": ["feedback.given", "handoff.opened"],
    "active": True,
    "failures": 0,
    "failing_since": None,
    "switched_off_for": "",
    "created_at": AT,
}
SECRET = {**WEBHOOK, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="}
DELIVERY = {
    "id": 88,
    "webhook": 2,
    "message_id": "0d5cf0a3-1a1e-4a59-9a1f-6b1f4a0c9f10",
    "event": "feedback.given",
    "data": {"feedback": 52, "conversation": KEY, "turn": 311, "kind": "down", "source": "button"},
    "status": "sent",
    "attempts": 1,
    "next_attempt_at": AT,
    "answered": 200,
    "error": "",
    "created_at": AT,
    "sent_at": LATER,
}

EXAMPLES: Mapping[str, Example] = {
    "list_products": _page(PRODUCT),
    "upsert_products": Example(DONE, {"items": [ITEM], "all_or_nothing": False}),
    "get_product": Example(PRODUCT, has_etag=True),
    "change_product": Example({**PRODUCT, "active": False}, {"active": False}, has_etag=True),
    "list_interactions": _page(INTERACTION),
    "add_interactions": Example(DONE, {"items": [DID]}),
    "list_conversations": _page(CONVERSATION),
    "get_conversation": Example(CONVERSATION, has_etag=True),
    "hold_conversation": Example(
        {**CONVERSATION, "waiting_for_person": True}, {"waiting_for_person": True}, has_etag=True
    ),
    "list_turns": _page(TURN),
    "send_message": Example(
        {"id": 640, "status": "pending", "text": "I have put one aside for you.", "created_at": LATER},
        {"text": "I have put one aside for you."},
    ),
    "list_feedback": _page(FEEDBACK),
    "give_feedback": Example(FEEDBACK, {"turn": 311, "kind": "down"}),
    "list_annotations": _page(ANNOTATION),
    "annotate": Example(
        ANNOTATION,
        {"turn": 311, "verdict": "corrected", "wording": "The Canvas jacket costs $49.00.", "reason": "shorter"},
    ),
    "get_annotation": Example(ANNOTATION, has_etag=True),
    "change_annotation": Example({**ANNOTATION, "for_training": False}, {"for_training": False}, has_etag=True),
    "list_snapshots": _page(SNAPSHOT),
    "list_runs": _page(RUN),
    "start_run": Example(RUN, {"snapshot": 3, "recipe": "sft", "options": {"epochs": 2}}),
    "get_run": Example(RUN, has_etag=True),
    "stop_run": Example({**RUN, "status": "stopped", "finished_at": LATER}),
    "list_versions": _page(VERSION),
    "get_version": Example({**VERSION, "report": {}, "gate": {"passed": True, "lines": []}}, has_etag=True),
    "move_version": Example(VERSION, {"to": "canary", "share": 10, "reason": "reads well"}),
    "evaluate_version": Example({**RUN, "id": 14, "options": {}, "measures": 4}),
    "roll_back": Example({"version": None}, {"reason": "too short"}),
    "get_metrics": Example(METRICS),
    "list_alerts": _page(ALERT),
    "get_alert": Example(ALERT, has_etag=True),
    "close_alert": Example({**ALERT, "closed_at": LATER}),
    "list_webhooks": _page(WEBHOOK),
    "add_webhook": Example(SECRET, {"url": WEBHOOK["url"], "events": WEBHOOK["events"]}),
    "get_webhook": Example(WEBHOOK, has_etag=True),
    "change_webhook": Example({**WEBHOOK, "active": False}, {"active": False}, has_etag=True),
    "delete_webhook": Example(),
    "rotate_secret": Example(SECRET),
    "try_webhook": Example({**DELIVERY, "event": "test", "data": {}, "status": "pending", "sent_at": None}),
    "list_deliveries": _page(DELIVERY),
    "resend_delivery": Example({**DELIVERY, "status": "pending", "attempts": 0}),
}
