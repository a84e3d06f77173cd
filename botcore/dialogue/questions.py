"""Whether a reply asks, beside what it shows or instead: when the talk allows which kind of question."""

from __future__ import annotations

from dataclasses import replace

from botcore.dialogue.ask import Asking, ask_or_show, opening
from botcore.dialogue.decide import Decision
from botcore.dialogue.find import Found
from botcore.dialogue.heads import asking_odds
from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.ports import Encoder
from botcore.dialogue.state import Act, DialogueState, LaterGoal
from botcore.dialogue.understand import Understanding

ASKED_BESIDE = ("", "changed", "more", "cheaper", "dearer")
"""Lists of products that a question may come with."""
DIRECT = ("show", "more", "reject", "cheaper", "dearer")
"""Messages that are about the list itself: a question alone would not answer them."""


def asked(
    decision: Decision,
    found: Found,
    before: DialogueState,
    state: DialogueState,
    said: Understanding,
    lexicon: Lexicon,
    later: LaterGoal | None,
    encoder: Encoder,
) -> tuple[Decision, Found, Asking]:
    """The decision after weighing questions: shown as it is, with a question beside it, or the question alone."""
    if decision.act is Act.ASK:
        return decision, found, Asking(decision.question or opening(lexicon, state))
    if decision.act is not Act.RECOMMEND or decision.reason not in ASKED_BESIDE or found.relaxed or said.order:
        return decision, found, Asking()
    in_haste = hurried(before, state, said)
    asked_last = before.open_question is not None and before.open_question.alone
    asking = ask_or_show(
        found.candidates,
        found.slate,
        state,
        lexicon,
        odds=asking_odds(said.text, encoder, before),
        alone=not (in_haste or asked_last or later or said.intent.name in DIRECT or decision.reason in DIRECT),
        beside=not (in_haste or later),
    )
    if asking.question and asking.question.alone:
        alone = Decision(Act.ASK, asking.question.attribute, question=asking.question)
        return alone, replace(found, slate=()), asking
    return decision, found, asking


SHOW_ME = 0.25
"""Chance by the words alone that somebody wants to be shown things; naming what things makes it a search all the same."""


def hurried(before: DialogueState, state: DialogueState, said: Understanding) -> bool:
    """Whether the customer wants to see things: said instead of answering a question, and as long as the goal lasts."""
    instead = said.intent.by_words.get("show", 0.0) > SHOW_ME and before.open_question is not None
    return instead or (before.hurried and before.goal == state.goal)
