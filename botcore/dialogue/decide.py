"""Which act answers a message. A pure decision over the state, the reading and what the shop could answer with.

Whether a list of products comes with a question, or the question alone, is decided by ``ask.py`` once they are found.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from botcore.dialogue.state import Act, DialogueState, Question
from botcore.dialogue.understand import Understanding

ARTICLE_SURE = 0.48
"""Similarity from which an article answers whatever else the message may be; set by hand."""
ARTICLE_LIKELY = 0.30
SURE = 0.45
"""Confidence from which an intent that overrides a product wish is believed."""

SMALL_TALK = {"greeting", "thanks", "goodbye", "wellbeing", "identity", "compliment", "smalltalk", "ok"}
GUESS = 0.1
"""Confidence up to which an intent is only the least unlikely."""
UNCERTAIN = 0.3
"""Calibrated confidence below which a message without a wish is asked about: seven of ten such readings are wrong."""
WISHES = {"find", "show", "more", "cheaper", "dearer", "reject", "vague", "choose", "availability"}


@dataclass(frozen=True)
class Decision:
    """The act and its occasion. ``reason`` is the note the reply needs (topic, reason, what is unclear, what kind of list).

    ``word`` is one with several meanings, which ``question`` asks about.
    """

    act: Act
    reason: str = ""
    about: tuple[str, ...] = ()
    fresh: bool = False
    question: Question | None = None
    word: str = ""


def decide(before: DialogueState, state: DialogueState, said: Understanding, article: float) -> Decision:
    """The act for a message; ``article`` is the similarity of the nearest article (0 where none)."""
    intent = said.intent.name
    wish = _says_wish(said)
    if intent in ("person", "upset") and said.intent.confidence > SURE / 2:
        return Decision(Act.HANDOFF, "asked" if intent == "person" else "upset")
    if intent == "reset":
        return Decision(Act.CHITCHAT, "greeting")
    if intent == "compare" and before.last_list and not said.goals and said.intent.confidence > GUESS:
        return Decision(Act.COMPARE, about=said.references if len(said.references) > 1 else before.last_list[:2])
    if intent == "explain" and before.slate:
        return Decision(Act.EXPLAIN, about=said.references or _spotlight(before))
    if intent == "discount" and (said.intent.confidence > SURE or not wish):
        return Decision(Act.DECLINE, "not_possible")
    unsaid = not (wish or said.references or said.unknown) and article < ARTICLE_LIKELY
    if unsaid and said.intent.confidence < UNCERTAIN:
        return Decision(Act.CLARIFY, "meaning")
    if intent in SMALL_TALK and (not wish or (said.intent.confidence > SURE and not said.goals and not said.price)):
        return Decision(Act.CLARIFY, "meaning") if _says_nothing(said.text) else Decision(Act.CHITCHAT, intent)
    if intent in ("not_meant", "unclear") and not wish:
        return Decision(Act.CLARIFY, "meaning")
    if intent == "choose" and said.references and not said.goals:
        return Decision(Act.RECOMMEND, "chosen", about=said.references[:1])
    if intent == "order_status" and said.intent.confidence > SURE:
        return Decision(Act.DECLINE, "no_information")
    if answer := _answer(before, said, article, wish):
        return answer
    return _product(before, state, said, wish)


def _answer(before: DialogueState, said: Understanding, article: float, wish: bool) -> Decision | None:
    """An answer from an article or about an item, if the message asks a question that one can answer."""
    intent = said.intent.name
    asks_policy = intent in ("policy", "order_status")
    about_item = intent in ("product_question", "availability") and bool(before.slate) and not said.goals
    sure = said.intent.confidence > SURE or article >= ARTICLE_SURE
    if asks_policy and article >= ARTICLE_LIKELY and not (said.goals and (said.price or not sure)):
        return Decision(Act.ANSWER, "policy")
    if before.last_article and said.is_question and not wish and not said.references and article >= ARTICLE_LIKELY / 2:
        return Decision(Act.ANSWER, "policy")
    if about_item:
        if said.references or len(before.slate) == 1 or before.focus:
            return Decision(Act.ANSWER, "product", about=said.references or _spotlight(before))
        if intent == "product_question" and article >= ARTICLE_SURE:
            return Decision(Act.ANSWER, "policy")
        return Decision(Act.CLARIFY, "item")
    wanted = said.goals or said.price or (said.thing and intent in WISHES)
    if said.is_question and article >= ARTICLE_SURE and not wanted:
        return Decision(Act.ANSWER, "policy")
    if asks_policy and not wish and not said.unknown:
        return Decision(Act.DECLINE, "no_information")
    return None


def _product(before: DialogueState, state: DialogueState, said: Understanding, wish: bool) -> Decision:
    intent = said.intent.name
    known = bool(state.goal or state.topic)
    if (
        said.unknown
        and not said.goals
        and not said.price
        and not _known_words(said)
        and (intent == "find" or not known)
    ):
        return Decision(Act.DECLINE, "not_sold")
    if intent in ("more", "reject") and before.slate and not said.goals:
        return Decision(Act.RECOMMEND, "more", fresh=True)
    if intent in ("cheaper", "dearer") and before.slate and not said.goals and not said.price:
        return Decision(Act.RECOMMEND, intent)
    if not known and not state.constraints and not state.price:
        return Decision(Act.ASK, "category") if not before.open_question else Decision(Act.RECOMMEND, "popular")
    if not known and not wish:
        return Decision(Act.ASK, "category")
    changed = bool(before.goal and state.goal != before.goal and not state.goal.startswith(before.goal))
    return Decision(Act.RECOMMEND, "changed" if changed else "")


def _says_nothing(text: str) -> bool:
    """Whether a message is empty or only punctuation."""
    return all(unicodedata.category(character)[0] in "PZ" for character in text)


def _says_wish(said: Understanding) -> bool:
    return bool(said.goals or said.constraints or said.price or said.indifferent or said.withdrawn)


def _known_words(said: Understanding) -> bool:
    return bool(said.constraints or set(said.words) - set(said.unknown))


def _spotlight(state: DialogueState) -> tuple[str, ...]:
    return (state.focus,) if state.focus in state.slate and state.focus else state.slate[:1]
