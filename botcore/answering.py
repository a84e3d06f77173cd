"""A waiting turn becomes a stored reply, exactly once: lease it, let the dialogue answer, store everything together.

A worker may die at any line: what is not stored is done again by whoever takes the lease next; what is stored is
never done again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from botcore import delivery, feedback, handoff, holdout, intake, media, queues
from botcore.channels.values import OutboundMessage
from botcore.dialogue.brief import Brief
from botcore.dialogue.perceived import Perceived
from botcore.dialogue.phrases import phrase_for
from botcore.dialogue.pipeline import respond
from botcore.dialogue.ports import Ports
from botcore.dialogue.reply import Reply
from botcore.dialogue.state import Act, DialogueState
from botcore.dialogue.words import language_of
from botcore.intake import Lease
from botcore.learning.review.queue import enqueue
from botcore.models import Conversation, Feedback, InboundEvent, Turn
from botcore.stated import stated, told_holds
from catalog.ranking import exposures

log = structlog.get_logger(__name__)

RESERVE_SECONDS = 0.5
"""What is kept of the channel's time for everything but writing."""
MOST_ATTEMPTS_WITH_MODEL = 2
"""A turn whose answering has failed this often is answered without the model, in case the model is what fails."""
CROWDED, SAMPLES_IN_A_CROWD = 3, 2
"""With so many turns at once in this worker each draws fewer samples: rather two for everybody in time than four for some.
Of the samples nineteen in twenty are accepted (docs/training.md), so that two are nearly always enough."""
MOST_ATTEMPTS = 5
"""After so many the dialogue itself cannot answer: a person takes over, and the customer is told."""


def answer_turn(turn_id: int, ports: Ports) -> Turn | None:
    """Answer one turn if it waits and nobody else is at it; the stored turn, or None where there was nothing to do."""
    lease = intake.claim(turn_id)
    while lease is not None:
        turn = Turn.objects.select_related("conversation__shop", "conversation__contact__account").get(pk=turn_id)
        if turn.conversation.waiting_for_person:
            silent = _store_silence(turn, lease)
            if silent:
                _suggest(silent, ports)
            return silent
        if turn.attempts > MOST_ATTEMPTS:
            return _hand_over(turn, lease)
        deadline = time.monotonic() + settings.REPLY_SECONDS - RESERVE_SECONDS
        perceived = media.perceive(turn, ports, deadline)
        text = _text(turn)
        missed = _store(turn, lease, text, _respond(turn, text, perceived, ports, deadline))
        if missed is None:
            return turn
        if missed is Missed.LEASE_LOST:
            return None
        lease = Lease(lease.turn_id, lease.key, InboundEvent.objects.filter(turn_id=turn_id).count())
    return None


class _Crowd:
    """Counts the turns that this process is answering; entering gives the number with the new one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns = 0

    def __enter__(self) -> int:
        with self._lock:
            self._turns += 1
            return self._turns

    def __exit__(self, *failure: object) -> None:
        with self._lock:
            self._turns -= 1


_crowd = _Crowd()


class Missed:
    """Why a reply was not stored."""

    MORE_MESSAGES = "the customer wrote on while the reply was made"
    LEASE_LOST = "another worker has the turn"
    PERSON_CAME = "a person took the conversation over while the reply was made"


def _respond(turn: Turn, text: str, perceived: Perceived, ports: Ports, deadline: float) -> Reply:
    """The dialogue's reply; the model is left out when it has failed this turn before."""
    before = _state(turn.conversation)
    if turn.status == Turn.Status.SILENT:
        before = before.with_(returned=False)  # the bot is not back: a person is to say this
    if turn.attempts > MOST_ATTEMPTS_WITH_MODEL:
        ports = ports.in_phrases()
    speak = partial(
        respond,
        turn.conversation.shop,
        text,
        before,
        seed=turn.pk,
        pressed=_pressed(turn),
        customer_id=turn.conversation.contact.customer_id,
        perceived=perceived,
        recommends=holdout.recommends(turn.conversation),
    )
    with _crowd as turns:
        samples = min(settings.DAOGOU_SAMPLES, SAMPLES_IN_A_CROWD) if turns >= CROWDED else settings.DAOGOU_SAMPLES
        reply = speak(ports, samples=samples, deadline=deadline)
    if not told_holds(reply.told):
        log.info("facts changed while writing", turn=turn.pk)
        reply = speak(ports.in_phrases(), samples=0, deadline=time.monotonic())
    return reply


def _state(conversation: Conversation) -> DialogueState:
    """The talk so far; one that begins without words is in the language that the platform knows the contact to read."""
    state = DialogueState.from_json(conversation.state)
    reads = "zh" if conversation.contact.language.lower().startswith("zh") else state.language
    return state if state.turn else state.with_(language=reads)


def _store(turn: Turn, lease: Lease, text: str, reply: Reply) -> str | None:
    """Write the reply with all that explains it and its message to be sent, in one transaction; None where it is done."""
    with transaction.atomic():
        conversation = Conversation.objects.select_for_update().get(pk=turn.conversation_id)
        current = Turn.objects.get(pk=turn.pk)
        if current.lease != lease.key or current.status != Turn.Status.WAITING:
            return Missed.LEASE_LOST
        if conversation.waiting_for_person:
            return Missed.PERSON_CAME
        if InboundEvent.objects.filter(turn=turn).count() != lease.events:
            return Missed.MORE_MESSAGES
        for name, value in reply.explanation().items():
            setattr(turn, name, value)
        turn.text, turn.reply, turn.act, turn.language = text, reply.text, reply.act, reply.language
        turn.written_by, turn.model_version = reply.written_by, reply.model_version
        turn.asked_version_id = reply.version_id
        turn.state_before, turn.state_after = conversation.state, reply.state.to_json()
        _send(turn, conversation, _message(turn, reply), stated(conversation.shop, reply))
        _judge_previous(turn, reply)
        _count_exposures(conversation, turn, reply)
    return None


