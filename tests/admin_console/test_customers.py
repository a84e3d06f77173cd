"""One customer: history over channels, export, erasure."""

import json

import pytest
from django.urls import reverse
from django.utils import timezone

from botcore.models import AuditEntry, Contact, DatasetRow
from catalog.models import Customer, Interaction
from tests.factories import (
    AccountFactory,
    ContactFactory,
    ConversationFactory,
    DatasetFactory,
    FeedbackFactory,
    ModelVersionFactory,
    ProductFactory,
    TurnFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(shop) -> Contact:
    """Ann, who writes on the web and on Telegram, and has ordered."""
    customer = Customer.objects.create(shop=shop, key="C-1", name="Ann")
    for channel, words in (("webchat", "a green jacket"), ("telegram", "where is my parcel?")):
        contact = ContactFactory(account=AccountFactory(shop=shop, channel=channel), customer=customer)
        TurnFactory(conversation=ConversationFactory(shop=shop, contact=contact), text=words)
    Interaction.objects.create(
        shop=shop,
        customer=customer,
        product=ProductFactory(shop=shop, title="Rain coat"),
        kind="order",
        at=timezone.now(),
    )
    TurnFactory(conversation__shop=shop, text="somebody else's words")
    return Contact.objects.filter(customer=customer).first()


def test_the_history_joins_the_channels_on_which_one_person_writes(merchant, ann):
    talk = ann.conversations.get()
    assert (
        reverse("console:customer", args=[ann.pk])
        in merchant.get(reverse("console:conversation", args=[talk.key])).content.decode()
    )
    page = merchant.get(reverse("console:customer", args=[ann.pk])).content.decode()
    assert "a green jacket" in page
    assert "where is my parcel?" in page
    assert "Rain coat" in page
    assert "somebody else" not in page


def test_the_export_holds_everything_of_the_person_and_nothing_of_others_and_is_entered(merchant, ann, shop):
    ann.address = {"token": "platform-secret"}
    ann.save()
    FeedbackFactory(turn=ann.conversations.get().turns.get(), kind="down", text="too green")
    response = merchant.post(reverse("console:export_customer", args=[ann.pk]))
    kept = json.loads(response.content)
    assert {turn["text"] for turn in kept["turns"]} == {"a green jacket", "where is my parcel?"}
    assert [row["text"] for row in kept["feedback"]] == ["too green"]
    assert [row["kind"] for row in kept["interactions"]] == ["order"]
    assert len(kept["contacts"]) == 2
    assert "platform-secret" not in response.content.decode()
    assert "somebody else" not in response.content.decode()
    entry = AuditEntry.objects.get(action="exported")
    assert (entry.shop_id, entry.row_id) == (shop.pk, kept["contacts"][0]["id"])


def test_erasing_asks_for_the_name_and_tells_which_versions_saw_the_words(merchant, ann, shop):
    snapshot = DatasetFactory(shop=shop)
    DatasetRow.objects.create(
        dataset=snapshot,
        place=0,
        use="sft",
        part="train",
        content={},
        turn_id=1,
        contact_id=ann.pk,
        source="annotation:1",
    )
    version = ModelVersionFactory(shop=shop, dataset=snapshot, name="pine-3")
    url = reverse("console:erase_customer", args=[ann.pk])
    asked = merchant.get(url).content.decode()
    assert "2 conversations" in asked
    assert version.name in asked
    wrong = merchant.post(url, {"typed": "Bob"}, follow=True)
    assert "Nothing was deleted" in wrong.content.decode()
    assert Contact.objects.filter(customer__name="Ann").count() == 2

    told = merchant.post(url, {"typed": "Ann"}).content.decode()
    assert "2 conversations are deleted" in told
    assert version.name in told
    assert not Customer.objects.filter(name="Ann").exists()
    assert not Interaction.objects.exists()
    assert Contact.objects.count() == 1
    assert AuditEntry.objects.filter(kind="contact", action="deleted", shop_id=shop.pk).count() == 2
    assert "green jacket" not in str(list(AuditEntry.objects.values()))


def test_who_is_known_from_one_chat_alone_is_named_by_it(merchant, shop):
    contact = ContactFactory(account__shop=shop, external_id="visitor-abc123")
    page = merchant.get(reverse("console:customer", args=[contact.pk])).content.decode()
    assert "no orders are known" in page
    merchant.post(reverse("console:erase_customer", args=[contact.pk]), {"typed": "visitor-abc123"})
    assert not Contact.objects.exists()


def test_a_merchant_reads_the_history_and_neither_exports_nor_erases(client, ann, shop):
    client.force_login(
        UserFactory(shops=[shop], shops__role="merchant"), backend="django.contrib.auth.backends.ModelBackend"
    )
    page = client.get(reverse("console:customer", args=[ann.pk])).content.decode()
    assert "Export" not in page
    assert client.post(reverse("console:export_customer", args=[ann.pk])).status_code == 403
    assert client.post(reverse("console:erase_customer", args=[ann.pk]), {"typed": "Ann"}).status_code == 403


def test_one_person_of_two_shops_is_two_customers(merchant, ann):
    other = Customer.objects.create(shop=ConversationFactory().shop, key="C-1", name="Ann")
    theirs = ContactFactory(account__shop=other.shop, customer=other)
    TurnFactory(conversation=ConversationFactory(shop=other.shop, contact=theirs), text="in another shop")
    assert "in another shop" not in merchant.get(reverse("console:customer", args=[ann.pk])).content.decode()
    assert merchant.get(reverse("console:customer", args=[theirs.pk])).status_code == 404
