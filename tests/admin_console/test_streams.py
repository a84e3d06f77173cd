"""The pages of streams: who sees what, and what their buttons do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from botcore.models import Alert, TextStream
from botcore.monitoring.surge_alerts import SURGE
from botcore.streams import feeding
from catalog.models import KnowledgeArticle
from tests.factories import (
    ConversationFactory,
    SentenceFactory,
    ShopFactory,
    StreamFactory,
    TextItemFactory,
    TopicFactory,
    TurnFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def open_surge(shop, number: int = 3) -> Alert:
    """An alert about customers' messages."""
    topic = TopicFactory(stream__shop=shop, stream__kind="messages", stream__name="Messages")
    turns = [TurnFactory(conversation=ConversationFactory(shop=shop)) for _ in range(number)]
    said = [
        SentenceFactory(
            item__stream=topic.stream, item__turn=turn, item__text=f"The battery died on day {place}.", topic=topic
        )
        for place, turn in enumerate(turns)
    ]
    measured = {
        "stream": topic.stream_id, "topic": topic.pk, "hours": 1, "since": timezone.now().isoformat(), "people": number,
        "usual": 0.1, "share": 1.0, "chance": 1e-7, "items": [row.item_id for row in said], "quotes": [said[0].pk],
    }  # fmt: skip
    return Alert.objects.create(shop=shop, subject=f"{SURGE}{topic.pk}", sentence="Many complain.", measured=measured)


