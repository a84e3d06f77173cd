"""What is done in the end, with its products: what finding tells changes the decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from botcore.dialogue import beside
from botcore.dialogue.decide import Decision, decide
from botcore.dialogue.find import Found, Visit, find, holding, in_reach, items_by_sku
from botcore.dialogue.lexicon import Lexicon
from botcore.dialogue.meanings import TEXT
from botcore.dialogue.perceived import PICTURED, UNLIKE
from botcore.dialogue.ports import Ports
from botcore.dialogue.state import Act, Constraint, DialogueState
from botcore.dialogue.understand import Understanding
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
    decision, found = _found(shop, decision, state, said, lexicon, ports, replace(visit, alike=None))
    if decision.reason == CHEAPEST:  # nothing costs less: the lower limit that was tried is forgotten
        state = state.with_(price=before.price)
        cheapest = find(shop, state, lexicon, ports.encoder, order="price", visit=replace(visit, alike=None))
        found = replace(found, slate=() if cheapest.relaxed else cheapest.slate[:1])
    if found.left_goal:
        state = state.with_(goal="")
    return decision, state, found


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
    missed = [Constraint(TEXT, name, turn=state.turn) for name in said.unheard]
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
    if decision.act is not Act.RECOMMEND:
        return decision, Found((), ())
    found = find(shop, state, lexicon, ports.encoder, fresh=decision.fresh, order=said.order, visit=visit)
    found = _with_unheard(found, state, said)
    if decision.reason == "cheaper" and (found.gave_up_price or not found.slate):
        return replace(decision, act=Act.DECLINE, reason=CHEAPEST), Found((), found.candidates)
    if not found.slate:
        return replace(decision, act=Act.DECLINE, reason="not_sold" if said.thing else "nothing_fits"), found
    if not state.goal and said.unknown and not decision.reason and _far(found.slate):
        return replace(decision, act=Act.DECLINE, reason="not_sold"), Found((), found.candidates)
    return decision, found


FAR = 0.38
"""Below this cosine the best product is not what an unknown word asked for."""


def _far(slate: Sequence[Candidate]) -> bool:
    return max(candidate.features.get("vector", 0.0) for candidate in slate) < FAR
