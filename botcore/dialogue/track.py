"""From the state before a message to the state after it. Pure; the only maker of new states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from botcore.dialogue.meanings import TEXT
from botcore.dialogue.state import Constraint, DialogueState, PriceRange, Question
from botcore.dialogue.thesaurus import thesaurus
from botcore.dialogue.understand import QUESTION_INTENTS, ShownItem, Understanding

CENT = Decimal("0.01")
NO_WISH = QUESTION_INTENTS | {
    "person", "upset", "greeting", "thanks", "goodbye", "wellbeing", "identity", "compliment", "smalltalk", "ok",
    "not_meant", "unclear", "goes_with",
}  # fmt: skip


def track(state: DialogueState, said: Understanding, shown: Sequence[ShownItem]) -> DialogueState:
    """What is known after the customer's message; the reply's own doings are added by :func:`after_reply`."""
    if said.intent.name == "reset":
        return DialogueState(turn=state.turn + 1, language=said.language)
    if not says_wish(said):
        return _pointed(state, said).with_(turn=state.turn + 1, language=said.language)
    state = _pointed(_with_thing(_with_goal(state, said), said), said)
    held = [c for c in state.constraints if (c.attribute, c.value) not in said.withdrawn]
    allowed = [
        replace(c, wanted=True, hard=False, turn=state.turn + 1)
        for c in state.constraints
        if not c.wanted and (c.attribute, c.value) in said.withdrawn
    ]
    given = [c for c in held if _aspect(c) not in said.indifferent]
    constraints = _merged(given, (*said.constraints, *allowed))
    turned_down = said.rejected or (state.slate if said.intent.name == "reject" and not said.references else ())
    rejected = state.rejected + turned_down
    return state.with_(
        turn=state.turn + 1,
        language=said.language,
        constraints=constraints,
        price=_price(state, said, shown),
        asked=_added(state.asked, said.indifferent),
        rejected=_added((), rejected),
        topic=_topic(state, said),
    )


def after_reply(
    state: DialogueState,
    shown: Sequence[str],
    question: Question | None,
    article: str,
    quote: str,
    failed: bool,
    listed: bool = True,
) -> DialogueState:
    """The state with what the reply showed, asked and quoted.

    ``failed`` counts replies in a row that could not help; items that are not ``listed`` were picked from the last
    list, whose numbers the customer goes on using.
    """
    return state.with_(
        shown=(*state.shown, tuple(shown)) if shown and listed else state.shown,
        focus=shown[0] if len(shown) == 1 else (state.focus if state.focus in (shown or state.slate) else ""),
        open_question=question,
        asked=_added(state.asked, (question.attribute,) if question else ()),
        last_article=article,
        last_quote=quote,
        failures=state.failures + 1 if failed else 0,
        returned=False,
    )


def says_wish(said: Understanding) -> bool:
    """Whether the message's words are wishes, not a question about what is there or small talk."""
    if said.withdrawn:
        return True
    if said.intent.name == "not_meant":
        return bool(said.goals or said.constraints or said.price)
    return said.intent.name not in NO_WISH or bool(
        (said.goals or said.price) and said.intent.name not in QUESTION_INTENTS
    )


def _pointed(state: DialogueState, said: Understanding) -> DialogueState:
    return state.with_(
        focus=said.references[0] if len(said.references) == 1 else state.focus,
        liked=_added(state.liked, said.references if said.intent.name == "choose" else ()),
    )


def _with_goal(state: DialogueState, said: Understanding) -> DialogueState:
    """A new goal drops what was wished of the old one; a narrower one ("jackets" after "clothes") keeps it."""
    if said.goals:
        goal = said.goals[0]
        if state.goal and (goal + "/").startswith(state.goal + "/"):
            return state.with_(goal=goal)
        if state.goal != goal:
            about_anything = () if state.goal or state.topic else state.constraints
            return state.with_(
                goal=goal,
                constraints=about_anything,
                price=PriceRange() if state.goal else state.price,
                asked=(),
                topic="",
            )
    elif state.goal in said.dropped_goals:
        return state.with_(goal="", constraints=(), price=PriceRange())
    return state


def _with_thing(state: DialogueState, said: Understanding) -> DialogueState:
    """Another thing without a category of its own: a new subject, or another choice inside the goal."""
    if not said.thing or said.goals or said.thing == state.topic:
        return state
    if state.goal or not state.topic:
        return state.with_(constraints=tuple(c for c in state.constraints if c.value != state.topic))
    return state.with_(constraints=(), price=PriceRange(), asked=())


def _aspect(constraint: Constraint) -> str:
    """The attribute a constraint is about; colours are told from other texts."""
    return "color" if constraint.attribute == TEXT and thesaurus().is_colour(constraint.value) else constraint.attribute


def _merged(old: Sequence[Constraint], new: Sequence[Constraint]) -> tuple[Constraint, ...]:
    """Later wishes win: over the same value (whatever its polarity), and over other wanted values of an attribute.

    What was ruled out and is wanted after all is a wish, no condition.
    """
    positive = {_aspect(c) for c in new if c.wanted} - {TEXT}
    said = {(c.attribute, c.value) for c in new}
    kept = [c for c in old if (c.attribute, c.value) not in said and not (c.wanted and _aspect(c) in positive)]
    ruled_out = {(c.attribute, c.value) for c in old if not c.wanted}
    softened = [replace(c, hard=False) if c.wanted and (c.attribute, c.value) in ruled_out else c for c in new]
    return (*kept, *softened)


def _price(state: DialogueState, said: Understanding, shown: Sequence[ShownItem]) -> PriceRange:
    if said.price:
        return said.price
    if "price" in said.indifferent:
        return PriceRange()
    pointed = [item for item in shown if item.sku in said.references] or list(shown)
    if pointed and said.intent.name == "cheaper":
        return PriceRange(low=None, high=min(item.price for item in pointed) - CENT)
    if pointed and said.intent.name == "dearer":
        return PriceRange(low=max(item.price for item in pointed) + CENT, high=None)
    return state.price


def _topic(state: DialogueState, said: Understanding) -> str:
    """What the talk is about where no category says it, or says too little ("tent" in "camping")."""
    if said.thing and not said.goals:
        return said.thing
    if state.goal or thesaurus().things & {state.topic}:
        return state.topic
    words = [w for w in said.words if w not in said.unknown]
    return " ".join(words) if words else state.topic


def _added(known: Sequence[str], more: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*known, *more]))
