"""The edge of the web process: webhooks in, media out. Everything a platform sends goes through :func:`webhook`."""

from __future__ import annotations

import functools
import mimetypes
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import DataError, InterfaceError, OperationalError
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseNotModified,
    JsonResponse,
    UnreadablePostError,
)
from django.utils.http import http_date, parse_http_date_safe
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from botcore import intake
from botcore.channels import database_threads
from botcore.channels.base import Channel
from botcore.channels.registry import channel_for
from botcore.channels.values import Answer, MalformedBodyError, ReceivedEvent, WebhookRequest
from botcore.environment import ConfigurationError
from botcore.models import ChannelAccount

log = structlog.get_logger(__name__)

Result = TypeVar("Result")
RETRY_SECONDS = 5
MEDIA_SECONDS = 24 * 3600


def database_view(view: Callable[..., Result]) -> Callable[..., Coroutine[Any, Any, Result | HttpResponse]]:
    """A synchronous view on one of the database threads; 503 where the database is away, as when it is restarted."""

    @functools.wraps(view)
    async def bounded(*args: Any, **kwargs: Any) -> Result | HttpResponse:
        try:
            return await database_threads.in_database_thread(functools.partial(view, *args, **kwargs))
        except (OperationalError, InterfaceError) as error:
            log.error("asked without a database", view=view.__name__, error=type(error).__name__)
            return unavailable()

    return bounded


@csrf_exempt
@require_http_methods(["GET", "POST"])
async def webhook(request: HttpRequest, channel: str, key: str) -> HttpResponse:
    """Take one request of a platform: 200 once it is stored, and nothing stored for any other answer.

    404 unknown account, 413 too long, 401 not the platform's, 400 not what it documents, 405 a GET that tries nothing,
    503 ask again later.
    """
    taken = await _take(request, channel, key)
    if isinstance(taken, HttpResponse):
        return taken
    return _response(await taken.platform.ack_in_time(taken.received))


@dataclass(frozen=True)
class _Taken:
    """What a platform told us, stored."""

    platform: Channel
    received: list[ReceivedEvent]


@database_view
def _take(request: HttpRequest, channel: str, key: str) -> HttpResponse | _Taken:
    try:
        account = ChannelAccount.objects.filter(channel=channel, key=key, active=True).first()
        if account is None:
            return problem(404, "no such account")
        asked = plain_request(request)
        platform = channel_for(account)
        if answer := platform.handshake(asked):
            return _response(answer)
        if asked.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not platform.verify(asked):
            return problem(401, "the signature or secret is missing or wrong")
        received = platform.parse(asked)
        intake.accept(account, received)
    except RequestDataTooBig:
        return problem(413, f"more than {settings.WEBHOOK_BODY_LIMIT} bytes")
    except MalformedBodyError as error:
        return problem(400, str(error))
    except DataError:  # a sender's id longer than any, a number without end
        return problem(400, "the body holds what cannot be stored")
    except UnreadablePostError:
        return problem(400, "the body broke off")
    except ConfigurationError as error:  # an operator's to mend; the platform will repeat what it was told to
        log.error("delivery not stored", channel=channel, error=str(error))
        return unavailable()
    return _Taken(platform, received)


def plain_request(request: HttpRequest) -> WebhookRequest:
    """The request as the platform made it: by our public address, whatever proxies called us. Raises as ``read_body``."""
    return WebhookRequest(
        method=str(request.method),
        url=settings.PUBLIC_URL + request.get_full_path(),
        headers={name.lower(): value for name, value in request.headers.items()},
        query=request.GET.dict(),
        body=read_body(request),
        at=time.time(),
    )


def _response(answer: Answer) -> HttpResponse:
    return HttpResponse(answer.body, status=answer.status, content_type=answer.content_type)


def read_body(request: HttpRequest) -> bytes:
    """The whole body. Raises ``RequestDataTooBig``, also where the length was not announced or was a lie."""
    body = request.body  # Django looks at the announced length alone
    if len(body) > settings.WEBHOOK_BODY_LIMIT:
        raise RequestDataTooBig
    return body


def problem(status: int, detail: str) -> JsonResponse:
    return JsonResponse({"error": detail}, status=status)


def unavailable() -> JsonResponse:
    response = problem(503, "the service is not ready; please repeat the request")
    response["Retry-After"] = str(RETRY_SECONDS)
    return response


@require_safe
def media(request: HttpRequest, path: str) -> HttpResponse:
    """A file under the media root. Read whole: under ASGI a synchronous stream would be collected first anyway."""
    root = settings.MEDIA_ROOT.resolve()
    try:
        file = (root / path).resolve()
        if not file.is_relative_to(root) or not file.is_file():
            raise Http404
        modified = int(file.stat().st_mtime)
        since = parse_http_date_safe(request.headers.get("If-Modified-Since", ""))
        unchanged = since is not None and modified <= since
        response = HttpResponseNotModified() if unchanged else HttpResponse(file.read_bytes())
    except (OSError, ValueError) as error:  # gone meanwhile, or a name no file system knows
        raise Http404 from error
    response["Last-Modified"] = http_date(modified)
    response["Cache-Control"] = f"public, max-age={MEDIA_SECONDS}"
    if not unchanged:
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        response["Content-Type"] = kind
        if not kind.startswith("image/"):
            response["Content-Disposition"] = "attachment"
    return response
