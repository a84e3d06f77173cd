"""Pages of conversations: the list, one dialogue with what explains a reply, what a merchant makes of that reply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from admin_console import access, conversations, first_steps, verdicts
from admin_console.access import console_page
from admin_console.explanation import explain
from admin_console.forms.conversations import AnswerForm, CorrectionForm, FilterForm, VerdictForm
from admin_console.sentences import plainly
from admin_console.views import PAGE_SIZE
from botcore import handoff
from botcore.learning import corrections
from botcore.learning.review.decisions import Kind, Word, decide
from botcore.models import Annotation, Conversation, Turn
from botcore.roles import Right


@console_page(Right.READ)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The conversations list."""
    shops = access.shops(request.user, Right.READ)
    form = FilterForm(request.GET.dict(), shops)
    filters = form.filters()
    if "shop" in form.errors:
        raise Http404
    selection = conversations.select(access.conversations(request.user, Right.READ), filters)
    page = Paginator(selection.conversations, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "shops": shops,
        "form": form,
        "filtered": any(form.cleaned_data.values()),
        "page": page,
        "rows": conversations.rows(page.object_list, selection.turns),
        "numbers": conversations.numbers(selection.turns),
        "beginning": first_steps.unfinished(request),
    }
    return render(request, "console/home.html", context)


@console_page(Right.READ)
@require_safe
def conversation(request: HttpRequest, key: UUID) -> HttpResponse:
    """One dialogue; ``?turn=N`` says which reply is explained, else it is the newest."""
    visible = access.conversations(request.user, Right.READ).select_related("shop", "contact__account")
    row = get_object_or_404(visible, key=key)
    return dialogue_page(request, row, request.GET.get("turn"))


@console_page(Right.TALK)
@require_POST
def take_over(request: HttpRequest, key: UUID) -> HttpResponse:
    """The merchant answers this customer; the bot is silent until it is handed the conversation back."""
    row = get_object_or_404(access.conversations(request.user, Right.TALK), key=key)
    handoff.take_over(row)
    messages.success(request, _("The conversation is yours. The bot stays silent until you hand it back."))
    return redirect("console:conversation", key=key)


@console_page(Right.TALK)
@require_POST
def hand_back(request: HttpRequest, key: UUID) -> HttpResponse:
    """The merchant has helped; the bot takes the conversation again."""
    row = get_object_or_404(access.conversations(request.user, Right.TALK), key=key)
    handoff.hand_back(row)
    messages.success(request, _("The bot answers this conversation again, from the customer's next message on."))
    return redirect("console:conversation", key=key)


@console_page(Right.REVIEW)
@require_POST
def approve_reply(request: HttpRequest, key: UUID, number: int) -> HttpResponse:
    """The reply is as it should be."""
    turn = _annotated_turn(request, key, number)
    form = VerdictForm(request.POST)
    if not form.is_valid():
        return _dialogue(request, turn.conversation, turn, CorrectionForm(request.POST))
    _decide(request, turn, Word(Kind.APPROVED, for_training=form.cleaned_data["for_training"]))
    messages.success(request, _("Approved."))
    return _to(turn)


@console_page(Right.REVIEW)
@require_POST
def reject_reply(request: HttpRequest, key: UUID, number: int) -> HttpResponse:
    """The reply should not have been sent."""
    turn = _annotated_turn(request, key, number)
    form = VerdictForm(request.POST)
    if not form.is_valid():
        return _dialogue(request, turn.conversation, turn, CorrectionForm(request.POST))
    _decide(request, turn, Word(Kind.REJECTED, **form.cleaned_data))
    messages.success(request, _("Rejected: no model learns to write this reply."))
    return _to(turn)


@console_page(Right.REVIEW)
@require_POST
def correct_reply(request: HttpRequest, key: UUID, number: int) -> HttpResponse:
    """The reply should have been another; what is false in that one is said, and the text kept for its author."""
    turn = _annotated_turn(request, key, number)
    form = CorrectionForm(request.POST)
    if form.is_valid():
        try:
            kept = _decide(request, turn, Word(Kind.CORRECTED, **form.cleaned_data))
        except corrections.CorrectionRefusedError as error:
            form.add_error("text", [plainly(problem) for problem in error.problems])
        else:
            _thank(request, verdicts.new_words(kept))
            return _to(turn)
    return _dialogue(request, turn.conversation, turn, form)


