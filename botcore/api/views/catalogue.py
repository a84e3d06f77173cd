"""Products, and what customers did with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from botcore import audit
from botcore.api import batches, reading
from botcore.api.base import ApiView, one
from botcore.api.bodies import (
    InteractionBatch,
    InteractionItem,
    InteractionQuery,
    ProductBatch,
    ProductItem,
    ProductPatch,
    ProductQuery,
)
from botcore.api.document import page_of
from botcore.api.errors import Fault, Problem
from botcore.api.fields import SOON
from botcore.api.idempotency import once
from botcore.api.rows import BatchRow, InteractionRow, ProductRow, shown
from botcore.roles import Right
from catalog.ingest.cells import parse_address, prose
from catalog.ingest.interactions import InteractionRecord, add_interactions
from catalog.ingest.records import ProductRecord, RowError, VariantRecord
from catalog.ingest.vocabulary import recount
from catalog.ingest.write import ImportReport, Unwatched, upsert_products
from catalog.journal import Difference, differences
from catalog.models import Interaction, Product, Shop


def _products(shop: Shop) -> QuerySet[Product]:
    rows = Product.objects.filter(shop=shop).defer("embedding", "search_vector", "document")
    return rows.select_related("category").prefetch_related("variants")


class Products(ApiView):
    rights = {"GET": Right.READ}

    @extend_schema(operation_id="list_products", parameters=[ProductQuery], responses=page_of(ProductRow))
    def get(self, request: Request) -> Response:
        """Products, newest first."""
        query = reading.asked(ProductQuery, request)
        rows = _products(self.shop)
        if "sku" in query:
            rows = rows.filter(sku=query["sku"])
        if "category" in query:
            path = query["category"]
            rows = rows.filter(Q(category__path=path) | Q(category__path__startswith=f"{path}/"))
        if "active" in query:
            rows = rows.filter(active=query["active"])
        if "updated_since" in query:
            rows = rows.filter(updated_at__gte=query["updated_since"])
        return reading.page(request, rows, query, shown(ProductRow))


class ProductsBatch(ApiView):
    rights = {"POST": Right.SELL}

    @extend_schema(
        operation_id="upsert_products",
        request=ProductBatch,
        responses={200: BatchRow, 207: BatchRow},
    )
    @once
    def post(self, request: Request) -> Response:
        """Create or update products by their SKU. Products that no item names are left alone."""
        return batches.carried_out(request, ProductItem, self._store)

    def _store(self, items: list[tuple[int, dict[str, Any]]]) -> tuple[list[str], list[RowError]]:
        records, errors = [], []
        for place, said in items:
            try:
                records.append(_record(said, place))
            except ValueError as error:
                errors.append(RowError(place, str(error)))
        watcher = OneEntry(self.shop)
        report = upsert_products(self.shop, records, watcher=watcher)
        watcher.note(report)
        return report.outcomes, [*errors, *report.errors]


class OneEntry(Unwatched):
    """A batch of products is one deed in the audit log, with what each product was and became."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.changed: dict[str, Difference] = {}

    @contextmanager
    def products(self, skus: Sequence[str]) -> Iterator[None]:
        with audit.unrecorded(), differences(self.shop, skus) as told:
            yield
        self.changed |= told

    def note(self, report: ImportReport) -> None:
        """Enter what was changed, by SKU, if anything was."""
        if self.changed:
            label = f"{report.created} created, {report.updated} updated"
            audit.note(audit.Action.CHANGED, "product", label=label, shop=self.shop, changes=self.changed)


class OneProduct(ApiView):
    rights = {"GET": Right.READ, "PATCH": Right.SELL}

    @extend_schema(operation_id="get_product", responses=ProductRow)
    def get(self, request: Request, id: int) -> Response:
        """One product, with its ETag."""
        return reading.state(request, ProductRow(one(_products(self.shop), pk=id)).data)

    @extend_schema(operation_id="change_product", request=ProductPatch, responses=ProductRow)
    def patch(self, request: Request, id: int) -> Response:
        """Change what the body names, where the product is still as `If-Match` says."""
        change = reading.told(ProductPatch, request)
        with transaction.atomic():
            shop = Shop.objects.select_for_update(no_key=True).get(pk=self.shop.pk)
            product = one(_products(shop), pk=id)
            reading.unchanged(request, ProductRow(product).data)
            _change(shop, product, change)
        return reading.state(request, ProductRow(one(_products(self.shop), pk=id)).data)


