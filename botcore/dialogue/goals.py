"""Two goals in one message ("a raincoat for me and a toaster for mum"): each with the wishes of its own half.

The reply serves the first and shows the other too where it can; what has to wait is kept in the state and said.
"""

from __future__ import annotations

from dataclasses import replace

from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.meanings import CATEGORY
from botcore.dialogue.money import read_price
from botcore.dialogue.state import DialogueState, LaterGoal, PriceRange
from botcore.dialogue.understand import Understanding
from botcore.dialogue.words import tokens

JOINS = frozenset("and or plus also then & , ; 、 和 与 跟 及 还 再 或 另".split())
"""What stands between the halves."""


def separated(said: Understanding, lexicon: Lexicon) -> tuple[Understanding, LaterGoal | None]:
    """The message with its first goal alone, and the second goal; a price is of the half that it stands in."""
    if len(said.goals) < 2 or _one_inside_the_other(*said.goals[:2]):
        return said, None
    first, second = said.goals[:2]
    cut = _cut(said.text, first, second, lexicon)
    if cut is None:
        return said, None
    mine, other = (read_price(half).range for half in (said.text[:cut], said.text[cut:]))
    return replace(said, goals=(first,), price=mine), LaterGoal(second, said.second, other)


def turned_to(state: DialogueState, goal: LaterGoal) -> DialogueState:
    """The state with another goal in the place of the present one."""
    return state.with_(
        goal=goal.category,
        topic="",
        constraints=goal.constraints,
        price=goal.price or PriceRange(),
        asked=(),
        waiting=tuple(g for g in state.waiting if g != goal),
    )


def _one_inside_the_other(first: str, second: str) -> bool:
    return f"{first}/".startswith(f"{second}/") or f"{second}/".startswith(f"{first}/")


def _cut(text: str, first: str, second: str, lexicon: Lexicon) -> int | None:
    """Where the second half begins: at the last joining word between the two nouns."""
    words = tokens(text)
    places = {
        m.value: match for match in reversed(lexicon.match(words)) for m in match.meanings if m.attribute == CATEGORY
    }
    if first not in places or second not in places or places[second].first < places[first].last:
        return None
    between = range(places[first].last, places[second].first)
    joins = [i for i in between if words[i].text in JOINS]
    return words[joins[-1]].start if joins else None
