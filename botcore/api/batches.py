"""Many things in one request: each item is read and stored by itself, and the answer says of each what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from botcore.api.bodies import ITEMS_AT_MOST
from botcore.api.errors import Fault, Problem, faults_of
from botcore.api.fields import YesNo
from botcore.api.reading import told
from catalog.ingest.records import RowError

Outcomes = Sequence[str]
Store = Callable[[list[tuple[int, dict[str, Any]]]], tuple[Outcomes, Sequence[RowError]]]
"""Stores items, each with its place; what became of those that went in, in their order, and what did not."""


class Envelope(serializers.Serializer):
    """A batch whose items are still to be read."""

    items = serializers.ListField(child=serializers.JSONField(allow_null=True), min_length=1, max_length=ITEMS_AT_MOST)
    all_or_nothing = YesNo(default=False)


def carried_out(request: Request, item: type[serializers.Serializer], store: Store) -> Response:
    """Store what can be stored: 200 where that is everything, else 207. Raises ``Problem`` where all was wanted or nothing."""
    envelope = told(Envelope, request)
    refused: dict[int, list[Fault]] = {}
    sound: list[tuple[int, dict[str, Any]]] = []
    for place, given in enumerate(envelope["items"]):
        form = item(data=given)
        if form.is_valid():
            sound.append((place, dict(form.validated_data)))
        else:
            refused[place] = list(faults_of(form.errors, ("items", str(place))))
    if refused and envelope["all_or_nothing"]:
        raise _none_went_in("invalid", refused)
    outcomes, errors = store(sound)
    unstored = {error.line: [Fault(error.reason, f"#/items/{error.line}")] for error in errors}
    if unstored and envelope["all_or_nothing"]:
        raise _none_went_in("refused", unstored)
    stored = iter(outcomes)
    refused |= unstored
    told_of = [_outcome(place, refused.get(place), stored) for place in range(len(envelope["items"]))]
    counts = {status: sum(row["status"] == status for row in told_of) for status in STATUSES}
    return Response({**counts, "items": told_of}, status=207 if refused else 200)


STATUSES = ("created", "updated", "unchanged", "refused")


def _outcome(place: int, faults: list[Fault] | None, stored: Any) -> dict[str, Any]:
    if faults:
        return {"index": place, "status": "refused", "errors": [fault.to_json() for fault in faults]}
    return {"index": place, "status": next(stored)}


def _none_went_in(slug: str, refused: Mapping[int, list[Fault]]) -> Problem:
    faults = [fault for found in refused.values() for fault in found]
    return Problem(slug, f"{len(refused)} items are refused, so none went in.", faults[:100])
