"""A shop with one row of everything that an address of the console can name, all by one number."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.files.base import ContentFile
from django.urls import URLPattern, reverse
from django.utils import timezone

from admin_console.urls import urlpatterns
from botcore.channels.values import OutboundMessage
from botcore.learning.review import queue
from botcore.models import Alert, AlertRule, ApiToken, Outbound, Retention, SavedView, Topic, WebhookDelivery
from catalog.models import ChangeSet, Feed, MerchandisingRule, Shop
from tests.admin_console import learned
from tests.factories import (
    AccountFactory,
    ArticleFactory,
    AttributeValueFactory,
    AuditEntryFactory,
    ContactFactory,
    ConversationFactory,
    FeedbackFactory,
    InvitationFactory,
    MemberFactory,
    ProductFactory,
    TopicFactory,
    TurnFactory,
    WebhookFactory,
)


def furnish(shop: Shop, number: int) -> None:
    """``number`` is the id of a row of each kind that addresses name; a page of a new kind needs a line here."""
    account = AccountFactory(pk=number, shop=shop)
    contact = ContactFactory(pk=number, account=account)
    talk = ConversationFactory(
        pk=number, shop=shop, contact=contact, key=uuid.UUID(int=number), waiting_for_person=True
    )
    turn = FeedbackFactory(turn=TurnFactory(pk=number, conversation=talk, number=1), kind="down").turn
    message = OutboundMessage(turn.reply, turn.pk).to_json()
    Outbound.objects.create(
        pk=number, conversation=talk, turn=turn, content=message, status=Outbound.Status.FAILED, error="refused"
    )
    ProductFactory(pk=number, shop=shop)
    ArticleFactory(pk=number, shop=shop)
    MerchandisingRule.objects.create(pk=number, shop=shop, name="Rain first", kind="boost")
    snapshot = learned.snapshot(
        shop,
        pk=number,
        content_hash=f"{number:064x}",
        approved_at=timezone.now(),
        approved_by=MemberFactory(shop=shop).user,
    )
    run = learned.run(snapshot, pk=number, status="running", stage="preference")
    version = learned.version(snapshot, pk=number, run=run, name=f"{shop.slug}-1")
    learned.shadow_reply(version, turn)
    rule = AlertRule.objects.create(pk=number, shop=shop, name="Errors", metric="errors", threshold=0.1)
    Alert.objects.create(
        pk=number + 1_000, shop=shop, rule=rule, subject=rule.subject, sentence="Errors: 12 % of the replies."
    )
    endpoint = WebhookFactory(pk=number, shop=shop)
    WebhookDelivery.objects.create(
        pk=number, endpoint=endpoint, event="reply.sent", data={}, status="failed", error="503"
    )
    ApiToken.objects.create(
        pk=number, shop=shop, name="till", prefix="daogou_ab", digest=f"{number:064x}", rights=["read"]
    )
    SavedView.objects.create(pk=number, shop=shop, name="Thumbs down", query="signal=down")
    queue.enqueue(turn.pk)
    feed = Feed.objects.create(
        pk=number, shop=shop, name="Supplier", url="https://feed.example/", next_at=timezone.now()
    )
    rows = ContentFile(b"sku,title,price\nA,Jacket,10\n", name="supplier.csv")
    asked = {"kind": "feed", "name": "Supplier", "task": "check", "status": "done", "file": rows}
    ChangeSet.objects.create(pk=number, shop=shop, feed=feed, **asked)
    AttributeValueFactory(pk=number, shop=shop)
    surge_of(TopicFactory(pk=number, stream__pk=number, stream__shop=shop), pk=number)
    MemberFactory(pk=number, shop=shop)
    InvitationFactory(pk=number, shop=shop)
    AuditEntryFactory(pk=number, shop_id=shop.pk)
    Retention.objects.create(pk=number, shop=shop, days=30)


def surge_of(topic: Topic, **fields: Any) -> Alert:
    """An alert about a topic that people complain of."""
    measured = {"topic": topic.pk, "people": 5, "hours": 1, "share": 1, "chance": 0.1, "items": [], "quotes": []}
    told = {"sentence": "5 people complain of “zip”.", "measured": {**measured, "stream": topic.stream_id}}
    return Alert.objects.create(shop=topic.stream.shop, subject=f"surge: {topic.pk}", **told, **fields)


def address(pattern: URLPattern, number: int) -> str:
    """The address of a page, about the rows of this number. Reads what it needs from the pattern itself."""
    values: dict[str, Any] = {"channel": "telegram", "number": 1}
    by_converter = {"UUIDConverter": uuid.UUID(int=number), "IntConverter": number}
    wanted = pattern.pattern.converters.items()
    kwargs = {name: values.get(name, by_converter.get(type(converter).__name__)) for name, converter in wanted}
    return reverse(f"console:{pattern.name}", kwargs=kwargs)


def names_a_row(pattern: URLPattern) -> bool:
    """Whether the address of this page says which row it is about."""
    return bool({"IntConverter", "UUIDConverter"} & {type(c).__name__ for c in pattern.pattern.converters.values()})


def rooms() -> list[URLPattern]:
    """Every address of the console that needs a right: all but the door."""
    return [pattern for pattern in urlpatterns if hasattr(pattern.callback, "right")]
