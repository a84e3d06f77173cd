"""A shop with one of everything that the console shows, and the addresses of all of its pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, reverse
from django.utils import timezone

from admin_console.urls import urlpatterns
from botcore.channels.values import OutboundMessage
from botcore.models import Alert, Outbound
from catalog.models import MerchandisingRule, Shop
from tests.admin_console import learned
from tests.factories import (
    AccountFactory,
    ArticleFactory,
    ConversationFactory,
    FeedbackFactory,
    ProductFactory,
    ShopFactory,
    TurnFactory,
    UserFactory,
)

ENTRANCE = {"login", "logout", "language"}
"""The addresses of the console that are for everybody."""


@dataclass(frozen=True)
class Furnished:
    """``values`` are what an address needs to name a row, by the name of the address."""

    shop: Shop
    values: Mapping[str, Mapping[str, Any]]

    def address(self, pattern: URLPattern) -> str:
        """Raises ``KeyError`` for a new address whose row nobody has put into :func:`furnish`."""
        wanted = pattern.pattern.converters
        return reverse(f"console:{pattern.name}", kwargs=self.values[str(pattern.name)] if wanted else {})


def furnish(slug: str = "pine", name: str = "Pine") -> Furnished:
    """Make the shop and its rows."""
    shop = ShopFactory(slug=slug, name=name)
    owner = UserFactory(shops=[shop])
    ArticleFactory(shop=shop)
    product = ProductFactory(shop=shop)
    rule = MerchandisingRule.objects.create(
        shop=shop, name="jackets first", kind="boost", attribute="material", value="canvas"
    )
    Alert.objects.create(
        shop=shop, subject="drift: intents", sentence="Customers ask for other things.", proposal="Train."
    )
    talk = ConversationFactory(shop=shop, waiting_for_person=True)
    turn = FeedbackFactory(turn=TurnFactory(conversation=talk), kind="down").turn
    message = OutboundMessage(turn.reply, turn.pk).to_json()
    Outbound.objects.create(conversation=talk, turn=turn, content=message, status=Outbound.Status.FAILED)
    snapshot = learned.snapshot(shop, approved_at=timezone.now(), approved_by=owner)
    run = learned.run(snapshot, status="running")
    version = learned.version(snapshot, run=run, name=f"{slug}-1")
    account = AccountFactory(shop=shop, channel="telegram")
    of_conversation = {"key": talk.key}
    of_reply = {**of_conversation, "number": turn.number}
    return Furnished(
        shop,
        {
            **dict.fromkeys(("conversation", "take_over", "hand_back", "answer"), of_conversation),
            **dict.fromkeys(("approve_reply", "reject_reply", "correct_reply"), of_reply),
            **{name: {"pk": account.pk} for name in ("account", "switch_account", "test_account")},
            "connect_channel": {"channel": "whatsapp"},
            "resend": {"pk": Outbound.objects.get(turn=turn).pk},
            **{name: {"pk": product.pk} for name in ("neighbourhood", "edit_link")},
            "switch_rule": {"pk": rule.pk},
            **{name: {"pk": snapshot.pk} for name in ("snapshot", "approve_snapshot")},
            **{name: {"pk": run.pk} for name in ("run", "stop_run")},
            **{name: {"pk": version.pk} for name in ("version", "move_version", "evaluate_version", "blind_choice")},
        },
    )


def rooms() -> list[URLPattern]:
    """Every address of the console but the entrance."""
    return [pattern for pattern in urlpatterns if pattern.name not in ENTRANCE]
