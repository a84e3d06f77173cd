"""The search for hyper-parameters keeps to its time and ends with the recipe that validated best."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")

from workers.training import search, sft


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[sft.Recipe]:
    """Runs that take a moment and are best at a rate of 3e-4."""
    recipes: list[sft.Recipe] = []

    def train(recipe: sft.Recipe, out: Path, watch: sft.Watch) -> dict[str, Any]:
        recipes.append(recipe)
        out.mkdir(parents=True)
        loss = abs(recipe.lr - 3e-4) * 1e3
        for step in range(4):
            time.sleep(0.01)
            watch({"step": step, "validation": loss})
        return {"losses": {"held_out": {"after": loss}}}

    monkeypatch.setattr(sft, "train", train)
    return recipes


def test_the_recipe_as_given_is_tried_first_and_the_best_is_kept(tried, tmp_path):
    given = sft.Recipe(Path("data"), lr=9e-4, epochs=3, seed=1)
    found = search.search(given, tmp_path, minutes=0.02)
    assert (tried[0].lr, tried[0].epochs) == (9e-4, 3)
    assert len(tried) > 5
    assert abs(found.recipe.lr - 3e-4) == min(abs(recipe.lr - 3e-4) for recipe in tried)
    assert [file.name for file in tmp_path.iterdir()] == ["study.log"]


def test_one_trial_is_done_however_short_the_time_is(tried, tmp_path):
    given = sft.Recipe(Path("data"), lr=9e-4, seed=1)
    found = search.search(given, tmp_path, minutes=0.0)
    assert found.recipe == given
    assert [trial["state"] for trial in found.trials] == ["complete"]


def test_the_same_seed_tries_the_same_values(tried, tmp_path):
    given = sft.Recipe(Path("data"), seed=4)
    for name in ("first", "second"):
        search.search(given, tmp_path / name, minutes=0.005)
    half = len(tried) // 2
    shorter = min(half, 3)
    again = next(place for place in range(1, len(tried)) if tried[place] == tried[0])
    assert [r.lr for r in tried[:shorter]] == [r.lr for r in tried[again : again + shorter]]


def test_a_hopeless_trial_is_given_up_before_its_end(tried, tmp_path):
    found = search.search(sft.Recipe(Path("data"), lr=3e-4, seed=2), tmp_path, minutes=0.03)
    assert any(trial["state"] == "pruned" for trial in found.trials)


def test_a_killed_search_goes_on_with_what_it_had_tried_and_the_time_it_had_left(tried, tmp_path, monkeypatch):
    given, working = sft.Recipe(Path("data"), lr=9e-4, seed=3), sft.train

    def dies_in_the_third(recipe: sft.Recipe, out: Path, watch: sft.Watch) -> dict[str, Any]:
        if len(tried) == 2:
            out.mkdir(parents=True)
            raise KeyboardInterrupt
        return working(recipe, out, watch)

    with monkeypatch.context() as killing, pytest.raises(KeyboardInterrupt):
        killing.setattr(sft, "train", dies_in_the_third)
        search.search(given, tmp_path, minutes=1)
    found = search.search(given, tmp_path, minutes=0)
    assert [trial["lr"] for trial in found.trials] == [recipe.lr for recipe in tried] and len(tried) == 2
    assert sorted(file.name for file in tmp_path.iterdir()) == ["study.log"]
    later = search.search(given, tmp_path, minutes=0.02)
    assert len(later.trials) == len(tried) > 2
    assert len({recipe.lr for recipe in tried}) == len(tried), "no value is tried twice"


def test_a_search_that_was_killed_at_once_begins_with_the_recipe_as_given(tried, tmp_path, monkeypatch):
    given = sft.Recipe(Path("data"), lr=9e-4, seed=3)
    with monkeypatch.context() as killing, pytest.raises(KeyboardInterrupt):
        killing.setattr(sft, "train", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        search.search(given, tmp_path, minutes=1)
    assert search.search(given, tmp_path, minutes=0).recipe == given
