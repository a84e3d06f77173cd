"""Conversations, what customers thought of the replies, and what the shop makes of them."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from botcore import customers, feedback, handoff
from botcore.api import reading
from botcore.api.base import ApiView, one
from botcore.api.bodies import (
    AnnotationBody,
    AnnotationPatch,
    AnnotationQuery,
    ConversationPatch,
    ConversationQuery,
    FeedbackBody,
    FeedbackQuery,
    MessageBody,
)
from botcore.api.document import page_of
from botcore.api.errors import Fault, Problem
from botcore.api.idempotency import once
from botcore.api.rows import AnnotationRow, ConversationRow, FeedbackRow, MessageRow, TurnRow, shown
from botcore.learning import corrections
from botcore.models import Annotation, Conversation, Feedback, Turn
from botcore.roles import Right
from catalog.models import Shop

NOT_SENT = {
    handoff.NotHeldError: "The bot answers this conversation, or it is closed: take it over first.",
    handoff.AnsweredMeanwhileError: "Somebody else has answered since then: read the conversation again.",
    handoff.FactsChangedError: "What these words say of prices, stock or articles is no longer so.",
}
Verdict = Annotation.Verdict


def _conversations(shop: Shop) -> QuerySet[Conversation]:
    return Conversation.objects.filter(shop=shop).select_related("contact__account", "contact__customer").defer("state")


def _turns(shop: Shop) -> QuerySet[Turn]:
    return Turn.objects.filter(conversation__shop=shop)


def _answered(shop: Shop, id: int) -> Turn:
    """A turn with a reply that can be judged. Raises ``NotFound``, ``Problem``."""
    turn: Turn = one(_turns(shop).select_related("conversation__contact"), pk=id)
    if turn.status != Turn.Status.ANSWERED:
        raise Problem("refused", "This turn has no reply to judge.", [Fault("has no reply", "#/turn")])
    return turn


class Conversations(ApiView):
    rights = {"GET": Right.READ}

    @extend_schema(
        operation_id="list_conversations", parameters=[ConversationQuery], responses=page_of(ConversationRow)
    )
    def get(self, request: Request) -> Response:
        """Conversations, the newest first."""
        query = reading.asked(ConversationQuery, request)
        rows = _conversations(self.shop)
        if "waiting" in query:
            rows = rows.filter(waiting_for_person=query["waiting"])
        if "channel" in query:
            rows = rows.filter(contact__account__channel=query["channel"])
        if "active_since" in query:
            rows = rows.filter(last_message_at__gte=query["active_since"])
        return reading.page(request, rows, query, shown(ConversationRow))


class OneConversation(ApiView):
    rights = {"GET": Right.READ, "PATCH": Right.TALK}

    @extend_schema(operation_id="get_conversation", responses=ConversationRow)
    def get(self, request: Request, key: Any) -> Response:
        """One conversation, with its ETag."""
        return reading.state(request, ConversationRow(one(_conversations(self.shop), key=key)).data)

    @extend_schema(operation_id="hold_conversation", request=ConversationPatch, responses=ConversationRow)
    def patch(self, request: Request, key: Any) -> Response:
        """Take a conversation over from the bot or hand it back, say who writes, where it is still as `If-Match` says."""
        change = reading.told(ConversationPatch, request)
        with transaction.atomic():
            talk = one(_conversations(self.shop).select_for_update(of=("self",)), key=key)
            reading.unchanged(request, ConversationRow(talk).data)
            if "waiting_for_person" in change:
                (handoff.take_over if change["waiting_for_person"] else handoff.hand_back)(talk)
            if "customer" in change:
                customers.known_as(talk.contact, change["customer"])
        return reading.state(request, ConversationRow(one(_conversations(self.shop), key=key)).data)


class Turns(ApiView):
    rights = {"GET": Right.READ}

    @extend_schema(operation_id="list_turns", parameters=[reading.PageQuery], responses=page_of(TurnRow))
    def get(self, request: Request, key: Any) -> Response:
        """What was said in a conversation, the newest turn first."""
        query = reading.asked(reading.PageQuery, request)
        talk = one(_conversations(self.shop), key=key)
        return reading.page(request, _turns(self.shop).filter(conversation=talk), query, shown(TurnRow))


class Messages(ApiView):
    rights = {"POST": Right.TALK}

    @extend_schema(operation_id="send_message", request=MessageBody, responses={202: MessageRow})
    @once
    def post(self, request: Request, key: Any) -> Response:
        """Write to the customer of a conversation that waits for a person, on the customer's own channel."""
        said = reading.told(MessageBody, request)
        talk = one(_conversations(self.shop), key=key)
        after = said.get("after", handoff.last_said(talk))
        try:
            message = handoff.say(talk, said["text"], self.token.created_by, after)
        except handoff.NotSentError as error:
            raise Problem("refused", NOT_SENT[type(error)]) from error
        return Response(MessageRow(message).data, 202)


