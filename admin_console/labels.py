"""What the console calls the words that are stored: translated names of acts, channels, verdicts and stages.

A word without a name here is shown as it is stored, so nothing new in the dialogue can break a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from django.utils.translation import gettext_lazy as _

from botcore.dialogue.evidence import Kind
from botcore.dialogue.state import Act
from botcore.models import Feedback, Turn

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

Label: TypeAlias = "str | StrPromise"

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
STATE: dict[str, Label] = {
    "goal": _("Looking for"),
    "topic": _("Topic"),
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


def label(names: Mapping[str, Label], word: str) -> str:
    """The name of ``word`` in the reader's language."""
    return str(names.get(word) or humanised(word))


def humanised(word: str) -> str:
    """A stored name as words: ``price_fit`` is ``price fit``."""
    return word.replace("_", " ")
