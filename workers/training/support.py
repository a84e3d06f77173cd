"""Messages that are no shop's own: Bitext's support utterances with our intents, and noise."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from botcore.dialogue.words import language_of, normalise

SEED = 0
BITEXT_FILE = "Bitext_Sample_Customer_Service_Training_Dataset.csv"
BITEXT_WEIGHT, BITEXT_EACH = 0.3, 40
UNCLEAR = "unclear"

BITEXT = {
    "contact_human_agent": "person", "contact_customer_service": "person", "complaint": "upset",
    "track_order": "order_status", "track_refund": "order_status",
    "cancel_order": "policy", "change_order": "policy", "change_shipping_address": "policy",
    "check_cancellation_fee": "policy", "check_payment_methods": "policy", "check_refund_policy": "policy",
    "delivery_options": "policy", "delivery_period": "policy", "get_refund": "policy", "payment_issue": "policy",
}  # fmt: skip
"""Bitext's intents that are ours too; accounts, invoices, newsletters and reviews are no business of this bot."""


@dataclass(frozen=True)
class Row:
    """One message to learn from."""

    text: str
    label: str
    language: str
    weight: float = 1.0


def bitext_rows(folder: Path) -> list[Row]:
    """Different utterances of the mapped intents, as many of each."""
    by_intent: dict[str, dict[str, None]] = {}
    with (folder / BITEXT_FILE).open(encoding="utf-8", newline="") as stream:
        for line in csv.DictReader(stream):
            if line["intent"] in BITEXT:
                masked = normalise(line["utterance"])
                by_intent.setdefault(line["intent"], {})[masked] = None
    rng = np.random.default_rng(SEED)
    rows = []
    for intent, texts in sorted(by_intent.items()):
        for place in rng.permutation(len(texts))[:BITEXT_EACH]:
            rows.append(Row(list(texts)[place], BITEXT[intent], "en", BITEXT_WEIGHT))
    return rows


def noise_rows() -> list[Row]:
    """Letters and characters at random: what means nothing must not look like anything."""
    rng = np.random.default_rng(SEED)
    latin, chinese = list("abcdefghijklmnopqrstuvwxyz"), [chr(code) for code in range(0x4E00, 0x9FA5)]
    english = [
        " ".join("".join(rng.choice(latin, rng.integers(2, 8))) for _ in range(rng.integers(1, 5))) for _ in range(60)
    ]
    other = ["".join(rng.choice(chinese, rng.integers(2, 9))) for _ in range(30)]
    return [Row(text, UNCLEAR, language_of(text)) for text in ["", *english, *other]]
