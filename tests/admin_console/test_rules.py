"""Merchandising rules in the console: stored switched off, looked at, switched on."""

import pytest
from django.urls import reverse

from catalog.models import MerchandisingRule
from tests.factories import CategoryFactory, ProductFactory, ShopFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def tents(shop):
    shop.diversity = 0
    shop.save()
    category = CategoryFactory(shop=shop, path="tents", name="Tents")
    return [
        ProductFactory(shop=shop, category=category, sku=f"T{n}", title=f"Tent {n}", popularity=90 - 9 * n)
        for n in range(1, 6)
    ]


def sent(**values):
    return {"name": "Tent 5 first", "kind": "pin", "skus": "T5", "place": "1", **values}


def create(browser, shop, **values):
    return browser.post(f"{reverse('console:new_rule')}?shop={shop.slug}", sent(**values))


def test_a_new_rule_is_off_and_its_preview_shows_what_it_would_do(merchant, shop, tents):
    answer = merchant.get(create(merchant, shop, goal=tents[0].category_id).url)
    rule = MerchandisingRule.objects.get()
    assert not rule.active and list(rule.products.all()) == [tents[4]] and rule.goal == "tents"
    both = answer.context["preview"]
    assert [c.product.sku for c in both.without.shown] == ["T1", "T2", "T3"]
    assert [c.product.sku for c in both.with_rules.shown] == ["T5", "T1", "T2"]
    assert "With the rule" in answer.content.decode()


def test_a_rule_is_switched_on_and_off(merchant, shop, tents):
    create(merchant, shop)
    rule = MerchandisingRule.objects.get()
    for wanted in ("on", "off"):
        merchant.post(reverse("console:switch_rule", args=[rule.pk]), {"active": wanted})
        rule.refresh_from_db()
        assert rule.active == (wanted == "on")
    page = merchant.get(reverse("console:rules")).content.decode()
    assert "Tent 5 first" in page and "Pin to a place" in page


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"skus": ""}, "Say which products the rule means"),
        ({"skus": "T1, nonsense"}, "no product nonsense"),
        ({"kind": "goes_with"}, "Say what goes with them"),
        ({"place": "9"}, "less than or equal to 3"),
    ],
    ids=["no product", "an unknown product", "no companion", "no such place"],
)
def test_what_is_missing_is_said_and_nothing_is_stored(merchant, shop, tents, values, said):
    assert said in create(merchant, shop, **values).content.decode()
    assert not MerchandisingRule.objects.exists()


def test_another_shop_s_rules_products_and_categories_do_not_exist(merchant, shop, tents):
    other = ShopFactory(slug="elsewhere")
    theirs = ProductFactory(shop=other, sku="X1")
    rule = MerchandisingRule.objects.create(shop=other, name="Theirs", kind="pin", active=False)
    assert merchant.get(reverse("console:rules"), {"shop": "elsewhere"}).status_code == 404
    assert merchant.get(f"{reverse('console:new_rule')}?shop=elsewhere").status_code == 404
    assert merchant.post(reverse("console:switch_rule", args=[rule.pk]), {"active": "on"}).status_code == 404
    assert "no product X1" in create(merchant, shop, skus="X1").content.decode()
    assert "Select a valid choice" in create(merchant, shop, skus="", category=theirs.category_id).content.decode()
    assert "Theirs" not in merchant.get(reverse("console:rules"), {"preview": rule.pk}).content.decode()
    assert MerchandisingRule.objects.filter(active=True).count() == 0
