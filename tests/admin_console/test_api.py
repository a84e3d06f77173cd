"""The room of the API: tokens, webhooks and what was told to them."""

from __future__ import annotations

import re

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from botcore.models import ApiToken, WebhookEndpoint
from botcore.roles import Right, Role
from botcore.security import unseal
from botcore.webhooks import endpoints
from tests.factories import ShopFactory, UserFactory, WebhookFactory

pytestmark = pytest.mark.django_db

TOKEN = re.compile(r"daogou_[\w-]{43}")


def make(browser: Client, shop: str = "pine", **change: object) -> str:
    form = {"shop": shop, "name": "importer", "lasts": "90", "rights": ["read", "sell"], **change}
    return browser.post(reverse("console:make_token"), form).content.decode()


def test_a_token_is_shown_once_and_works(merchant, client):
    page = make(merchant)
    (token,) = TOKEN.findall(page)
    overview = merchant.get(reverse("console:api")).content.decode()
    assert "importer" in overview and not TOKEN.findall(overview)
    row = ApiToken.objects.get()
    assert (row.rights, row.created_by.memberships.get().shop) == (["read", "sell"], row.shop)
    assert round((row.expires_at - row.created_at).total_seconds() / 86_400) == 90
    assert Client().get("/api/v1/products", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_a_revoked_token_opens_nothing(merchant):
    (token,) = TOKEN.findall(make(merchant))
    page = merchant.post(reverse("console:revoke_token", args=[ApiToken.objects.get().pk]), follow=True)
    assert "The token of “importer” is revoked." in page.content.decode()
    assert Client().get("/api/v1/products", headers={"Authorization": f"Bearer {token}"}).status_code == 401


@pytest.mark.parametrize("change", [{"rights": ["administer"]}, {"rights": []}, {"name": ""}, {"lasts": "9999"}])
def test_a_token_that_cannot_be_is_not_made(merchant, change):
    assert "error" in make(merchant, **change)
    assert not ApiToken.objects.exists()


def test_another_shop_s_tokens_and_webhooks_do_not_exist(merchant):
    elsewhere = ShopFactory(slug="oak")
    theirs = WebhookFactory(shop=elsewhere)
    delivery = endpoints.try_out(theirs)
    token = ApiToken.objects.create(shop=elsewhere, name="n", prefix="p", digest="d", rights=["read"])
    assert merchant.get(reverse("console:api"), {"shop": "oak"}).status_code == 404
    assert merchant.post(reverse("console:make_token"), {"shop": "oak"}).status_code == 404
    assert merchant.post(reverse("console:add_webhook"), {"shop": "oak"}).status_code == 404
    for name, pk in (
        ("revoke_token", token.pk), ("webhook", theirs.pk), ("switch_webhook", theirs.pk), ("test_webhook", theirs.pk),
        ("rotate_webhook", theirs.pk), ("delete_webhook", theirs.pk), ("resend_delivery", delivery.pk),
    ):  # fmt: skip
        assert merchant.post(reverse(f"console:{name}", args=[pk])).status_code == 404
    assert WebhookEndpoint.objects.filter(pk=theirs.pk, active=True).exists()
    assert ApiToken.objects.get().revoked_at is None


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.MERCHANT])
def test_only_owners_enter(client, shop, role):
    client.force_login(UserFactory(shops=[shop], shops__role=role), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(reverse("console:api")).status_code == 403
    assert client.post(reverse("console:make_token"), {"shop": shop.slug}).status_code == 403
    assert reverse("console:api") not in client.get(reverse("console:home")).content.decode()


def test_a_webhook_is_added_with_a_secret_that_is_shown_once(merchant):
    form = {"shop": "pine", "url": "https://shop.example/hook", "events": ["reply.sent", "alert.opened"]}
    page = merchant.post(reverse("console:add_webhook"), form).content.decode()
    row = WebhookEndpoint.objects.get()
    secret = unseal(row.sealed_secrets)["secret"]
    assert secret in page
    assert secret not in merchant.get(reverse("console:webhook", args=[row.pk])).content.decode()
    assert row.events == ["alert.opened", "reply.sent"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"url": "https://10.0.0.8/hook"}, "Write a public address"),
        ({"url": "https://10.0.0.8/hook", "allow_private": "on"}, "Write a public address"),
        ({"url": "ftp://x"}, "Write a public address"),
        ({"events": []}, "This field is required"),
    ],
)
def test_a_webhook_that_cannot_be_is_refused_with_the_reason(merchant, change, why):
    form = {"shop": "pine", "url": "https://shop.example/hook", "events": ["reply.sent"], **change}
    assert why in merchant.post(reverse("console:add_webhook"), form).content.decode()
    assert not WebhookEndpoint.objects.exists()


