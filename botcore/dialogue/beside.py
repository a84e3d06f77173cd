"""What follows a reply about one product: what goes with it once it is chosen, what there is in its stead if it is sold out.

Products come from the shop's rules and its product graph, words from approved phrases; nothing else is ever offered.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from botcore.dialogue.brief import Brief
from botcore.dialogue.compose import fill
from botcore.dialogue.decide import Decision
from botcore.dialogue.evidence import Kind
from botcore.dialogue.facts import Item, items_of
from botcore.dialogue.find import Found
from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.phrases import phrase_for
from botcore.dialogue.plan import Plan
from botcore.dialogue.state import Act, DialogueState
from catalog.models import Shop
from catalog.ranking.beside import beside, instead
from catalog.ranking.rules import rules_of
from catalog.search import Candidate, ProductQuery, Wish, search_products

CHOSEN, GOES_WITH = "chosen", "goes_with"
SPEAKS_OF = "beside"
"""Its phrases' place in the data."""


@dataclass(frozen=True)
class Offer:
    """``text`` follows the reply, ``items`` follow its cards, lettered after them."""

    text: str = ""
    items: tuple[Item, ...] = ()


def companions(shop: Shop, chosen: tuple[Candidate, ...], state: DialogueState) -> tuple[Candidate, ...]:
    """What goes with the products, for a customer who asks for it."""
    return beside(shop, chosen, rules_of(shop, timezone.now()), state.goal, (*state.rejected, *state.liked))


def offer(shop: Shop, decision: Decision, found: Found, state: DialogueState, lexicon: Lexicon, seed: int) -> Offer:
    """What to add to the reply; nothing but about one product that was decided on, or is asked for and sold out."""
    if len(found.slate) != 1 or decision.looking:
        return Offer()
    product, hidden = found.slate[0], (*state.rejected, *state.liked)
    sold_out = product.variant.stock == 0
    rules = rules_of(shop, timezone.now())
    if sold_out and (decision.reason == CHOSEN or decision.act is Act.ANSWER):
        reason, others = "instead", instead(shop, product, rules, state.goal, hidden)
    elif decision.reason == CHOSEN:
        reason, others = GOES_WITH, beside(shop, (product,), rules, state.goal, hidden)
    else:
        return Offer()
    if not others:
        return Offer()
    items = items_of((product, *others), shop, state, lexicon)[1:]
    brief = Brief(SPEAKS_OF, items=tuple(item.facts() for item in items), notes={"reason": reason})
    return Offer(fill(phrase_for(brief, state.language, seed), brief.tags()), items)


ALIKE = 2
"""Products offered in place of a size or colour that is sold out."""


def alike(shop: Shop, plan: Plan, lexicon: Lexicon) -> tuple[Item, ...]:
    """Products of the same kind that can be had in what is sold out, nearest to the one asked about first."""
    if not (plan.answer and plan.answer.kind is Kind.STOCK and plan.answer.details["missing"] and plan.found.slate):
        return ()
    product, attribute = plan.found.slate[0].product, plan.answer.details["attribute"]
    wanted = [(attribute, plan.answer.details["missing"])] if attribute else []
    wanted += [("gender", tuple(product.attributes["gender"]))] if "gender" in product.attributes else []
    query = ProductQuery(
        shop=shop,
        category=product.category.path,
        embedding=product.embedding,
        wishes=tuple(Wish(name, tuple(values)) for name, values in wanted),
        exclude=(product.sku,),
        limit=ALIKE,
    )
    return items_of(search_products(query), shop, plan.state, lexicon)