def dialogue_page(
    request: HttpRequest, row: Conversation, number: str | None = None, answer: AnswerForm | None = None
) -> HttpResponse:
    """The page of a conversation with reply ``number`` explained, else the newest. ``answer`` was not sent."""
    return _dialogue(request, row, _explained_turn(row, number), answer=answer)


def _dialogue(
    request: HttpRequest,
    row: Conversation,
    turn: Turn | None,
    form: CorrectionForm | None = None,
    answer: AnswerForm | None = None,
) -> HttpResponse:
    """The page of a conversation. ``form`` is a correction and ``answer`` an answer that was sent and not taken."""
    brief = verdicts.brief_of(turn)
    words = verdicts.words_for(access.person(request), turn, brief) if turn and brief else []
    if turn and brief and form is None:
        form = CorrectionForm(initial={"text": verdicts.to_correct(turn, words)})
    context = {
        "conversation": row,
        "dialogue": conversations.dialogue(row),
        "turn": turn,
        "explanation": explain(turn) if turn else None,
        "feedback": turn.feedback.order_by("created_at") if turn else (),
        "outbound": getattr(turn, "outbound", None),
        "words": words,
        "correction": form,
        **(_desk(row, request.GET.get("use"), answer) if row.waiting_for_person and not row.closed else {}),
    }
    return render(request, "console/conversation.html", context)


def _desk(row: Conversation, used: str | None, answer: AnswerForm | None) -> dict[str, Any]:
    """What a person needs to answer. ``used`` is the number of the suggestion that is to stand in the field."""
    suggestion = handoff.suggestion_for(row)
    text = suggestion.message.text if suggestion and str(suggestion.turn.number) == used else ""
    return {
        "answer": answer or AnswerForm(initial={"text": text}),
        "suggestion": suggestion,
        "suggested_cards": conversations.cards_of(suggestion.message.to_json()) if suggestion else (),
        "window": handoff.window_of(row.contact),
        "last_said": handoff.last_said(row),
    }


def _thank(request: HttpRequest, new_words: Sequence[str]) -> None:
    messages.success(request, _("The correction is kept."))
    if new_words:
        told = ngettext(
            "%(words)s is not a word of your shop's replies yet; on the page of learning you can say that it claims nothing.",
            "%(words)s are not words of your shop's replies yet; on the page of learning you can say that they claim nothing.",
            len(new_words),
        )
        messages.info(request, told % {"words": ", ".join(f"“{word}”" for word in new_words)})


def _decide(request: HttpRequest, turn: Turn, word: Word) -> Annotation:
    """Keep a word on the reply, whatever its standing in the review queue. Raises ``CorrectionRefusedError``."""
    author = access.person(request)
    decide(access.turns(author, Right.REVIEW), {turn.pk: None}, word, author, uuid4())
    return turn.annotations.get(author=author)


def _annotated_turn(request: HttpRequest, key: UUID, number: int) -> Turn:
    """The reply that a word is said on, with what its page shows. Raises ``Http404``."""
    visible = access.turns(request.user, Right.REVIEW).select_related(
        "outbound", "conversation__shop", "conversation__contact__account"
    )
    turn = get_object_or_404(visible, conversation__key=key, number=number)
    if verdicts.brief_of(turn) is None:
        raise Http404
    return turn


def _to(turn: Turn) -> HttpResponse:
    """The fragment is said: without one the browser keeps the form's, and scrolls past what was just told."""
    return redirect(f"{reverse('console:conversation', args=[turn.conversation.key])}?turn={turn.number}#main")


def _explained_turn(conversation: Conversation, number: str | None) -> Turn | None:
    replies = conversation.turns.filter(status=Turn.Status.ANSWERED).select_related("outbound", "review")
    if number is None:
        return replies.order_by("-number").first()
    if not (number.isascii() and number.isdigit()):
        raise Http404
    return get_object_or_404(replies, number=number)
