"""A POST that is sent twice is done once (draft-ietf-httpapi-idempotency-key-header).

The first request with a key leaves a row that says "in progress"; what it does and its answer are then stored in one
transaction, so that a process that dies leaves neither, and the lease lets a repetition do the work after a while.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from botcore.api import errors
from botcore.api.base import ApiView
from botcore.api.errors import Fault, Problem
from botcore.models import StoredAnswer
from botcore.security import seal, unseal

HEADER = "Idempotency-Key"
KEY = r"^[!-~]{1,255}$"
KEPT = timedelta(hours=24)
LEASE = timedelta(seconds=60)
"""Longer than any request takes."""

View = TypeVar("View", bound=Callable[..., Response])


def once(view: View) -> View:
    """Marks a ``post`` of an :class:`ApiView`: with the same key and the same body it answers what it answered before.

    Whatever it does is one transaction, which an answer of 400 or more takes back.
    """

    @wraps(view)
    def post(self: ApiView, request: Request, **named: Any) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return _undoable(self, lambda: view(self, request, **named))
        if not re.fullmatch(KEY[1:-1], key):
            raise Problem(
                "malformed", f"{HEADER} is 1 to 255 visible ASCII characters.", [Fault("say it so", parameter=HEADER)]
            )
        stored = _begun(self, key, _fingerprint(request))
        if isinstance(stored, Response):
            return stored
        with transaction.atomic():
            response = _undoable(self, lambda: view(self, request, **named))
            _keep(stored, response)
        return response

    post.once = True  # type: ignore[attr-defined]
    return post  # type: ignore[return-value]


def forget(now: datetime) -> int:
    """Delete the answers that no repetition gets any more; how many."""
    return StoredAnswer.objects.filter(created_at__lt=now - KEPT).delete()[0]


def _undoable(view: ApiView, call: Callable[[], Response]) -> Response:
    """The answer of a view; one of 400 or more leaves nothing behind."""
    try:
        with transaction.atomic():
            response = call()
            if response.status_code >= 400:
                transaction.set_rollback(True)
    except Exception as error:
        return view.handle_exception(error)
    return response


def _begun(view: ApiView, key: str, fingerprint: str) -> StoredAnswer | Response:
    """The row that is ours to fill, or the answer that is there. Raises ``Problem``."""
    now = timezone.now()
    StoredAnswer.objects.filter(token=view.token, key=key, created_at__lt=now - KEPT).delete()
    about = {"fingerprint": fingerprint, "leased_until": now + LEASE, "created_at": now}
    row, new = StoredAnswer.objects.get_or_create(token=view.token, key=key, defaults=about)
    if new:
        return row
    if row.fingerprint != fingerprint:
        raise Problem("key-reused", f"This {HEADER} was used for another request: make a new key.")
    if row.status is None:
        dead = StoredAnswer.objects.filter(pk=row.pk, status=None, leased_until__lt=now)
        if not dead.update(leased_until=now + LEASE):
            left = (row.leased_until - now).total_seconds()
            raise Problem("in-progress", "The first of these requests is at work.", headers=errors.wait(min(left, 2)))
        return row
    return _again(row)


def _keep(row: StoredAnswer, response: Response) -> None:
    """Store an answer. Our own failures are not kept: the request may be repeated."""
    if response.status_code >= 500:
        row.delete()
        return
    headers = {name: response[name] for name in ("ETag", "Location", "Retry-After") if name in response}
    content = JSONRenderer().render(response.data).decode() if response.data is not None else ""
    row.status = response.status_code
    row.sealed_answer = seal({"content": content, "headers": headers, "type": response.content_type})
    row.save(update_fields=["status", "sealed_answer"])


def _again(row: StoredAnswer) -> Response:
    kept = unseal(row.sealed_answer)
    data = json.loads(kept["content"]) if kept["content"] else None
    headers = {**kept["headers"], "Idempotency-Replayed": "true"}
    return Response(data, row.status, headers=headers, content_type=kept["type"])


def _fingerprint(request: Request) -> str:
    asked = f"{request.method} {request.get_full_path()} {request.content_type}\n"
    return hashlib.sha256(asked.encode() + request._request.body).hexdigest()