class Feedbacks(ApiView):
    rights = {"GET": Right.READ, "POST": Right.REVIEW}

    @extend_schema(operation_id="list_feedback", parameters=[FeedbackQuery], responses=page_of(FeedbackRow))
    def get(self, request: Request) -> Response:
        """What customers thought of replies, newest first."""
        query = reading.asked(FeedbackQuery, request)
        rows = Feedback.objects.filter(turn__conversation__shop=self.shop).select_related("turn__conversation")
        if "kind" in query:
            rows = rows.filter(kind=query["kind"])
        if "since" in query:
            rows = rows.filter(updated_at__gte=query["since"])
        return reading.page(request, rows, query, shown(FeedbackRow))

    @extend_schema(operation_id="give_feedback", request=FeedbackBody, responses={201: FeedbackRow})
    @once
    def post(self, request: Request) -> Response:
        """Tell what the customer of a reply thought of it; it takes the place of what they said by button before."""
        said = reading.told(FeedbackBody, request)
        turn = _answered(self.shop, said["turn"])
        row = feedback.opinion(turn, turn.conversation.contact, said["kind"], Feedback.Source.BUTTON, said["text"])
        return Response(FeedbackRow(row).data, 201)


class Annotations(ApiView):
    rights = {"GET": Right.READ, "POST": Right.REVIEW}

    @extend_schema(operation_id="list_annotations", parameters=[AnnotationQuery], responses=page_of(AnnotationRow))
    def get(self, request: Request) -> Response:
        """What the shop made of replies, newest first."""
        query = reading.asked(AnnotationQuery, request)
        rows = _annotations(self.shop)
        if "verdict" in query:
            rows = rows.filter(verdict=query["verdict"])
        if "since" in query:
            rows = rows.filter(updated_at__gte=query["since"])
        return reading.page(request, rows, query, shown(AnnotationRow))

    @extend_schema(operation_id="annotate", request=AnnotationBody, responses={201: AnnotationRow})
    @once
    def post(self, request: Request) -> Response:
        """Approve, reject or correct a reply. A correction that says what the shop's data do not is refused."""
        said = reading.told(AnnotationBody, request)
        turn = _answered(self.shop, said["turn"])
        return Response(AnnotationRow(_judged(turn, said)).data, 201)


class OneAnnotation(ApiView):
    rights = {"GET": Right.READ, "PATCH": Right.REVIEW}

    @extend_schema(operation_id="get_annotation", responses=AnnotationRow)
    def get(self, request: Request, id: int) -> Response:
        """One annotation, with its ETag."""
        return reading.state(request, AnnotationRow(one(_annotations(self.shop), pk=id)).data)

    @extend_schema(operation_id="change_annotation", request=AnnotationPatch, responses=AnnotationRow)
    def patch(self, request: Request, id: int) -> Response:
        """Change the reason, or whether a model may learn from it, where it is still as `If-Match` says."""
        change = reading.told(AnnotationPatch, request)
        with transaction.atomic():
            row = one(_annotations(self.shop).select_for_update(of=("self",)), pk=id)
            reading.unchanged(request, AnnotationRow(row).data)
            for name, value in change.items():
                setattr(row, name, value)
            row.save(update_fields=[*change, "updated_at"])
        return reading.state(request, AnnotationRow(row).data)


def _annotations(shop: Shop) -> QuerySet[Annotation]:
    rows = Annotation.objects.filter(turn__conversation__shop=shop)
    return rows.select_related("turn__conversation", "author")


def _judged(turn: Turn, said: dict[str, Any]) -> Annotation:
    """The annotation of a program: it has no author. Raises ``Problem``."""
    teaches = said["for_training"]
    if said["verdict"] == Verdict.APPROVED:
        return corrections.approve(turn, None, for_training=teaches)
    if said["verdict"] == Verdict.REJECTED:
        return corrections.reject(turn, None, said["reason"], for_training=teaches)
    if not said["wording"]:
        raise Problem("refused", "A correction needs its words.", [Fault("say how it should have been", "#/wording")])
    try:
        return corrections.correct(turn, said["wording"], None, said["reason"], for_training=teaches)
    except corrections.CorrectionRefusedError as error:
        faults = [Fault(problem, "#/wording") for problem in error.problems]
        raise Problem("refused", "The correction says what the shop's data do not.", faults) from error
