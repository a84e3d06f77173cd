"""Who gets in, and what they see."""

import pytest
from django.test import Client
from django.urls import reverse

from admin_console import navigation
from admin_console.urls import urlpatterns
from tests.factories import PASSWORD, ConversationFactory, FeedbackFactory, ShopFactory, TurnFactory, UserFactory
from tests.furnished import address, furnish

pytestmark = pytest.mark.django_db

FOR_MERCHANTS = [pattern for pattern in urlpatterns if hasattr(pattern.callback, "right")]


@pytest.mark.parametrize("pattern", FOR_MERCHANTS, ids=lambda pattern: pattern.name)
def test_no_page_for_merchants_is_kept_by_a_cache(merchant, shop, pattern):
    furnish(shop, 7_000_001)
    assert "no-store" in merchant.get(address(pattern, 7_000_001)).headers["Cache-Control"]


def test_the_login_leads_back_to_the_page_that_was_asked_for(client):
    response = client.get(reverse("console:rules"))
    assert response.url == f"{reverse('console:login')}?next={reverse('console:rules')}"


def test_a_merchant_logs_in_and_out(client, shop):
    UserFactory(username="mei", shops=[shop])
    page = client.get(reverse("console:home"), follow=True)
    assert "<h1>Log in</h1>" in page.content.decode()
    response = client.post(page.request["PATH_INFO"], {"username": "mei", "password": PASSWORD})
    assert (response.status_code, response.url) == (302, reverse("console:home"))
    assert client.get(reverse("console:home")).status_code == 200

    assert client.get(reverse("console:logout")).status_code == 405
    assert client.post(reverse("console:logout")).url == reverse("console:login")
    assert client.get(reverse("console:home")).status_code == 302


def test_a_wrong_password_is_said_and_the_name_is_kept(client):
    UserFactory(username="mei")
    page = client.post(reverse("console:login"), {"username": "mei", "password": "wrong"}).content.decode()
    assert "do not belong together" in page
    assert 'value="mei"' in page


def test_too_many_wrong_passwords_lock_the_login_with_a_message_in_the_reader_s_language(client, settings):
    settings.AXES_FAILURE_LIMIT = 2
    UserFactory(username="mei")
    for _ in range(settings.AXES_FAILURE_LIMIT):
        client.post(reverse("console:login"), {"username": "mei", "password": "wrong"})
    right = {"username": "mei", "password": PASSWORD}
    response = client.post(reverse("console:login"), right)
    assert response.status_code == 429
    assert "Try again in 15 min." in response.content.decode()
    chinese = client.post(reverse("console:login"), right, headers={"Accept-Language": "zh-CN"})
    assert "请在 15 分钟后重试" in chinese.content.decode()


def test_a_merchant_sees_the_own_shop_s_conversations_and_no_other(merchant, shop):
    TurnFactory(conversation__shop=shop, text="ours")
    theirs = TurnFactory(text="theirs")
    FeedbackFactory(turn=theirs, kind="down")
    page = merchant.get(reverse("console:home"))
    assert "ours" in page.content.decode()
    assert "theirs" not in page.content.decode()
    assert page.context["page"].paginator.count == 1
    assert (page.context["numbers"].replies, page.context["numbers"].opinions) == (1, {})


def test_another_shop_s_addresses_do_not_exist_for_a_merchant(merchant):
    theirs = TurnFactory().conversation
    theirs.waiting_for_person = True
    theirs.save()
    assert merchant.get(reverse("console:conversation", args=[theirs.key])).status_code == 404
    assert merchant.post(reverse("console:hand_back", args=[theirs.key])).status_code == 404
    assert merchant.post(reverse("console:take_over", args=[theirs.key])).status_code == 404
    assert merchant.get(reverse("console:home"), {"shop": theirs.shop.slug}).status_code == 404
    theirs.refresh_from_db()
    assert theirs.waiting_for_person


def test_staff_see_every_shop(staff, shop):
    others = ConversationFactory()
    ConversationFactory(shop=shop)
    assert staff.get(reverse("console:home")).context["page"].paginator.count == 2
    assert staff.get(reverse("console:conversation", args=[others.key])).status_code == 200
    narrowed = staff.get(reverse("console:home"), {"shop": "pine"})
    assert [row.conversation.shop for row in narrowed.context["rows"]] == [shop]


def test_a_form_of_another_site_cannot_hand_a_conversation_back(shop):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(UserFactory(shops=[shop]), backend="django.contrib.auth.backends.ModelBackend")
    waiting = ConversationFactory(shop=shop, waiting_for_person=True)
    assert browser.post(reverse("console:hand_back", args=[waiting.key])).status_code == 403


def test_a_member_of_no_shop_is_told_whom_to_ask(client, db):
    ShopFactory(name="Elsewhere")
    client.force_login(UserFactory(), backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("console:home")).content.decode()
    assert "make you a member of your shop" in page
    assert "Elsewhere" not in page


def test_every_room_is_once_in_the_menu_and_every_page_lies_in_one_at_most():
    rooms = [room for wing in navigation.WINGS for room in wing.rooms]
    places = [name for room in rooms for name in (room.address, *room.pages)]
    assert len(places) == len(set(places))
    assert len({str(wing.label) for wing in navigation.WINGS}) == len(navigation.WINGS)
    assert set(places) <= {pattern.name for pattern in urlpatterns}
