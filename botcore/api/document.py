"""The contract: an OpenAPI 3.1 document made from the views and their shapes, with an example of everything.

drf-spectacular reads the views; what is the same for all of them (errors, headers, the token) is added here.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from botcore.api import errors
from botcore.api.examples import EXAMPLES
from botcore.api.fields import Whole
from botcore.api.links import links_of
from botcore.api.rows import ProblemRow
from botcore.channels.generic.views import SECONDS
from botcore.webhooks.events import DESCRIBED

PREFIX = "/api/v1/"
Json = dict[str, Any]

ALWAYS = (400, 401, 403, 404, 406, 413, 429, 500, 503)
BY_METHOD: Mapping[str, tuple[int, ...]] = {
    "get": (),
    "post": (409, 415, 422),
    "patch": (409, 412, 415, 422, 428),
    "delete": (),
}
ABOUT = """\
Everything of one shop: products, what customers did, conversations and what was thought of them, learning, numbers, alerts
and webhooks.

**Tokens.** Send `Authorization: Bearer daogou_…`. A token belongs to one shop and has some of its rights; what lies in
another shop does not exist (404). A token across shops names the one that it means in the header `Daogou-Shop`.

**Repeating.** A POST with an `Idempotency-Key` is done once: the same key and body get the stored answer for 24 hours.

**Changing.** A PATCH says in `If-Match` which state it knows; 412 means that somebody was faster.

**Pace.** `RateLimit-Remaining` says how many requests are left at once, 429 and `Retry-After` when there are none.

**Errors** have one shape, `application/problem+json` (RFC 9457)."""


def page_of(row: type[serializers.Serializer]) -> serializers.Serializer:
    """A page of rows."""
    return inline_serializer(
        f"{row.__name__.removesuffix('Row')}Page",
        {
            "items": row(many=True),
            "next_cursor": Whole(allow_null=True, help_text="`cursor` of the next page, null on the last one"),
            "next": serializers.CharField(allow_null=True, help_text="the address of the next page"),
        },
    )


@functools.cache
def document() -> Json:
    """The whole contract (https://spec.openapis.org/oas/v3.1.0)."""
    made: Json = SchemaGenerator(patterns=[path(PREFIX[1:], include("botcore.api.urls"))]).get_schema(public=True)
    return made | {"servers": [{"url": settings.PUBLIC_URL}]}


@require_safe
def openapi(request: HttpRequest) -> JsonResponse:
    """The contract, for everybody: it says nothing of any shop."""
    response = JsonResponse(document(), json_dumps_params={"ensure_ascii": False})
    response["Cache-Control"] = f"public, max-age={SECONDS}"
    response["Access-Control-Allow-Origin"] = "*"
    return response


def complete(result: Json, generator: Any, request: Any, public: bool) -> Json:
    """Adds what every operation has; named in ``SPECTACULAR_SETTINGS``."""
    result["info"]["description"] = ABOUT
    components = result["components"]
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "description": "a token of a shop"}}
    components["schemas"]["Problem"] = components["schemas"].pop("ProblemRow", None) or _problem_schema()
    components["responses"] = {str(status): _error(status) for status in sorted(_statuses())}
    components["headers"] = HEADERS
    components["parameters"] = PARAMETERS
    result["security"] = [{"token": []}]
    for method, operation in operations(result):
        _complete(method, operation)
    result["webhooks"] = {
        event.value: _webhook(event.value, told.when, told.example) for event, told in DESCRIBED.items()
    }
    return result


def operations(document: Json) -> Iterator[tuple[str, Json]]:
    """Every operation with its method."""
    for item in document["paths"].values():
        yield from ((method, item[method]) for method in item if method in BY_METHOD)


def _complete(method: str, operation: Json) -> None:
    example = EXAMPLES[operation["operationId"]]
    parameters = operation.setdefault("parameters", [])
    if method == "post":
        parameters.append(_reference("parameters", "Idempotency-Key"))
    if method == "patch":
        parameters.append(_reference("parameters", "If-Match"))
    if "requestBody" in operation:
        operation["requestBody"]["required"] = True
        operation["requestBody"]["content"]["application/json"]["example"] = example.request
    for status, response in operation["responses"].items():
        names = ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"]
        names += ["Idempotency-Replayed"] if method == "post" else []
        names += ["ETag"] if example.has_etag else []
        response["headers"] = {name: _reference("headers", name) for name in names}
        response["description"] = response["description"] or MEANING[status]
        for content in response.get("content", {}).values():
            content["example"] = example.response
        if status not in UNSURE and (links := links_of(operation["operationId"])):
            response["links"] = links
    if example.has_etag and method == "get":
        operation["responses"]["304"] = {"description": "It is as you know it."}
    for status in (*ALWAYS, *BY_METHOD[method]):
        operation["responses"][str(status)] = _reference("responses", str(status))


