"""The conversations that the project was given hold, where their files lie beside the checkout; they are not ours to keep."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import transaction

from botcore.dialogue.ports import Ports
from catalog.models import Shop
from workers import serving
from workers.indexing import embed_changed
from workers.scenarios import read_scenarios, run_scenario
from workers.training.pscon import SHARED_DATA

GOODS = SHARED_DATA / "aws-retail-demo" / "products.yaml"
SCENARIOS = SHARED_DATA.parent / "scenarios"
STRANGERS = Path(__file__).parent / "given"
PLACED = GOODS.exists() and SCENARIOS.exists()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db,
    pytest.mark.skipif(not PLACED, reason=f"{SCENARIOS} and {GOODS} are not there"),
]


def test_the_strangers_conversations_can_be_held():
    """How many hold is measured (``manage.py scenarios``), not demanded: they were written to find what does not."""
    held = {path.stem: read_scenarios(path) for path in STRANGERS.glob("*.yaml")}
    kinds = ("plain", "harder", "chinese")
    written = {f"{kind}{volume}": 30 if volume else 35 for kind in kinds for volume in ("", "-2", "-3")}
    assert {name: len(scenarios) for name, scenarios in held.items()} == written


@pytest.fixture(scope="module")
def given_shop(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("import_products", str(GOODS), shop="given", create_shop=True)
        call_command("import_knowledge", str(SCENARIOS / "faq.yaml"), shop="given")
        shop = Shop.objects.get(slug="given")
        embed_changed(shop.pk)
        yield shop
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    "scenario", read_scenarios(SCENARIOS / "visible.yaml") if PLACED else (), ids=lambda s: s["id"]
)
def test_the_conversation_holds(given_shop, scenario):
    outcome = run_scenario(scenario, given_shop, Ports(serving.encoder(), serving.reader(), None))
    assert outcome.holds, "\n".join(outcome.failures)
