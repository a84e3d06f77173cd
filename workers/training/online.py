"""Updates a shop's ranker from what customers did since it was trained, behind a gate. Every day, on beat, or by hand:

    python -m workers.training.online --shop demo [--rollback]

The days since the ranker was trained or last updated are cut in two. Of the older ones the customers of the training
split give groups, beside what customers thought of replies, from which a few small trees are boosted upon those that
serve; the newest ones judge: there the updated ranker meets the current one on held-out customers. It is written only if
it does better on average and, at the lower end of the difference's 95 % interval, no worse than by ``MARGIN``. That
asks for less than the language model's gate, where the whole interval must be a gain: fifteen small trees on a few days
hardly ever prove theirs, they can break no wish and say nothing, and the ranker from before is kept. The next update
begins where these newest days began, so no day is learned from twice and none is left out.

Seen once on the demo shop's simulated customers (1,148 groups to learn from, 541 to judge by; settings compared on the
very groups that judge; change of NDCG@3 against the shipped model): 15 trees at 0.05 +0.003 [-0.001, +0.007], 30 at 0.1
+0.004 [-0.002, +0.011], 60 at 0.05 +0.001 [-0.006, +0.008]; leaf values refitted instead (``Booster.refit``) with decay
0.9 +0.003 [-0.002, +0.008], 0.7 +0.004 [-0.003, +0.011], 0.5 -0.001 [-0.011, +0.008]. None is better beyond doubt.
Refitted leaves are no longer monotone, so a better match could cost a product its place; few, small trees it is.

The new folder takes the place of the old by renames, and the old is kept beside it (``<slug>.before``); a rollback puts
it back and the days of the update that was undone (``<slug>.undone``) are not learned from again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botcore.settings")
    import django

    django.setup()

import numpy as np
import structlog
from django.conf import settings
from django.utils import timezone

from botcore.dialogue.ports import Encoder
from botcore.installation import installation
from catalog.models import Shop
from catalog.ranking.model import SHIPPED, BoostedRanker, RankerError, folder_before, load_lightgbm, model_folder
from workers.training import rounds
from workers.training.ranker import (
    Groups,
    Window,
    dataset,
    feedback_groups,
    interaction_groups,
    interval,
    joined,
    ndcgs,
    save,
    say,
    trained_until,
    training_settings,
    without_sequence,
)

log = structlog.get_logger(__name__)

FEWEST, FEWEST_HELD_OUT = 200, 100
"""Groups to learn from and to be judged on."""
JUDGED = 0.4
"""Of the time since the last update, the newest part: it judges, and the next update learns from it."""
TREES, LEARNING_RATE = 15, 0.05
MOST_TREES = 400
"""As many as a training may grow. A ranker that would have more wants a training from the start."""
MARGIN = 0.005
"""NDCG@3 within which a loss counts as none."""
SEED = 7

Done = Literal["updated", "refused", "waiting", "not possible"]


@dataclass(frozen=True)
class Outcome(rounds.Outcome):
    """Of an update."""

    subject = "The ranker"
    done: Done


@dataclass(frozen=True)
class Judgement:
    """The updated ranker beside the current one on held-out customers: NDCG@3, its change and the 95 % interval."""

    before: float
    after: float
    gain: float
    low: float
    high: float
    groups: int

    @property
    def passed(self) -> bool:
        return self.gain > 0 and self.low > -MARGIN

    def __str__(self) -> str:
        return (
            f"NDCG@3 {self.before:.3f} before, {self.after:.3f} after, {self.gain:+.4f} [{self.low:+.4f}, "
            f"{self.high:+.4f}] on {self.groups} held-out groups"
        )


def update(shop: Shop, now: datetime, folder: Path | None = None, encoder: Encoder | None = None) -> Outcome:
    """Update the shop's ranker from the interactions before ``now``, where the gate lets it; ``folder`` is its own one,
    below ``RANKER_DIR`` where left out."""
    own = folder or Path(settings.RANKER_DIR) / shop.slug
    _finish_interrupted(own)
    served = model_folder(shop, own)
    if served is None:
        return Outcome(shop.slug, "not possible", "It has no model, only the hand-set weights: train one first.")
    try:
        current = BoostedRanker(served)
    except (RankerError, KeyError, OSError, json.JSONDecodeError) as error:
        return Outcome(shop.slug, "not possible", f"Its model cannot be used: {error}")
    trees = current.booster.num_trees()
    if trees + TREES > MOST_TREES:
        return Outcome(
            shop.slug, "not possible", f"It has {trees} trees of {MOST_TREES} at most: train it from the start."
        )
    since = _learned_until(shop, current, own)
    if since is None or since >= now:
        return Outcome(shop.slug, "waiting", "Nothing happened since it was trained.")
    newest = now - (now - since) * JUDGED
    training = _training(shop, current, Window(since, newest), encoder)
    if len(training.sizes) < FEWEST:
        return _too_few(shop, "to learn from", len(training.sizes), FEWEST)
    held_out = _held_out(shop, current, Window(newest, now), encoder)
    if len(held_out.sizes) < FEWEST_HELD_OUT:
        return _too_few(shop, "to judge by", len(held_out.sizes), FEWEST_HELD_OUT)
    return _tried(shop, own, served, current, training, held_out, newest)


def rollback(shop: Shop, folder: Path | None = None) -> Outcome:
    """Let the ranker from before the last update serve again. Only one step back is kept."""
    own = folder or Path(settings.RANKER_DIR) / shop.slug
    _finish_interrupted(own)
    before = folder_before(own)
    if not before.is_dir():
        return Outcome(shop.slug, "not possible", "There is no ranker from before.")
    undone = _undone(own)
    shutil.rmtree(undone, ignore_errors=True)
    own.rename(undone)
    before.rename(own)
    (own / "meta.json").touch()  # processes that serve look at its time
    return Outcome(shop.slug, "updated", f"{_meta(own)['version']} serves again, {_meta(undone)['version']} no more.")


def update_all(now: datetime) -> list[Outcome]:
    """Every shop's update; an error of one is logged and the next has its turn."""
    outcomes = []
    for outcome in rounds.each_shop(lambda shop: update(shop, now)):
        log.info("ranker", shop=outcome.shop, done=outcome.done, reason=outcome.reason, **outcome.numbers)
        outcomes.append(outcome)
    return outcomes


