"""``python -m benchmarks.diversity``: what the diversity dial costs and gives, on the demo shop's held-out customers.

For each position of the dial: the mean distance within the slates of three, and their NDCG@3 against what the customers
then did, both beside dial 0; for the hand-set weights and for the shop's own model. The position is chosen by the validation
customers, the test customers tell what it is worth. Takes ten minutes on one core; nothing is kept.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from catalog.ranking.model import Ranker
    from workers.training.ranker import Moment

DIALS = (0.0, 0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 0.8, 1.0)
SLATE = 3
GAIN, PRICE = 0.20, 0.02
"""The aim: so much more distance for at most so much less NDCG."""


@dataclass(frozen=True)
class Point:
    """One position of the dial: mean distance and NDCG of its slates, one entry of each a moment."""

    dial: float
    distances: np.ndarray
    ndcgs: np.ndarray
    customers: np.ndarray

    def change(self, zero: Point) -> tuple[float, float]:
        """Distance and NDCG relative to another point."""
        return (
            float(self.distances.mean() / zero.distances.mean() - 1),
            float(self.ndcgs.mean() / zero.ndcgs.mean() - 1),
        )


def curve(moments: Iterable[Moment], ranker: Ranker, dials: Sequence[float] = DIALS) -> list[Point]:
    """A point for every dial, over the moments at which search brought anything that was looked at."""
    from catalog.ranking.diversity import intra_list_distance, varied
    from catalog.ranking.slate import ranked

    measured: list[list[tuple[float, float]]] = []
    customers = []
    for moment in moments:
        if not any(moment.graded):
            continue
        best_first = ranked(moment.candidates, moment.context, ranker)
        slates = [varied(best_first, SLATE, dial) for dial in dials]
        measured.append([(intra_list_distance(slate), _ndcg(slate, moment)) for slate in slates])
        customers.append(moment.customer)
    values = np.array(measured)
    return [Point(dial, values[:, i, 0], values[:, i, 1], np.array(customers)) for i, dial in enumerate(dials)]


def chosen(points: Sequence[Point]) -> Point:
    """The position with the most distance for the price."""
    affordable = [point for point in points if point.change(points[0])[1] >= -PRICE]
    return max(affordable, key=lambda point: point.change(points[0])[0])


def _ndcg(slate: Sequence[object], moment: Moment) -> float:
    labels = [moment.labels.get(candidate.product.pk, 0) for candidate in slate]  # type: ignore[attr-defined]
    discounts = 1 / np.log2(np.arange(2, SLATE + 2))
    ideal = np.sort(2.0 ** np.array(moment.graded) - 1)[::-1][:SLATE]
    gains = 2.0 ** np.array(labels) - 1
    return float(gains @ discounts[: len(gains)] / (ideal @ discounts[: len(ideal)]))


def table(points: Sequence[Point]) -> str:
    """The curve, with the interval of the NDCG's change by bootstrap over customers."""
    from workers.training.ranker import interval

    zero = points[0]
    lines = ["dial  distance   change   NDCG@3   change   95 % interval of the change"]
    for point in points:
        distance, ndcg = point.change(zero)
        low, high = interval((point.ndcgs - zero.ndcgs) / zero.ndcgs.mean(), zero.customers)
        lines.append(
            f"{point.dial:4.2f}  {point.distances.mean():8.3f}  {distance:+7.1%}  {point.ndcgs.mean():7.3f}  {ndcg:+7.1%}"
            f"   {low:+.1%} to {high:+.1%}"
        )
    return "\n".join(lines)


def verdict(valid: Sequence[Point], test: Sequence[Point]) -> str:
    """Whether the position that validation chooses reaches the aim on the test customers."""
    dial = chosen(valid).dial
    distance, ndcg = next(point for point in test if point.dial == dial).change(test[0])
    reached = "reached" if distance >= GAIN and ndcg >= -PRICE else "not reached"
    return (
        f"+{GAIN:.0%} distance for at most {PRICE:.0%} NDCG: {reached} at dial {dial:g}, chosen by validation: "
        f"{distance:+.1%} distance, {ndcg:+.1%} NDCG on the test"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--here", action="store_true", help="use this installation's demo shop, not a new one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="daogou-bench-") as folder:
        from botcore.installation import installation, scratch_installation

        with installation() if options.here else scratch_installation(Path(folder)):
            _run()


def _run() -> None:
    from benchmarks.shop import demo_shop
    from catalog.ranking.model import LinearRanker, ranker_of
    from workers.serving import encoder
    from workers.training.ranker import moments

    shop = demo_shop()
    held_out = list(moments(shop, encoder(), seed=7, splits=("valid", "test")))
    for ranker in (LinearRanker(), ranker_of(shop)):
        valid, test = (curve([m for m in held_out if m.split == split], ranker) for split in ("valid", "test"))
        for name, points in (("validation", valid), ("test", test)):
            customers = len(set(points[0].customers))
            print(f"{ranker.version}, {name}: {len(points[0].ndcgs)} moments of {customers} customers")
            print(table(points))
        print(verdict(valid, test))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    main()
