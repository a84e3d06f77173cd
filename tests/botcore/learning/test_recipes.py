"""A recipe is told what it has, in values that mean something, and nothing else."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from botcore.learning import recipes
from botcore.learning.datasets import approve
from botcore.models import TrainingRun
from tests.factories import DatasetFactory


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ("sft", {"epochs": 1, "lr": 2e-4, "replay": 0.5, "department": "clothing"}),
        ("preference", {"preference_epochs": 1, "search_minutes": 0}),
        ("adversarial", {"adversarial_steps": 8, "epochs": 2}),
        ("compress", {"layers": 0, "healing": 100, "seed": 3, "briefs": 50}),
    ],
)
def test_what_a_recipe_has_may_be_told(recipe, told):
    recipes.check(recipe, told)


@pytest.mark.parametrize(
    ("recipe", "told", "said"),
    [
        (
            "compress",
            {"layers": 2, "lr": 1e-4, "epochs": 3},
            r"compress cannot be told epochs, lr; it has .*healing, layers",
        ),
        ("sft", {"preference_lr": 1e-5}, "sft cannot be told preference_lr"),
        ("sft", {"magic": 1}, "cannot be told magic"),
        ("sft", {"epochs": 0}, "epochs is between 1 and 100, not 0"),
        ("sft", {"epochs": 1.5}, "epochs is a whole number, not 1.5"),
        ("sft", {"epochs": True}, "epochs is a whole number, not True"),
        ("sft", {"briefs": 49}, "briefs is between 50 and 10000, not 49"),
        ("sft", {"lr": float("nan")}, "lr is between"),
        ("sft", {"lr": "fast"}, "lr is a number, not 'fast'"),
        ("sft", {"replay": 0.9}, "replay is between 0.3 and 0.5"),
        ("sft", {"department": 5}, "department is a text"),
    ],
)
def test_what_it_has_not_is_refused_in_a_sentence(recipe, told, said):
    with pytest.raises(recipes.OptionError, match=said):
        recipes.check(recipe, told)


def test_the_command_refuses_instead_of_forgetting(db):
    dataset = approve(DatasetFactory(), None)
    asked = {"shop": dataset.shop.slug, "dataset": dataset.pk, "queue": True}
    with pytest.raises(CommandError, match="compress cannot be told epochs"):
        call_command("train", recipe="compress", epochs=2, **asked)
    with pytest.raises(CommandError, match="Run 7 was told when it was asked for; leave out layers"):
        call_command("train", run=7, layers=2, queue=True)
    assert not TrainingRun.objects.exists()
    call_command("train", recipe="compress", layers=2, **asked)
    assert TrainingRun.objects.get().options == {"layers": 2}
