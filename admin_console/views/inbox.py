"""The inbox: the conversations that persons hold, and what they write to the customer."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from admin_console import access, labels
from admin_console import inbox as held
from admin_console.access import console_page
from admin_console.forms.conversations import AnswerForm
from admin_console.views import PAGE_SIZE
from admin_console.views.conversations import dialogue_page
from botcore import handoff
from botcore.models import Conversation
from botcore.roles import Right


@console_page(Right.TALK)
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """Who waits for a person, the longest wait first."""
    visible = access.conversations(request.user, Right.TALK).select_related("shop", "contact__account")
    page = Paginator(held.held(visible), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": held.rows(page.object_list),
        "several_shops": access.shops(request.user, Right.TALK).count() > 1,
    }
    return render(request, "console/inbox.html", context)


@console_page(Right.TALK)
@require_POST
def answer(request: HttpRequest, key: UUID) -> HttpResponse:
    """Send a person's own words, or the suggestion whose number the button gives, through the customer's channel."""
    visible = access.conversations(request.user, Right.TALK).select_related("shop", "contact__account")
    row = get_object_or_404(visible, key=key)
    suggested = request.POST.get("suggestion", "")
    form = AnswerForm(request.POST, words_needed=not suggested)
    if not form.is_valid():
        return dialogue_page(request, row, answer=form)
    try:
        _send(request, row, form, suggested)
    except handoff.NotSentError as refusal:
        form.add_error(None, labels.label(labels.conversations.NOT_SENT, type(refusal).__name__))
        return dialogue_page(request, row, answer=form)
    messages.success(request, _("Your answer is on its way."))
    return redirect(f"{reverse('console:conversation', args=[key])}#answer")


def _send(request: HttpRequest, row: Conversation, form: AnswerForm, suggested: str) -> None:
    author, after = access.person(request), form.cleaned_data["after"]
    if not suggested:
        handoff.say(row, form.cleaned_data["text"], author, after)
        return
    if not (suggested.isascii() and suggested.isdigit() and len(suggested) < 10):
        raise Http404
    handoff.send_suggestion(row, int(suggested), author, after)
