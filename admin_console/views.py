"""The console's pages. A view finds what its reader may see, asks one question of it and renders the answer."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from admin_console import access, conversations
from admin_console.access import console_page
from admin_console.explanation import explain
from admin_console.forms import FilterForm
from botcore.models import Conversation, Turn

PAGE_SIZE = 25


@console_page
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The conversations list."""
    shops = access.shops(request.user)
    form = FilterForm(request.GET.dict(), shops)
    filters = form.filters()
    if "shop" in form.errors:
        raise Http404
    selection = conversations.select(access.conversations(request.user), filters)
    page = Paginator(selection.conversations, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "shops": shops,
        "form": form,
        "filtered": any(form.cleaned_data.values()),
        "page": page,
        "rows": conversations.rows(page.object_list, selection.turns),
        "numbers": conversations.numbers(selection.turns),
    }
    return render(request, "console/home.html", context)


@console_page
@require_safe
def conversation(request: HttpRequest, key: UUID) -> HttpResponse:
    """One dialogue; ``?turn=N`` says which reply is explained, else it is the newest."""
    visible = access.conversations(request.user).select_related("shop", "contact__account")
    row = get_object_or_404(visible, key=key)
    turn = _explained_turn(row, request.GET.get("turn"))
    context = {
        "conversation": row,
        "dialogue": conversations.dialogue(row),
        "turn": turn,
        "explanation": explain(turn) if turn else None,
        "feedback": turn.feedback.order_by("created_at") if turn else (),
        "outbound": getattr(turn, "outbound", None),
    }
    return render(request, "console/conversation.html", context)


@console_page
@require_POST
def take_over(request: HttpRequest, key: UUID) -> HttpResponse:
    """The merchant answers this customer; the bot is silent until it is handed the conversation back."""
    row = get_object_or_404(access.conversations(request.user), key=key)
    conversations.take_over(row)
    messages.success(request, _("The conversation is yours. The bot stays silent until you hand it back."))
    return redirect("console:conversation", key=key)


@console_page
@require_POST
def hand_back(request: HttpRequest, key: UUID) -> HttpResponse:
    """The merchant has helped; the bot takes the conversation again."""
    row = get_object_or_404(access.conversations(request.user), key=key)
    conversations.hand_back(row)
    messages.success(request, _("The bot answers this conversation again, from the customer's next message on."))
    return redirect("console:conversation", key=key)


def _explained_turn(conversation: Conversation, number: str | None) -> Turn | None:
    replies = conversation.turns.filter(status=Turn.Status.ANSWERED).select_related("outbound")
    if number is None:
        return replies.order_by("-number").first()
    if not (number.isascii() and number.isdigit()):
        raise Http404
    return get_object_or_404(replies, number=number)
