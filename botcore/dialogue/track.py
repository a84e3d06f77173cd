"""From the state before a message to the state after it. Pure; the only maker of new states."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from botcore.dialogue.meanings import CATEGORY, KIND, TEXT
from botcore.dialogue.pointing.references import PRONOUN
from botcore.dialogue.state import CENT, Constraint, DialogueState, PriceRange, Question
from botcore.dialogue.thesaurus import thesaurus
from botcore.dialogue.understand import OPEN, QUESTION_INTENTS, ShownItem, Understanding
from botcore.dialogue.words import CHINESE, tokens

NO_WISH = QUESTION_INTENTS | {
    "person", "upset", "greeting", "thanks", "goodbye", "wellbeing", "identity", "compliment", "smalltalk", "ok",
    "not_meant", "unclear", "goes_with",
}  # fmt: skip


def track(
    state: DialogueState, said: Understanding, shown: Sequence[ShownItem], beyond: bool = False, inside: bool = False
) -> DialogueState:
    """What is known after the customer's message; the reply's own doings are added by :func:`after_reply`.

    ``beyond`` says that no product of the goal is about what the message names, ``inside`` that products of the kind wanted are
    called the thing that it names.
    """
    if said.intent.name == "reset":
        return DialogueState(turn=state.turn + 1, language=said.language)
    if said.anew:
        state = DialogueState(turn=state.turn, language=state.language)
    if not says_wish(said):
        questioned = tuple(c for c in said.constraints if c.attribute != TEXT and c.wanted)
        told = _told(state, state.goal, said)
        return _pointed(state, said).with_(
            turn=state.turn + 1, language=said.language, questioned=questioned, told=told
        )
    if THAT_DO.search(said.text) and not any(c.wanted for c in said.constraints):
        said = replace(
            said, constraints=(*said.constraints, *(replace(c, turn=state.turn + 1) for c in state.questioned))
        )
    spent = state.price
    if turns_to_somebody(state, said, beyond):
        state = _beginning_anew(state)
    elif _for_another(state, said):
        state = state.with_(topic="", constraints=tuple(c for c in state.constraints if not c.wanted))
    told = _told(state, next(iter(said.goals), state.goal), said)
    state = _pointed(_with_thing(_with_goal(state, said), said, inside), said)
    held = [_or_else(c, said.allowed) for c in state.constraints if (c.attribute, c.value) not in said.withdrawn]
    allowed = [
        replace(c, wanted=True, hard=False, turn=state.turn + 1)
        for c in state.constraints
        if not c.wanted and (c.attribute, c.value) in said.withdrawn
    ]
    given = [c for c in held if _aspect(c) not in said.indifferent]
    constraints = _merged(given, (*said.constraints, *allowed))
    why = said.references or any(not c.wanted for c in said.constraints)  # "30 ml is useless" turns down no other one
    turned_down = said.rejected or (state.slate if said.intent.name == "reject" and not why else ())
    rejected = state.rejected + turned_down
    return state.with_(
        turn=state.turn + 1,
        language=said.language,
        constraints=constraints,
        price=spent if SAME_PRICE.search(said.text) and not said.price else _price(state, said, shown),
        asked=_added(state.asked, said.indifferent),
        rejected=_added((), rejected),
        topic=_topic(state, said),
        told=told,
        questioned=(),
    )


SAME_PRICE = re.compile(
    r"\b(?:same|similar) (?:budget|money|price|range|amount)\b"
    r"|(?:预算|价格|价位|价钱)(?:还是)?(?:一样|不变|相同|照旧)|同样的?(?:预算|价位)"
)
"""What keeps the price for another thing."""
REMEMBERED = 300
"""Characters of what was told that are kept while it is open what is looked for."""


def _told(before: DialogueState, goal: str, said: Understanding) -> str:
    """What has been told while nothing named what is looked for; nothing once that is named, or what is in sight spoken of."""
    named = said.goals and not said.needs
    if named or said.references or (goal and not (said.needs or before.told)):
        return ""
    return f"{before.told} {said.text}".strip()[-REMEMBERED:] if said.intent.name in OPEN else before.told


THAT_DO = re.compile(
    r"\b(?:ones?|any|some|those|something|anything) (?:that|which) (?:do|does|can|has|have|is|are)\b(?: it)?(?=\s*(?:$|[,.;!?]))"
    r"|有这个的|带这个的|有的(?:那种|款)"
)
"""What asks for products that have what was just asked of one ("show me ones that do")."""


def after_reply(
    state: DialogueState,
    shown: Sequence[str],
    question: Question | None,
    article: str,
    quote: str,
    failed: bool,
    gone: bool = False,
    listed: bool = True,
) -> DialogueState:
    """The state with what the reply showed, asked and quoted; ``gone`` says that it told something to be sold out.

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
        gone=gone,
        failures=state.failures + 1 if failed else 0,
        returned=False,
    )


