"""A shop with one row of everything that an address of the console can name, all by one number."""

from __future__ import annotations

import uuid
from typing import Any

from django.urls import URLPattern, reverse

from botcore.models import Outbound, TrainingRun
from catalog.models import MerchandisingRule, Shop
from tests.factories import (
    AccountFactory,
    AuditEntryFactory,
    ContactFactory,
    ConversationFactory,
    DatasetFactory,
    InvitationFactory,
    MemberFactory,
    ModelVersionFactory,
    ProductFactory,
    TurnFactory,
)


def furnish(shop: Shop, number: int) -> None:
    """``number`` is the id of a row of each kind that addresses name; a page of a new kind needs a line here."""
    account = AccountFactory(pk=number, shop=shop)
    contact = ContactFactory(pk=number, account=account)
    talk = ConversationFactory(pk=number, shop=shop, contact=contact, key=uuid.UUID(int=number))
    TurnFactory(pk=number, conversation=talk, number=1)
    Outbound.objects.create(pk=number, conversation=talk, content={"text": "hello"}, status=Outbound.Status.FAILED)
    ProductFactory(pk=number, shop=shop)
    MerchandisingRule.objects.create(pk=number, shop=shop, name="Rain first", kind="boost")
    snapshot = DatasetFactory(pk=number, shop=shop)
    TrainingRun.objects.create(pk=number, shop=shop, dataset=snapshot, recipe="sft")
    ModelVersionFactory(pk=number, shop=shop)
    MemberFactory(pk=number, shop=shop)
    InvitationFactory(pk=number, shop=shop)
    AuditEntryFactory(pk=number, shop_id=shop.pk)


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
