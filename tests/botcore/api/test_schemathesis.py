"""Schemathesis asks the whole API what its document allows and what it does not, and looks at every answer."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from schemathesis.config import SchemathesisConfig

from botcore.models import Alert, Annotation, TrainingRun
from botcore.webhooks import endpoints
from catalog.models import Shop
from tests.botcore.api.conftest import Api
from tests.factories import (
    ConversationFactory,
    DatasetFactory,
    FeedbackFactory,
    ModelVersionFactory,
    ProductFactory,
    TurnFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

CONFIG = """
[generation]
max-examples = 10
deterministic = true

[phases.stateful.generation]
mode = "positive"

[checks.positive_data_acceptance]
# 412: an If-Match made up by anybody names no state of ours.
expected-statuses = ["2xx", "401", "403", "404", "409", "412", "429"]

[checks.negative_data_rejection]
# 207: the answer says of the item that it was refused.
expected-statuses = ["207", "400", "401", "403", "404", "405", "406", "409", "412", "415", "422", "428"]

[checks.missing_required_header]
# 428 is what RFC 6585 has for a missing If-Match.
expected-statuses = ["400", "401", "404", "422", "428"]
"""
KEYS = itertools.count()
FOLLOWED = settings(
    max_examples=150,
    stateful_step_count=8,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
"""So many ways through the API, of eight steps at most: about a minute."""


schema = schemathesis.openapi.from_wsgi(
    "/api/v1/openapi.json", get_wsgi_application(), config=SchemathesisConfig.from_str(CONFIG)
)


@pytest.fixture
def everything(shop: Shop, settings: Any) -> None:
    """A shop with a row of everything, whose programs may ask as often as they like."""
    settings.API_PER_MINUTE, settings.API_BURST = 1_000_000, 100_000
    ProductFactory(shop=shop)
    turn = TurnFactory(conversation=ConversationFactory(shop=shop))
    FeedbackFactory(turn=turn)
    snapshot = DatasetFactory(shop=shop, approved_at=timezone.now())
    TrainingRun.objects.create(shop=shop, dataset=snapshot, recipe="sft")
    Annotation.objects.create(turn=turn, verdict="approved")
    ModelVersionFactory(shop=shop)
    Alert.objects.create(shop=shop, subject="drift: intents", sentence="What customers ask for has changed.")
    endpoint, _secret = endpoints.make(shop, "https://shop.example/hook", ["feedback.given"])
    endpoints.try_out(endpoint)


@pytest.fixture
def one_connection() -> Iterator[None]:
    """A request on the WSGI application leaves the test's connection open, as one of Django's own client does."""
    ends = (request_started, request_finished)
    for signal in ends:
        signal.disconnect(close_old_connections)
    yield
    for signal in ends:
        signal.connect(close_old_connections)


def _own_key(case: schemathesis.Case) -> None:
    """The same key for another request is refused, as it should be."""
    if key := case.headers.get("Idempotency-Key"):
        case.headers["Idempotency-Key"] = f"{next(KEYS)}{key}"[:255]


@pytest.mark.usefixtures("everything", "one_connection")
@schema.parametrize()
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_every_operation_keeps_its_contract(case: schemathesis.Case, api: Api) -> None:
    _own_key(case)
    case.call_and_validate(headers={"Authorization": f"Bearer {api.token}"})


@pytest.mark.usefixtures("everything", "one_connection")
def test_what_one_operation_tells_is_what_the_next_ones_find(api: Api) -> None:
    """The document's links are followed from one answer to the next, each time in the same shop as at the beginning."""

    class Program(schema.as_state_machine()):  # type: ignore[misc]  # is made when it runs
        def setup(self) -> None:
            self.beginning = transaction.savepoint()

        def teardown(self) -> None:
            transaction.savepoint_rollback(self.beginning)

        def before_call(self, case: schemathesis.Case) -> None:
            _own_key(case)

        def get_call_kwargs(self, case: schemathesis.Case) -> dict[str, Any]:
            return {"headers": {"Authorization": f"Bearer {api.token}"}}

        def validate_response(
            self, response: Any, case: schemathesis.Case, *checks: Any, headers: dict[str, str]
        ) -> None:
            case.validate_response(
                response, headers=headers, transport_kwargs={"headers": headers}, recorder=self.recorder
            )

    Program.run(settings=FOLLOWED)