class Interactions(ApiView):
    rights = {"GET": Right.READ}

    @extend_schema(operation_id="list_interactions", parameters=[InteractionQuery], responses=page_of(InteractionRow))
    def get(self, request: Request) -> Response:
        """What customers did, newest first."""
        query = reading.asked(InteractionQuery, request)
        rows = Interaction.objects.filter(shop=self.shop).select_related("customer", "product__shop")
        rows = rows.defer("product__embedding", "product__search_vector", "product__document")
        if "customer" in query:
            rows = rows.filter(customer__key=query["customer"])
        if "sku" in query:
            rows = rows.filter(product__sku=query["sku"])
        if "kind" in query:
            rows = rows.filter(kind=query["kind"])
        if "since" in query:
            rows = rows.filter(at__gte=query["since"])
        return reading.page(request, rows, query, shown(InteractionRow))


class InteractionsBatch(ApiView):
    rights = {"POST": Right.SELL}

    @extend_schema(
        operation_id="add_interactions",
        request=InteractionBatch,
        responses={200: BatchRow, 207: BatchRow},
    )
    @once
    def post(self, request: Request) -> Response:
        """Tell what customers did with products. A repeated item counts twice: send an Idempotency-Key."""
        return batches.carried_out(request, InteractionItem, self._store)

    def _store(self, items: list[tuple[int, dict[str, Any]]]) -> tuple[list[str], list[RowError]]:
        records = [InteractionRecord(**said, line=place) for place, said in items]
        errors = add_interactions(self.shop, records, timezone.now() + SOON)
        return ["created"] * (len(records) - len(errors)), errors


def _change(shop: Shop, product: Product, change: dict[str, Any]) -> None:
    """Store a change by the way of every feed. Raises ``Problem`` for what the catalogue refuses."""
    active = change.pop("active", product.active)
    if change:
        try:
            record = _record({**_said_of(product), **change}, 0)
        except ValueError as error:
            raise Problem("refused", str(error), [Fault(str(error), "#")]) from error
        report = upsert_products(shop, [record])
        if report.errors:
            reason = report.errors[0].reason
            raise Problem("refused", reason, [Fault(reason, "#")])
    if active != product.active:
        Product.objects.filter(pk=product.pk).update(active=active, updated_at=timezone.now())
        recount(shop)


def _said_of(product: Product) -> dict[str, Any]:
    """A product as an item would say it: what its variants say of themselves is not said of the product."""
    variants = [
        {"sku": row.sku, "price": row.price, "stock": row.stock, "attributes": row.attributes, "image": row.image}
        for row in product.variants.all()
    ]
    of_variants = {"brand", *(name for variant in variants for name in variant["attributes"])}
    return {
        "sku": product.sku,
        "title": product.title,
        "category": product.category.path.split("/"),
        "attributes": {name: values for name, values in product.attributes.items() if name not in of_variants},
        "variants": variants,
    }


def _record(said: dict[str, Any], place: int) -> ProductRecord:
    """An item as the catalogue reads it. Raises ``ValueError`` with what to write instead."""
    variants = [
        VariantRecord(**{**variant, "image": parse_address("image", variant["image"], relative=True)})
        for variant in said["variants"]
    ]
    return ProductRecord(
        sku=said["sku"],
        title=prose(said["title"]),
        description=prose(said.get("description", "")),
        category=tuple(said["category"]),
        variants=tuple(variants),
        brand=said.get("brand", ""),
        attributes=said["attributes"],
        translations=said.get("translations", {}),
        image=parse_address("image", said.get("image", ""), relative=True),
        url=parse_address("url", said.get("url", ""), relative=False),
        rating=said.get("rating"),
        rating_count=said.get("rating_count", 0),
        line=place,
    )
