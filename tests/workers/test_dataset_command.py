"""``manage.py dataset`` builds, lists and approves snapshots, in a table or as JSON."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from botcore.learning import corrections
from botcore.models import Dataset, Turn
from catalog.models import Shop
from tests.factories import ConversationFactory, DatasetFactory, ShopFactory, TurnFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return ShopFactory(slug="pine", name="Pine")


@pytest.fixture
def approved(shop) -> list[Turn]:
    colours = ("green", "navy", "crimson", "teal")
    turns = [
        TurnFactory(conversation=ConversationFactory(shop=shop), text=f"a {colour} jacket", number=1)
        for colour in colours
    ]
    for turn in turns:
        corrections.approve(turn, None)
    return turns


def printed(*argv: str) -> str:
    out = io.StringIO()
    call_command("dataset", *argv, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def report(*argv: str) -> list[dict[str, Any]]:
    return json.loads(printed(*argv, "--json"))


def test_a_snapshot_is_built_and_told_as_json(approved):
    (told,) = report("build")
    made = Dataset.objects.get()
    assert (told["dataset"], told["content_hash"], told["approved"]) == (made.pk, made.content_hash, "")
    assert told["replies"] == made.rows.count() == sum(told["rows"]["sft"].values()) > 0
    assert told["left_out"] == made.counts["left_out"]


def test_a_snapshot_is_told_as_a_table_with_what_to_do_next(approved):
    table = printed("build")
    made = Dataset.objects.get()
    assert f"snapshot {made.pk}  {made.content_hash[:12]}" in table
    assert f"not yet: `manage.py dataset approve {made.pk}`" in table
    assert f"acts        recommend {made.counts['replies']}" in table


def test_what_it_is_at_goes_to_standard_error(approved):
    err = io.StringIO()
    call_command("dataset", "build", stdout=io.StringIO(), stderr=err)
    lines = err.getvalue().splitlines()
    stages = ["gathering", "merchants' words", "customers' thumbs", "splitting", "storing"]
    assert [line for line in lines if "/" not in line] == stages
    assert "merchants' words 4/4" in lines


def test_the_filters_are_those_of_the_snapshot(approved, shop):
    Turn.objects.filter(pk=approved[0].pk).update(created_at=timezone.now() - timedelta(days=400))
    printed("build", "--since", "2026-01-01", "--until", "2030-01-01", "--act", "recommend", "--no-votes")
    made = Dataset.objects.get()
    assert made.filters == {
        "since": "2026-01-01T00:00:00+00:00",
        "until": "2030-01-01T00:00:00+00:00",
        "acts": ["recommend"],
        "votes": False,
        "languages": ["en"],
    }
    assert not made.rows.filter(turn_id=approved[0].pk).exists()


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("build", "--since", "May"), "'May' is no day; write it as 2026-11-01"),
        (("build", "--act", "sing"), "invalid choice: 'sing'"),
        (("build", "--until", "2020-01-01"), "There is nothing to learn from yet"),
        (("approve", "999999"), "Pine has no snapshot 999999; see `manage.py dataset list`"),
    ],
)
def test_what_is_not_possible_is_said_and_nothing_is_made(approved, argv, said):
    with pytest.raises(CommandError, match=said):
        printed(*argv)
    assert not Dataset.objects.exists()


def test_a_snapshot_is_approved_once_looked_at_or_at_once(approved, shop):
    (built,) = report("build", "--approve")
    assert built["approved"]
    waiting = DatasetFactory(shop=shop)
    (told,) = report("approve", str(waiting.pk))
    waiting.refresh_from_db()
    assert told["approved"] == waiting.approved_at.isoformat(timespec="seconds")


def test_only_this_shop_s_snapshots_are_listed_and_approved(shop):
    own, other = DatasetFactory(shop=shop, counts=COUNTS), DatasetFactory(counts=COUNTS)
    assert [told["dataset"] for told in report("list", "--shop", "pine")] == [own.pk]
    assert printed("list", "--shop", "pine").count("snapshot ") == 1
    with pytest.raises(CommandError, match=f"has no snapshot {other.pk}"):
        printed("approve", str(other.pk), "--shop", "pine")
    other.refresh_from_db()
    assert other.approved_at is None


COUNTS = {"rows": {"sft": {"train": 1}}, "acts": {}, "topics": {}, "sentiments": {}, "left_out": {}}
