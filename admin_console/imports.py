"""What a change set did, in words: each product with its values before and after, and which steps are open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from admin_console import labels
from botcore.dialogue.facts import format_price
from catalog.journal import VARIANT
from catalog.models import Category, ChangedProduct, ChangeSet, Product, Shop

Task, Status = ChangeSet.Task, ChangeSet.Status
LONGEST = 60
"""Letters of a value that are shown."""


@dataclass(frozen=True)
class Difference:
    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Changed:
    """A product of a change set; ``product`` is None where it is no longer there, ``made`` whether the set made it."""

    row: ChangedProduct
    product: Product | None
    made: bool
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Steps:
    """What can be asked next."""

    write: bool
    go_on: bool
    undo: bool
    discard: bool


def steps(change_set: ChangeSet) -> Steps:
    """What ``botcore.change_sets`` would take of a change set as it is."""
    task, settled = change_set.task, change_set.status in (Status.DONE, Status.FAILED)
    checked = task == Task.CHECK and change_set.status == Status.DONE
    counts = change_set.counts
    return Steps(
        write=checked and bool(counts.get("created") or counts.get("updated")),
        go_on=task == Task.WRITE and change_set.status == Status.FAILED,
        undo=(settled and task != Task.CHECK and change_set.changed.filter(undone=False, kept="").exists())
        or (settled and task == Task.WRITE and bool(change_set.names or change_set.categories)),
        discard=settled and task == Task.CHECK,
    )  # fmt: skip


def changes(shop: Shop, rows: Iterable[ChangedProduct]) -> list[Changed]:
    """Rows of a change set in words: two queries, however many."""
    page = list(rows)
    own = Product.objects.filter(shop=shop, sku__in=[row.sku for row in page]).only("sku", "title", "shop")
    products = {product.sku: product for product in own}
    categories = dict(Category.objects.filter(shop=shop).values_list("pk", "path"))
    return [
        Changed(row, products.get(row.sku), row.before is None, tuple(_differences(row, shop, categories))) for row in page
    ]  # fmt: skip


def _differences(row: ChangedProduct, shop: Shop, categories: dict[int, str]) -> Iterable[Difference]:
    if row.before is None:
        return
    for name, after in row.after.items():
        before = row.before.get(name)
        if name.startswith(VARIANT):
            yield from _of_variant(name.removeprefix(VARIANT), before, after, shop)
        elif name == "category_id":
            yield Difference(_name(name), categories.get(before, "–"), categories.get(after, "–"))
        else:
            yield Difference(_name(name), _words(before), _words(after))


def _of_variant(sku: str, before: Any, after: Any, shop: Shop) -> Iterable[Difference]:
    if not before or not after:
        yield Difference(sku, _price(before, shop), _price(after, shop))
        return
    for name in ("price", "stock", "attributes", "image"):
        if before[name] != after[name]:
            ends = (_price(before, shop), _price(after, shop)) if name == "price" else (before[name], after[name])
            yield Difference(f"{sku} · {_name(name)}", *map(_words, ends))


def _price(variant: Any, shop: Shop) -> str:
    return format_price(Decimal(variant["price"]), shop.currency) if variant else "–"


def _name(name: str) -> str:
    return labels.label(labels.catalogue.FIELDS, name)


def _words(value: Any) -> str:
    """A stored value as text."""
    if isinstance(value, dict):
        value = "; ".join(f"{name}: {_words(inner)}" for name, inner in sorted(value.items()))
    elif isinstance(value, list):
        value = ", ".join(map(str, value))
    elif isinstance(value, bool):
        value = "✓" if value else "–"
    text = "–" if value in (None, "") else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
