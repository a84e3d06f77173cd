"""Who gets in, and what they see."""

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from admin_console.urls import urlpatterns
from botcore.models import Alert, TrainingRun
from tests.factories import (
    PASSWORD,
    AccountFactory,
    ConversationFactory,
    DatasetFactory,
    FeedbackFactory,
    ModelVersionFactory,
    ProductFactory,
    ShopFactory,
    TopicFactory,
    TurnFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

NOBODYS = uuid.UUID(int=1)
FOR_MERCHANTS = [pattern for pattern in urlpatterns if pattern.name not in {"login", "logout", "language"}]


def _address(pattern, key: uuid.UUID = NOBODYS, pk: int = 0) -> str:
    values = {"key": key, "pk": pk, "number": 1, "channel": "telegram"}
    return reverse(f"console:{pattern.name}", kwargs={name: values[name] for name in pattern.pattern.converters})


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("pattern", FOR_MERCHANTS, ids=lambda pattern: pattern.name)
def test_every_page_sends_a_stranger_to_the_login(client, pattern, method):
    response = getattr(client, method)(_address(pattern))
    assert response.status_code == 302
    assert response.url == f"{reverse('console:login')}?next={_address(pattern)}"


@pytest.mark.parametrize("pattern", FOR_MERCHANTS, ids=lambda pattern: pattern.name)
def test_no_page_for_merchants_is_kept_by_a_cache(merchant, shop, pattern):
    snapshot = DatasetFactory(shop=shop)
    run = TrainingRun.objects.create(shop=shop, dataset=snapshot, recipe="sft")
    account = AccountFactory(shop=shop)
    topic = TopicFactory(stream__shop=shop)
    surge = Alert.objects.create(
        shop=shop,
        subject=f"surge: {topic.pk}",
        measured={"topic": topic.pk, "people": 5, "hours": 1, "share": 1, "chance": 0.1, "items": [], "quotes": []},
    )
    rows = {"snapshot": snapshot, "run": run, "version": ModelVersionFactory(shop=shop), "account": account}
    rows |= {"stream": topic.stream, "surge": surge, "draft_article": surge}
    row = rows.get(pattern.name) or ProductFactory(shop=shop)
    address = _address(pattern, ConversationFactory(shop=shop).key, row.pk)
    assert "no-store" in merchant.get(address).headers["Cache-Control"]


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
