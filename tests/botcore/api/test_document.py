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


def _links() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, _method, operation in OPERATIONS:
        for response in operation["responses"].values():
            yield from ((name, to, link) for to, link in response.get("links", {}).items())


@pytest.mark.parametrize(("name", "to", "link"), [*_links()], ids=lambda value: value if isinstance(value, str) else "")
def test_a_link_leads_to_an_operation_with_what_the_answer_tells(name, to, link):
    (target,) = [operation for other, _method, operation in OPERATIONS if other == link["operationId"] == to]
    parameters = document()["components"]["parameters"]
    taken = {one.get("name") or parameters[one["$ref"].rpartition("/")[2]]["name"] for one in target["parameters"]}
    assert set(link.get("parameters", {})) <= taken
    said = {"$response.body": EXAMPLES[name].response, "$request.body": EXAMPLES[name].request}
    for expression in [*link.get("parameters", {}).values(), *link.get("requestBody", {}).values()]:
        source, _hash, pointer = expression.partition("#")
        if source == "$response.header.ETag":
            assert EXAMPLES[name].has_etag
        elif pointer:
            value = said[source]
            for step in pointer.split("/")[1:]:
                value = value[int(step) if isinstance(value, list) else step]
            assert value is not None


def test_every_row_that_can_be_asked_for_is_reached_by_a_link():
    reached = {to for _name, to, _link in _links()}
    of_a_row = {
        name for name, _, operation in OPERATIONS if any(one.get("in") == "path" for one in operation["parameters"])
    }
    assert of_a_row <= reached


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
