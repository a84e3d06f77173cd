"""What is forgotten: a person who asks for it, or conversations that a shop keeps no longer (:mod:`botcore.retention`).

Their rows go, with their texts in the shop's streams and topics that nobody else speaks of; no later snapshot holds them, and of
a person it is told which models saw them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from botcore.learning import layers
from botcore.models import (
    Alert,
    Contact,
    Conversation,
    Dataset,
    DatasetRow,
    Feedback,
    ModelVersion,
    Topic,
    TrainingRun,
)
from catalog.models import Interaction, Shop
from catalog.ranking import model


@dataclass(frozen=True)
class Erasure:
    """What is left of somebody: snapshots made before that hold scrubbed rows of theirs, the versions trained on them, and
    smaller ones that were made of these.

    ``ranker`` is the version of the shop's ranker that may have learned from what they did or thought, "" for none. ``layer``
    says that the shop's layer of intents had learned from them; it is gone.
    """

    datasets: tuple[Dataset, ...]
    versions: tuple[ModelVersion, ...]
    conversations: int
    ranker: str = ""
    layer: bool = False


def known(contacts: Sequence[Contact]) -> Erasure:
    """What :func:`erase` would delete and leave behind; nothing is changed, and of the layer nothing said."""
    rows = DatasetRow.objects.filter(contact_id__in=[contact.pk for contact in contacts])
    datasets = Dataset.objects.filter(pk__in=rows.values("dataset"))
    own = Conversation.objects.filter(contact__in=contacts)
    return Erasure(tuple(datasets), _trained_on(datasets), own.count(), _ranker_that_knows(contacts))


def _trained_on(datasets: Iterable[Dataset]) -> tuple[ModelVersion, ...]:
    """The versions trained on snapshots, and what was compressed of them, on whatever snapshot it healed; the newest first."""
    newest = set(ModelVersion.objects.filter(dataset__in=datasets))
    found = set(newest)
    while newest:
        smaller = ModelVersion.objects.filter(parent__in=newest, recipe=TrainingRun.Recipe.COMPRESS)
        newest = set(smaller) - found
        found |= newest
    return tuple(sorted(found, key=lambda version: -version.pk))


def _ranker_that_knows(contacts: Sequence[Contact]) -> str:
    learned = model.learned(contacts[0].account.shop)
    if learned is None:
        return ""
    did = Interaction.objects.filter(customer__contacts__in=contacts)
    thought = Feedback.objects.filter(contact__in=contacts)
    known = _any_before(did, "at", learned.interactions) or _any_before(thought, "created_at", learned.opinions)
    return learned.version if known else ""


def _any_before(rows: QuerySet[Any], field: str, until: datetime | None) -> bool:
    return (rows.filter(**{f"{field}__lt": until}) if until else rows).exists()


def erase(*contacts: Contact) -> Erasure:
    """Delete the contacts of one person with all conversations, messages and opinions.

    Snapshots are not changed: what was learned stays provable, and the list says what to train anew. A layer of intents, which
    is made anew in minutes, goes with them.
    """
    shop, ids = contacts[0].account.shop, [contact.pk for contact in contacts]
    with transaction.atomic():
        found = known(contacts)
        forget(shop, Conversation.objects.filter(contact__in=ids).values_list("pk", flat=True))
        Contact.objects.filter(pk__in=ids).delete()
        forgotten = [layers.forget(shop, known_as) for known_as in ids]
        return replace(found, layer=any(forgotten))


def forget(shop: Shop, conversations: Iterable[int]) -> None:
    """Delete conversations of a shop, by their ids, with all that hangs on them.

    A layer of intents stays, as versions do: it holds nobody's words, and the next one is made of what is there then.
    """
    with transaction.atomic():
        Conversation.objects.filter(shop=shop, pk__in=list(conversations)).delete()
        _forget_topics(shop)


def _forget_topics(shop: Shop) -> None:
    """A topic without sentences has a name in the words of somebody who is gone; so has its alert."""
    empty = Topic.objects.filter(stream__shop=shop, sentences=None, merged=None, merged_into=None)
    for topic in empty.values_list("pk", flat=True):
        Alert.objects.filter(shop=shop, measured__topic=topic).delete()
    empty.delete()
