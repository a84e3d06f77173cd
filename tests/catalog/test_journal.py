"""What a set of changes did can be taken back, and only that."""

from decimal import Decimal

import pytest

from catalog import bulk, journal
from catalog.editing import edit
from catalog.ingest.records import ProductRecord, VariantRecord
from catalog.ingest.write import foresee_products, upsert_products
from catalog.journal import Journal, images, undo
from catalog.models import (
    AttributeValue,
    Category,
    ChangeSet,
    Customer,
    Interaction,
    MerchandisingRule,
    Product,
    Variant,
)
from tests.factories import ProductFactory, ShopFactory, VariantFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return ShopFactory(slug="alpina")


def pack(sku="1", *, price="50.00", stock=3, variants=(), **said) -> ProductRecord:
    return ProductRecord(
        **{
            "sku": sku,
            "title": "Trail Pack",
            "category": ("Bags", "Backpacks"),
            "variants": tuple(variants) or (VariantRecord(sku, Decimal(price), stock),),
            "attributes": {"color": ["green"]},
            **said,
        }
    )


def write(shop, *records) -> ChangeSet:
    change_set = ChangeSet.objects.create(shop=shop, kind="file", name="feed.csv", task="write")
    upsert_products(shop, records, watcher=Journal(change_set))
    return change_set


def everything(shop):
    """All that an import may touch, with the ids and the texts for search."""
    products = Product.objects.filter(shop=shop).order_by("sku")
    values = AttributeValue.objects.filter(shop=shop, product_count__gt=0).order_by("value")
    return (
        list(products.values("id", *journal.FIELDS, "sku", "document", "text_digest")),
        list(Variant.objects.filter(product__shop=shop).order_by("sku").values()),
        list(Category.objects.filter(shop=shop).order_by("path").values()),
        list(values.values("value", "names", "product_count")),
    )


def test_an_undo_puts_back_exactly_what_was_there(shop):
    variants = [VariantRecord("S", Decimal("10.00"), 1), VariantRecord("M", Decimal("11.00"), 2)]
    write(shop, pack("1", variants=variants, description="Old", translations={"zh": {"title": "背包"}}), pack("2"))
    before = everything(shop)
    changes = write(
        shop,
        pack(
            "1", title="New", category=("Other things",), variants=[VariantRecord("M", Decimal("12.50"), 0)],
            description="New", attributes={"color": ["red"]}, names={("color", "red"): {"zh": ["红色"]}},
        ),
        pack("2"),
        pack("3", category=("Other things", "Deep")),
    )  # fmt: skip
    assert everything(shop) != before
    assert undo(changes) == {"undone": 2, "kept": 0}
    assert everything(shop) == before


def test_a_second_undo_changes_nothing(shop):
    write(shop, pack("1"))
    changes = write(shop, pack("1", price="60.00"))
    undo(changes)
    edit(Product.objects.get(), "price", "61", "50.00")
    undo(changes)
    assert Variant.objects.get().price == 61


def test_what_was_edited_since_stays_and_is_named_and_the_rest_goes_back(shop):
    write(shop, pack("1"), pack("2"))
    changes = write(shop, pack("1", price="60.00"), pack("2", price="60.00"), pack("3"))
    edit(Product.objects.get(sku="1"), "price", "65.00", "60.00")
    edit(Product.objects.get(sku="3"), "title", "Mine", "Trail Pack")
    assert undo(changes) == {"undone": 1, "kept": 2}
    assert dict(Variant.objects.values_list("product__sku", "price")) == {"1": 65, "2": 50, "3": 50}
    assert set(changes.changed.exclude(kept="").values_list("sku", "kept")) == {("1", "changed"), ("3", "changed")}


def test_an_edit_in_another_respect_is_no_hindrance_and_is_kept(shop):
    write(shop, pack("1"))
    changes = write(shop, pack("1", price="60.00"))
    edit(Product.objects.get(), "title", "Better words", "Trail Pack")
    edit(Product.objects.get(), "active", "off", "on")
    assert undo(changes) == {"undone": 1, "kept": 0}
    product = Product.objects.get()
    assert (product.title, product.active, product.variants.get().price) == ("Better words", False, 50)


@pytest.mark.parametrize("holds", ["an order", "a rule", "nothing"])
def test_a_product_that_it_made_goes_unless_something_holds_on_to_it(shop, holds):
    changes = write(shop, pack("1"))
    product = Product.objects.get()
    if holds == "an order":
        customer = Customer.objects.create(shop=shop, key="c")
        Interaction.objects.create(shop=shop, customer=customer, product=product, kind="order", at=product.updated_at)
    if holds == "a rule":
        MerchandisingRule.objects.create(shop=shop, name="Mine", kind="boost").products.add(product)
    undo(changes)
    assert Product.objects.filter(sku="1").exists() == (holds != "nothing")
    assert changes.changed.get().kept == ("" if holds == "nothing" else "used")


