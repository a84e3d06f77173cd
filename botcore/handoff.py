"""A person answers in the bot's place: what the bot would have said, and how the person's words reach the customer.

While a person holds a conversation its turns are stored silent. The dialogue's reply to one is kept with it as a
suggestion, for that person alone; what is sent is sent through the customer's own channel, without a turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from botcore import delivery
from botcore.channels.registry import channel_class
from botcore.channels.values import OutboundMessage
from botcore.dialogue.reply import Reply
from botcore.dialogue.state import DialogueState
from botcore.dialogue.words import language_of
from botcore.models import Contact, Conversation, Outbound, Turn
from botcore.stated import holds, stated
from botcore.webhooks.events import Event
from botcore.webhooks.outbox import announce

log = structlog.get_logger(__name__)

UNANSWERED = 5
"""Of a customer who writes on and on without an answer, so many turns are read as one question."""


class NotSentError(Exception):
    """Nothing was sent."""


class NotHeldError(NotSentError):
    """The bot answers this conversation, or it is closed."""


class AnsweredMeanwhileError(NotSentError):
    """Somebody else has answered since the author looked."""


class FactsChangedError(NotSentError):
    """What the suggestion says of prices, stock or the shop's texts is no longer so."""


@dataclass(frozen=True)
class Window:
    """Whether the platform lets us write to a contact now; until when and how often still, None without such a limit."""

    open: bool
    closes_at: datetime | None
    left: int | None


@dataclass(frozen=True)
class Suggestion:
    """What the bot would have said. ``holds``: its prices, stock and sources are still what they were."""

    turn: Turn
    message: OutboundMessage
    holds: bool


def window_of(contact: Contact) -> Window:
    """The platform's window for a contact, as it is now."""
    can = channel_class(contact.account.channel).capabilities
    closes_at = contact.heard_at + timedelta(seconds=can.window) if can.window and contact.heard_at else None
    left = None if can.quota is None else max(can.quota - contact.sent_since, 0)
    return Window(delivery.window_open(can, contact), closes_at, left)


# --- who answers ------------------------------------------------------------------------------------------------------


@transaction.atomic
def take_over(conversation: Conversation) -> None:
    """A person answers from now on; the bot is silent, also with a reply that it is just writing."""
    if Conversation.objects.filter(pk=conversation.pk, waiting_for_person=False).update(waiting_for_person=True):
        tell_of(conversation, "person")


@transaction.atomic
def hand_back(conversation: Conversation) -> None:
    """From the customer's next message on the bot answers again, and says so once. Harmless where nobody was waiting."""
    held = Conversation.objects.select_for_update().get(pk=conversation.pk)
    if held.waiting_for_person:
        held.waiting_for_person = False
        held.state = DialogueState.from_json(held.state).with_(returned=True).to_json()
        held.save(update_fields=["waiting_for_person", "state"])


def tell_of(conversation: Conversation, by: str) -> None:
    """Announce that a conversation waits for a person: ``bot`` handed it over, or a ``person`` took it."""
    announce(conversation.shop_id, Event.HANDOFF_OPENED, {"conversation": str(conversation.key), "by": by})


# --- suggestions ------------------------------------------------------------------------------------------------------


def unanswered(turn: Turn) -> str:
    """The customer's words up to a silent turn that neither the bot nor a person has answered, a line a message."""
    said = _by_persons(turn.conversation).last()
    silent = turn.conversation.turns.filter(status=Turn.Status.SILENT, number__lte=turn.number)
    if said:
        silent = silent.filter(created_at__gt=said.created_at)
    answered = turn.conversation.turns.filter(status=Turn.Status.ANSWERED).order_by("-number").first()
    if answered:
        silent = silent.filter(number__gt=answered.number)
    return "\n".join(reversed(silent.order_by("-number").values_list("text", flat=True)[:UNANSWERED]))


def keep(turn: Turn, reply: Reply, message: OutboundMessage) -> None:
    """Store a reply with a silent turn as a suggestion. The conversation's state stays as it was."""
    suggestion = {
        "message": replace(message, turn=0).to_json(),
        "facts": stated(turn.conversation.shop, reply),
        "state": reply.state.to_json(),
        "samples": reply.explanation()["samples"],
        "act": reply.act,
        "written_by": reply.written_by,
        "model_version": reply.model_version,
    }
    Turn.objects.filter(pk=turn.pk, status=Turn.Status.SILENT).update(suggestion=suggestion)


def suggestion_for(conversation: Conversation) -> Suggestion | None:
    """What the bot would say to the customer's last words, while a person holds the conversation and has not answered."""
    turn = conversation.turns.order_by("-number").first()
    if not (turn and turn.suggestion and conversation.waiting_for_person and not conversation.closed):
        return None
    if _by_persons(conversation).filter(created_at__gt=turn.created_at).exists():
        return None
    message = OutboundMessage.from_json(turn.suggestion["message"])
    return Suggestion(turn, message, holds(conversation.shop, turn.suggestion["facts"]))


# --- a person's words -------------------------------------------------------------------------------------------------


def last_said(conversation: Conversation) -> int:
    """The id of the last message to this customer, by whom ever; 0 where there is none."""
    return conversation.outbound.order_by("-pk").values_list("pk", flat=True).first() or 0


@transaction.atomic
def say(conversation: Conversation, text: str, author: User | None, after: int) -> Outbound:
    """Send a person's words. ``after`` is what :func:`last_said` was when they looked; ``author`` is None where a program
    sends them. Raises ``NotSentError``."""
    held = _held(conversation, after)
    suggested = suggestion_for(held)
    if suggested and not suggested.holds and text.split() == suggested.message.text.split():
        raise FactsChangedError
    language = language_of(text, DialogueState.from_json(held.state).language)
    return _post(held, OutboundMessage(text=text, language=language), author, "own words")


@transaction.atomic
def send_suggestion(conversation: Conversation, number: int, author: User, after: int) -> Outbound:
    """Send the suggestion of turn ``number`` as it is, with its products; the dialogue goes on from there.

    Prices, stock and sources are read again. Raises ``NotSentError``.
    """
    held = _held(conversation, after)
    suggested = suggestion_for(held)
    if suggested is None or suggested.turn.number != number:
        raise AnsweredMeanwhileError
    if not suggested.holds:
        raise FactsChangedError
    held.state = suggested.turn.suggestion["state"]
    held.save(update_fields=["state"])
    return _post(held, suggested.message, author, "suggestion", suggested.turn.suggestion["facts"])


def _held(conversation: Conversation, after: int) -> Conversation:
    """The conversation, locked. Raises ``NotSentError`` where this person may not answer it, or not any more."""
    held = Conversation.objects.select_for_update().get(pk=conversation.pk)
    if held.closed or not held.waiting_for_person:
        raise NotHeldError
    if last_said(held) != after:
        raise AnsweredMeanwhileError
    return held


def _post(
    conversation: Conversation,
    message: OutboundMessage,
    author: User | None,
    what: str,
    facts: Mapping[str, Any] | None = None,
) -> Outbound:
    outbound = delivery.post(conversation, message, author=author, facts=facts)
    log.info(
        "a person answered",
        conversation=str(conversation.key),
        by=author.get_username() if author else "API",
        what=what,
    )
    return outbound


def _by_persons(conversation: Conversation) -> QuerySet[Outbound]:
    return conversation.outbound.filter(turn=None).order_by("pk")