def member(shop, role: str) -> Client:
    client = Client()
    client.force_login(UserFactory(shops=[shop], shops__role=role), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_the_list_tells_volume_and_sentiment_of_this_readers_streams_alone(merchant, shop):
    stream = StreamFactory(shop=shop, name="Posts")
    TextItemFactory.create_batch(3, stream=stream)
    TextItemFactory(stream=stream, sentiment="positive")
    TextItemFactory(stream__name="Theirs")
    page = merchant.get(reverse("console:streams"))
    (row,) = page.context["rows"]
    assert (row.stream, row.texts, row.negative) == (stream, 4, 0.75)
    assert "Theirs" not in page.content.decode()


def test_filters_in_the_address_narrow_the_sentences_to_a_topic_a_mood_and_a_time(merchant, shop):
    wanted = SentenceFactory(item__stream__shop=shop, item__text="The battery died.")
    stream, topic = wanted.item.stream, wanted.topic
    SentenceFactory(item__stream=stream, item__text="The battery is fine.", item__sentiment="positive", topic=topic)
    SentenceFactory(item__stream=stream, item__text="The box was torn.")
    SentenceFactory(
        item__stream=stream, item__text="An old battery.", topic=topic, item__at=timezone.now() - timedelta(days=20)
    )
    asked = {"topic": topic.pk, "sentiment": "negative", "period": "7"}
    page = merchant.get(reverse("console:stream", args=[stream.pk]), asked)
    assert [row.text for row in page.context["page"]] == ["The battery died."]
    assert sum(step.total for step in page.context["steps"]) == 1
    (row,) = [row for row in page.context["topics"] if row.topic == topic]
    assert (row.count, row.before, row.negative) == (2, 0, 0.5)


def test_a_topic_of_another_stream_filters_nothing_and_is_complained_of(merchant, shop):
    stream = StreamFactory(shop=shop)
    page = merchant.get(reverse("console:stream", args=[stream.pk]), {"topic": TopicFactory().pk, "period": "soon"})
    assert page.status_code == 200
    assert set(page.context["form"].errors) == {"topic", "period"}


def test_a_sentence_of_a_customer_leads_to_the_conversation(merchant, shop):
    turn = TurnFactory(conversation__shop=shop)
    sentence = SentenceFactory(item__stream__shop=shop, item__turn=turn)
    page = merchant.get(reverse("console:stream", args=[sentence.item.stream_id])).content.decode()
    assert f"{reverse('console:conversation', args=[turn.conversation.key])}?turn={turn.number}" in page


def test_another_shops_streams_topics_and_surges_do_not_exist(merchant):
    theirs = open_surge(ShopFactory())
    topic = theirs.measured["topic"]
    assert merchant.get(reverse("console:stream", args=[theirs.measured["stream"]])).status_code == 404
    assert merchant.get(reverse("console:surge", args=[theirs.pk])).status_code == 404
    assert merchant.get(reverse("console:draft_article", args=[theirs.pk])).status_code == 404
    assert merchant.post(reverse("console:hand_over_surge", args=[theirs.pk])).status_code == 404
    assert merchant.post(reverse("console:rename_topic", args=[topic]), {"name": "Mine"}).status_code == 404
    assert merchant.post(reverse("console:renew_token", args=[theirs.measured["stream"]])).status_code == 404
    assert merchant.post(reverse("console:load_example"), {"shop": theirs.shop.slug}).status_code == 404


def test_an_alert_cannot_point_into_another_shop(merchant, shop):
    alert, theirs = open_surge(shop), open_surge(ShopFactory())
    alert.measured = {**theirs.measured, "topic": alert.measured["topic"]}
    alert.save()
    page = merchant.get(reverse("console:surge", args=[alert.pk]))
    assert page.context["found"].items == page.context["found"].quotes == []
    alert.measured = theirs.measured
    alert.save()
    assert merchant.get(reverse("console:surge", args=[alert.pk])).status_code == 404


def test_a_reviewer_reads_streams_and_changes_nothing(shop):
    reviewer, alert = member(shop, "reviewer"), open_surge(shop)
    assert reviewer.get(reverse("console:streams")).status_code == 200
    assert reviewer.get(reverse("console:surge", args=[alert.pk])).status_code == 200
    forbidden = [
        reverse("console:new_stream"),
        reverse("console:load_example"),
        reverse("console:rename_topic", args=[alert.measured["topic"]]),
        reverse("console:hand_over_surge", args=[alert.pk]),
        reverse("console:draft_article", args=[alert.pk]),
    ]
    assert {reviewer.post(address).status_code for address in forbidden} == {403}


def test_a_new_feeds_token_is_shown_once_and_opens_it(merchant, shop):
    page = merchant.post(reverse("console:new_stream"), {"shop": shop.slug, "name": "Posts"})
    stream, token = TextStream.objects.get(name="Posts"), page.context["token"]
    assert token in page.content.decode()
    assert feeding.may_feed(stream, token)
    assert token not in merchant.get(reverse("console:stream", args=[stream.pk])).content.decode()
    again = merchant.post(reverse("console:new_stream"), {"shop": shop.slug, "name": "Posts"})
    assert "a stream of this name already" in again.content.decode()
    renewed = merchant.post(reverse("console:renew_token", args=[stream.pk])).context["token"]
    stream.refresh_from_db()
    assert (feeding.may_feed(stream, token), feeding.may_feed(stream, renewed)) == (False, True)


def test_the_example_is_loaded_by_a_button(merchant, shop):
    merchant.post(reverse("console:load_example"), {"shop": shop.slug})
    assert TextStream.objects.get(shop=shop).items.count() > 200


def test_what_a_person_renames_keeps_its_former_name_as_another(merchant, shop):
    topic = SentenceFactory(item__stream__shop=shop).topic
    page = merchant.post(reverse("console:rename_topic", args=[topic.pk]), {"name": "Dead batteries"}, follow=True)
    topic.refresh_from_db()
    assert (topic.names["en"], topic.names["zh"], topic.former_names) == (
        "Dead batteries",
        "电池召回",
        ["battery recall"],
    )
    assert "also: battery recall" in page.content.decode()


def test_a_surges_conversations_are_handed_over_and_its_replies_wait_to_be_judged(merchant, shop):
    alert = open_surge(shop)
    page = merchant.get(reverse("console:surge", args=[alert.pk]))
    assert "The battery died on day 0." in page.content.decode()
    assert len(page.context["left"]) == 3
    turn = page.context["left"][0]
    merchant.post(reverse("console:approve_reply", args=[turn.conversation.key, turn.number]))
    assert len(merchant.get(reverse("console:surge", args=[alert.pk])).context["left"]) == 2
    told = merchant.post(reverse("console:hand_over_surge", args=[alert.pk]), follow=True).content.decode()
    assert "3 conversations wait for a person now." in told


def test_an_article_begins_with_what_people_say_and_is_a_draft(merchant, shop):
    alert = open_surge(shop)
    address = reverse("console:draft_article", args=[alert.pk])
    form = merchant.get(address).context["form"]
    assert form.initial == {"title": "The battery died on day 0.", "language": "en"}
    for _ in range(2):
        merchant.post(address, {"title": "My battery died", "body": "Send it back to us.", "language": "en"})
    drafts = KnowledgeArticle.objects.filter(shop=shop, active=False)
    assert sorted(drafts.values_list("slug", "title")) == [
        ("my-battery-died", "My battery died"),
        ("my-battery-died-2", "My battery died"),
    ]
    assert merchant.post(address, {"title": "", "body": "", "language": "en"}).context["form"].errors


def test_a_surge_is_no_matter_of_learning(merchant, shop):
    open_surge(shop)
    assert "Many complain." not in merchant.get(reverse("console:learning")).content.decode()
    assert "3 people complain of “battery recall”" in merchant.get(reverse("console:streams")).content.decode()
