"""The contract is valid OpenAPI 3.1, for everybody, with an example of everything that keeps to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import drf_spectacular.validation
import jsonschema
import pytest

from botcore.api import errors
from botcore.api.document import document, operations
from botcore.api.examples import EXAMPLES
from botcore.api.urls import routes
from botcore.webhooks.events import Event

OPERATIONS = [(operation["operationId"], method, operation) for method, operation in operations(document())]


def test_the_document_is_valid_openapi():
    drf_spectacular.validation.validate_schema(document())
    assert document()["openapi"].startswith("3.1")


def test_everybody_may_read_it(client, settings):
    response = client.get("/api/v1/openapi.json")
    assert response.json() == json.loads(json.dumps(document()))
    assert response["Access-Control-Allow-Origin"] == "*"
    assert client.post("/api/v1/openapi.json").status_code == 405


def test_every_route_is_described():
    described = sum(len(view.callback.cls.rights) for view in routes)  # type: ignore[attr-defined]
    assert len(OPERATIONS) == described == len({name for name, _, _ in OPERATIONS})


def test_there_is_an_example_of_every_operation_and_of_nothing_else():
    assert {name for name, _, _ in OPERATIONS} == set(EXAMPLES)


def _contents(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from operation.get("requestBody", {}).get("content", {}).values()
    for response in operation["responses"].values():
        yield from response.get("content", {}).values()


@pytest.mark.parametrize(("name", "method", "operation"), OPERATIONS, ids=[name for name, _, _ in OPERATIONS])
def test_an_example_keeps_to_the_contract(name, method, operation):
    contents = list(_contents(operation))
    assert contents or method == "delete"
    for content in contents:
        schema = {**content["schema"], "components": document()["components"]}
        jsonschema.Draft202012Validator(schema).validate(content["example"])


def test_every_error_that_there_is_is_in_the_document():
    responses = document()["components"]["responses"]
    for kind in errors.KINDS.values():
        if kind.status != 405:  # of methods that are not in the document
            assert f"`{kind.slug}`" in responses[str(kind.status)]["description"]


def test_every_event_is_described_with_an_example():
    assert set(document()["webhooks"]) == set(Event)
    for event, item in document()["webhooks"].items():
        content = item["post"]["requestBody"]["content"]["application/json"]
        jsonschema.Draft202012Validator(content["schema"]).validate(content["example"])
        assert content["example"]["type"] == event
