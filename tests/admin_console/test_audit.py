"""The pages of the audit log."""

import csv
from datetime import UTC, datetime

import pytest
from django.urls import reverse

from tests.factories import AuditEntryFactory, ShopFactory, UserFactory

pytestmark = pytest.mark.django_db


def _labels(page) -> list[str]:
    return [row.entry.label for row in page.context["rows"] if row.entry.action != "signed_in"]


def test_an_owner_sees_the_own_shop_s_entries_and_staff_all(merchant, staff, shop):
    AuditEntryFactory(shop_id=shop.pk, label="ours")
    AuditEntryFactory(shop_id=ShopFactory().pk, label="theirs")
    nobodys = AuditEntryFactory(shop_id=None, kind="user", label="somebody's password")
    assert _labels(merchant.get(reverse("console:audit"))) == ["ours"]
    assert merchant.get(reverse("console:audit_entry", args=[nobodys.pk])).status_code == 404
    assert _labels(staff.get(reverse("console:audit"))) == ["somebody's password", "theirs", "ours"]


def test_the_address_says_person_kind_deed_and_period(merchant, shop):
    def entry(label, day=10, **more):
        AuditEntryFactory(shop_id=shop.pk, label=label, at=datetime(2026, 11, day, 23, 30, tzinfo=UTC), **more)

    entry("hers", by="mei")
    entry("his", by="tom")
    entry("member", kind="shopmember")
    entry("gone", action="deleted")
    entry("late", day=12)

    def asked(**query):
        return _labels(merchant.get(reverse("console:audit"), query))

    assert asked(by="TOM") == ["his"]
    assert asked(kind="shopmember") == ["member"]
    assert asked(action="deleted") == ["gone"]
    assert asked(since="2026-11-11") == ["late"]
    assert asked(until="2026-11-10", by="mei", kind="merchandisingrule", action="changed") == ["hers"]
    assert asked(since="2026-11-10", until="2026-11-10") == ["gone", "member", "his", "hers"]


def test_a_wrong_value_is_said_and_filters_nothing(merchant, shop):
    AuditEntryFactory(shop_id=shop.pk, label="ours")
    page = merchant.get(reverse("console:audit"), {"since": "yesterday", "kind": "nonsense", "row": "x"})
    assert _labels(page) == ["ours"]
    assert page.content.decode().count('class="error"') == 2


def test_an_entry_shows_every_field_and_what_else_happened_to_the_same_thing(merchant, shop):
    first = AuditEntryFactory(shop_id=shop.pk, row_id=5, label="Rain", action="created")
    entry = AuditEntryFactory(shop_id=shop.pk, row_id=5, changes={"active": [True, False], "token": None})
    AuditEntryFactory(shop_id=shop.pk, row_id=6)
    page = merchant.get(reverse("console:audit_entry", args=[entry.pk]))
    text = page.content.decode()
    assert "does not keep the value" in text
    assert [(c.field, c.before, c.after) for c in page.context["row"].changes] == [
        ("active", "yes", "no"),
        ("token", "", ""),
    ]
    assert [row.entry for row in page.context["same"]] == [first]


def test_the_file_holds_what_the_page_shows_and_no_formulas(merchant, shop):
    AuditEntryFactory(shop_id=shop.pk, label="=HYPERLINK(1)", by="mei", changes={"active": [True, False]})
    AuditEntryFactory(shop_id=shop.pk, by="tom")
    AuditEntryFactory(shop_id=ShopFactory().pk, by="mei")
    response = merchant.get(reverse("console:audit"), {"by": "mei", "format": "csv"})
    rows = list(csv.DictReader(response.content.decode().splitlines()))
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert [(row["by"], row["shop"], row["label"]) for row in rows] == [("mei", "Pine", "'=HYPERLINK(1)")]
    assert rows[0]["changes"] == '{"active": [true, false]}'


def test_an_entry_leads_to_what_it_speaks_of(merchant, shop):
    from tests.factories import TurnFactory

    turn = TurnFactory(conversation__shop=shop)
    label = f"{turn.conversation.key}#{turn.number}"
    entry = AuditEntryFactory(shop_id=shop.pk, kind="annotation", label=label)
    page = merchant.get(reverse("console:audit_entry", args=[entry.pk]))
    assert merchant.get(page.context["row"].url).context["turn"] == turn
    gone = AuditEntryFactory(shop_id=shop.pk, kind="annotation", label="00000000-0000-0000-0000-000000000009#1")
    assert merchant.get(reverse("console:audit_entry", args=[gone.pk])).context["row"].url == ""


def test_the_log_is_closed_to_whom_the_table_does_not_name(client, shop):
    client.force_login(
        UserFactory(shops=[shop], shops__role="merchant"), backend="django.contrib.auth.backends.ModelBackend"
    )
    page = client.get(reverse("console:audit"))
    assert page.status_code == 403
    assert '<span class="tag">owner</span>' in page.content.decode()
