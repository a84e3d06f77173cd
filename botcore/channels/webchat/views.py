"""The web chat's addresses: the page, the widget, and what the page posts. Visitors see their own conversation only."""

from __future__ import annotations

import functools
import re
import secrets
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Count, Q
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
    UnreadablePostError,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from botcore import intake
from botcore.channels import database_threads
from botcore.channels.values import MalformedBodyError, ReceivedEvent, read_json
from botcore.channels.views import database_view, problem, read_body, unavailable
from botcore.channels.webchat.stream import notify, stream
from botcore.channels.webchat.texts import TEXTS, interface_language
from botcore.channels.webchat.visitor import is_from_its_page, new_visitor, remember, token_for, visitor_of
from botcore.feedback import WITHDRAWN
from botcore.models import ChannelAccount, Feedback, InboundEvent, Turn
from botcore.security import POLICY, unseal
from catalog.models import Category, Shop

TEXT_LIMIT = 2000
POSTS_A_MINUTE = 30
TURNS_WAITING = 8
MESSAGE_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
WIDGET = Path(__file__).resolve().parents[2] / "static" / "webchat" / "widget.js"
WIDGET_SECONDS = 3600


# --- what the browser loads -----------------------------------------------------------------------------------------


@require_safe
@database_view
def page(request: HttpRequest, name: str) -> HttpResponse:
    """The chat itself; with ``?embed=1`` as the widget's frame shows it, which the configured site may contain."""
    account = find_account(name)
    embedded = request.GET.get("embed") == "1"
    visitor = visitor_of(request, account) or new_visitor()
    language = interface_language(getattr(request, "LANGUAGE_CODE", "en"))
    texts = {key: text.replace("{shop}", account.shop.name) for key, text in TEXTS[language].items()}
    context = {
        "shop": account.shop,
        "language": "zh-Hans" if language == "zh" else "en",
        "embedded": embedded,
        "texts": texts,
        "suggestions": suggestions(account.shop, language),
        "settings": {
            "token": token_for(account, visitor),
            "embedded": embedded,
            "limit": TEXT_LIMIT,
            "page": reverse("webchat:page", args=[name]),
        },
    }
    response = render(request, "webchat/page.html", context)
    response["Cache-Control"] = "no-store"
    remember(response, request, account, visitor, embedded)
    if embedded:
        response.xframe_options_exempt = True
        response["Content-Security-Policy"] = POLICY.format(ancestors=_origin(account) or "*")
    return response


