"""The audit log: what is entered, for whom, what never is, and that it stays."""

import pytest
from django.db import InternalError, connection, transaction
from django.test import Client
from django.urls import reverse

from botcore import audit
from botcore.audit import Actor, recorded
from botcore.channels.connecting import register
from botcore.channels.registry import channel_class
from botcore.models import Annotation, AuditEntry
from catalog.models import MerchandisingRule, Product
from tests.factories import ProductFactory, ShopFactory, TurnFactory, UserFactory

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"
MEI = Actor("mei", 7, "192.0.2.1", "Firefox")

WRITTEN_BY_MACHINES = {
    "botcore.alert", "botcore.alertnotice", "botcore.attributedorder", "botcore.auditentry", "botcore.button",
    "botcore.channelhealth", "botcore.datasetrow", "botcore.earlyreceipt", "botcore.feedback", "botcore.inboundevent",
    "botcore.metricbucket", "botcore.metricmark", "botcore.reviewitem", "botcore.sentence", "botcore.shadowreply",
    "botcore.signin", "botcore.storedanswer", "botcore.textitem", "botcore.topic", "botcore.turn",
    "botcore.versionchange", "botcore.webhookdelivery", "catalog.changedproduct", "catalog.exposure",
    "catalog.interaction", "catalog.picturescale", "catalog.picturevector", "catalog.rowproblem",
}  # fmt: skip
LOGS_OF_THEIR_OWN = {"botcore.blindchoice", "botcore.reviewdecision"}
"""Each row says who did it and when, and none is changed by anybody else."""


def test_what_people_change_is_watched_table_by_table():
    """A new model is watched (``botcore.audit.watch`` in its migration), or people do not change it."""
    from django.apps import apps

    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'audited'")
        watched = {table for (table,) in cursor.fetchall()}
    models = [model for name in ("botcore", "catalog") for model in apps.get_app_config(name).get_models()]
    open_ = {model._meta.label_lower for model in models if model._meta.db_table not in watched}
    assert open_ == WRITTEN_BY_MACHINES | LOGS_OF_THEIR_OWN
    assert "auth_user" in watched


def test_a_change_in_the_console_tells_who_from_where_what_and_of_which_shop(client):
    shop = ShopFactory()
    rule = MerchandisingRule.objects.create(shop=shop, name="Rain first", kind="boost")
    mei = UserFactory(username="mei", shops=[shop])
    client.force_login(mei, backend=BACKEND)
    client.post(
        reverse("console:switch_rule", args=[rule.pk]),
        {"active": "off"},
        REMOTE_ADDR="192.0.2.7",
        headers={"User-Agent": "Firefox/1 " + "x" * 300},
    )
    entry = AuditEntry.objects.get(kind="merchandisingrule")
    assert (entry.by, entry.by_id, entry.ip) == ("mei", mei.pk, "192.0.2.7")
    assert entry.agent.startswith("Firefox/1 x")
    assert len(entry.agent) == 120
    assert (entry.shop_id, entry.row_id, entry.label) == (shop.pk, rule.pk, "Rain first")
    assert (entry.action, entry.changes) == ("changed", {"active": [True, False]})


def test_what_changes_many_rows_at_once_is_entered_row_by_row():
    shop = ShopFactory()
    with recorded(lambda: MEI):
        MerchandisingRule.objects.bulk_create(
            MerchandisingRule(shop=shop, name=f"100 % {n}", kind="boost") for n in range(3)
        )
        MerchandisingRule.objects.filter(shop=shop).update(strength=2)
        MerchandisingRule.objects.filter(shop=shop).delete()
    assert [entry.action for entry in AuditEntry.objects.order_by("pk")] == ["created"] * 3 + ["changed"] * 3 + [
        "deleted"
    ] * 3
    assert AuditEntry.objects.filter(action="changed").first().changes == {"strength": [0.5, 2]}


def test_a_name_with_marks_that_mean_something_to_the_database_is_kept_as_it_is():
    actor = Actor("o'hara %s 100%% \\", 7, None, "%(agent)s")
    shop = ShopFactory()
    with recorded(lambda: actor):
        MerchandisingRule.objects.create(shop=shop, name="Rain", kind="boost")
        with connection.cursor() as cursor:
            cursor.execute("UPDATE catalog_merchandisingrule SET name = '50% off'")
    made, changed = AuditEntry.objects.order_by("pk")
    assert (made.by, made.agent) == (changed.by, changed.agent) == (actor.by, actor.agent)
    assert changed.changes == {"name": ["Rain", "50% off"]}


