"""Errors in one shape, RFC 9457: ``type`` for programs, ``title`` and ``detail`` for people, ``errors`` with what is wrong
where. Nothing of our insides is ever in one."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response

log = structlog.get_logger(__name__)

RETRY_SECONDS = 5
MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    """One kind of error: ``slug`` ends its ``type``, ``meaning`` is for the document."""

    status: int
    slug: str
    title: str
    meaning: str

    @property
    def type(self) -> str:
        return f"urn:daogou:problem:{self.slug}"


KINDS: Mapping[str, Kind] = {
    kind.slug: kind
    for kind in (
        Kind(400, "malformed", "Malformed request", "A parameter, a header or the JSON itself cannot be read."),
        Kind(401, "unauthenticated", "No valid token", "The token is missing, unknown, expired or revoked."),
        Kind(403, "forbidden", "Not a right of this token", "The token is valid and lacks the right."),
        Kind(404, "not-found", "Not found", "There is no such thing in the shop of this token."),
        Kind(405, "method-not-allowed", "Method not allowed", "`Allow` names the methods there are."),
        Kind(406, "not-acceptable", "Not acceptable", "Answers are JSON alone."),
        Kind(409, "refused", "Refused", "Well said, but the shop's data do not allow it now."),
        Kind(409, "in-progress", "In progress", "The first request with this Idempotency-Key is still at work."),
        Kind(412, "changed", "Changed meanwhile", "Somebody else has changed it: read it again."),
        Kind(413, "too-large", "Too large", "The body is longer than we read."),
        Kind(415, "unsupported-media-type", "Unsupported media type", "Bodies are application/json."),
        Kind(422, "invalid", "Invalid", "The body is JSON but not what the document asks for."),
        Kind(422, "key-reused", "Idempotency-Key reused", "The key was used for another request."),
        Kind(428, "precondition-required", "If-Match required", "Say which state you have read: send its ETag."),
        Kind(429, "too-many-requests", "Too many requests", "Ask again after `Retry-After` seconds."),
        Kind(503, "unavailable", "Not ready", "Our database is away: repeat the request."),
        Kind(500, "internal", "Internal error", "Our fault; `instance` stands in our log."),
    )
}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: in the body by JSON Pointer (as a fragment), or in a parameter or header by name."""

    detail: str
    pointer: str = ""
    parameter: str = ""

    def to_json(self) -> dict[str, str]:
        return {name: text for name, text in asdict(self).items() if text}


class Problem(Exception):  # noqa: N818 (the standard's word)
    """Anything that is answered with an error; ``slug`` is a key of ``KINDS``."""

    def __init__(
        self, slug: str, detail: str, faults: Sequence[Fault] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.faults, self.headers = KINDS[slug], detail, tuple(faults), dict(headers or {})


def answer(problem: Problem) -> Response:
    """The error as a response."""
    body = {
        "type": problem.kind.type,
        "title": problem.kind.title,
        "status": problem.kind.status,
        "detail": problem.detail,
        "instance": f"urn:uuid:{uuid.uuid4()}",
    }
    if problem.faults:
        body["errors"] = [fault.to_json() for fault in problem.faults]
    return Response(body, problem.kind.status, headers=problem.headers, content_type=MEDIA_TYPE)


def handle(error: Exception, context: Mapping[str, Any]) -> Response:
    """The ``EXCEPTION_HANDLER`` of the API's views: whatever happens has an answer."""
    problem = _read(error)
    response = answer(problem)
    if problem.kind.status >= 500:
        log.exception("the API failed", instance=response.data["instance"], view=type(context["view"]).__name__)
    return response


def _read(error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case exceptions.ValidationError():
            faults = tuple(faults_of(error.detail))
            return Problem("invalid", "; ".join(fault.detail for fault in faults)[:500], faults)
        case exceptions.ParseError() | UnreadablePostError():
            return Problem("malformed", "The body is not JSON.")
        case RequestDataTooBig():
            return Problem("too-large", "The body is longer than we read: send it in several requests.")
        case exceptions.AuthenticationFailed() | exceptions.NotAuthenticated():
            return Problem("unauthenticated", str(error.detail), headers={"WWW-Authenticate": 'Bearer realm="api"'})
        case Http404() | exceptions.NotFound():
            return Problem("not-found", KINDS["not-found"].meaning)
        case PermissionDenied() | exceptions.PermissionDenied():
            return Problem("forbidden", KINDS["forbidden"].meaning)
        case exceptions.MethodNotAllowed():
            return Problem("method-not-allowed", str(error.detail))
        case exceptions.NotAcceptable():
            return Problem("not-acceptable", str(error.detail))
        case exceptions.UnsupportedMediaType():
            return Problem("unsupported-media-type", str(error.detail))
        case OperationalError() | InterfaceError():
            return Problem("unavailable", KINDS["unavailable"].meaning, headers=wait(RETRY_SECONDS))
        case DataError():
            return Problem("invalid", "The body holds what cannot be stored.")
    return Problem("internal", "Something broke here. Please tell us the instance below.")


def faults_of(detail: Any, path: tuple[str, ...] = ()) -> Iterator[Fault]:
    """What a serializer complains of, each with its JSON Pointer (RFC 6901)."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from faults_of(inner, path if name == "non_field_errors" else (*path, str(name)))
    elif isinstance(detail, list) and any(isinstance(inner, Mapping | list) for inner in detail):
        for place, inner in enumerate(detail):
            yield from faults_of(inner, (*path, str(place)))
    elif isinstance(detail, list):
        for inner in detail:
            yield from faults_of(inner, path)
    else:
        yield Fault(str(detail), pointer_to(path))


def pointer_to(path: Sequence[str]) -> str:
    """A JSON Pointer as the fragment of a URI; ``#`` is the whole body."""
    return "#" + "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in path)


def wait(seconds: float) -> dict[str, str]:
    """``Retry-After`` in whole seconds, at least one."""
    return {"Retry-After": str(max(math.ceil(seconds), 1))}
