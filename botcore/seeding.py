"""A shop with as many conversations and interactions as one likes, to see how pages and queries bear them.

Deterministic by seed. Rows are believable where pages read them: hours and weekdays, channels and versions, times of
stages, verdicts, thumbs, orders of what was shown. They are stored by COPY, within minutes.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import random
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection, models, transaction

from botcore.models import (
    ChannelAccount,
    Contact,
    Conversation,
    Feedback,
    InboundEvent,
    ModelVersion,
    Outbound,
    Turn,
)
from catalog.models import Category, Customer, Interaction, Product, Shop, Variant

Progress = Callable[[str, int], None]
DAYS = 90
PRODUCTS = 500
"""Made for a shop that has none."""
CHANNELS = {"webchat": 5, "telegram": 3, "whatsapp": 2, "wechat": 1}
"""How often each is written on."""
BY_HOUR = (2, 1, 1, 1, 1, 2, 3, 5, 7, 9, 10, 10, 9, 9, 10, 10, 10, 11, 12, 13, 13, 10, 7, 4)
ACTS = {"recommend": 52, "ask": 14, "answer": 16, "chitchat": 8, "compare": 3, "explain": 2, "decline": 3, "handoff": 2}
SHOWING = frozenset({"recommend", "compare", "explain"})
STAGES_MS = {"understand": 22, "decide": 14, "find": 38, "ask": 9, "plan": 12, "compose": 520}
"""Medians of lognormal times."""
KINDS = {Interaction.Kind.VIEW: 80, Interaction.Kind.CART: 12, Interaction.Kind.ORDER: 8}
BATCH = 20_000
NULL = "\\N"


class NotEmptyError(Exception):
    """The shop has conversations that may be people's."""


