"""Links from what customers did, on a real database; what merchants said outlives them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from catalog.graph import links
from catalog.graph.build import Rebuilt, rebuild
from catalog.models import Customer, Interaction, ProductLink
from tests.factories import CategoryFactory, ProductFactory, ShopFactory

pytestmark = pytest.mark.django_db
Kind, Origin = ProductLink.Kind, ProductLink.Origin
NOW = datetime(2026, 11, 1, tzinfo=UTC)


class Till:
    """Fills a shop with goods and with what customers did."""

    def __init__(self) -> None:
        self.shop = ShopFactory()
        self.goods = {}
        for category, count in (("lamps", 8), ("bulbs", 8), ("chairs", 8)):
            row = CategoryFactory(shop=self.shop, path=category)
            for number in range(count):
                sku = f"{category}-{number}"
                price = Decimal(10 if category == "bulbs" else 80)
                self.goods[sku] = ProductFactory(
                    shop=self.shop, category=row, sku=sku, title=f"{number} {sku}", variant__price=price
                )
        self.visits = 0

    def visit(self, *did: str, days_ago: float = 10) -> None:
        """A customer of its own; ``view lamps-1`` or ``order lamps-1``, a minute apart."""
        self.visits += 1
        customer = Customer.objects.create(shop=self.shop, key=f"c{self.visits}")
        at = NOW - timedelta(days=days_ago)
        Interaction.objects.bulk_create(
            Interaction(
                shop=self.shop, customer=customer, product=self.goods[words.split()[1]], kind=words.split()[0],
                at=at + timedelta(minutes=minute),
            )
            for minute, words in enumerate(did)
        )  # fmt: skip

    def noise(self) -> None:
        """Everything is bought alone, and some things once with another."""
        for number in range(8):
            for category in ("lamps", "bulbs", "chairs"):
                for _ in range(3):
                    self.visit(f"view {category}-{number}", f"order {category}-{number}")
        for number in range(3):
            self.visit(f"order lamps-{number}", f"order chairs-{number + 3}")

    def stored(self, kind: str) -> set[tuple[str, str]]:
        rows = ProductLink.objects.filter(shop=self.shop, kind=kind).exclude(origin=Origin.VETO)
        return set(rows.values_list("source__sku", "target__sku"))


@pytest.fixture
def till() -> Till:
    till = Till()
    till.noise()
    return till


def test_bought_together_across_categories_goes_together_both_ways(till):
    for _ in range(5):
        till.visit("order lamps-1", "order chairs-6")
    rebuild(till.shop, NOW)
    assert till.stored(Kind.GOES_WITH) == {("lamps-1", "chairs-6"), ("chairs-6", "lamps-1")}
    link = ProductLink.objects.get(source__sku="lamps-1", target__sku="chairs-6")
    assert (link.origin, link.support) == (Origin.CO_PURCHASE, 5) and link.weight > 0.2


def test_the_small_thing_that_comes_with_the_dear_one_is_its_accessory(till):
    for _ in range(5):
        till.visit("cart lamps-1", "order lamps-1", "cart bulbs-2", "order bulbs-2")
    rebuild(till.shop, NOW)
    assert till.stored(Kind.ACCESSORY_OF) == {("bulbs-2", "lamps-1")}
    assert till.stored(Kind.GOES_WITH) == set()


def test_a_basket_is_one_visit_not_a_lifetime(till):
    for _ in range(5):
        till.visit("order lamps-1", days_ago=20)
        customer = Customer.objects.latest("pk")
        Interaction.objects.create(
            shop=till.shop, customer=customer, product=till.goods["chairs-6"], kind="order", at=NOW - timedelta(days=2)
        )
    rebuild(till.shop, NOW)
    assert till.stored(Kind.GOES_WITH) == set()


def test_looked_at_together_and_never_bought_together_is_a_substitute(till):
    for _ in range(8):
        till.visit("view lamps-1", "view lamps-2")
        till.visit("view lamps-3", "view lamps-4")
        till.visit("view lamps-5", "view lamps-6")
        till.visit("view lamps-0", "view lamps-7")
    till.visit("order lamps-3", "order lamps-4")
    rebuild(till.shop, NOW)
    found = till.stored(Kind.SUBSTITUTE_FOR)
    assert {("lamps-1", "lamps-2"), ("lamps-2", "lamps-1"), ("lamps-5", "lamps-6")} <= found
    assert ("lamps-3", "lamps-4") not in found and not any(one.split("-")[0] != two.split("-")[0] for one, two in found)


def test_what_was_long_ago_and_what_is_not_sold_any_more_say_nothing(till):
    for _ in range(5):
        till.visit("order lamps-1", "order chairs-6", days_ago=500)
        till.visit("order lamps-2", "order chairs-5")
    till.goods["chairs-5"].active = False
    till.goods["chairs-5"].save()
    rebuild(till.shop, NOW)
    assert till.stored(Kind.GOES_WITH) == set()


def test_a_second_rebuild_writes_nothing_and_a_changed_world_only_the_difference(till):
    for _ in range(5):
        till.visit("order lamps-1", "order chairs-6")
    first = rebuild(till.shop, NOW)
    kept = set(ProductLink.objects.values_list("pk", flat=True))
    assert rebuild(till.shop, NOW) == Rebuilt(first.links, 0)
    assert set(ProductLink.objects.values_list("pk", flat=True)) == kept
    Interaction.objects.filter(product=till.goods["chairs-6"]).delete()
    assert rebuild(till.shop, NOW).written == first.links
    assert not ProductLink.objects.exists()


def test_what_the_shop_said_survives_every_rebuild(till):
    for _ in range(5):
        till.visit("order lamps-1", "order chairs-6")
    rebuild(till.shop, NOW)
    links.veto(till.goods["chairs-6"], till.goods["lamps-1"])
    links.add(till.goods["lamps-2"], till.goods["bulbs-0"], Kind.GOES_WITH)
    for _ in range(2):
        rebuild(till.shop, NOW)
        assert till.stored(Kind.GOES_WITH) == {("lamps-2", "bulbs-0"), ("bulbs-0", "lamps-2")}
        assert ProductLink.objects.filter(origin=Origin.VETO).count() == 1
    links.remove(till.goods["lamps-1"], till.goods["chairs-6"], Kind.GOES_WITH)
    rebuild(till.shop, NOW)
    assert ("lamps-1", "chairs-6") in till.stored(Kind.GOES_WITH)


def test_a_shop_s_own_link_is_not_overwritten_by_statistics(till):
    links.add(till.goods["lamps-1"], till.goods["chairs-6"], Kind.GOES_WITH)
    for _ in range(5):
        till.visit("order lamps-1", "order chairs-6")
    rebuild(till.shop, NOW)
    assert set(ProductLink.objects.values_list("origin", flat=True)) == {Origin.MERCHANT}


def test_shops_do_not_see_each_other(till):
    other = Till()
    other.noise()
    for _ in range(5):
        other.visit("order lamps-1", "order chairs-6")
    rebuild(till.shop, NOW)
    rebuild(other.shop, NOW)
    assert till.stored(Kind.GOES_WITH) == set() and len(other.stored(Kind.GOES_WITH)) == 2
    with pytest.raises(ValueError, match="two shops"):
        links.add(till.goods["lamps-1"], other.goods["lamps-1"], Kind.GOES_WITH)
    with pytest.raises(ValueError, match="itself"):
        links.veto(till.goods["lamps-1"], till.goods["lamps-1"])


def test_links_of_a_series_are_read_from_titles():
    shop = ShopFactory()
    for sku, title in (("a", "Tern Lamp"), ("b", "Tern Chair"), ("c", "Vole Chair")):
        ProductFactory(shop=shop, sku=sku, title=title, brand="Arden", category__path=f"home/{sku}")
    rebuild(shop, NOW)
    found = set(ProductLink.objects.values_list("source__sku", "target__sku", "kind"))
    assert found == {("a", "b", Kind.SAME_SERIES), ("b", "a", Kind.SAME_SERIES)}