def says_wish(said: Understanding) -> bool:
    """Whether the message's words are wishes, not a question about what is there or small talk."""
    if said.withdrawn or said.dropped_goals or said.compared:
        return True
    if said.intent.name == "not_meant":
        return bool(said.goals or said.constraints or said.price)
    asked_for = said.intent.name == "availability" and not said.references  # "do you have any under 40?"
    return said.intent.name not in NO_WISH or bool(
        (said.goals or said.price) and (asked_for or said.intent.name not in QUESTION_INTENTS)
    )


UNDECIDED = 0.3
"""The chance, by its words alone, that a message leaves open what it looks for."""


def turns_to_somebody(state: DialogueState, said: Understanding, beyond: bool) -> bool:
    """Whether a message leaves the talk's goal for somebody's likings ("my dad loves cooking, any ideas?"): it names a person
    and what they are about, and neither a kind of product nor what is in sight, and leaves open what it looks for or asks
    for what the goal has nothing of."""
    if not state.goal or said.goals or said.thing or said.references or PRONOUN.search(said.text):
        return False
    of_likings = said.unknown or any(c.attribute == TEXT and c.wanted for c in said.constraints)
    leaves = beyond or said.intent.by_words.get("vague", 0.0) >= UNDECIDED
    return bool(of_likings) and leaves and _names_people(said)


def _for_another(state: DialogueState, said: Understanding) -> bool:
    """Whether what is looked for, of no kind yet, is for another person than before, whose wishes are others."""
    if state.goal:
        return False
    before, now = (
        {c.value for c in cs if c.value in thesaurus().people} for cs in (state.constraints, said.constraints)
    )
    return bool(before and now) and before.isdisjoint(now)


def _names_people(said: Understanding) -> bool:
    people = thesaurus()
    named = {token.text for token in tokens(said.text)} | set(said.words)
    chinese = any(CHINESE.match(word) and word in said.text for word in people.kin)
    return chinese or not named.isdisjoint({*people.people, *people.kin})


def _beginning_anew(state: DialogueState) -> DialogueState:
    """The state without its goal and what was wished of it; whole kinds that were ruled out stay so."""
    ruled_out = tuple(c for c in state.constraints if c.attribute == CATEGORY)
    return state.with_(goal="", topic="", constraints=ruled_out, price=PriceRange(), asked=())


def _pointed(state: DialogueState, said: Understanding) -> DialogueState:
    return state.with_(
        focus=said.references[0] if len(said.references) == 1 else state.focus,
        liked=_added(state.liked, said.references if said.intent.name == "choose" else ()),
    )


def _with_goal(state: DialogueState, said: Understanding) -> DialogueState:
    """A new goal drops what was wished of the old one; a narrower one ("jackets" after "clothes") keeps it. Kinds that are
    ruled out ("not a book, please") stay so until they are asked for."""
    said_out = [Constraint(CATEGORY, path, wanted=False, turn=state.turn + 1) for path in said.dropped_goals]
    ruled_out = tuple(c for c in (*state.constraints, *said_out) if c.attribute == CATEGORY)
    wishes = tuple(c for c in state.constraints if c.attribute != CATEGORY)
    if said.goals:
        goal = said.goals[0]
        ruled_out = tuple(c for c in ruled_out if not _inside(goal, c.value))
        if state.goal and _inside(goal, state.goal):
            return state.with_(goal=goal, constraints=(*wishes, *ruled_out))
        if state.goal != goal:
            of_a_kind = state.goal or state.topic in thesaurus().things
            others = state.goal or (state.topic and not said.needs)
            return state.with_(
                goal=goal,
                constraints=(*(() if others else wishes), *ruled_out),
                price=PriceRange() if of_a_kind else state.price,
                asked=(),
                topic="",
            )
    elif state.goal and any(_inside(state.goal, path) for path in said.dropped_goals):
        return state.with_(goal="", constraints=ruled_out, price=PriceRange())
    return state.with_(constraints=(*wishes, *dict.fromkeys(ruled_out)))