# --- what it learns from, and is judged by --------------------------------------------------------------------------


def _learned_until(shop: Shop, current: BoostedRanker, own: Path) -> datetime | None:
    """The time up to which the ranker has learned, or has been told to forget; for one that does not say, the latest
    at which its training can have ended."""
    learned, undone = _until(current.meta) or trained_until(shop), _until(_meta(_undone(own)))
    return max((time for time in (learned, undone) if time), default=None)


def _until(meta: Mapping[str, Any]) -> datetime | None:
    return datetime.fromisoformat(meta["updated_until"]) if "updated_until" in meta else None


def _training(shop: Shop, current: BoostedRanker, window: Window, encoder: Encoder | None) -> Groups:
    judged = feedback_groups(shop, window)
    judged = judged if current.sequential else without_sequence(judged)
    return joined(_groups(shop, current, window, encoder, "train")["train"], judged)


def _held_out(shop: Shop, current: BoostedRanker, window: Window, encoder: Encoder | None) -> Groups:
    """Groups of all customers that no training reads: those that stop trainings and those that test them."""
    made = _groups(shop, current, window, encoder, "valid", "test")
    return replace(joined(made["test"], made["valid"]), weights=np.zeros(0))


def _groups(
    shop: Shop, current: BoostedRanker, window: Window, encoder: Encoder | None, *splits: str
) -> dict[str, Groups]:
    if encoder is None:
        from workers.serving import encoder as loaded

        encoder = loaded()
    return interaction_groups(shop, encoder, SEED, splits, current.sequential, window)[0]


def _too_few(shop: Shop, purpose: str, found: int, fewest: int) -> Outcome:
    return Outcome(shop.slug, "waiting", f"{found} groups {purpose} of at least {fewest}.", {"groups": found})


# --- the update -----------------------------------------------------------------------------------------------------


