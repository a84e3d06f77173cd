"""Who may do what by the API: every route and method, with every role's rights, in the own shop and in another."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from botcore.api import tokens
from botcore.api.tokens import OFFERED
from botcore.api.urls import routes
from botcore.models import Alert, Annotation, ApiToken, TrainingRun
from botcore.roles import RIGHTS, Right, Role
from botcore.webhooks import endpoints
from catalog.models import Shop
from tests.botcore.api.conftest import Api
from tests.factories import (
    DatasetFactory,
    FeedbackFactory,
    ModelVersionFactory,
    ProductFactory,
    ShopFactory,
    TurnFactory,
    WebhookFactory,
)

pytestmark = pytest.mark.django_db

METHODS = ("get", "post", "patch", "delete")
EXPECTED = {
    "products": {"GET": Right.READ},
    "products/batch": {"POST": Right.SELL},
    "products/<int:id>": {"GET": Right.READ, "PATCH": Right.SELL},
    "interactions": {"GET": Right.READ},
    "interactions/batch": {"POST": Right.SELL},
    "conversations": {"GET": Right.READ},
    "conversations/<uuid:key>": {"GET": Right.READ, "PATCH": Right.TALK},
    "conversations/<uuid:key>/turns": {"GET": Right.READ},
    "conversations/<uuid:key>/messages": {"POST": Right.TALK},
    "feedback": {"GET": Right.READ, "POST": Right.REVIEW},
    "annotations": {"GET": Right.READ, "POST": Right.REVIEW},
    "annotations/<int:id>": {"GET": Right.READ, "PATCH": Right.REVIEW},
    "snapshots": {"GET": Right.READ},
    "runs": {"GET": Right.READ, "POST": Right.TEACH},
    "runs/<int:id>": {"GET": Right.READ},
    "runs/<int:id>/stop": {"POST": Right.TEACH},
    "versions": {"GET": Right.READ},
    "versions/rollback": {"POST": Right.TEACH},
    "versions/<int:id>": {"GET": Right.READ},
    "versions/<int:id>/move": {"POST": Right.TEACH},
    "versions/<int:id>/evaluate": {"POST": Right.TEACH},
    "metrics": {"GET": Right.READ},
    "alerts": {"GET": Right.READ},
    "alerts/<int:id>": {"GET": Right.READ},
    "alerts/<int:id>/close": {"POST": Right.WATCH},
    "webhooks": {"GET": Right.CONNECT, "POST": Right.CONNECT},
    "webhooks/<int:id>": {"GET": Right.CONNECT, "PATCH": Right.CONNECT, "DELETE": Right.CONNECT},
    "webhooks/<int:id>/rotate": {"POST": Right.CONNECT},
    "webhooks/<int:id>/test": {"POST": Right.CONNECT},
    "deliveries": {"GET": Right.CONNECT},
    "deliveries/<int:id>/resend": {"POST": Right.CONNECT},
}
"""What the API is meant to allow, written down a second time."""
ROUTES = {str(route.pattern): route.callback.cls for route in routes}  # type: ignore[attr-defined]
CALLS = [(path, method) for path, rights in EXPECTED.items() for method in rights]
OF_ONE = [(path, method) for path, method in CALLS if "<" in path]
BODIES: dict[tuple[str, str], Any] = {
    ("products/batch", "POST"): {
        "items": [{"sku": "N1", "title": "New", "variants": [{"sku": "N1", "price": "5.00", "stock": 1}]}]
    },
    ("products/<int:id>", "PATCH"): {"title": "Another title"},
    ("conversations/<uuid:key>", "PATCH"): {"waiting_for_person": True},
    ("conversations/<uuid:key>/messages", "POST"): {"text": "Hello"},
    ("annotations/<int:id>", "PATCH"): {"reason": "shorter"},
    ("versions/<int:id>/move", "POST"): {"to": "shadow"},
    ("webhooks", "POST"): {"url": "https://shop.example/hook", "events": ["reply.sent"]},
    ("webhooks/<int:id>", "PATCH"): {"active": False},
}


class Rows:
    """A shop with one row of everything, and what names each in an address or a body."""

    def __init__(self, shop: Shop) -> None:
        product = ProductFactory(shop=shop)
        self.turn = TurnFactory(conversation__shop=shop)
        FeedbackFactory(turn=self.turn)
        annotation = Annotation.objects.create(turn=self.turn, verdict="approved")
        self.snapshot = DatasetFactory(shop=shop, approved_at=timezone.now())
        run = TrainingRun.objects.create(shop=shop, dataset=self.snapshot, recipe="sft")
        version = ModelVersionFactory(shop=shop)
        alert = Alert.objects.create(shop=shop, subject="drift: intents", sentence="Changed.")
        webhook = WebhookFactory(shop=shop)
        delivery = endpoints.try_out(webhook)
        ones = {"products": product, "annotations": annotation, "runs": run, "versions": version}
        self.ids = {**ones, "alerts": alert, "webhooks": webhook, "deliveries": delivery}
        self.sku = product.sku

    def address(self, path: str) -> str:
        kind = path.partition("/")[0]
        row = self.ids.get(kind)
        return path.replace("<uuid:key>", str(self.turn.conversation.key)).replace("<int:id>", str(row and row.pk))

    def body(self, path: str, method: str) -> Any:
        of_rows = {
            ("interactions/batch", "POST"): {
                "items": [{"customer": "C1", "sku": self.sku, "kind": "view", "at": "2026-01-01T00:00:00Z"}]
            },
            ("feedback", "POST"): {"turn": self.turn.pk, "kind": "up"},
            ("annotations", "POST"): {"turn": self.turn.pk, "verdict": "approved"},
            ("runs", "POST"): {"snapshot": self.snapshot.pk, "recipe": "sft"},
        }
        return {**BODIES, **of_rows}.get((path, method), {} if method == "POST" else None)


@pytest.fixture
def rows(shop: Shop) -> Rows:
    return Rows(shop)


def test_every_route_allows_what_it_is_meant_to_and_nothing_else():
    assert {path: dict(view.rights) for path, view in ROUTES.items()} == EXPECTED


@pytest.mark.parametrize("path", ROUTES)
def test_a_method_that_needs_no_right_does_not_exist(path):
    view = ROUTES[path]
    assert {name.upper() for name in METHODS if hasattr(view, name)} == set(view.rights)


@pytest.mark.parametrize("path", [path for path, method in CALLS if method == "POST"])
def test_every_post_can_be_repeated_safely(path):
    assert ROUTES[path].post.once


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("path", "method"), CALLS)
def test_a_role_may_what_its_rights_say(program: Callable[..., Api], rows: Rows, role: Role, path: str, method: str):
    api = program(RIGHTS[role] & set(OFFERED))
    headers = {"If-Match": "*"} if method == "PATCH" else {}
    status = api.call(method, rows.address(path), rows.body(path, method), headers).status_code
    if EXPECTED[path][method] in RIGHTS[role]:
        # 409: let in, and the rows do not allow it (a message to a conversation that the bot answers).
        assert 200 <= status < 300 or status == 409
    else:
        assert status == 403


@pytest.mark.parametrize(("path", "method"), OF_ONE)
def test_another_shop_s_ids_do_not_exist(api: Api, path: str, method: str):
    theirs = Rows(ShopFactory())
    response = api.call(method, theirs.address(path), theirs.body(path, method), {"If-Match": "*"})
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["feedback", "annotations", "runs"])
def test_another_shop_s_ids_in_a_body_do_not_exist(api: Api, path: str):
    theirs = Rows(ShopFactory())
    assert api.post(path, theirs.body(path, "POST")).status_code == 404


@pytest.mark.parametrize("path", [path for path, method in CALLS if method == "GET" and "<" not in path])
def test_a_list_holds_nothing_of_another_shop(api: Api, path: str):
    Rows(ShopFactory())
    answer = api.get(path).json()
    assert answer.get("items", []) == []
    assert not answer.get("replies")


def strangers(shop: Shop) -> Iterator[tuple[str, str]]:
    row, token = tokens.make([shop], "old", [Right.READ], expires_at=timezone.now() - timedelta(seconds=1))
    yield "expired", f"Bearer {token}"
    row, token = tokens.make([shop], "gone", [Right.READ])
    tokens.revoke(row[0])
    yield "revoked", f"Bearer {token}"
    yield "the digest itself", f"Bearer {ApiToken.objects.get(pk=row[0].pk).digest}"
    yield "made up", "Bearer daogou_made-up"
    yield "another scheme", f"Basic {token}"
    yield "none", ""


def test_no_token_that_does_not_hold_opens_anything(client, shop, rows):
    for why, header in strangers(shop):
        for path, method in CALLS:
            response = client.generic(
                method, f"/api/v1/{rows.address(path)}", headers={"Authorization": header} if header else {}
            )
            assert response.status_code == 401, (why, method, path)
            assert response["WWW-Authenticate"].startswith("Bearer")


def test_somebody_logged_in_to_the_console_is_a_stranger_to_the_api(client, shop, django_user_model):
    client.force_login(
        django_user_model.objects.create(username="root", is_staff=True),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    assert client.get("/api/v1/products").status_code == 401


def test_a_token_across_shops_names_the_one_it_means(shop):
    other, third = ShopFactory(slug="oak"), ShopFactory(slug="elm")
    ProductFactory(shop=other, sku="OAK-1")
    _, token = tokens.make([shop, other], "staff", [Right.READ])
    api = Api(token)
    assert api.get("products").status_code == 400
    assert [row["sku"] for row in api.get("products", Daogou_Shop="oak").json()["items"]] == ["OAK-1"]
    assert api.get("products", Daogou_Shop=third.slug).status_code == 404


def test_a_shop_can_revoke_its_part_of_a_token_across_shops(shop):
    other = ShopFactory(slug="oak")
    rows, token = tokens.make([shop, other], "staff", [Right.READ])
    tokens.revoke(rows[1])
    assert Api(token).get("products", Daogou_Shop="oak").status_code == 404
    assert Api(token).get("products").status_code == 200


def test_a_one_shop_token_reaches_no_other_by_the_header(api):
    ShopFactory(slug="oak")
    assert api.get("products", Daogou_Shop="oak").status_code == 404
    assert api.get("products", Daogou_Shop=str(uuid.uuid4())).status_code == 404


def test_a_token_is_kept_as_a_digest_and_its_use_is_remembered(shop):
    (row,), token = tokens.make([shop], "importer", [Right.READ])
    stored = " ".join(str(value) for value in ApiToken.objects.filter(pk=row.pk).values_list()[0])
    assert token not in stored and token.startswith(row.prefix)
    assert row.last_used_at is None
    Api(token).get("products")
    row.refresh_from_db()
    assert row.last_used_at is not None


def test_no_token_has_the_right_to_administer(shop):
    with pytest.raises(ValueError, match="one or more of these rights"):
        tokens.make([shop], "too much", [Right.ADMINISTER])
    with pytest.raises(ValueError, match="one or more of these rights"):
        tokens.make([shop], "nothing", [])
