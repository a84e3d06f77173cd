"""Why a product was picked and how products differ, from what was matched and what the ranker counted. No model writes here."""

from __future__ import annotations

from collections.abc import Sequence

from botcore.dialogue.facts import Item
from botcore.dialogue.names import attribute_name
from catalog.search import Candidate

ROWS = 5
STANDS_OUT = 0.75
"""Share of the candidates that a product must be ahead of before a reason of the ranker's is said."""
REASONS = 2

SPOKEN = {
    "rating": ("its customers' rating", "顾客评分"),
    "popularity": ("how often it is chosen", "很多人选它"),
    "interest": ("how near its description is to what you told me", "描述最接近您说的"),
    "vector": ("how near its description is to your words", "描述最接近您的要求"),
    "text": ("how much of what you named it has in its text", "介绍里提到您说的最多"),
    "soft": ("your optional wishes, more of which it has", "您的附加愿望它满足得更多"),
    "price_fit": ("a price near the one you named", "价格贴近您的预算"),
    "affinity": ("how like your earlier choices it is", "接近您以前的选择"),
    "likes": ("what it shares with your earlier choices", "和您以前的选择有共同点"),
    "price_habit": ("your usual price range", "符合您平时的价位"),
    "sequence": ("what customers look at after what you looked at", "看过同类商品的人接着常看它"),
}
"""What is said for a feature of ``catalog.ranking.features``, English and Chinese; stock and titles are no reason."""


def standing_out(sku: str, candidates: Sequence[Candidate], language: str) -> tuple[str, ...]:
    """The features that put a product ahead of most others that fit, by what they added to its score; in words."""
    ours = next((c for c in candidates if c.product.sku == sku), None)
    if ours is None or len(candidates) < 2:
        return ()
    ahead: dict[str, float] = {}
    for name, part in ours.contributions.items():
        others = [c.contributions.get(name, 0.0) for c in candidates if c is not ours]
        gain = part - sum(others) / len(others)
        if name in SPOKEN and gain > 0 and sum(part > other for other in others) >= STANDS_OUT * len(others):
            ahead[name] = gain
    best = sorted(ahead, key=lambda name: -ahead[name])[:REASONS]
    return tuple(SPOKEN[name][language == "zh"] for name in best)


def difference_table(items: Sequence[Item], language: str) -> tuple[str, ...]:
    """What differs between the items, a line each, prices first: ``Material: A wool · B cotton``."""
    rows = {
        "price": [item.slots["price"] for item in items],
        "rating": [item.slots.get("rating", "") for item in items],
    }
    for name in dict.fromkeys(name for item in items for name in (*item.words, *item.slots)):
        if name not in ("name", "reviews"):
            rows.setdefault(name, [item.words.get(name) or item.slots.get(name, "") for item in items])
    missing, colon = ("—", "：") if language == "zh" else ("—", ": ")
    lines = []
    for name, values in rows.items():
        if len(set(values)) > 1 and sum(map(bool, values)) > 1:
            told = " · ".join(f"{item.letter} {value or missing}" for item, value in zip(items, values, strict=True))
            label = attribute_name(name, language)
            lines.append(f"{label[:1].upper()}{label[1:]}{colon}{told}")
    if not lines:
        return ()
    key = " · ".join(f"{item.letter} {item.title}" for item in items)
    return (key, *lines[:ROWS])
