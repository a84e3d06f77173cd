"""What an empty shop lacks to its first good answer, read from its data: no step is ever ticked off by hand."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from botcore.channels.connecting import OFFERED
from botcore.models import Annotation, ChannelAccount, Turn
from catalog.models import Product, Shop

QUESTIONS = 3
WEBCHAT = "webchat"


@dataclass(frozen=True)
class Steps:
    """How far a shop is. ``questions`` counts to three."""

    products: bool
    questions: int
    channel: bool
    corrected: bool

    @property
    def asked(self) -> bool:
        return self.questions >= QUESTIONS

    @property
    def done(self) -> int:
        """How many of the four are done."""
        return sum((self.products, self.asked, self.channel, self.corrected))

    @property
    def finished(self) -> bool:
        return self.done == 4


def steps(shop: Shop) -> Steps:
    """The four steps: something to sell, three questions answered, a channel beside the web chat, a reply corrected.

    One query that stops at the first rows it needs, however many a shop has.
    """
    answered = Turn.objects.filter(conversation__shop=OuterRef("pk"), status=Turn.Status.ANSWERED)
    elsewhere = [name for name in OFFERED if name != WEBCHAT]
    corrected = Annotation.objects.filter(verdict=Annotation.Verdict.CORRECTED)
    found = Shop.objects.filter(pk=shop.pk).values_list(
        Exists(Product.objects.filter(shop=OuterRef("pk"), active=True)),
        Exists(ChannelAccount.objects.filter(shop=OuterRef("pk"), active=True, channel__in=elsewhere)),
        Exists(corrected.filter(turn__conversation__shop=OuterRef("pk"))),
        *(Exists(answered[number : number + 1]) for number in range(QUESTIONS)),
    )
    products, channel, taught, *questions = found.get()
    return Steps(products=products, questions=sum(questions), channel=channel, corrected=taught)