@dataclass(frozen=True)
class Size:
    """Turns are about three to a conversation; a customer has about ten interactions."""

    conversations: int
    interactions: int

    @property
    def customers(self) -> int:
        return max(self.interactions // 10, self.conversations // 4, 1)


class Talk(NamedTuple):
    """One conversation: the ids of its rows, who has it, and when it began."""

    pk: int
    contact: int
    customer: int
    account: int
    begun: datetime
    turns: int


def seed(slug: str, size: Size, now: datetime, number: int = 0, told: Progress = lambda what, count: None) -> Shop:
    """Fill a shop, which is made where there is none. Raises ``NotEmptyError`` for one that somebody has talked to."""
    rng = random.Random(number)
    with transaction.atomic():
        shop, _ = Shop.objects.get_or_create(slug=slug, defaults={"name": slug.replace("-", " ").title()})
        if Conversation.objects.filter(shop=shop).exists():
            raise NotEmptyError(f'the shop "{slug}" has conversations: name another, or a new one')
        products, customers = _products(shop, rng), _customers(shop, size, number)
        told("customers", len(customers))
        talks = _talks(shop, size, rng, now, customers)
        told("conversations", len(talks))
        orders = _turns(shop, rng, talks, products, told)
        _interactions(shop, size.interactions, rng, now, products, customers, orders, told)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return shop


class Goods(NamedTuple):
    pk: int
    sku: str
    title: str


# --- the shop ---------------------------------------------------------------------------------------------------------


def _products(shop: Shop, rng: random.Random) -> list[Goods]:
    if not shop.products.exists():
        category, _ = Category.objects.get_or_create(shop=shop, path="things", defaults={"name": "Things"})
        made = Product.objects.bulk_create(
            Product(shop=shop, category=category, sku=f"L{place:04}", title=f"Thing {place}")
            for place in range(PRODUCTS)
        )
        Variant.objects.bulk_create(
            Variant(product=product, sku=product.sku, price=Decimal(rng.randrange(500, 20_000)) / 100, stock=9)
            for product in made
        )
    return [Goods(*row) for row in shop.products.order_by("pk").values_list("pk", "sku", "title")]


def _customers(shop: Shop, size: Size, number: int) -> list[int]:
    made = Customer.objects.bulk_create(
        (Customer(shop=shop, key=f"load-{number}-{place}", simulated=True) for place in range(size.customers)),
        batch_size=BATCH,
    )
    return [customer.pk for customer in made]


def _accounts(shop: Shop) -> list[int]:
    """Accounts that are switched off: nobody is ever written to."""
    return [ChannelAccount.objects.create(shop=shop, channel=channel, active=False).pk for channel in CHANNELS]


def _versions(shop: Shop) -> list[int | None]:
    made = [
        ModelVersion.objects.create(shop=shop, name=f"{shop.slug}-{n}", recipe="sft", state="retired").pk
        for n in (1, 2)
    ]
    return [None, *made]


# --- conversations ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Order:
    customer: int
    product: int
    at: datetime


def _talks(shop: Shop, size: Size, rng: random.Random, now: datetime, customers: Sequence[int]) -> list[Talk]:
    """Contacts with their conversations, of which the last one is open, in order of time."""
    accounts = _accounts(shop)
    people = max(size.conversations // 2, 1)
    places = rng.choices(accounts, [*CHANNELS.values()], k=people)
    first_contact, first_talk = _ids(Contact, people), _ids(Conversation, size.conversations)
    talks = []
    for place, begun in enumerate(sorted(_moment(rng, now) for _ in range(size.conversations))):
        person = rng.randrange(people)
        customer = customers[person % len(customers)]
        turns = rng.choice((1, 2, 2, 3, 3, 4, 5))
        talks.append(Talk(first_talk + place, first_contact + person, customer, places[person], begun, turns))
    _copy(Contact, (
        {"id": first_contact + place, "account": account, "external_id": f"load-{place}", "name": f"Visitor {place}",
         "language": "en", "customer": customers[place % len(customers)], "created_at": now}
        for place, account in enumerate(places)
    ))  # fmt: skip
    last = {talk.contact: talk.pk for talk in talks}
    _copy(Conversation, (
        {"id": talk.pk, "contact": talk.contact, "shop": shop.pk, "key": uuid.UUID(int=rng.getrandbits(128)),
         "closed": last[talk.contact] != talk.pk, "created_at": talk.begun,
         "last_message_at": talk.begun + timedelta(minutes=talk.turns)}
        for talk in talks
    ))  # fmt: skip
    return talks


def _turns(
    shop: Shop, rng: random.Random, talks: Sequence[Talk], products: Sequence[Goods], told: Progress
) -> list[Order]:
    """Stores the turns with what comes and goes with them; the orders that follow them."""
    versions = _versions(shop)
    ids = itertools.count(_ids(Turn, sum(talk.turns for talk in talks)))
    orders: list[Order] = []
    for done in range(0, len(talks), BATCH):
        turns, thumbs = [], []
        for talk in talks[done : done + BATCH]:
            version = rng.choices(versions, (2, 5, 1))[0]
            for number in range(1, talk.turns + 1):
                shown = rng.sample(products, min(3, len(products)))
                turn = {"id": next(ids), **_turn(rng, talk, number, version, shown)}
                turns.append((talk, turn))
                if rng.random() < 0.06:
                    thumbs.append(_thumb(rng, talk, turn))
                if turn["slate"] and rng.random() < 0.03:
                    later = timedelta(hours=rng.expovariate(1 / 20))
                    orders.append(Order(talk.customer, shown[0].pk, turn["answered_at"] + later))
        _copy(Turn, (turn for _, turn in turns))
        _copy(InboundEvent, (_event(talk, turn) for talk, turn in turns))
        _copy(Outbound, (_message(rng, talk, turn) for talk, turn in turns))
        _copy(Feedback, thumbs)
        told("turns", len(turns))
    return orders


def _turn(rng: random.Random, talk: Talk, number: int, version: int | None, shown: Sequence[Goods]) -> dict[str, Any]:
    act = rng.choices([*ACTS], [*ACTS.values()])[0]
    timings = {stage: round(median * rng.lognormvariate(0, 0.4), 1) for stage, median in STAGES_MS.items()}
    timings["total"] = round(sum(timings.values()), 1)
    refused, failed = rng.random() < 0.05, rng.random() < 0.004
    asked = talk.begun + timedelta(minutes=number - 1)
    names = ", ".join(goods.title for goods in shown)
    return {
        "conversation": talk.pk,
        "number": number,
        "status": Turn.Status.ANSWERED,
        "attempts": 1,
        "created_at": asked,
        "answered_at": asked + timedelta(milliseconds=timings["total"] + rng.expovariate(1 / 150)),
        "text": f"Do you have something like {shown[0].title}?",
        "reply": f"How about {names}?",
        "act": act,
        "language": "en",
        "written_by": Turn.WrittenBy.TEMPLATE if refused or failed else Turn.WrittenBy.MODEL,
        "model_version": "" if refused or failed else "load",
        "asked_version": version,
        "understanding": {"intent": "find", "language": "en"},
        "slate": [{"sku": goods.sku, "name": goods.title, "letter": "ABC"[n]} for n, goods in enumerate(shown)]
        if act in SHOWING
        else [],
        "samples": [{"text": "…", "accepted": not refused and rng.random() < 0.95} for _ in range(2)],
        "timings_ms": timings,
        "error": "writing failed" if failed else "no draft was accepted" if refused else "",
    }


def _event(talk: Talk, turn: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "account": talk.account,
        "event_key": f"load-{turn['id']}",
        "kind": InboundEvent.Kind.TEXT,
        "contact": talk.contact,
        "turn": turn["id"],
        "text": turn["text"],
        "received_at": turn["created_at"],
    }


def _message(rng: random.Random, talk: Talk, turn: Mapping[str, Any]) -> dict[str, Any]:
    failed = rng.random() < 0.004
    return {
        "conversation": talk.pk,
        "turn": turn["id"],
        "content": {"text": turn["reply"]},
        "facts": {},
        "status": Outbound.Status.FAILED if failed else Outbound.Status.SENT,
        "created_at": turn["answered_at"],
        "sent_at": None if failed else turn["answered_at"],
    }


def _thumb(rng: random.Random, talk: Talk, turn: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "turn": turn["id"],
        "contact": talk.contact,
        "kind": Feedback.Kind.UP if rng.random() < 0.8 else Feedback.Kind.DOWN,
        "source": Feedback.Source.BUTTON,
        "created_at": turn["answered_at"],
        "updated_at": turn["answered_at"],
    }


def _moment(rng: random.Random, now: datetime) -> datetime:
    """Within the last days, rather in the evening than at night, and never in the future."""
    day = now - timedelta(days=rng.randrange(DAYS))
    hour = rng.choices(range(24), BY_HOUR)[0]
    at = day.replace(hour=hour, minute=rng.randrange(60), second=rng.randrange(60), microsecond=rng.randrange(10**6))
    return at if at < now - timedelta(minutes=10) else at - timedelta(days=1)


# --- interactions -----------------------------------------------------------------------------------------------------


def _interactions(
    shop: Shop, count: int, rng: random.Random, now: datetime, products: Sequence[Goods], customers: Sequence[int],
    orders: Sequence[Order], told: Progress,
) -> None:  # fmt: skip
    """The orders that follow conversations, and as many other traces as make ``count`` in all, in order of ids only."""
    kinds, weights = zip(*KINDS.items(), strict=True)

    def rows() -> Iterator[dict[str, Any]]:
        for order in orders[:count]:
            yield _trace(shop, order.customer, order.product, Interaction.Kind.ORDER, min(order.at, now))
        for _ in range(count - len(orders)):
            product = products[int(len(products) * rng.random() ** 2)]
            kind = rng.choices(kinds, weights)[0]
            yield _trace(shop, rng.choice(customers), product.pk, kind, _moment(rng, now))

    left = rows()
    while batch := list(itertools.islice(left, 5 * BATCH)):
        _copy(Interaction, batch)
        told("interactions", len(batch))


def _trace(shop: Shop, customer: int, product: int, kind: str, at: datetime) -> dict[str, Any]:
    return {"shop": shop.pk, "customer": customer, "product": product, "kind": kind, "at": at, "simulated": True}


# --- storing ----------------------------------------------------------------------------------------------------------


def _ids(model: type[models.Model], count: int) -> int:
    """The first of so many ids that nobody else will be given."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [model._meta.db_table])
        (sequence,) = cursor.fetchone()
        cursor.execute(f"LOCK TABLE {connection.ops.quote_name(model._meta.db_table)} IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute("SELECT nextval(%s)", [sequence])
        (first,) = cursor.fetchone()
        cursor.execute("SELECT setval(%s, %s)", [sequence, first + count])
    return int(first)


def _copy(model: type[models.Model], rows: Iterable[Mapping[str, Any]]) -> None:
    """COPY rows by field names; what they leave out has its field's default, an id the sequence's next one."""
    given = list(rows)
    if not given:
        return
    fields = [field for field in model._meta.concrete_fields if not (field.primary_key and field.name not in given[0])]
    out = io.StringIO()
    lines = csv.writer(out)
    for row in given:
        lines.writerow(
            [_plain(field, row[field.name] if field.name in row else field.get_default()) for field in fields]
        )
    out.seek(0)
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN WITH (FORMAT csv, NULL '{NULL}')", out)


def _plain(field: models.Field[Any, Any], value: Any) -> Any:
    if value is None:
        return NULL
    if isinstance(field, models.JSONField):
        return json.dumps(value, ensure_ascii=False)
    return value
