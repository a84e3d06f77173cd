"""What customers did, as a shop's own systems tell it: views, carts, orders and reviews."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from catalog.ingest.records import RowError
from catalog.models import Customer, Interaction, Product, Shop

Kind = Interaction.Kind


@dataclass(frozen=True)
class InteractionRecord:
    """``customer`` is the shop's own number of a person, ``sku`` a product's; ``rating`` is of a review, 1 to 5."""

    customer: str
    sku: str
    kind: str
    at: datetime
    quantity: int = 1
    rating: int | None = None
    text: str = ""
    language: str = ""
    line: int = 0


@transaction.atomic
def add_interactions(shop: Shop, records: Sequence[InteractionRecord], now: datetime) -> list[RowError]:
    """Store what was done with products that there are, making the customers that there are not; what did not go in."""
    skus = {record.sku for record in records}
    products = dict(Product.objects.filter(shop=shop, sku__in=skus).values_list("sku", "pk"))
    problems = {record.line: _problem(record, record.sku in products, now) for record in records}
    sound = [record for record in records if not problems[record.line]]
    people = sorted({record.customer for record in sound})
    Customer.objects.bulk_create([Customer(shop=shop, key=key) for key in people], ignore_conflicts=True)
    customers = dict(Customer.objects.filter(shop=shop, key__in=people).values_list("key", "pk"))
    Interaction.objects.bulk_create(
        Interaction(
            shop=shop,
            customer_id=customers[record.customer],
            product_id=products[record.sku],
            kind=record.kind,
            at=record.at,
            quantity=record.quantity,
            rating=record.rating,
            text=record.text,
            language=record.language,
        )
        for record in sound
    )
    return [RowError(line, problem) for line, problem in problems.items() if problem]


def _problem(record: InteractionRecord, sold: bool, now: datetime) -> str:
    if not sold:
        return f"the shop has no product with the SKU {record.sku}: send the product first"
    if record.at > now:
        return "at lies in the future: send what has happened"
    if record.kind == Kind.REVIEW and record.rating is None:
        return "a review needs a rating from 1 to 5"
    if record.kind != Kind.REVIEW and (record.rating is not None or record.text):
        return "only a review has a rating and a text"
    return ""