def test_another_shop_s_products_of_the_same_sku_are_left_alone(shop):
    theirs = ProductFactory(sku="1", title="Theirs")
    changes = write(shop, pack("1"))
    undo(changes)
    assert list(Product.objects.all()) == [theirs]


def test_a_run_that_is_repeated_after_it_broke_off_keeps_what_was_there_at_first(shop):
    write(shop, pack("1"))
    changes = write(shop, pack("1", price="60.00"))
    edit(Product.objects.get(), "price", "61.00", "60.00")
    upsert_products(shop, [pack("1", price="60.00", title="New")], watcher=Journal(changes))
    undo(changes)
    product = Product.objects.get()
    assert (product.title, product.variants.get().price) == ("Trail Pack", 50)


def test_what_is_foreseen_is_what_comes(shop):
    variants = [VariantRecord("S", Decimal("10.00")), VariantRecord("M", Decimal("11.00"))]
    write(shop, pack("1", variants=variants), pack("2"), pack("3"))
    feed = [pack("1", variants=variants[:1]), pack("2"), pack("3", category=("New",)), pack("4"), pack("4")]
    before = everything(shop)
    foreseen = foresee_products(shop, feed)
    assert everything(shop) == before
    came = upsert_products(shop, feed)
    assert foreseen == came
    assert (came.created, came.updated, came.unchanged, came.withdrawn, len(came.errors)) == (1, 2, 1, 1, 1)


def bulk_set(shop, selection, **change) -> ChangeSet:
    options = {"selection": selection, "change": bulk.Change(**change).to_dict()}
    change_set = ChangeSet.objects.create(shop=shop, kind="bulk", name="bulk", task="write", options=options)
    change_set.counts = bulk.carry_out(change_set)
    return change_set


@pytest.mark.parametrize(
    "change",
    [
        {"action": "hide"},
        {"action": "stock", "number": Decimal(7)},
        {"action": "price", "number": Decimal("-15"), "rounding": "ninety_nine"},
        {"action": "add", "attribute": "material", "value": "wool"},
        {"action": "remove", "attribute": "color", "value": "green"},
    ],
    ids=lambda change: change["action"],
)
def test_a_bulk_change_does_what_its_examples_showed_and_can_be_undone(shop, change):
    products = [ProductFactory(shop=shop, sku=f"P{n}") for n in range(3)]
    VariantFactory(product=products[0], sku="second", price="12.00", attributes={"color": ["green"]})
    untouched, theirs = ProductFactory(shop=shop, sku="P9"), ProductFactory()
    selection = {"ids": [*(product.pk for product in products), theirs.pk]}
    upsert_products(shop, [])
    before, other = images(shop, ["P0", "P1", "P2"]), images(theirs.shop, [theirs.sku])
    shown = {example.after.sku: example for example in bulk.examples(shop, selection, bulk.Change(**change))}
    changes = bulk_set(shop, selection, **change)
    after = images(shop, list(before))
    assert after != before and changes.counts == {"updated": 3, "unchanged": 0}
    for sku, image in after.items():
        assert (shown[sku].after.active, shown[sku].after.attributes) == (image["active"], image["attributes"])
        for _, variant in shown[sku].variants:
            kept = image[f"variant/{variant.sku}"]
            assert (str(variant.price), variant.stock) == (kept["price"], kept["stock"])
    assert images(shop, ["P9"])["P9"]["active"] and untouched.sku not in shown
    assert images(theirs.shop, [theirs.sku]) == other
    undo(changes)
    assert images(shop, list(before)) == before


def test_a_change_of_prices_that_broke_off_raises_none_twice(shop):
    products = [ProductFactory(shop=shop) for _ in range(2)]
    selection = {"ids": [product.pk for product in products]}
    changes = bulk_set(shop, selection, action="price", number=Decimal(10))
    bulk.carry_out(changes)
    assert set(Variant.objects.values_list("price", flat=True)) == {Decimal("53.90")}


@pytest.mark.parametrize(
    ("price", "percent", "rounding", "became"),
    [
        ("19.99", "10", "cent", "21.99"),
        ("19.99", "10", "ninety_nine", "21.99"),
        ("20.40", "0", "ninety_nine", "19.99"),
        ("0.30", "-50", "ninety_nine", "0.99"),
        ("12.49", "0", "whole", "12.00"),
        ("0.00", "50", "ninety_nine", "0.00"),
        ("9999999999.99", "50", "cent", "9999999999.99"),
        ("10.00", "-100", "cent", "0.00"),
    ],
)
def test_prices_are_rounded_as_asked(price, percent, rounding, became):
    assert bulk.repriced(Decimal(price), Decimal(percent), rounding) == Decimal(became)
