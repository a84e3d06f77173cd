"""What follows the reply proper: the message's second goal, more reasons, how to order, the question."""

from __future__ import annotations

from dataclasses import dataclass, replace

from botcore.dialogue.brief import LETTERS, Brief
from botcore.dialogue.chances import chances
from botcore.dialogue.facts import Item, items_of
from botcore.dialogue.find import Visit, find, in_reach, items_by_sku
from botcore.dialogue.followups import asks_already, order_brief, question_brief, second_brief, waiting_brief
from botcore.dialogue.goals import turned_to
from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.plan import Plan, gave_up_names
from botcore.dialogue.ports import Ports, titled
from botcore.dialogue.reasons import standing_out
from botcore.dialogue.state import Act, DialogueState, LaterGoal
from botcore.dialogue.words import sentences
from catalog.models import Shop
from catalog.search import search_articles


@dataclass(frozen=True)
class Second:
    """What became of the message's other goal: shown (``item``), without a find, or still waiting."""

    goal: LaterGoal | None = None
    item: Item | None = None
    gave_up: tuple[str, ...] = ()
    waiting: tuple[LaterGoal, ...] = ()

    @property
    def items(self) -> tuple[Item, ...]:
        return (self.item,) if self.item else ()


def second_goal(
    shop: Shop, plan: Plan, later: LaterGoal | None, lexicon: Lexicon, ports: Ports, visit: Visit
) -> Second:
    """The best product for the second goal, beside a list; where the reply is no list, the goal waits."""
    waiting = plan.state.waiting
    if later is None:
        return Second(waiting=waiting)
    if plan.act is not Act.RECOMMEND or not plan.items:
        return Second(later, waiting=(*waiting, later))
    state = in_reach(shop, turned_to(plan.state, later))
    found = find(shop, state, lexicon, ports.encoder, visit=visit)
    if not found.slate:
        return Second(later, waiting=waiting)
    (item,) = items_of(found.slate[:1], shop, state, lexicon)
    letter = LETTERS[len(plan.items)]
    return Second(later, replace(item, letter=letter), gave_up_names(found, state, lexicon, shop.currency), waiting)


def followups(
    shop: Shop,
    plan: Plan,
    words: str,
    before: DialogueState,
    second: Second,
    lexicon: Lexicon,
    ports: Ports,
    visit: Visit,
) -> list[Brief]:
    """The sentences after the reply: the other goal, more reasons, how to order, the question."""
    state, question, found = plan.state, plan.question, []
    language = state.language
    if plan.said.price and plan.said.currency not in ("", shop.currency):
        found.append(Brief("other_currency", slots={"currency": shop.currency}))
    if second.goal and second.goal in second.waiting:
        found.append(waiting_brief("later", second.goal, language, lexicon))
    elif second.goal:
        found.append(second_brief(second.goal, second.item, second.gave_up, language, lexicon))
    if plan.act is Act.EXPLAIN and plan.items:
        candidates = find(shop, state, lexicon, ports.encoder, visit=visit).candidates
        if because := standing_out(plan.items[0].sku, candidates, language):
            found.append(Brief("also_because", notes={"because": "; ".join(because)}))
    if closing := _closing(shop, plan, before, lexicon, ports):
        found.append(closing)
    if plan.reason == "chosen" and second.waiting:
        found.append(waiting_brief("next", second.waiting[0], language, lexicon))
    if question and plan.act is Act.RECOMMEND and not asks_already(words, question, language, lexicon):
        found.append(question_brief(question, state, lexicon, shop.currency))
    return found


HOW_TO_ORDER = "How do I place an order?"
ORDERING = 0.5
"""Chance from which a sentence tells how to place an order; those about changing or tracking one stay below."""


def _closing(shop: Shop, plan: Plan, before: DialogueState, lexicon: Lexicon, ports: Ports) -> Brief | None:
    """How to order what was chosen, as the shop tells it; after thanks, what the talk was last about."""
    if plan.reason == "chosen" and plan.items:
        item = plan.items[0]
    elif plan.reason in ("thanks", "goodbye") and before.focus in before.liked and before.focus:
        chosen = items_by_sku(shop, (before.focus,))
        if not chosen:
            return None
        (item,) = items_of(chosen, shop, plan.state, lexicon)
    else:
        return None
    return order_brief(item, "" if item.url else _ordering(shop, plan.state.language, ports))


def _ordering(shop: Shop, language: str, ports: Ports) -> str:
    """What the shop's own article says about placing an order, "" where it has none."""
    hits = search_articles(shop, language, HOW_TO_ORDER, ports.reader.question(HOW_TO_ORDER), limit=1)
    told = sentences(hits[0].article.body) if hits else []
    odds = ports.reader.answering(HOW_TO_ORDER, [titled(hits[0].article.title, sentence) for sentence in told])
    return " ".join(told[:2]) if told and chances(odds).sum() >= ORDERING else ""
