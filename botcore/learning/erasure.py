"""A person asks to be forgotten: their rows go, no later snapshot holds them, and it is told which models saw them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.db import transaction

from botcore.learning import layers
from botcore.models import Contact, Dataset, DatasetRow, ModelVersion


@dataclass(frozen=True)
class Erasure:
    """What is left of somebody: snapshots made before that hold scrubbed rows of theirs, and the versions trained on them.

    ``layer`` says that the shop's layer of intents had learned from them; it is gone.
    """

    datasets: tuple[Dataset, ...]
    versions: tuple[ModelVersion, ...]
    conversations: int
    layer: bool = False


def erase(contact: Contact) -> Erasure:
    """Delete a contact with all conversations, messages and opinions.

    Snapshots are not changed: what was learned stays provable, and the list says what to train anew. A layer of intents, which
    is made anew in minutes, goes with them.
    """
    shop, known_as = contact.account.shop, contact.pk
    with transaction.atomic():
        datasets = Dataset.objects.filter(pk__in=DatasetRow.objects.filter(contact_id=contact.pk).values("dataset"))
        trained = ModelVersion.objects.filter(dataset__in=datasets)
        found = Erasure(tuple(datasets), tuple(trained), contact.conversations.count())
        contact.delete()
        return replace(found, layer=layers.forget(shop, known_as))
