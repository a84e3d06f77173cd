"""Writes what a simulated customer says: sentences from ``data/reviews.yaml`` that agree with the stars."""

from __future__ import annotations

import random
from typing import Any

from catalog.demo.content import read
from catalog.demo.products import DemoProduct

Aspect = dict[str, Any]
TONES = {
    5: [["good"], ["good", "good"], ["good", "good", "good"]],
    4: [["good"], ["good", "good"], ["good", "good", "bad"], ["good", "bad"]],
    3: [["good", "bad"], ["bad", "good"], ["good", "bad", "bad"]],
    2: [["bad"], ["bad", "bad"], ["bad", "good", "bad"]],
    1: [["bad"], ["bad", "bad"]],
}


class Reviewer:
    """Every product has one strong and one weak side, and most of its reviewers notice the same ones."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rng = random.Random(f"{seed}/reviews")

    def write(self, product: DemoProduct, rating: int, language: str) -> str:
        """One to three sentences, each about another aspect, in ``language`` ("en" or "zh")."""
        aspects = [aspect for aspect in read("reviews") if _concerns(aspect, product)]
        strong, weak = random.Random(f"{self.seed}/{product.record.sku}").sample(aspects, 2)
        sentences = []
        for tone in self.rng.choice(TONES[rating]):
            usual = strong if tone == "good" else weak
            noticed = usual if usual in aspects and self.rng.random() < 0.5 else self.rng.choice(aspects)
            aspects.remove(noticed)
            sentences.append(self.rng.choice(noticed[tone])[language == "zh"])
        return ("" if language == "zh" else " ").join(sentences)


def _concerns(aspect: Aspect, product: DemoProduct) -> bool:
    if not {"any", product.record.category[0]} & set(aspect["departments"]):
        return False
    described = {**product.record.attributes, **product.record.variants[0].attributes}
    needed = described.get(aspect["needs"], ["unscented"]) if "needs" in aspect else []
    return product.family in aspect.get("only", [product.family]) and needed != ["unscented"]