def test_a_private_address_is_for_staff_to_allow(staff, shop):
    form = {"shop": "pine", "url": "https://10.0.0.8/hook", "events": ["reply.sent"], "allow_private": "on"}
    staff.post(reverse("console:add_webhook"), form)
    assert WebhookEndpoint.objects.get().allow_private


def test_a_merchant_who_changes_the_events_leaves_what_staff_allowed(merchant, shop):
    row = WebhookFactory(shop=shop, url="https://10.0.0.8/hook", allow_private=True)
    form = {"url": "https://10.0.0.8/hook", "events": ["reply.sent"]}
    assert merchant.post(reverse("console:webhook", args=[row.pk]), form).status_code == 302
    row.refresh_from_db()
    assert (row.events, row.allow_private) == (["reply.sent"], True)


def test_a_test_is_told_and_can_be_told_again(merchant, shop):
    row = WebhookFactory(shop=shop)
    merchant.post(reverse("console:test_webhook", args=[row.pk]))
    delivery = row.deliveries.get()
    assert delivery.event == "test"
    page = merchant.post(reverse("console:resend_delivery", args=[delivery.pk]), follow=True).content.decode()
    assert "under way already" in page
    row.deliveries.update(status="failed", error="answered 500")
    assert "answered 500" in merchant.get(reverse("console:webhook", args=[row.pk])).content.decode()
    merchant.post(reverse("console:resend_delivery", args=[delivery.pk]))
    assert row.deliveries.get().status == "pending"


def test_a_webhook_is_switched_rotated_and_deleted(merchant, shop):
    row = WebhookFactory(shop=shop, active=False, switched_off_for="it answered 410", failures=12)
    merchant.post(reverse("console:switch_webhook", args=[row.pk]), {"active": "on"})
    row.refresh_from_db()
    assert (row.active, row.switched_off_for, row.failures) == (True, "", 0)
    before = unseal(row.sealed_secrets)["secret"]
    page = merchant.post(reverse("console:rotate_webhook", args=[row.pk])).content.decode()
    row.refresh_from_db()
    assert unseal(row.sealed_secrets)["secret"] in page and before not in page
    merchant.post(reverse("console:delete_webhook", args=[row.pk]))
    assert not WebhookEndpoint.objects.exists()


def test_every_operation_can_be_tried(merchant):
    page = merchant.get(reverse("console:try_api")).content.decode()
    assert page.count("<form data-method") == 40
    assert 'data-path="/api/v1/products/{id}"' in page


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_makes_a_token_across_shops(shop, capsys):
    ShopFactory(slug="oak")
    call_command("api_token", name="staff", all_shops=True, role="merchant")
    token = capsys.readouterr().out.strip()
    assert TOKEN.fullmatch(token)
    rows = ApiToken.objects.all()
    assert {row.shop.slug for row in rows} == {"pine", "oak"}
    assert {tuple(row.rights) for row in rows} == {("read", "review", "sell", "talk", "watch")}


def test_the_command_gives_single_rights_and_never_administer(shop, capsys):
    call_command("api_token", name="n", shop=["pine"], right=["read"], days=0)
    call_command("api_token", name="n", shop=["pine"], role="owner")
    owner, reader = ApiToken.objects.all()
    assert (reader.rights, reader.expires_at) == (["read"], None)
    assert Right.ADMINISTER not in owner.rights and Right.TEACH in owner.rights


def test_the_command_says_which_shops_there_are(shop):
    with pytest.raises(CommandError, match="there is no shop elm; there are: pine"):
        call_command("api_token", name="n", shop=["elm"], role="owner")
