"""A customer, as far as the shop knows them: the contacts of one person on its channels, and all that is kept about them.

Contacts are one person where the shop's own systems say so (``Contact.customer``); else a contact stands alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.db.models import Model, QuerySet

from botcore import audit
from botcore.learning.erasure import Erasure, erase, known
from botcore.models import (
    Annotation,
    Contact,
    Conversation,
    DatasetRow,
    Feedback,
    InboundEvent,
    Outbound,
    ShadowReply,
    Turn,
)
from catalog.models import Customer, Interaction, Shop


@dataclass(frozen=True)
class Person:
    """One customer of one shop. ``customer`` is None for who is known from chats alone."""

    shop: Shop
    customer: Customer | None
    contacts: Sequence[Contact]

    def __str__(self) -> str:
        named = (self.customer and self.customer.name, *(contact.name for contact in self.contacts))
        return next((name for name in named if name), self.contacts[0].external_id)


def person_of(contact: Contact) -> Person:
    """Who writes as this contact."""
    shop = contact.account.shop
    if contact.customer is None:
        return Person(shop, None, (contact,))
    own = Contact.objects.filter(customer=contact.customer, account__shop=shop).select_related("account__shop")
    return Person(shop, contact.customer, tuple(own.order_by("pk")))


def known_as(contact: Contact, key: str | None) -> None:
    """The shop's own systems say who writes, by their customer number, made here where it is new; None: nobody they know."""
    shop = contact.account.shop
    contact.customer = None if key is None else Customer.objects.get_or_create(shop=shop, key=key)[0]
    contact.save(update_fields=["customer"])


def conversations(person: Person) -> QuerySet[Conversation]:
    """All of their conversations with the shop, over all channels, newest first."""
    own = Conversation.objects.filter(contact__in=person.contacts)
    return own.select_related("shop", "contact__account").order_by("-last_message_at", "-pk")


def interactions(person: Person) -> QuerySet[Interaction]:
    """What they looked at, ordered and reviewed, newest first."""
    if person.customer is None:
        return Interaction.objects.none()
    return person.customer.interactions.select_related("product").order_by("-at", "-pk")


def export(person: Person) -> dict[str, Any]:
    """Everything kept about them, as values of JSON by table; it is entered in the audit log that it was handed out.

    Of what explains replies all is there, too. Platforms' secrets are not: they are the shop's.
    """
    contacts = list(person.contacts)
    turns = Turn.objects.filter(conversation__contact__in=contacts).order_by("pk")
    parts: dict[str, Iterable[Model]] = {
        "contacts": contacts,
        "conversations": Conversation.objects.filter(contact__in=contacts).order_by("pk"),
        "messages": InboundEvent.objects.filter(contact__in=contacts).order_by("pk"),
        "turns": turns,
        "sent": Outbound.objects.filter(conversation__contact__in=contacts).order_by("pk"),
        "feedback": Feedback.objects.filter(contact__in=contacts).order_by("pk"),
        "annotations": Annotation.objects.filter(turn__in=turns).order_by("pk"),
        "shadow_replies": ShadowReply.objects.filter(turn__in=turns).order_by("pk"),
        "training_rows": DatasetRow.objects.filter(contact_id__in=[contact.pk for contact in contacts]),
        "customer": [person.customer] if person.customer else [],
        "interactions": interactions(person).order_by("pk"),
    }
    told = {name: [_values(row) for row in rows] for name, rows in parts.items()}
    audit.note(audit.Action.EXPORTED, "contact", contacts[0].pk, shop=person.shop)
    return {"shop": person.shop.name, **told}


def what_knows(person: Person) -> Erasure:
    """What :func:`forget` would leave behind: snapshots and versions that hold scrubbed rows of theirs."""
    return known(person.contacts)


def forget(person: Person) -> Erasure:
    """Delete the person with all that is theirs, orders and reviews too; tells what learned from them."""
    with transaction.atomic():
        ranker = known(person.contacts).ranker  # while what they did is there to tell
        if person.customer:
            person.customer.delete()
        return replace(erase(*person.contacts), ranker=ranker)


def _values(row: Model) -> dict[str, Any]:
    """All columns of a row but the platform's address of it, which may hold a token."""
    left_out = {"address", "sealed_config"}
    fields = [field for field in row._meta.concrete_fields if field.name not in left_out]
    return {field.attname: field.value_from_object(row) for field in fields}
