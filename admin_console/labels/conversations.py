"""What the rooms of conversations call the words that are stored: acts, opinions, deliveries, what explains a reply."""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from admin_console.labels.naming import Label
from botcore.channels import condition
from botcore.channels.registry import channel_class
from botcore.dialogue.evidence import Kind
from botcore.dialogue.state import Act
from botcore.models import Feedback, Outbound, Turn
from catalog.models import Interaction

ACTS: dict[str, Label] = {
    Act.ASK: _("Asks"),
    Act.RECOMMEND: _("Recommends"),
    Act.ANSWER: _("Answers"),
    Act.COMPARE: _("Compares"),
    Act.EXPLAIN: _("Explains"),
    Act.CHITCHAT: _("Small talk"),
    Act.HANDOFF: _("Hands over"),
    Act.CLARIFY: _("Clarifies"),
    Act.DECLINE: _("Declines"),
}
WRITTEN_BY: dict[str, Label] = {
    Turn.WrittenBy.MODEL: _("Model"),
    Turn.WrittenBy.TEMPLATE: _("Template"),
    Turn.WrittenBy.ARTICLE: _("Article"),
}
FEEDBACK: dict[str, Label] = {
    Feedback.Kind.UP: _("Thumbs up"),
    Feedback.Kind.DOWN: _("Thumbs down"),
    Feedback.Kind.NOT_MEANT: _("Not what I meant"),
}
FEEDBACK_SOURCES: dict[str, Label] = {
    Feedback.Source.BUTTON: _("by button"),
    Feedback.Source.REACTION: _("by reaction"),
    Feedback.Source.WORDS: _("in words"),
}
CHANNELS: dict[str, Label] = {"webchat": _("Web chat"), "telegram": _("Telegram"), "terminal": _("Terminal")}
INTERACTIONS: dict[str, Label] = {
    Interaction.Kind.VIEW: _("looked at"),
    Interaction.Kind.CART: _("put into the cart"),
    Interaction.Kind.ORDER: _("ordered"),
    Interaction.Kind.REVIEW: _("reviewed"),
}
DELIVERY: dict[str, Label] = {
    Outbound.Status.PENDING: _("under way"),
    Outbound.Status.HELD: _("kept until the customer writes"),
    Outbound.Status.SENT: _("sent"),
    Outbound.Status.FAILED: _("failed"),
}
NOT_SENT: dict[str, Label] = {
    "NotHeldError": _("The bot answers this conversation. Take it over first; nothing was sent."),
    "AnsweredMeanwhileError": _("Something was said since you looked. Read it, then send again; nothing was sent."),
    "FactsChangedError": _(
        "Prices, stock or texts have changed since this was suggested: it may not be true any more. Nothing was sent."
    ),
}
ACCOUNT_STATES: dict[str, Label] = {
    condition.OK: _("works"),
    condition.NEW: _("connected"),
    condition.TROUBLED: _("last messages failed"),
    condition.PAUSED: _("paused by the platform"),
    condition.FAILING: _("out of order"),
    condition.UNREADABLE: _("secrets cannot be opened"),
    condition.OFF: _("off"),
}
STATE: dict[str, Label] = {
    "goal": _("Looking for"),
    "topic": _("Topic"),
    "told": _("Told without naming anything"),
    "constraints": _("Wishes"),
    "price": _("Price"),
    "shown": _("Shown"),
    "focus": _("In focus"),
    "liked": _("Liked"),
    "rejected": _("Rejected"),
    "open_question": _("Open question"),
    "asked": _("Already asked"),
    "last_article": _("Last article"),
    "language": _("Language"),
    "satisfaction": _("Satisfaction"),
    "failures": _("Failures in a row"),
    "returned": _("Handed back by a person"),
}
SOURCES: dict[str, Label] = {
    Kind.ARTICLE: _("Article"),
    Kind.ATTRIBUTE: _("Product data"),
    Kind.STOCK: _("Stock"),
    Kind.DESCRIPTION: _("Product description"),
    Kind.REVIEW: _("Customer reviews"),
}


def channel_name(name: str) -> str:
    """What a platform calls itself; the stored name of a channel that is no more."""
    try:
        return str(CHANNELS.get(name) or gettext(channel_class(name).title))
    except LookupError:
        return name
