"""How requests are read and answered, whatever they are about: errors, repetitions, states, pages, pace."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from botcore.api import idempotency, tokens
from botcore.api.base import ApiView
from botcore.api.tokens import OFFERED
from botcore.api.views.catalogue import Products
from botcore.models import AuditEntry, StoredAnswer
from catalog.models import Customer, Interaction, Product
from tests.botcore.api.conftest import Api
from tests.factories import ConversationFactory, ProductFactory, ShopFactory

pytestmark = pytest.mark.django_db

JACKET = {
    "sku": "JK-1",
    "title": "Canvas jacket",
    "category": ["Clothing", "Jackets"],
    "attributes": {"Material": ["Canvas"]},
    "variants": [{"sku": "JK-1-M", "price": "49.00", "stock": 5, "attributes": {"size": ["M"]}}],
}


def batch(*items: Any, **more: Any) -> dict[str, Any]:
    return {"items": list(items), **more}


def problem(response: Any, status: int, slug: str) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    told = response.json()
    assert told["type"] == f"urn:daogou:problem:{slug}"
    assert told["status"] == status
    assert told["instance"].startswith("urn:uuid:")
    return told


# --- errors -----------------------------------------------------------------------------------------------------------


def test_every_error_has_the_one_shape(api, settings):
    problem(api.get("nowhere"), 404, "not-found")
    problem(api.get("products/1/nothing"), 404, "not-found")
    problem(api.call("DELETE", "products"), 405, "method-not-allowed")
    problem(api.call("PUT", "products"), 405, "method-not-allowed")
    problem(api.get("products", Accept="text/html"), 406, "not-acceptable")
    problem(api.get("products?limit=0"), 400, "malformed")
    settings.WEBHOOK_BODY_LIMIT = 10
    problem(api.post("products/batch", batch(JACKET)), 413, "too-large")


def test_a_body_that_is_no_json_and_one_of_another_kind(api):
    def sent(body: bytes, kind: str) -> Any:
        headers = {"Authorization": f"Bearer {api.token}"}
        return Client().generic("POST", "/api/v1/products/batch", body, content_type=kind, headers=headers)

    problem(sent(b"{", "application/json"), 400, "malformed")
    problem(sent(b"[" * 100_000, "application/json"), 400, "malformed")
    problem(sent(b'{"items": [NaN]}', "application/json"), 400, "malformed")
    problem(sent(b"\xff\xfe", "application/json"), 400, "malformed")
    problem(sent(b"a=b", "application/x-www-form-urlencoded"), 415, "unsupported-media-type")


def test_a_failure_of_ours_tells_nothing_of_our_insides(api, monkeypatch):
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr(Products, "get", broken)
    response = api.get("products")
    assert "swordfish" not in json.dumps(problem(response, 500, "internal"))
    assert "Traceback" not in response.content.decode()


def test_what_is_wrong_in_a_body_is_said_where_it_is(api):
    told = problem(api.post("feedback", {"turn": "1", "kind": "sideways"}), 422, "invalid")
    assert {fault["pointer"] for fault in told["errors"]} == {"#/turn", "#/kind"}


def test_a_parameter_that_there_is_not_is_a_slip_of_the_pen(api):
    told = problem(api.get("products?actve=true"), 400, "malformed")
    assert told["errors"][0]["parameter"] == "actve"
    problem(api.get("products?active=true&active=false"), 400, "malformed")


def test_what_postgres_cannot_keep_is_taken_out(api):
    response = api.post("products/batch", batch({**JACKET, "title": "Can\0vas \ud800jacket"}))
    assert response.status_code == 200
    assert Product.objects.get().title == "Canvas ?jacket"


# --- repeating --------------------------------------------------------------------------------------------------------


def did(api: Api, key: str, **change: Any) -> Any:
    item = {"customer": "C1", "sku": "JK-1", "kind": "order", "at": "2026-01-01T00:00:00Z", **change}
    return api.post("interactions/batch", batch(item), Idempotency_Key=key)


@pytest.fixture
def jacket(shop):
    return ProductFactory(shop=shop, sku="JK-1")


def test_a_repeated_request_is_done_once_and_answered_the_same(api, jacket):
    first, second = did(api, "order-1"), did(api, "order-1")
    assert Interaction.objects.count() == 1
    assert second.json() == first.json()
    assert second["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    did(api, "order-2")
    assert Interaction.objects.count() == 2


def test_a_key_is_for_one_request(api, jacket):
    did(api, "order-1")
    problem(did(api, "order-1", kind="cart"), 422, "key-reused")
    problem(api.post("feedback", {"turn": 1, "kind": "up"}, Idempotency_Key="order-1"), 422, "key-reused")


def test_a_key_belongs_to_its_token(api, program, jacket):
    did(api, "order-1")
    did(program(), "order-1")
    assert Interaction.objects.count() == 2


def test_a_repetition_while_the_first_is_at_work_is_told_to_wait(api, shop, jacket):
    did(api, "order-1")
    StoredAnswer.objects.update(status=None, leased_until=timezone.now() + timedelta(seconds=30))
    response = did(api, "order-1")
    problem(response, 409, "in-progress")
    assert int(response["Retry-After"]) >= 1


def test_what_a_dead_process_left_undone_is_done_by_the_repetition(api, jacket):
    did(api, "order-1")
    Interaction.objects.all().delete()
    StoredAnswer.objects.update(status=None, leased_until=timezone.now() - timedelta(seconds=1))
    assert did(api, "order-1").status_code == 200
    assert Interaction.objects.count() == 1


def test_a_refusal_is_repeated_and_a_failure_of_ours_is_not(api, jacket, monkeypatch):
    problem(api.post("feedback", {"turn": 0, "kind": "up"}, Idempotency_Key="f-1"), 404, "not-found")
    assert api.post("feedback", {"turn": 0, "kind": "up"}, Idempotency_Key="f-1")["Idempotency-Replayed"] == "true"

    def broken(*_: Any) -> Any:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr("botcore.api.views.catalogue.add_interactions", broken)
        problem(did(api, "order-1"), 500, "internal")
    assert did(api, "order-1").status_code == 200


def test_a_key_is_forgotten_after_a_day(api, jacket):
    did(api, "order-1")
    StoredAnswer.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert "Idempotency-Replayed" not in did(api, "order-1")
    StoredAnswer.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert idempotency.forget(timezone.now()) == 1
    assert not StoredAnswer.objects.exists()


def test_a_key_that_is_none_is_refused(api):
    problem(api.post("feedback", {"turn": 1, "kind": "up"}, Idempotency_Key=""), 400, "malformed")
    problem(api.post("feedback", {"turn": 1, "kind": "up"}, Idempotency_Key="x" * 256), 400, "malformed")


def test_stored_answers_hold_no_secret_in_the_clear(api):
    body = {"url": "https://shop.example/hook", "events": ["reply.sent"]}
    secret = api.post("webhooks", body, Idempotency_Key="w-1").json()["secret"]
    assert secret.startswith("whsec_")
    assert secret not in StoredAnswer.objects.get().sealed_answer
    assert api.post("webhooks", body, Idempotency_Key="w-1").json()["secret"] == secret


@pytest.mark.django_db(transaction=True)
def test_of_requests_sent_at_once_with_one_key_one_is_done():
    shop = ShopFactory()
    ProductFactory(shop=shop, sku="JK-1")
    _, token = tokens.make([shop], "shop", OFFERED)
    statuses: list[int] = []

    def send() -> None:
        statuses.append(did(Api(token), "order-1").status_code)
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Interaction.objects.count() == 1
    assert set(statuses) <= {200, 409} and 200 in statuses


# --- states and pages -------------------------------------------------------------------------------------------------


def test_a_change_needs_the_state_that_is_there(api, jacket):
    address = f"products/{jacket.pk}"
    read = api.get(address)
    problem(api.patch(address, {"title": "Waxed jacket"}), 428, "precondition-required")
    changed = api.patch(address, {"title": "Waxed jacket"}, If_Match=read["ETag"])
    assert changed.json()["title"] == "Waxed jacket"
    problem(api.patch(address, {"title": "Green jacket"}, If_Match=read["ETag"]), 412, "changed")
    assert api.patch(address, {"title": "Green jacket"}, If_Match=changed["ETag"]).status_code == 200


def test_what_is_known_is_not_sent_again(api, jacket):
    read = api.get(f"products/{jacket.pk}")
    again = api.get(f"products/{jacket.pk}", If_None_Match=f'"other", {read["ETag"]}')
    assert (again.status_code, again.content) == (304, b"")


def test_pages_follow_each_other_without_gap_or_repetition_while_rows_are_added(api, shop):
    made = [ProductFactory(shop=shop).sku for _ in range(5)]
    first = api.get("products?limit=2").json()
    ProductFactory(shop=shop)
    second = api.get(f"products?limit=2&cursor={first['next_cursor']}").json()
    third = api.get(second["next"].removeprefix("/api/v1/")).json()
    assert [row["sku"] for page in (first, second, third) for row in page["items"]] == made[::-1]
    assert third["next_cursor"] is None and third["next"] is None


# --- batches ----------------------------------------------------------------------------------------------------------


def test_each_item_of_a_batch_has_its_outcome(api, jacket, shop):
    api.post("products/batch", batch(JACKET))
    answer = api.post(
        "products/batch",
        batch({**JACKET, "sku": "JK-2"}, JACKET, {**JACKET, "title": ""}, {**JACKET, "sku": "JK-2"}, "nothing"),
    )
    assert answer.status_code == 207
    told = answer.json()
    assert [row["status"] for row in told["items"]] == ["created", "unchanged", "refused", "refused", "refused"]
    assert (told["created"], told["unchanged"], told["refused"]) == (1, 1, 3)
    assert told["items"][2]["errors"][0]["pointer"] == "#/items/2/title"
    assert "already" in told["items"][3]["errors"][0]["detail"]


def test_all_or_nothing_means_nothing(api, shop):
    problem(api.post("products/batch", batch(JACKET, {"sku": "X"}, all_or_nothing=True)), 422, "invalid")
    problem(api.post("products/batch", batch(JACKET, JACKET, all_or_nothing=True)), 409, "refused")
    assert not Product.objects.filter(shop=shop).exists()
    assert api.post("products/batch", batch(JACKET, all_or_nothing=True)).status_code == 200


def test_a_brand_of_control_characters_is_none(api):
    api.post("products/batch", batch({**JACKET, "brand": "\b", "description": " \x7f\t"}))
    row = api.get("products").json()["items"][0]
    assert (row["brand"], row["description"]) == ("", "")
    assert row["attributes"] == {"material": ["canvas"], "size": ["m"]}


def test_a_product_is_stored_as_a_feed_would_store_it(api):
    api.post("products/batch", batch({**JACKET, "description": "<b>Warm</b>", "brand": "Nordwand"}))
    row = api.get("products").json()["items"][0]
    assert row["attributes"] == {"material": ["canvas"], "size": ["m"], "brand": ["nordwand"]}
    assert (row["category_path"], row["description"]) == ("clothing/jackets", "Warm")
    assert row["variants"][0] == {
        "sku": "JK-1-M", "price": "49.00", "stock": 5, "attributes": {"size": ["m"]}, "image": "",
    }  # fmt: skip


def test_a_batch_is_one_entry_of_the_audit_log_with_what_each_product_was_and_became(api, shop):
    api.post("products/batch", batch(JACKET, {**JACKET, "sku": "JK-2"}, {**JACKET, "sku": "JK-3"}))
    AuditEntry.objects.filter(kind="product").get()
    dearer = {**JACKET, "variants": [{**JACKET["variants"][0], "price": "59.00"}]}
    api.post("products/batch", batch(dearer, {**JACKET, "sku": "JK-2"}, {**JACKET, "sku": "JK-4"}))
    entry = AuditEntry.objects.filter(kind__in=["product", "variant"]).order_by("pk").last()
    assert AuditEntry.objects.filter(kind__in=["product", "variant"]).count() == 2
    assert (entry.action, entry.shop_id, entry.label) == ("changed", shop.pk, "1 created, 1 updated")
    assert entry.by.startswith("a program (daogou_") and entry.ip == "127.0.0.1"
    assert set(entry.changes) == {"JK-1", "JK-4"}
    before, after = entry.changes["JK-1"]
    assert (before["variant/JK-1-M"]["price"], after["variant/JK-1-M"]["price"]) == ("49.00", "59.00")
    assert entry.changes["JK-4"][0] is None and "Canvas jacket" in str(entry.changes["JK-4"][1])


def test_a_batch_that_changes_nothing_or_is_taken_back_leaves_no_entry(api, shop):
    api.post("products/batch", batch(JACKET))
    entries = AuditEntry.objects.count()
    api.post("products/batch", batch(JACKET))
    api.post("products/batch", batch({**JACKET, "title": "Waxed jacket"}, JACKET, all_or_nothing=True))
    assert AuditEntry.objects.count() == entries


def test_a_long_text_in_a_batch_is_cut_in_the_log(api, shop):
    api.post("products/batch", batch({**JACKET, "description": "x" * 5_000}))
    _before, after = AuditEntry.objects.get(kind="product").changes["JK-1"]
    assert after["description"] == "x" * 500 + "…"
    assert after["variant/JK-1-M"]["price"] == "49.00"


def test_a_change_of_variants_leaves_the_rest_of_a_product(api):
    api.post("products/batch", batch({**JACKET, "brand": "Nordwand"}))
    row = api.get("products").json()["items"][0]
    variants = [{"sku": "JK-1-L", "price": "59.00", "stock": 1, "attributes": {"size": ["L"]}}]
    changed = api.patch(f"products/{row['id']}", {"variants": variants, "active": False}, If_Match="*").json()
    assert changed["attributes"] == {"material": ["canvas"], "size": ["l"], "brand": ["nordwand"]}
    assert (changed["category_path"], changed["active"]) == ("clothing/jackets", False)
    assert [variant["sku"] for variant in changed["variants"]] == ["JK-1-L"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"sku": "NONE"}, "no product"),
        ({"at": "2126-01-01T00:00:00Z"}, "future"),
        ({"kind": "review"}, "rating"),
        ({"rating": 5}, "only a review"),
    ],
)
def test_what_cannot_have_happened_is_refused(api, jacket, change, why):
    answer = did(api, "order-1", **change)
    assert answer.status_code == 207
    assert why in answer.json()["items"][0]["errors"][0]["detail"]
    assert not Interaction.objects.exists() and not Customer.objects.exists()


# --- pace -------------------------------------------------------------------------------------------------------------


def test_a_token_that_asks_too_often_waits_and_another_does_not(api, program, settings):
    settings.API_PER_MINUTE, settings.API_BURST = 1, 3
    left = [int(api.get("alerts")["RateLimit-Remaining"]) for _ in range(3)]
    assert left == [2, 1, 0]
    refused = api.get("alerts")
    problem(refused, 429, "too-many-requests")
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert refused["RateLimit-Limit"] == "3"
    assert program().get("alerts").status_code == 200


def test_what_is_not_allowed_counts_as_well(program, settings):
    settings.API_PER_MINUTE, settings.API_BURST = 1, 1
    api = program(["read"])
    assert api.post("runs", {}).status_code == 403
    assert api.get("alerts").status_code == 429


def test_nothing_is_kept_by_a_cache(api):
    assert api.get("alerts")["Cache-Control"] == "no-store"
    assert api.get("nowhere")["Cache-Control"] == "no-store"


def test_every_view_comes_from_the_one_base():
    from botcore.api.urls import routes

    assert all(issubclass(route.callback.cls, ApiView) for route in routes)


# --- who writes -------------------------------------------------------------------------------------------------------


def test_the_shop_says_who_writes_and_who_is_meant_is_a_customer_of_its_own(api, shop):
    talk = ConversationFactory(shop=shop)
    theirs = Customer.objects.create(shop=ShopFactory(), key="C-17")
    for key in ("C-17", None):
        etag = api.get(f"conversations/{talk.key}")["ETag"]
        told = api.call("PATCH", f"conversations/{talk.key}", {"customer": key}, {"If-Match": etag})
        assert (told.status_code, told.json()["customer"]) == (200, key)
        talk.contact.refresh_from_db()
        assert (talk.contact.customer and (talk.contact.customer.key, talk.contact.customer.shop)) == (
            key and (key, shop)
        )
    assert not theirs.interactions.exists() and Customer.objects.filter(key="C-17").count() == 2
