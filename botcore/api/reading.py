"""Reading what a request asks for, and answering lists and states: queries, bodies, pages, ETags."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from botcore.api.errors import Fault, Problem, faults_of
from botcore.api.fields import AskedWhole

Row = TypeVar("Row", bound=Model)
PAGE = 50
LONGEST_PAGE = 200


class PageQuery(serializers.Serializer):
    """Which page of a list."""

    cursor = AskedWhole(help_text="Where the page begins: `next_cursor` of the page before.")
    limit = AskedWhole(min_value=1, max_value=LONGEST_PAGE, default=PAGE, help_text="Rows of a page.")


def asked(serializer: type[serializers.Serializer], request: Request) -> dict[str, Any]:
    """The parameters of an address. Raises ``Problem``, also for one that there is not: it would be a slip of the pen."""
    form = serializer(data=request.query_params.dict())
    faults = [
        Fault("There is no such parameter here." if name not in form.fields else "Say it once.", parameter=name)
        for name, values in request.query_params.lists()
        if name not in form.fields or len(values) > 1
    ]
    if not form.is_valid():
        faults += [Fault(fault.detail, parameter=fault.pointer[2:]) for fault in faults_of(form.errors)]
    if faults:
        raise Problem("malformed", "The address asks for what there is not.", faults)
    return dict(form.validated_data)


def told(serializer: type[serializers.Serializer], request: Request, **options: Any) -> dict[str, Any]:
    """The body. Raises ``ValidationError``."""
    form = serializer(data=request.data, **options)
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def page(
    request: Request, rows: QuerySet[Row], query: dict[str, Any], shown: Callable[[Sequence[Row]], list[Any]]
) -> Response:
    """A page of rows, newest first. The cursor is the id of the last row that was shown: no page shifts under its reader."""
    if "cursor" in query:
        rows = rows.filter(pk__lt=query["cursor"])
    found = list(rows.order_by("-pk")[: query["limit"] + 1])
    items, more = found[: query["limit"]], len(found) > query["limit"]
    cursor = items[-1].pk if more else None
    following = replace_query_param(request.get_full_path(), "cursor", cursor) if more else None
    return Response({"items": shown(items), "next_cursor": cursor, "next": following})


def etag_of(data: Any) -> str:
    """A strong validator of a representation (RFC 9110, 8.8.3)."""
    return f'"{hashlib.sha256(JSONRenderer().render(data)).hexdigest()[:32]}"'


def state(request: Request, data: Any) -> Response:
    """One thing with its ETag; 304 where the reader has it already."""
    etag = etag_of(data)
    known = request.headers.get("If-None-Match", "")
    if request.method == "GET" and etag in [tag.strip().removeprefix("W/") for tag in known.split(",")]:
        return Response(status=304, headers={"ETag": etag})
    return Response(data, headers={"ETag": etag})


def unchanged(request: Request, data: Any) -> None:
    """Raises ``Problem`` unless ``If-Match`` names what there is now. The caller holds the row."""
    given = request.headers.get("If-Match")
    if given is None:
        raise Problem("precondition-required", "Read it first, and send its ETag in If-Match.")
    if given.strip() != "*" and etag_of(data) not in [tag.strip() for tag in given.split(",")]:
        raise Problem("changed", "Somebody has changed it since you read it: read it again.")
