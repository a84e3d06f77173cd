"""``manage.py promote`` and ``rollback`` tell what moved and who writes for the customers now."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from botcore.models import ModelVersion
from catalog.models import Shop
from tests.factories import ModelVersionFactory, ShopFactory, measured

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return ShopFactory(slug="pine", name="Pine")


@pytest.fixture
def live(shop) -> ModelVersion:
    return ModelVersionFactory(shop=shop, name="pine-1", state="live")


@pytest.fixture
def candidate(shop) -> ModelVersion:
    return measured(ModelVersionFactory(shop=shop, name="pine-2"))


def printed(*argv: str) -> str:
    out = io.StringIO()
    call_command(*argv, stdout=out)
    return out.getvalue()


def report(*argv: str) -> dict[str, Any]:
    return json.loads(printed(*argv, "--json"))


def since(version: ModelVersion) -> str:
    version.refresh_from_db()
    return version.state_since.isoformat(timespec="seconds")


def test_a_promotion_tells_how_the_version_stood_and_stands(live, candidate):
    before = since(candidate)
    told = report("promote", "pine-2", "--share", "25")
    assert told == {
        "shop": "pine",
        "versions": {
            "pine-2": {
                "before": {"state": "candidate", "share": 0, "since": before, "department": ""},
                "after": {"state": "canary", "share": 25, "since": since(candidate), "department": ""},
            }
        },
        "serving": {"live": "pine-1", "canary": "pine-2", "share": 25, "shadow": None},
        "departments": {},
    }


def test_a_departments_version_is_told_beside_the_shops(live):
    measured(ModelVersionFactory(shop=live.shop, name="pine-4", department="books"))
    table = printed("promote", "pine-4")
    assert (
        "\npine is served by pine-1\n- books is served by what serves the shop, 10 % of the conversations by pine-4"
        in table
    )
    assert report("promote", "pine-4", "--to", "live")["departments"]["books"]["live"] == "pine-4"
    told = report("rollback")
    assert (told["departments"], told["serving"]["live"]) == ({}, "pine-1")


def test_what_made_room_is_in_the_table_with_what_took_its_place(live, candidate):
    ModelVersionFactory(shop=live.shop, name="pine-3", state="shadow")
    ModelVersionFactory(name="pine-1", state="live")
    table = printed("promote", "pine-2", "--to", "live", "--shop", "pine")
    moved = {line.split()[0]: line.split() for line in table.splitlines()[1:3]}
    assert (moved["pine-1"][1], moved["pine-1"][5]) == ("live", "retired")
    assert (moved["pine-2"][1], moved["pine-2"][5]) == ("candidate", "live")
    assert "pine is served by pine-2; pine-3 writes beside" in table


def test_a_share_is_in_the_table(live, candidate):
    table = printed("promote", "pine-2")
    assert "canary 10 % since" in table
    assert "pine is served by pine-1, 10 % of the conversations by pine-2" in table


def test_a_rollback_tells_what_the_customers_get_back(live, candidate):
    printed("promote", "pine-2", "--to", "live")
    told = report("rollback", "--reason", "too curt")
    states = {name: (moved["before"]["state"], moved["after"]["state"]) for name, moved in told["versions"].items()}
    assert states == {"pine-2": ("live", "retired"), "pine-1": ("retired", "live")}
    assert told["serving"] == {"live": "pine-1", "canary": None, "share": 0, "shadow": None}
    assert candidate.changes.first().reason == "too curt"


def test_with_nothing_before_it_the_model_that_ships_comes_back(live):
    assert "pine is served by shipped" in printed("rollback")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("promote", "pine-9"), "Pine has no version pine-9; there are: pine-2"),
        (("promote", "pine-2", "--share", "0"), "between 1 and 99 percent"),
        (("rollback",), "there is nothing before it"),
        (("rollback", "pine-2"), "pine-2 serves nobody"),
        (("rollback", "--shop", "oak"), 'no shop is called "oak"; there are: pine'),
    ],
)
def test_what_is_not_possible_is_said_and_nothing_moves(candidate, argv, said):
    with pytest.raises(CommandError, match=said):
        call_command(*argv)
    candidate.refresh_from_db()
    assert candidate.state == "candidate"
