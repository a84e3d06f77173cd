"""Searches a recipe's hyper-parameters within a time budget, by Optuna: what validates best is what is trained."""

from __future__ import annotations

import math
import shutil
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import optuna
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from workers.training import sft

RATES = (5e-5, 1e-3)
EPOCHS = (1, 4)
MOST_TRIALS = 30
WARMUP_LOOKS = 2
"""Looks at the validation before a trial may be given up as worse than the median of the others."""
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True)
class Found:
    """The best recipe and every trial: its parameters, its loss (None where it was given up) and its seconds."""

    recipe: sft.Recipe
    trials: list[dict[str, Any]]


def search(recipe: sft.Recipe, folder: Path, minutes: float, watch: sft.Watch = lambda point: None) -> Found:
    """Train with other rates and lengths until the time is up; at least one trial is done.

    Needs ``recipe.validation``. The same seed tries the same values in the same order; how many depends on the machine. A search
    that was killed goes on with the time that its finished trials have left; the one that it was at is lost.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = _study(recipe, folder)
    ends = time.monotonic() + minutes * 60 - sum(_seconds(trial) or 0 for trial in study.get_trials(states=FINISHED))

    def objective(trial: optuna.Trial) -> float:
        tried = replace(
            recipe,
            lr=trial.suggest_float("lr", *RATES, log=True),
            epochs=trial.suggest_int("epochs", *EPOCHS),
        )
        patient = ends if study.get_trials(states=(TrialState.COMPLETE,)) else math.inf
        return _loss(tried, folder / f"trial-{trial.number}", trial, patient, watch)

    if not study.get_trials(states=(TrialState.COMPLETE,)):
        study.enqueue_trial({"lr": recipe.lr, "epochs": recipe.epochs})
        study.optimize(objective, n_trials=1)
    left = MOST_TRIALS - len(study.get_trials(states=FINISHED))
    study.optimize(objective, n_trials=max(0, left), timeout=max(0.0, ends - time.monotonic()))
    best = replace(recipe, **study.best_params)
    return Found(best, [_told(trial) for trial in study.get_trials(states=FINISHED)])


def _study(recipe: sft.Recipe, folder: Path) -> optuna.Study:
    """The study of a folder, which remembers its trials; one that a kill cut short is given up."""
    folder.mkdir(parents=True, exist_ok=True)
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(folder / "study.log")))
    study = optuna.create_study(
        study_name="search",
        storage=storage,
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=2, n_warmup_steps=WARMUP_LOOKS),
    )
    for trial in study.get_trials(states=(TrialState.RUNNING, TrialState.WAITING)):
        study.tell(trial.number, state=TrialState.FAIL)
        shutil.rmtree(folder / f"trial-{trial.number}", ignore_errors=True)
    study.sampler = optuna.samplers.TPESampler(seed=recipe.seed + len(study.trials))  # or it would draw the same again
    return study


def _loss(tried: sft.Recipe, out: Path, trial: optuna.Trial, ends: float, watch: sft.Watch) -> float:
    looks = 0

    def look(point: dict[str, float]) -> None:
        nonlocal looks
        watch({"trial": trial.number, **point})
        if "validation" not in point:
            return
        looks += 1
        trial.report(point["validation"], looks)
        if trial.should_prune() or time.monotonic() > ends:
            raise optuna.TrialPruned

    try:
        return float(sft.train(tried, out, look)["losses"]["held_out"]["after"])
    finally:
        shutil.rmtree(out, ignore_errors=True)  # the best one is trained again, as itself


def _told(trial: optuna.trial.FrozenTrial) -> dict[str, Any]:
    return {**trial.params, "loss": trial.value, "state": trial.state.name.lower(), "seconds": _seconds(trial)}


def _seconds(trial: optuna.trial.FrozenTrial) -> float | None:
    return trial.duration.total_seconds() if trial.duration else None


def as_json(found: Found) -> dict[str, Any]:
    """For a run's report."""
    recipe = asdict(found.recipe)
    return {"best": {"lr": recipe["lr"], "epochs": recipe["epochs"]}, "trials": found.trials}