def test_what_a_worker_changes_has_no_author_and_no_entry():
    shop = ShopFactory()
    with recorded(lambda: MEI):
        MerchandisingRule.objects.create(shop=shop, name="Rain", kind="boost")
    MerchandisingRule.objects.update(strength=3)
    assert [entry.action for entry in AuditEntry.objects.all()] == ["created"]


def test_a_change_that_is_taken_back_leaves_no_entry():
    shop = ShopFactory()
    with recorded(lambda: MEI), transaction.atomic():
        MerchandisingRule.objects.create(shop=shop, name="Rain", kind="boost")
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()


def test_secrets_are_never_entered():
    shop, user = ShopFactory(), UserFactory()
    with recorded(lambda: MEI):
        account = register(shop, channel_class("telegram"), {"token": "123:secret-token", "secret": "hush-hush"})
        account.sealed_config = "sealed-otherwise"
        account.save()
        user.set_password("a stable of horses")
        user.save()
    told = str(list(AuditEntry.objects.values_list("changes", flat=True)))
    assert "sealed-otherwise" not in told
    assert "pbkdf2" not in told
    changed = {entry.kind: entry.changes for entry in AuditEntry.objects.filter(action="changed")}
    assert changed == {"channelaccount": {"sealed_config": None}, "user": {"password": None}}


def test_a_customer_s_words_are_never_entered():
    turn = TurnFactory(text="my name is Ann Smith", reply="Hello Ann Smith")
    with recorded(lambda: MEI):
        Annotation.objects.create(turn=turn, verdict="corrected", wording="Hello Ann Smith!", reason="of Ann Smith")
        turn.conversation.contact.delete()
    entries = AuditEntry.objects.all()
    assert {entry.kind for entry in entries} == {"annotation", "conversation", "contact"}
    assert "Ann Smith" not in str(list(entries.values()))
    assert {entry.shop_id for entry in entries} == {turn.conversation.shop_id}


def test_long_texts_are_cut():
    product = ProductFactory(description="x" * 10)
    with recorded(lambda: MEI):
        Product.objects.filter(pk=product.pk).update(description="y" * 5_000)
    before, after = AuditEntry.objects.get(kind="product").changes["description"]
    assert before == "x" * 10
    assert after == "y" * 500 + "…"


def test_the_database_lets_nobody_change_or_delete_an_entry():
    with recorded(lambda: MEI):
        audit.note(audit.Action.EXPORTED, "contact", 5)
    for attempt in (lambda: AuditEntry.objects.update(by="eve"), lambda: AuditEntry.objects.get().delete()):
        with pytest.raises(InternalError, match="never changed"), transaction.atomic():
            attempt()
    assert AuditEntry.objects.get().by == "mei"


def test_a_deed_without_a_doer_is_refused():
    with pytest.raises(LookupError):
        audit.note(audit.Action.EXPORTED, "contact", 5)


def test_logging_in_and_failing_to_are_entered_with_the_address():
    UserFactory(username="mei")
    browser = Client(REMOTE_ADDR="192.0.2.9")
    browser.post(reverse("console:login"), {"username": "mei", "password": "wrong"})
    browser.post(reverse("console:login"), {"username": "my-password-by-mistake", "password": "mei"})
    from tests.factories import PASSWORD

    browser.post(reverse("console:login"), {"username": "mei", "password": PASSWORD})
    entries = AuditEntry.objects.filter(action__in=["signed_in", "refused"]).order_by("pk")
    assert [(entry.by, entry.action, entry.ip) for entry in entries] == [
        ("mei", "refused", "192.0.2.9"),
        ("mei", "signed_in", "192.0.2.9"),
    ]


def test_an_address_that_is_none_stops_nothing(client):
    shop = ShopFactory()
    rule = MerchandisingRule.objects.create(shop=shop, name="Rain", kind="boost")
    client.force_login(UserFactory(shops=[shop]), backend=BACKEND)
    client.post(reverse("console:switch_rule", args=[rule.pk]), REMOTE_ADDR="unknown")
    assert AuditEntry.objects.get(kind="merchandisingrule").ip is None


def test_a_command_is_entered_as_itself():
    shop = ShopFactory()
    with recorded(lambda: audit.as_command("connect")):
        MerchandisingRule.objects.create(shop=shop, name="Rain", kind="boost")
    entry = AuditEntry.objects.get()
    assert entry.by.startswith("manage.py connect (")
    assert entry.by_id is None