def _count_exposures(conversation: Conversation, turn: Turn, reply: Reply) -> None:
    """What ranking gave a place, and which of the products shown before the customer now chose."""
    before = DialogueState.from_json(turn.state_before)
    chosen = before.seen & (frozenset(reply.state.liked) - frozenset(before.liked))
    shown = [item["sku"] for item in turn.slate if "propensity" in item]
    exposures.count(conversation.shop, shown, chosen)


def _hand_over(turn: Turn, lease: Lease) -> Turn | None:
    """Leave a turn that the dialogue cannot answer to a person, with an apology."""
    log.error("a turn cannot be answered; a person takes over", turn=turn.pk, attempts=turn.attempts)
    with transaction.atomic():
        conversation = Conversation.objects.select_for_update().get(pk=turn.conversation_id)
        if not Turn.objects.filter(pk=turn.pk, lease=lease.key, status=Turn.Status.WAITING).exists():
            return None
        turn.text = _text(turn)
        turn.language = language_of(turn.text, DialogueState.from_json(conversation.state).language)
        turn.reply = phrase_for(Brief(Act.HANDOFF, notes={"reason": "stuck"}), turn.language, turn.pk)
        turn.act, turn.written_by, turn.error = Act.HANDOFF, "template", f"failed {turn.attempts - 1} times"
        turn.state_before = turn.state_after = conversation.state
        _send(turn, conversation, OutboundMessage(text=turn.reply, turn=turn.pk, language=turn.language))
    return turn


def _send(
    turn: Turn, conversation: Conversation, message: OutboundMessage, facts: Mapping[str, Any] | None = None
) -> None:
    """Close the turn and queue its message with what it states, in the transaction that holds the conversation."""
    turn.status, turn.answered_at, turn.leased_until = Turn.Status.ANSWERED, timezone.now(), None
    turn.save()
    conversation.state = turn.state_after
    conversation.waiting_for_person = turn.act == Act.HANDOFF
    conversation.save(update_fields=["state", "waiting_for_person"])
    if conversation.waiting_for_person:
        handoff.tell_of(conversation, "bot")
    delivery.post(conversation, message, turn=turn, facts=facts)
    transaction.on_commit(partial(_wake_next, conversation.pk))
    transaction.on_commit(partial(enqueue, turn.pk), robust=True)


def _store_silence(turn: Turn, lease: Lease) -> Turn | None:
    """A person holds the conversation: the messages are kept for them, the bot says nothing."""
    with transaction.atomic():
        Conversation.objects.select_for_update().get(pk=turn.conversation_id)  # no message may join the turn meanwhile
        done = Turn.objects.filter(pk=turn.pk, lease=lease.key, status=Turn.Status.WAITING).update(
            status=Turn.Status.SILENT, text=_text(turn), answered_at=timezone.now(), leased_until=None
        )
    _wake_next(turn.conversation_id)
    silent = Turn.objects.select_related("conversation__shop", "conversation__contact__account").filter(pk=turn.pk)
    return silent.get() if done else None


def _suggest(turn: Turn, ports: Ports) -> None:
    """Keep for the person what the bot would have said. Nobody waits for it: whatever fails here is only logged."""
    deadline = time.monotonic() + settings.REPLY_SECONDS - RESERVE_SECONDS
    try:
        perceived = media.perceive(turn, ports, deadline)
        Turn.objects.filter(pk=turn.pk).update(text=_text(turn))  # which now has the words of recordings
        reply = _respond(turn, handoff.unanswered(turn), perceived, ports, deadline)
        if reply.act != Act.HANDOFF:  # the person is there already
            handoff.keep(turn, reply, _message(turn, reply))
    except Exception as error:
        log.warning("there is nothing to suggest", turn=turn.pk, error=type(error).__name__)


def _pressed(turn: Turn) -> str:
    """The product whose button is all that the customer sent."""
    events = list(InboundEvent.objects.filter(turn=turn))
    return str(events[0].data.get("sku", "")) if len(events) == 1 else ""


def _text(turn: Turn) -> str:
    texts = InboundEvent.objects.filter(turn=turn).order_by("pk").values_list("text", flat=True)
    return "\n".join(text for text in texts if text)


def _message(turn: Turn, reply: Reply) -> OutboundMessage:
    source = reply.answer.label if reply.answer else ""
    return OutboundMessage(text=reply.text, turn=turn.pk, language=reply.language, cards=reply.cards, source=source)


def _judge_previous(turn: Turn, reply: Reply) -> None:
    """ "That's not what I meant" is an opinion on the reply before."""
    if reply.said.intent.name != "not_meant":
        return
    previous = (
        Turn.objects.filter(conversation=turn.conversation, number__lt=turn.number, status=Turn.Status.ANSWERED)
        .order_by("-number")
        .first()
    )
    if previous:
        feedback.opinion(
            previous, turn.conversation.contact, Feedback.Kind.NOT_MEANT, Feedback.Source.WORDS, turn.text[:500]
        )


def _wake_next(conversation_id: int) -> None:
    """The next turn of the conversation could not be taken while this one waited."""
    following = (
        Turn.objects.filter(conversation_id=conversation_id, status=Turn.Status.WAITING).order_by("number").first()
    )
    if following:
        queues.wake_reply(following.pk)
