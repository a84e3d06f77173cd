"""The development phrasings as training reads them, and what their intents are in ours. The held-out set is never read here."""

from __future__ import annotations

from typing import Any

import yaml

from botcore.environment import PROJECT

SETS = PROJECT / "tests" / "phrasing"

INTENTS = {
    "find": {"find", "show", "vague", "availability"},
    "refine": {"find", "more", "cheaper", "dearer", "reject", "show", "vague", "not_meant", "indifferent"},
    "question_policy": {"policy", "order_status", "discount"},
    "question_product": {"product_question", "availability", "explain"},
    "compare": {"compare"},
    "pick": {"choose"},
    "person": {"person"},
    "thanks": {"thanks"},
    "greeting": {"greeting"},
    "goodbye": {"goodbye", "thanks"},
    "complaint": {"upset"},
    "other": {"smalltalk", "identity", "wellbeing", "compliment", "ok", "discount", "reset", "unclear"},
}
"""The dialogue's intents that do what the gold's intent asks for."""


def development(*names: str) -> list[dict[str, Any]]:
    """The entries of the development sets of these names, of all by default; their schema is in ``tests/phrasing/README.md``."""
    files = [SETS / f"{name}.yaml" for name in names] or sorted(SETS.glob("development*.yaml"))
    return [entry for file in files for entry in yaml.safe_load(file.read_text("utf-8"))]


def as_gold(intent: str, truth: str) -> str:
    """What an intent of ours is called among the coarser ones of the sets: ``truth`` where it does what that asks for."""
    return truth if intent in INTENTS[truth] else next((gold for gold, ours in INTENTS.items() if intent in ours), "")
