"""What is done in the end, with its products: what finding tells changes the decision."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from botcore.dialogue import beside
from botcore.dialogue.decide import BEST_RATED, NOT_SOLD, THEMELESS, Decision, decide, missing
from botcore.dialogue.find import Found, Visit, find, holding, in_reach, items_by_sku
from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.meanings import CATEGORY, TEXT, Meaning
from botcore.dialogue.perceived import PICTURED, UNLIKE
from botcore.dialogue.ports import Ports
from botcore.dialogue.relevance import title_names
from botcore.dialogue.state import Act, Constraint, DialogueState
from botcore.dialogue.thesaurus import thesaurus
from botcore.dialogue.understand import Understanding
from botcore.dialogue.words import CHINESE, singular
from catalog.models import Shop
from catalog.search import Candidate

CHEAPEST = "cheapest"
"""Why nothing is shown to somebody who asked for something cheaper."""


def settled(
    shop: Shop,
    decision: Decision,
    state: DialogueState,
    before: DialogueState,
    said: Understanding,
    lexicon: Lexicon,
    ports: Ports,
    visit: Visit,
) -> tuple[Decision, DialogueState, Found]:
    """What is done in the end, with its products: what finding tells changes the decision and the state."""
    if decision.reason == PICTURED:
        wished, found = _like_picture(shop, state, said, lexicon, ports, visit)
        if found.slate:
            return decision, wished, _with_unheard(found, wished, said)
        if not said.text.strip():
            return Decision(Act.CLARIFY, UNLIKE), state, found
        decision = decide(before, state, said)  # "mugs like this", and nothing alike is a mug: the words decide alone
    if decision.reason == BEST_RATED:
        state = _of_goal(shop, state, said)
    decision, found = _found(shop, decision, state, said, lexicon, ports, replace(visit, alike=None))
    if decision.reason == CHEAPEST:  # nothing costs less: the lower limit that was tried is forgotten
        state = state.with_(price=before.price)
        cheapest = find(shop, state, lexicon, ports.encoder, order="price", visit=replace(visit, alike=None))
        found = replace(found, slate=() if cheapest.relaxed else cheapest.slate[:1])
    if found.left_goal:
        state = state.with_(goal="")
    if decision.reason in (NOT_SOLD, THEMELESS):
        state = _without_missing(state, before)
    return decision, _without_vain(state, found), found


def _without_missing(state: DialogueState, before: DialogueState) -> DialogueState:
    """The state without what there is nothing of and what was wished of it: who hears that no juicers are sold goes on about
    something else, for the same person."""
    people = thesaurus().people
    told = tuple(c for c in state.constraints if c.turn != state.turn or not c.wanted or c.value in people)
    return state.with_(constraints=told, topic=before.topic)


def _without_vain(state: DialogueState, found: Found) -> DialogueState:
    """The state in which what nothing could hold is no condition any more: that is said once, not in every reply."""
    kept = (replace(c, hard=False) if c in found.vain else c for c in state.constraints)
    return state.with_(constraints=tuple(kept))


def _of_goal(shop: Shop, state: DialogueState, said: Understanding) -> DialogueState:
    """The state in which the best of a kind is looked for: wishes for another kind are no wishes for this one."""
    wishes = dict.fromkeys((*(state.constraints if state.goal in said.goals else ()), *said.constraints))
    return in_reach(shop, state.with_(goal=said.goals[0], topic="", constraints=tuple(wishes)))


def _like_picture(
    shop: Shop, state: DialogueState, said: Understanding, lexicon: Lexicon, ports: Ports, visit: Visit
) -> tuple[DialogueState, Found]:
    """What looks like the picture and holds the talk's wishes; a picture of something else begins a talk of its own, in
    which what was ruled out still is. With a picture a question is a wish, too: "do you have this in wool?"."""
    asked = tuple(replace(c, turn=state.turn) for c in said.constraints)
    state = in_reach(shop, state.with_(constraints=(*state.constraints, *asked), price=said.price or state.price))
    state = state.with_(constraints=tuple({(c.attribute, c.value): c for c in state.constraints}.values()))
    found = find(shop, state, lexicon, ports.encoder, visit=visit)
    if found.slate and not found.left_goal:
        return state, found
    afresh = state.with_(
        goal=said.goals[0] if said.goals else "",
        topic=said.thing,
        constraints=tuple(c for c in state.constraints if c.turn == state.turn or not c.wanted),
        price=said.price,
    )
    return afresh, find(shop, afresh, lexicon, ports.encoder, visit=visit)


def _with_unheard(found: Found, state: DialogueState, said: Understanding) -> Found:
    """What was found, with the wishes that nothing can hold among those given up."""
    named = {constraint.value for constraint in found.gave_up}
    missed = [Constraint(TEXT, name, turn=state.turn) for name in said.unheard if name not in named]
    return replace(found, gave_up=(*found.gave_up, *missed)) if found.slate else found


def spoken_of(decision: Decision, state: DialogueState, said: Understanding) -> DialogueState:
    """The state whose wishes choose which facts an item shows; an answer also tells what the question named."""
    return state.with_(constraints=(*state.constraints, *said.constraints)) if decision.act is Act.ANSWER else state


def _found(
    shop: Shop,
    decision: Decision,
    state: DialogueState,
    said: Understanding,
    lexicon: Lexicon,
    ports: Ports,
    visit: Visit,
) -> tuple[Decision, Found]:
    """The products a decision needs; a decision that finds none becomes another one."""
    if decision.reason == "chosen" and not holding(shop, decision.about, said.constraints):
        decision = Decision(Act.RECOMMEND, fresh=True)  # "the first is close, but I need one in blue"
    if decision.about:
        chosen = items_by_sku(shop, decision.about, (*state.constraints, *said.constraints))
        if chosen and decision.reason == beside.GOES_WITH:
            others = beside.companions(shop, chosen, state)
            return replace(decision, about=()) if others else Decision(Act.DECLINE, "nothing_fits"), Found(
                others, others
            )
        return decision if chosen else Decision(Act.CLARIFY, "item"), Found(chosen, chosen)
    if decision.act not in (Act.RECOMMEND, Act.COMPARE):
        return decision, Found((), ())
    found = find(shop, state, lexicon, ports.encoder, fresh=decision.fresh, order=said.order, visit=visit)
    if decision.fresh and not found.slate and said.constraints:  # "no, not the 30 ml one": of those seen, the other
        found = find(shop, state, lexicon, ports.encoder, order=said.order, visit=visit)
    found = _with_unheard(found, state, said)
    if decision.reason == "cheaper" and (found.gave_up_price or not found.slate):
        return replace(decision, act=Act.DECLINE, reason=CHEAPEST), Found((), found.candidates)
    if not found.slate:
        return replace(decision, act=Act.DECLINE, reason=missing(said) if said.thing else "nothing_fits"), found
    if decision.act is Act.COMPARE:
        enough = len(found.slate) >= COMPARABLE and not found.gave_up
        return (
            (decision, replace(found, slate=found.slate[: said.compared]))
            if enough
            else (Decision(Act.RECOMMEND), found)
        )
    if decision.reason == BEST_RATED:
        return decision, _best_rated(found)
    named = state.goal or lexicon.kinds_wanted(state.constraints)
    if not (named or decision.reason or state.price) and _tells_little(state) and _far(found.slate):
        return replace(decision, act=Act.ASK, reason=CATEGORY), Found((), found.candidates)
    vain = said.unknown or not _is_called(found.slate, said, lexicon)
    if not (named or decision.reason) and (_kind_unknown(said) or _theme_unknown(said) or (vain and _far(found.slate))):
        return replace(decision, act=Act.DECLINE, reason=missing(said)), Found((), found.candidates)
    return decision, found


COMPARABLE = 2
"""Products that there must be to compare some."""
FAR = 0.38
"""Below this cosine the best product is not what an unknown word asked for."""


KIND_ASKED = re.compile(
    r"\b(?:do|have) (?:you|you guys) (?:also |even )?(?:(?:sell|have|carry|stock|got) )?(?:any )?(?:\w+ )?(?P<en>[a-z]+s)\W*$"
    r"|(?:有没有|有|卖不卖|卖)(?P<zh>[\u4e00-\u9fff]{2,5}?)(?<!的)[吗么呢]?\W*$"
)
"""What asks whether a kind is sold, by an English plural or a Chinese noun: "do you sell cameras?", "有手机壳吗"."""


def _tells_little(state: DialogueState) -> bool:
    """Whether only circumstances are known of what is looked for ("something for a flat with a lift")."""
    return all(c.attribute == TEXT and not c.hard for c in state.constraints)


def _kind_asked(text: str) -> str:
    """The kind, one word in the singular, that a message asks for; "" for none."""
    asked = KIND_ASKED.search(text)
    return (asked["zh"] or singular(asked["en"])) if asked else ""


def _kind_unknown(said: Understanding) -> bool:
    """Whether the very word for the kind stands in no text of the shop: shampoo is no "hair dryer"."""
    return _kind_asked(said.text) in {form for word in said.unknown for form in (word, singular(word))}


def _theme_unknown(said: Understanding) -> bool:
    return bool(said.unknown) and missing(said) == THEMELESS


def _is_called(slate: Sequence[Candidate], said: Understanding, lexicon: Lexicon) -> bool:
    """Whether a title names the kind that is asked for, or none is: a vacuum cleaner that finds its way by camera is no
    camera. What is the name of a value is no kind ("do you have reds?")."""
    kind = said.thing.split()[-1] if said.thing else _kind_asked(said.text)
    values = {
        lexicon.name(Meaning(c.attribute, c.value), said.language) for c in said.constraints if c.attribute != TEXT
    }
    if not kind or said.goals or kind in values:
        return True
    if CHINESE.match(kind):
        return any(kind in c.product.text("title", "zh") for c in slate)
    return any(title_names(c.product.text("title", "en"), kind) for c in slate)


def _best_rated(found: Found) -> Found:
    """What was found, the best rated first."""
    rated = sorted(found.candidates, key=lambda c: (c.product.rating or 0, c.product.rating_count or 0), reverse=True)
    return replace(found, slate=tuple(rated[: len(found.slate)]))


def _far(slate: Sequence[Candidate]) -> bool:
    return max(candidate.features.get("vector", 0.0) for candidate in slate) < FAR