def _inside(path: str, other: str) -> bool:
    return f"{path}/".startswith(f"{other}/")


def _with_thing(state: DialogueState, said: Understanding, inside: bool) -> DialogueState:
    """Another thing without a category of its own: a new subject, or another choice inside the goal or the kind."""
    if not said.thing or said.goals or said.thing == state.topic or inside:
        return state
    if state.goal or not state.topic:
        kept = (c for c in state.constraints if c.value != state.topic and c.attribute != KIND)
        return state.with_(constraints=tuple(kept))
    return state.with_(constraints=(), price=PriceRange(), asked=())


def _or_else(constraint: Constraint, allowed: Sequence[tuple[str, str]]) -> Constraint:
    """An earlier wish with what is fine as well ("black … white is ok too")."""
    also = [value for attribute, value in allowed if attribute == constraint.attribute != TEXT and constraint.wanted]
    others = dict.fromkeys([*constraint.others, *(value for value in also if value != constraint.value)])
    return replace(constraint, others=tuple(others)) if also else constraint


def _aspect(constraint: Constraint) -> str:
    """The attribute a constraint is about; colours are told from other texts."""
    return "color" if constraint.attribute == TEXT and thesaurus().is_colour(constraint.value) else constraint.attribute


def _merged(old: Sequence[Constraint], new: Sequence[Constraint]) -> tuple[Constraint, ...]:
    """Later wishes win: over the same value (whatever its polarity), and over other wanted values of an attribute.

    What was ruled out and is wanted after all is a wish, no condition.
    """
    told = {(c.attribute, other) for c in old if c.wanted for other in c.others}
    new = [c for c in new if c.hard or (c.attribute, c.value) not in told]  # allowed beside an earlier wish
    positive = {_aspect(c) for c in new if c.wanted} - {TEXT}
    said = {(c.attribute, c.value) for c in new}
    kept = [c for c in old if (c.attribute, c.value) not in said and not (c.wanted and _aspect(c) in positive)]
    ruled_out = {(c.attribute, c.value) for c in old if not c.wanted}
    softened = [replace(c, hard=False) if c.wanted and (c.attribute, c.value) in ruled_out else c for c in new]
    return (*kept, *softened)


def _price(state: DialogueState, said: Understanding, shown: Sequence[ShownItem]) -> PriceRange:
    if said.price:
        return _within(state.price, said.price) if not said.goals or state.goal in said.goals else said.price
    if "price" in said.indifferent:
        return PriceRange()
    pointed = [item for item in shown if item.sku in said.references] or list(shown)
    if pointed and said.intent.name == "cheaper":
        return PriceRange(low=None, high=min(item.price for item in pointed) - CENT, named=False)
    if pointed and said.intent.name == "dearer":
        return PriceRange(low=max(item.price for item in pointed) + CENT, high=None, named=False)
    return state.price


def _within(before: PriceRange, now: PriceRange) -> PriceRange:
    """The limit said now with the other one said before, where both can hold ("at least 100" … "nothing over 200 either")."""
    if not before.named or now.about is not None or (now.low is not None) == (now.high is not None):
        return now
    low, high = now.low or before.low, now.high or before.high
    return replace(now, low=low, high=high) if low is not None and high is not None and low < high else now


def _topic(state: DialogueState, said: Understanding) -> str:
    """What the talk is about where no category says it, or says too little ("tent" in "camping")."""
    if said.thing and not said.goals:
        return said.thing
    wished = any(c.value == state.topic and c.wanted and c.hard for c in state.constraints)
    if state.goal or wished or thesaurus().things & {state.topic}:
        return state.topic
    words = [w for w in said.words if w not in said.unknown]
    return " ".join(words) if words else state.topic


def _added(known: Sequence[str], more: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*known, *more]))