UNSURE = ("204", "207")
"""Answers that tell of no row, or of some that there are not."""
MEANING = {
    "200": "Done.",
    "201": "Made.",
    "202": "Taken; it happens soon.",
    "204": "Done; there is nothing to say.",
    "207": "Some items were refused: see each.",
}
HEADERS: Json = {
    "RateLimit-Limit": {"description": "Requests at once, at most.", "schema": {"type": "integer"}},
    "RateLimit-Remaining": {"description": "Requests that are left at once.", "schema": {"type": "integer"}},
    "RateLimit-Reset": {"description": "Seconds until all of them are.", "schema": {"type": "integer"}},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}},
    "ETag": {"description": "This state, for If-Match and If-None-Match.", "schema": {"type": "string"}},
    "Idempotency-Replayed": {
        "description": "The answer of the first request with this key.",
        "schema": {"type": "string", "const": "true"},
    },
}
PARAMETERS: Json = {
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Yours for this one request; a repetition with it and the same body is not done again.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$", "minLength": 1, "maxLength": 255},
        "example": "8f14e45f-ceea-467f-a0e6-2c9d1c2b7f10",
    },
    "If-Match": {
        "name": "If-Match",
        "in": "header",
        "required": True,
        "description": "The ETag that you have read, or * for any.",
        "schema": {"type": "string", "minLength": 1},
        "example": "*",
    },
}


def _reference(kind: str, name: str) -> Json:
    return {"$ref": f"#/components/{kind}/{name}"}


def _statuses() -> set[int]:
    return {*ALWAYS, *(status for extra in BY_METHOD.values() for status in extra)}


def _error(status: int) -> Json:
    kinds = [kind for kind in errors.KINDS.values() if kind.status == status]
    first = kinds[0]
    example = {
        "type": first.type,
        "title": first.title,
        "status": status,
        "detail": first.meaning,
        "instance": "urn:uuid:0b0f3f3e-9a55-4f3e-8d0e-3c2b6a3f5f11",
    }
    response: Json = {
        "description": " ".join(f"`{kind.slug}`: {kind.meaning}" for kind in kinds),
        "content": {errors.MEDIA_TYPE: {"schema": _reference("schemas", "Problem"), "example": example}},
    }
    if status in (429, 503):
        response["headers"] = {"Retry-After": _reference("headers", "Retry-After")}
    return response


def _problem_schema() -> Json:
    text, fault = {"type": "string"}, {name: {"type": "string"} for name in ("detail", "pointer", "parameter")}
    return {
        "type": "object",
        "description": ProblemRow.__doc__,
        "properties": {
            **dict.fromkeys(("type", "title", "detail", "instance"), text),
            "status": {"type": "integer"},
            "errors": {"type": "array", "items": {"type": "object", "properties": fault, "required": ["detail"]}},
        },
        "required": ["type", "title", "status", "detail", "instance"],
    }


def _webhook(event: str, when: str, example: Mapping[str, Any]) -> Json:
    """One event as Standard Webhooks post it."""
    body = {"type": event, "timestamp": "2026-11-29T20:00:00+00:00", "data": dict(example)}
    schema = {
        "type": "object",
        "properties": {
            "type": {"const": event},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": {"type": "object"},
        },
        "required": ["type", "timestamp", "data"],
    }
    signed = ("webhook-id", "webhook-timestamp", "webhook-signature")
    return {
        "post": {
            "operationId": event.replace(".", "_"),
            "description": f"{when} Signed by Standard Webhooks.",
            "parameters": [{"name": n, "in": "header", "required": True, "schema": {"type": "string"}} for n in signed],
            "requestBody": {"content": {"application/json": {"schema": schema, "example": body}}},
            "responses": {"2XX": {"description": "Taken."}, "410": {"description": "Tell this address no more."}},
        }
    }
