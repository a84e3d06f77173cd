"""The edge that takes a feed's texts: ``POST /streams/<key>/`` with the stream's token in the Authorization header."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from botcore.channels.views import problem
from botcore.models import TextStream
from botcore.streams import feeding

SHOWN_ERRORS = 20


@csrf_exempt
@require_POST
def feed(request: HttpRequest, key: str) -> HttpResponse:
    """Store one text or a list of them: 200 with how many were new, and nothing stored for any other answer.

    401 no such stream or not its token, 413 too much at once, 400 not as documented, with every wrong text named.
    Whether a stream exists is told to nobody without its token.
    """
    stream = TextStream.objects.filter(key=key, kind=TextStream.Kind.FEED).first()
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if not feeding.may_feed(stream or TextStream(), token.strip()) or scheme.lower() != "bearer" or stream is None:
        response = problem(401, "no such stream, or not its token: send the header Authorization: Bearer TOKEN")
        response["WWW-Authenticate"] = "Bearer"
        return response
    try:
        said = _texts(request.body)
    except RequestDataTooBig:
        return problem(413, f"more than {settings.WEBHOOK_BODY_LIMIT} bytes: send fewer texts at once")
    except UnreadablePostError:
        return problem(400, "the body broke off: send it again")
    except ValueError as error:
        return problem(400, str(error))
    if len(said) > feeding.MOST_AT_ONCE:
        return problem(413, f"more than {feeding.MOST_AT_ONCE} texts: send them in several requests")
    return _stored(stream, said)


def _texts(body: bytes) -> list[Any]:
    """The texts of a request. Raises ``ValueError``."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError("the body is no JSON in UTF-8") from error
    texts = said if isinstance(said, list) else [said]
    if not texts or not all(isinstance(each, dict) for each in texts):
        raise ValueError('send one text {"id": ..., "text": ...} or a list of such')
    return texts


def _stored(stream: TextStream, said: list[dict[str, Any]]) -> HttpResponse:
    """All or none: whoever gets an error mends it and sends the same again."""
    now, records, wrong = timezone.now(), [], []
    for place, each in enumerate(said):
        try:
            records.append(feeding.record_of(each, now))
        except ValueError as error:
            wrong.append({"place": place, "problem": str(error)})
    if wrong:
        answer = {
            "error": f"{len(wrong)} of {len(said)} texts are wrong; nothing was stored",
            "texts": wrong[:SHOWN_ERRORS],
        }
        return JsonResponse(answer, status=400, json_dumps_params={"ensure_ascii": False})
    stored = feeding.store(stream, records)
    return JsonResponse({"new": stored.new, "known": stored.known})
