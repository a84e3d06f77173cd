"""`manage.py dataset`, `promote` and `rollback` keep who did it, and refuse a name that nobody has."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from botcore.learning.corrections import approve
from botcore.models import Dataset, ModelVersion, VersionChange
from catalog.models import Shop
from tests.botcore.learning.test_datasets import reply_about
from tests.factories import ModelVersionFactory, ShopFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return ShopFactory()


@pytest.fixture
def ann() -> User:
    return UserFactory(username="ann")


def test_who_builds_and_who_approves_a_snapshot_is_kept(shop, ann, capsys):
    bob = UserFactory(username="bob")
    approve(reply_about(shop, 0), None)
    call_command("dataset", "build", "--since", "2026-01-02", "--by", "bob")
    made = Dataset.objects.get()
    assert (made.created_by, made.approved_by) == (bob, None)
    assert "filters     since 2026-01-02T00:00:00+00:00, votes True, languages en" in capsys.readouterr().out
    call_command("dataset", "approve", str(made.pk), "--by", "ann")
    made.refresh_from_db()
    assert made.approved_by == ann


def test_who_moves_a_version_and_who_takes_it_back_is_kept(shop, ann):
    version = ModelVersionFactory(shop=shop)
    call_command("promote", version.name, "--to", "live", "--by", "ann")
    call_command("rollback", "--by", "ann")
    assert list(VersionChange.objects.values_list("after", "by__username")) == [("retired", "ann"), ("live", "ann")]
    call_command("promote", version.name, "--to", "candidate")
    assert VersionChange.objects.first().by is None


@pytest.mark.parametrize("command", [["promote", "pine-1", "--to", "live"], ["rollback"], ["dataset", "build"]])
def test_nothing_is_done_in_the_name_of_nobody(shop, command):
    version = ModelVersionFactory(shop=shop, name="pine-1")
    approve(reply_about(shop, 0), None)
    with pytest.raises(CommandError, match="nobody is called eve; --by takes the name that they sign in with"):
        call_command(*command, "--by", "eve")
    assert ModelVersion.objects.get(pk=version.pk).state == "candidate"
    assert not Dataset.objects.exists()
