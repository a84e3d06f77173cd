"""The holdout: a share of the people who write, drawn by a hash, to whom the bot shows no products.

Beside them one can see what its recommendations bring about (``monitoring/effect.py``). Why so: docs/decisions/0018.
"""

from __future__ import annotations

import hashlib

from django.db import transaction
from django.utils import timezone

from botcore.models import Contact, Conversation, Holdout
from catalog.models import Shop

MOST = 50
"""Percent that may be held out."""


def open_trial(shop: Shop) -> Holdout | None:
    """The trial that runs in a shop."""
    return Holdout.objects.filter(shop=shop, ended_at=None).first()


def begin(shop: Shop, share: int) -> Holdout | None:
    """Hold out ``share`` percent of the people who write from now on; with 0 nobody. A running trial ends, as its groups
    would no longer be comparable. Raises ``ValueError`` for a share that is not from 0 to ``MOST``."""
    if not 0 <= share <= MOST:
        raise ValueError(f"a holdout is of 0 to {MOST} percent, not {share}")
    with transaction.atomic():
        Shop.objects.select_for_update().get(pk=shop.pk)
        running = open_trial(shop)
        if running and running.share == share:
            return running
        Holdout.objects.filter(shop=shop, ended_at=None).update(ended_at=timezone.now())
        return Holdout.objects.create(shop=shop, share=share) if share else None


def enrol(conversation: Conversation) -> None:
    """Put a new conversation into its person's group of the running trial, which they keep while it runs."""
    contact = conversation.contact
    trial = Holdout.objects.filter(shop=conversation.shop_id, ended_at=None).first()
    if trial is None:
        return
    known = trial.conversations.filter(contact=contact)
    if contact.customer_id:
        known = known | trial.conversations.filter(contact__customer=contact.customer_id)
    earlier = known.order_by("pk").values_list("held_out", flat=True).first()
    held_out = is_held_out(person_of(contact), trial.share, trial.pk) if earlier is None else earlier
    conversation.trial, conversation.held_out = trial, held_out
    conversation.save(update_fields=["trial", "held_out"])


def person_of(contact: Contact) -> str:
    """Who counts as one person: the shop's customer on whatever channel, or a contact that nobody has linked to one."""
    return f"customer {contact.customer_id}" if contact.customer_id else f"contact {contact.pk}"


def is_held_out(person: str, share: int, trial: int) -> bool:
    """Whether a person is among the first ``share`` percent of hashes; each trial draws others."""
    digest = hashlib.blake2b(f"holdout {trial}/{person}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < share / 100 * 2**64


def recommends(conversation: Conversation) -> bool:
    """Whether the bot may show this person products: always, but to the held-out ones of a trial that still runs."""
    return not (conversation.held_out and conversation.trial and conversation.trial.ended_at is None)
