"""What an empty shop lacks to its first good answer, read from its data: no step is ever ticked off by hand."""

from __future__ import annotations

from dataclasses import dataclass

from botcore.channels.connecting import OFFERED
from botcore.models import Annotation, Turn
from catalog.models import Shop

QUESTIONS = 3
WEBCHAT = "webchat"


@dataclass(frozen=True)
class Steps:
    """How far a shop is. ``questions`` counts to three."""

    products: int
    questions: int
    channel: bool
    corrected: bool

    @property
    def asked(self) -> bool:
        return self.questions >= QUESTIONS

    @property
    def done(self) -> int:
        """How many of the four are done."""
        return sum((self.products > 0, self.asked, self.channel, self.corrected))

    @property
    def finished(self) -> bool:
        return self.done == 4


def steps(shop: Shop) -> Steps:
    """The four steps: something to sell, three questions answered, a channel beside the web chat, a reply corrected."""
    answered = Turn.objects.filter(conversation__shop=shop, status=Turn.Status.ANSWERED)
    elsewhere = [name for name in OFFERED if name != WEBCHAT]
    return Steps(
        products=shop.products.filter(active=True).count(),
        questions=answered[:QUESTIONS].count(),
        channel=shop.channel_accounts.filter(active=True, channel__in=elsewhere).exists(),
        corrected=Annotation.objects.filter(
            turn__conversation__shop=shop, verdict=Annotation.Verdict.CORRECTED
        ).exists(),
    )