def _tried(
    shop: Shop, own: Path, served: Path, current: BoostedRanker, training: Groups, held_out: Groups, until: datetime
) -> Outcome:
    with _beside(own) as place:
        meta = {
            "version": f"{shop.slug}-{training.digest()[:8]}",
            "parent": current.version,
            "updated_until": until.isoformat(),
            **_opinions_until(current, served, until),
            "data": {
                "sha256": training.digest(),
                "groups": {"train": len(training.sizes), "test": len(held_out.sizes)},
            },
            "seed": SEED,
        }
        weights = current.meta["weights"]
        updated = save(boosted_on(current, training), place / "updated", meta, weights)
        judgement = judged(current, updated, held_out)
        numbers = {**vars(judgement), "learned_from": len(training.sizes), "trees": updated.booster.num_trees()}
        if not judgement.passed:
            return Outcome(shop.slug, "refused", f"No better than {current.version}: {judgement}.", numbers)
        save(updated.booster, place / "updated", {**meta, "update": numbers}, weights)
        _take_the_place(place, own, served)
    return Outcome(shop.slug, "updated", f"{updated.version} in place of {current.version}: {judgement}.", numbers)


def _opinions_until(current: BoostedRanker, served: Path, until: datetime) -> dict[str, str]:
    """Up to when opinions are in the updated ranker; nothing where the shop's current one does not say what is in it."""
    if "opinions_until" not in current.meta and served.parent != SHIPPED:
        return {}
    return {"opinions_until": max(until.isoformat(), current.meta.get("opinions_until", ""))}


def boosted_on(current: BoostedRanker, training: Groups) -> Any:
    """The booster of ``current`` with ``TREES`` more trees, as monotone as the rest.

    ``lightgbm.train(init_model=...)`` would forget the hand-set weights beneath the trees (it takes the trees' sum for
    the initial score), so the data set is made first and the trees are handed over with it, as that function does.
    """
    lightgbm = load_lightgbm()
    data = dataset(training, current).construct()
    data._predictor = lightgbm.basic._InnerPredictor.from_booster(current.booster, pred_parameter={})
    booster = lightgbm.Booster({**training_settings(SEED), "learning_rate": LEARNING_RATE}, data)
    for _ in range(TREES):
        booster.update()
    if booster.num_trees() < current.booster.num_trees():
        raise RuntimeError("this LightGBM has dropped the trees that were to be boosted on")
    return booster


def judged(current: BoostedRanker, updated: BoostedRanker, held_out: Groups) -> Judgement:
    before, after = (ndcgs(held_out, ranker.scores, 3) for ranker in (current, updated))
    low, high = interval(after - before, held_out.customers)
    return Judgement(
        float(before.mean()), float(after.mean()), float((after - before).mean()), low, high, len(held_out.sizes)
    )


# --- folders --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _beside(own: Path) -> Iterator[Path]:
    """A folder on the same disk, which is gone afterwards with all that was not renamed out of it."""
    own.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{own.name}.", dir=own.parent) as place:
        yield Path(place)


def _take_the_place(place: Path, own: Path, served: Path) -> None:
    """``place``/updated becomes ``own``, and what ``served`` so far the one before. At every instant one of them serves."""
    before = folder_before(own)
    if before.is_dir():
        before.rename(place / "discarded")
    if served == own:
        own.rename(before)
    else:
        shutil.copytree(served, place / "before")
        (place / "before").rename(before)
    (place / "updated").rename(own)


def _finish_interrupted(own: Path) -> None:
    """Put the one before back where an earlier update or rollback was cut off between its renames."""
    if not own.exists() and folder_before(own).is_dir():
        folder_before(own).rename(own)


def _meta(folder: Path) -> dict[str, Any]:
    file = folder / "meta.json"
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}


def _undone(own: Path) -> Path:
    return own.with_name(f"{own.name}.undone")


# --- the command ----------------------------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shop", required=True, help="the shop's slug")
    parser.add_argument(
        "--rollback", action="store_true", help="let the ranker from before the last update serve again"
    )
    options = parser.parse_args()
    with installation():
        shop = Shop.objects.get(slug=options.shop)
        say((rollback(shop) if options.rollback else update(shop, timezone.now())).sentence)


if __name__ == "__main__":
    main()