@require_safe
def widget(request: HttpRequest, name: str) -> HttpResponse:
    """The script that a shop's site loads. It is the same for every shop: it finds the page beside its own address."""
    find_account(name)
    response = HttpResponse(WIDGET.read_bytes(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = f"public, max-age={WIDGET_SECONDS}"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@require_safe
async def events(request: HttpRequest, name: str) -> HttpResponseBase:
    """The visitor's server-sent events after the reply in ``Last-Event-ID`` or ``?after=``, else from the start."""
    try:
        account = await database_threads.in_database_thread(find_account, name)
    except (OperationalError, InterfaceError):
        return unavailable()
    visitor = visitor_of(request, account)
    if visitor is None:
        return problem(401, "no visitor: load the page first")
    if request.method == "HEAD":
        return HttpResponse(content_type="text/event-stream")
    given = request.headers.get("Last-Event-ID") or request.GET.get("after", "")
    after = int(given) if re.fullmatch(r"[0-9]{1,18}", given) else 0
    return StreamingHttpResponse(
        stream(account.pk, account.key, visitor, after),
        content_type="text/event-stream; charset=utf-8",
        headers={"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"},
    )


# --- what the page posts --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Post:
    """A change that a visitor's own page asks for."""

    account: ChannelAccount
    visitor: str
    language: str
    data: Mapping[str, Any]


class RefusedError(Exception):
    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def from_own_page(view: Callable[[Post], HttpResponse]) -> Callable[..., Coroutine[Any, Any, HttpResponse]]:
    """Admit a POST with the visitor's cookie, its page's token and origin, and a JSON object; else say what is wrong.

    401 no visitor, 403 not their page, 413 too long, 400 not JSON, 503 repeat it later.
    """

    @csrf_exempt  # a frame has no CSRF cookie: is_from_its_page does this job
    @require_POST
    @database_view
    @functools.wraps(view)
    def guarded(request: HttpRequest, name: str) -> HttpResponse:
        try:
            account = find_account(name)
            visitor = visitor_of(request, account)
            if visitor is None:
                raise RefusedError(401, "no visitor: load the page first")
            if not is_from_its_page(request, account, visitor, _origin(account)):
                raise RefusedError(403, "not sent by the visitor's own page")
            language = interface_language(getattr(request, "LANGUAGE_CODE", "en"))
            return view(Post(account, visitor, language, read_json(read_body(request))))
        except RefusedError as refusal:
            return problem(refusal.status, str(refusal))
        except RequestDataTooBig:
            return problem(413, "the body is too long")
        except (MalformedBodyError, UnreadablePostError) as error:
            return problem(400, str(error))

    return guarded


@from_own_page
def messages(post: Post) -> HttpResponse:
    """Store a message ``{"id", "text", "sku"?}``: 202. The page makes the id, so a repeat is still one message."""
    message_id, text, sku = (post.data.get(field, "") for field in ("id", "text", "sku"))
    if not (isinstance(message_id, str) and MESSAGE_ID.fullmatch(message_id)):
        raise RefusedError(400, "id is missing: 8 to 64 letters, digits and hyphens")
    if not (isinstance(text, str) and text.strip() and isinstance(sku, str)):
        raise RefusedError(400, "text is missing")
    if len(text) > TEXT_LIMIT:
        raise RefusedError(400, TEXTS[post.language]["too_long"].format(limit=TEXT_LIMIT))
    event_key = f"{post.visitor}:{message_id}"
    if not InboundEvent.objects.filter(account=post.account, event_key=event_key).exists():
        if Turn.objects.filter(status=Turn.Status.WAITING, **_own(post)).count() >= TURNS_WAITING:
            raise RefusedError(429, TEXTS[post.language]["too_many"])
        kind = InboundEvent.Kind.BUTTON if sku else InboundEvent.Kind.TEXT
        _accept(post, event_key, kind, text=text, data={"sku": sku[:80]} if sku else {})
    return JsonResponse({"id": message_id}, status=202)


@from_own_page
def feedback(post: Post) -> HttpResponse:
    """Store a thumb ``{"turn", "verdict"}`` under a reply that this visitor received: 202."""
    turn, verdict = post.data.get("turn"), post.data.get("verdict")
    if verdict not in (*Feedback.Kind.values, WITHDRAWN):
        raise RefusedError(400, f"verdict is one of {', '.join((*Feedback.Kind.values, WITHDRAWN))}")
    if not isinstance(turn, int) or not Turn.objects.filter(pk=turn, **_own(post)).exists():
        raise RefusedError(404, "no such reply")
    key = f"{post.visitor}:feedback-{secrets.token_hex(8)}"
    _accept(post, key, InboundEvent.Kind.BUTTON, data={"verdict": verdict, "turn": turn})
    return JsonResponse({"turn": turn, "verdict": verdict}, status=202)


@from_own_page
def new_conversation(post: Post) -> HttpResponse:
    """Close the visitor's conversation; the next message opens another."""
    _accept(post, f"{post.visitor}:new-{secrets.token_hex(8)}", InboundEvent.Kind.RESET)
    return JsonResponse({}, status=202)


def _accept(post: Post, event_key: str, kind: str, text: str = "", data: Mapping[str, Any] | None = None) -> None:
    """Store what the visitor did and wake their pages. Raises ``RefusedError`` where they do too much of it."""
    lately = InboundEvent.objects.filter(
        account=post.account,
        contact__external_id=post.visitor,
        received_at__gt=timezone.now() - timedelta(minutes=1),
    )
    if lately.count() >= POSTS_A_MINUTE:
        raise RefusedError(429, TEXTS[post.language]["too_many"])
    event = ReceivedEvent(event_key, kind, post.visitor, text=text, language=post.language, data=data or {})
    with transaction.atomic():
        intake.accept(post.account, [event])
        notify(post.account.key, post.visitor)


def _own(post: Post) -> dict[str, Any]:
    return {"conversation__contact__account": post.account, "conversation__contact__external_id": post.visitor}


# --- shared ---------------------------------------------------------------------------------------------------------


def find_account(name: str) -> ChannelAccount:
    """The active web chat with this key, or of the shop with this slug. Raises ``Http404``."""
    named = Q(key=name) | Q(shop__slug=name)
    accounts = ChannelAccount.objects.filter(named, channel="webchat", active=True).select_related("shop")
    account = accounts.order_by("pk").first()
    if account is None:
        raise Http404("no such chat")
    return account


def suggestions(shop: Shop, language: str) -> list[str]:
    """First questions that this shop can answer: its fullest category, what is popular, and returns."""
    texts = TEXTS[language]
    fullest = (
        Category.objects.filter(shop=shop, children=None)
        .annotate(size=Count("products", filter=Q(products__active=True)))
        .filter(size__gt=0)
        .order_by("-size", "path")
        .first()
    )
    name = _category_name(fullest, shop, language) if fullest else ""
    asked = [texts["ask_category"].format(category=name)] if name else []
    return [*asked, texts["ask_popular"], texts["ask_returns"]]


def _category_name(category: Category, shop: Shop, language: str) -> str:
    translated = (category.translations.get(language) or {}).get("name", "")
    return translated or (category.name.lower() if shop.language == language else "")


def _origin(account: ChannelAccount) -> str:
    return str(unseal(account.sealed_config).get("origin", ""))
