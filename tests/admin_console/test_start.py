"""The first steps of a shop are read from what is there."""

import pytest
from django.urls import reverse

from botcore import first_steps
from botcore.models import Annotation, AuditEntry
from tests.factories import AccountFactory, ProductFactory, TurnFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_each_step_is_done_by_doing_it(shop):
    def done():
        steps = first_steps.steps(shop)
        return (steps.products, steps.questions, steps.channel, steps.corrected, steps.done)

    assert done() == (False, 0, False, False, 0)
    ProductFactory(shop=shop)
    for _ in range(4):
        turn = TurnFactory(conversation__shop=shop)
    assert done() == (True, 3, False, False, 2)
    AccountFactory(shop=shop, channel="telegram", active=False)
    AccountFactory(shop=shop, channel="slack")
    assert done() == (True, 3, True, False, 3)
    Annotation.objects.create(turn=turn, verdict="approved")
    assert first_steps.steps(shop).done == 3
    Annotation.objects.create(turn=turn, verdict="corrected", author=UserFactory())
    assert first_steps.steps(shop).finished


def test_another_shop_s_doings_are_no_steps_of_this_one(shop):
    TurnFactory()
    ProductFactory()
    assert first_steps.steps(shop).done == 0


def test_an_owner_is_led_from_home_until_everything_is_done_or_dismissed(merchant, shop):
    assert "0 of 4 steps" in merchant.get(reverse("console:home")).content.decode()
    page = merchant.get(reverse("console:start")).content.decode()
    assert f'href="{reverse("console:imports")}?shop=pine"' in page
    assert 'href="/chat/pine/"' in page
    merchant.post(reverse("console:dismiss_start"), {"shop": "pine"})
    assert "of 4 steps" not in merchant.get(reverse("console:home")).content.decode()


def test_who_may_not_take_the_steps_is_not_led(client, shop):
    client.force_login(
        UserFactory(shops=[shop], shops__role="reviewer"), backend="django.contrib.auth.backends.ModelBackend"
    )
    assert "of 4 steps" not in client.get(reverse("console:home")).content.decode()


def test_the_demo_is_not_poured_into_a_shop_that_has_products(merchant, shop):
    ProductFactory(shop=shop)
    page = merchant.post(reverse("console:load_demo"), {"shop": "pine"}, follow=True).content.decode()
    assert "nothing was loaded" in page
    assert shop.products.count() == 1


@pytest.mark.slow
def test_the_demo_fills_an_empty_shop_and_is_one_entry_of_the_log(merchant, shop, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    merchant.post(reverse("console:load_demo"), {"shop": "pine"})
    assert shop.products.count() > 100
    assert shop.articles.exists()
    assert [(row.kind, row.label) for row in AuditEntry.objects.filter(shop_id=shop.pk)] == [
        ("product", "the demo catalogue")
    ]
