"""Texts come in: what is refused, what is stored once, and that nobody is named."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from botcore import customers
from botcore.learning.erasure import erase
from botcore.models import TextItem, TextStream, Topic, Turn
from botcore.streams import example, feeding
from catalog.models import Customer, Interaction
from tests.factories import (
    ContactFactory,
    ConversationFactory,
    ProductFactory,
    SentenceFactory,
    ShopFactory,
    TextItemFactory,
    TopicFactory,
    TurnFactory,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)


@pytest.fixture
def feed(client):
    """Sends a body to a new stream; ``send.stream`` is the stream."""
    stream, token = feeding.open_feed(ShopFactory(), "News")

    def send(body, token: str = token, key: str = stream.key):
        data = body if isinstance(body, str) else json.dumps(body)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return client.post(reverse("feed_texts", args=[key]), data, content_type="application/json", headers=headers)

    send.stream = stream  # type: ignore[attr-defined]
    return send


def test_texts_are_stored_once_however_often_they_are_sent(feed):
    texts = [{"id": "1", "text": "Late again."}, {"id": "2", "text": "又晚了。", "at": "2026-03-02T09:30:00Z"}]
    assert feed(texts).json() == {"new": 2, "known": 0}
    assert feed([*texts, {"id": "1", "text": "Something else."}]).json() == {"new": 0, "known": 2}
    assert feed({"id": "3", "text": "One by itself."}).json() == {"new": 1, "known": 0}
    rows = feed.stream.items.order_by("external_id")
    assert [(row.text, row.language) for row in rows[:2]] == [("Late again.", "en"), ("又晚了。", "zh")]
    assert rows[1].at == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def test_a_stranger_is_told_nothing_and_stores_nothing(feed):
    text = {"id": "1", "text": "Late again."}
    refused = [feed(text, token="wrong"), feed(text, token=""), feed(text, key="no-such-stream"), feed(text, token="é")]
    assert {(each.status_code, each.content) for each in refused} == {(401, refused[0].content)}
    assert "Authorization: Bearer" in refused[0].json()["error"]
    assert not TextItem.objects.exists()


def test_a_shops_own_streams_take_nothing_from_outside(feed):
    feed.stream.kind = TextStream.Kind.MESSAGES
    feed.stream.save()
    assert feed({"id": "1", "text": "Let me in."}).status_code == 401


def test_the_token_before_opens_nothing_any_more(feed):
    token = feeding.renew_token(feed.stream)
    assert feed({"id": "1", "text": "Late again."}).status_code == 401
    assert feed({"id": "1", "text": "Late again."}, token=token).status_code == 200
    assert token not in TextStream.objects.get().token_digest


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("{", 400, "no JSON"),
        ("[]", 400, "send one text"),
        ('"words"', 400, "send one text"),
        ([{"text": "no id"}], 400, 'no \\"id\\"'),
        ([{"id": "1", "text": " "}], 400, 'no \\"text\\"'),
        ([{"id": 1, "text": "a"}], 400, "write it in quotes"),
        ([{"id": "1", "text": "a", "at": "yesterday"}], 400, "is no time"),
        ([{"id": "1", "text": "a", "at": "2026-13-45"}], 400, "is no time"),
        ([{"id": "1", "text": "a", "at": "2990-01-01T00:00:00Z"}], 400, "future"),
        ([{"id": "1", "text": "a", "language": "fr"}], 400, "language"),
        ([{"id": "1", "text": "a" * 5_001}], 400, "longer than 5,000"),
        ([{"id": "x" * 191, "text": "a"}], 400, "longer than 190"),
        ([{"id": str(n), "text": "a"} for n in range(501)], 413, "more than 500"),
        (" " * 1_000_001, 413, "bytes"),
        ("[" * 100_000, 400, "no JSON"),
    ],
)
def test_what_is_not_as_documented_is_refused_with_a_word_on_what_to_write(feed, body, status, words):
    response = feed(body)
    assert response.status_code == status
    assert words in response.content.decode()
    assert not TextItem.objects.exists()


def test_one_wrong_text_of_many_stores_none_and_is_named(feed):
    response = feed([{"id": "1", "text": "Good."}, {"id": "2"}, {"id": "3", "text": "Good."}])
    assert response.json()["texts"] == [{"place": 1, "problem": 'no "text"'}]
    assert not TextItem.objects.exists()


def test_nobody_is_named_by_what_is_stored(feed):
    feed({"id": "1", "text": "Write to ann@example.com, it broke.", "author": "Ann Lee"})
    feed({"id": "2", "text": "Broke as well.", "author": "Ann Lee"})
    one, two = feed.stream.items.order_by("external_id")
    assert one.text == "Write to <email>, it broke."
    assert one.author == two.author != ""
    assert "Ann" not in one.author
    other, _ = feeding.open_feed(feed.stream.shop, "Posts")
    assert feeding.author_digest(other, "Ann Lee") != one.author, "people are not followed from stream to stream"


def test_messages_flow_in_once_they_are_answered_and_stay_the_shops_own():
    shop = ShopFactory()
    told = TurnFactory(conversation__shop=shop, text="The zip broke")
    TurnFactory(conversation__shop=shop, waiting=True, text="")
    TurnFactory(text="another shop's")
    for _ in range(2):
        feeding.fetch_own(shop, timezone.now())
    item = TextItem.objects.get()
    assert (item.stream.kind, item.stream.shop, item.text, item.turn) == ("messages", shop, "The zip broke", told)


def test_reviews_flow_in_and_late_ones_too():
    product = ProductFactory()
    customer = product.shop.customers.create(key="c1")
    about = {"shop": product.shop, "customer": customer, "product": product, "at": NOW}
    Interaction.objects.create(**about, kind="view")
    Interaction.objects.create(**about, kind="review", text="质量很好。", language="zh", rating=5)
    feeding.fetch_own(product.shop, NOW)
    Interaction.objects.create(**about, kind="review", text="Broke after a week.", rating=1)
    Interaction.objects.create(**about, kind="review", text="", rating=3)
    feeding.fetch_own(product.shop, NOW)
    assert list(TextItem.objects.order_by("pk").values_list("text", "at", "stream__kind")) == [
        ("质量很好。", NOW, "reviews"),
        ("Broke after a week.", NOW, "reviews"),
    ]


def test_whoever_is_forgotten_is_forgotten_here_too():
    conversation = ConversationFactory()
    turn = TurnFactory(conversation=conversation, text="My name is in no list")
    item = TextItemFactory(stream__shop=conversation.shop, turn=turn)
    own, shared = SentenceFactory(item=item).topic, TopicFactory(stream=item.stream)
    SentenceFactory(item=item, place=1, topic=shared)
    SentenceFactory(item__stream=item.stream, topic=shared)
    erase(conversation.contact)
    assert not TextItem.objects.filter(pk=item.pk).exists()
    assert not Turn.objects.exists()
    assert list(Topic.objects.all()) == [shared], f"topic {own.pk} was in nobody else's words"


def test_what_somebody_said_in_a_review_alone_is_forgotten_with_them():
    customer = Customer.objects.create(shop=ShopFactory(), key="C-1")
    contact = ContactFactory(account__shop=customer.shop, customer=customer)
    product = ProductFactory(shop=customer.shop)
    said = Interaction.objects.create(
        shop=customer.shop, customer=customer, product=product, kind="review", at=NOW, rating=1
    )
    SentenceFactory(item=TextItemFactory(stream__shop=customer.shop, review=said))
    customers.forget(customers.person_of(contact))
    assert not TextItem.objects.exists() and not Topic.objects.exists()


def test_the_example_ends_now_and_is_loaded_once():
    shop = ShopFactory()
    stream, stored = example.load(shop, NOW)
    assert stored.new > 200
    assert stream.items.order_by("-at").first().at == NOW
    assert NOW - stream.items.order_by("at").first().at > timedelta(days=12)
    assert example.load(shop, NOW)[1] == feeding.Stored(0, stored.new)
