"""``manage.py preview_slate``: what a customer's words would show, with and without the shop's merchandising rules."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from botcore.dialogue.find import CONSIDERED, SLATE, in_reach, product_query, relaxed_states
from botcore.dialogue.lexicon.kept import lexicon_of
from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.ports import Encoder
from botcore.dialogue.state import DialogueState
from botcore.dialogue.track import track
from botcore.dialogue.understand import understand
from catalog.models import Shop
from catalog.ranking.features import Context, PriceWish, conversation_vector
from catalog.ranking.preview import preview
from catalog.ranking.rules import rules_of
from catalog.ranking.slate import Slate
from catalog.search import ProductQuery, count_products
from workers import serving
from workers.management.commands._shop import shop_of


def _fitting(shop: Shop, state: DialogueState, lexicon: Lexicon, encoder: Encoder) -> tuple[ProductQuery, str]:
    """The query that a reply would use: the first, from all wishes to ever fewer, that finds anything; what it gives up."""
    for looser in (state, *relaxed_states(state, lexicon)):
        query = product_query(shop, looser, lexicon, encoder)
        if count_products(query, at_most=1):
            lost = [str(constraint) for constraint in state.constraints if constraint not in looser.constraints]
            return query, "; ".join([*lost, *(["the price"] if looser.price != state.price else [])])
    return product_query(shop, state, lexicon, encoder), ""


class Command(BaseCommand):
    help = f"Show the slate for a first message, without and with the rules that hold now ({CONSIDERED} considered)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("words", help="what the customer writes")
        parser.add_argument("--shop", required=True, help="the shop's slug")

    def handle(self, **options: Any) -> None:
        shop = shop_of(options["shop"])
        encoder, rules = serving.encoder(), rules_of(shop, timezone.now())
        lexicon, nothing = lexicon_of(shop), DialogueState()
        said = understand(options["words"], nothing, (), lexicon, serving.reader(), encoder)
        state = in_reach(shop, track(nothing, said, ()))
        query, given_up = _fitting(shop, state, lexicon, encoder)
        conversation = conversation_vector([v for v in (query.embedding,) if v is not None])
        price = PriceWish(state.price.low, state.price.high, state.price.about)
        both = preview(query, rules, Context(conversation, price), SLATE)
        wishes = "; ".join(map(str, state.constraints)) or "none"
        self.stdout.write(f"category {state.goal or 'any'}; wishes {wishes}; {len(rules)} rules hold now")
        if given_up:
            self.stdout.write(f"nothing holds all wishes; given up: {given_up}")
        self._table("without rules", both.without)
        self._table("with rules" if both.changed else "with rules (the same)", both.with_rules)
        for candidate in both.beside:
            self.stdout.write(
                f"  + {candidate.product.sku:<22} {candidate.variant.price:>9}  with 1, once chosen: {candidate.product.title}"
            )

    def _table(self, title: str, slate: Slate) -> None:
        self.stdout.write(f"{title}:")
        for place, candidate in enumerate(slate.shown, 1):
            rule = candidate.features.get("rule", 0.0)
            self.stdout.write(
                f"  {place}. {candidate.product.sku:<22} {candidate.variant.price:>9}  score {candidate.score:6.3f}"
                f"{f'  rule {rule:+.2f}' if rule else ''}  {candidate.product.title}"
            )
        if not slate.shown:
            self.stdout.write("  nothing")
