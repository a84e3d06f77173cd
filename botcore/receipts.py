"""What platforms say has become of our messages: delivered, read, or given up after all.

A receipt may come before we have noted the id of its message, and a refusal while the message's other parts are still
being sent: such a receipt is kept, and read again when the message has been sent.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone

from botcore.channels.values import ReceivedEvent
from botcore.models import ChannelAccount, Contact, EarlyReceipt, Outbound

FOLLOWS = {"delivered": ("",), "read": ("", Outbound.Receipt.DELIVERED)}
"""What a receipt may follow: platforms tell them in any order."""
FAILED = "failed"
KEPT = timedelta(days=1)
"""No message is sent for longer; what nobody asked for until then is about a message that we did not send."""


def note(account: ChannelAccount, received: ReceivedEvent) -> None:
    """Take a receipt, in the caller's transaction. A contact that we do not know was sent nothing."""
    told = received.data
    contact = Contact.objects.filter(account=account, external_id=received.contact_id).first()
    if contact is None or told.get("status") not in (*FOLLOWS, FAILED):
        return
    if told.get("stopped"):
        Contact.objects.filter(pk=contact.pk, stopped_at=None).update(stopped_at=timezone.now())
    receipt = EarlyReceipt(
        contact=contact,
        platform_id=str(told.get("platform_id", "")),
        status=str(told["status"]),
        error=str(told.get("error", ""))[:500],
    )
    if not _is_noted(receipt):
        EarlyReceipt.objects.bulk_create([receipt], ignore_conflicts=True)
        # Whoever sends the message looks for receipts once its ids are stored: one of the two finds what the other wrote.
        transaction.on_commit(partial(catch_up, contact.pk, [receipt.platform_id]))


def catch_up(contact_id: int, platform_ids: Collection[str]) -> None:
    """Read the receipts that came too early for messages of these ids."""
    early = EarlyReceipt.objects.filter(contact_id=contact_id, platform_id__in=platform_ids).order_by("pk")
    EarlyReceipt.objects.filter(pk__in=[receipt.pk for receipt in early if _is_noted(receipt)]).delete()


def sweep() -> None:
    """Forget receipts of messages that were never ours."""
    EarlyReceipt.objects.filter(received_at__lt=timezone.now() - KEPT).delete()


def _is_noted(receipt: EarlyReceipt) -> bool:
    """Note a receipt with its message; False where it must wait for that."""
    with transaction.atomic():
        messages = Outbound.objects.select_for_update(of=("self",)).filter(
            conversation__contact_id=receipt.contact_id, platform_ids__contains=[receipt.platform_id]
        )
        outbound = messages.first()
        if outbound is None:
            return False
        if receipt.status == FAILED:
            return _is_given_up(outbound, receipt)
        if outbound.receipt in FOLLOWS[receipt.status]:
            outbound.receipt = receipt.status
            outbound.save(update_fields=["receipt"])
    return True


def _is_given_up(outbound: Outbound, receipt: EarlyReceipt) -> bool:
    """A refusal after the fact is a failure like any other: what is sent again then begins with the part it is about.

    What has arrived cannot fail; of several parts we do not know which did. While it is being sent it is its sender's.
    """
    if outbound.status == Outbound.Status.PENDING:
        return False
    if not outbound.receipt or len(outbound.platform_ids) > 1:
        arrived = outbound.platform_ids.index(receipt.platform_id)
        outbound.status, outbound.error = Outbound.Status.FAILED, receipt.error or "the platform gave it up"
        outbound.parts_sent, outbound.platform_ids = arrived, outbound.platform_ids[:arrived]
        outbound.save(update_fields=["status", "error", "parts_sent", "platform_ids"])
    return True
