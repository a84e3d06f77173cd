"""What reviewing calls the words that are stored: verdicts, decisions and their reasons."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from admin_console.labels.naming import Label
from botcore.learning.review.value import Reason
from botcore.models import Annotation, ReviewDecision

VERDICTS: dict[str, Label] = {
    Annotation.Verdict.APPROVED: _("Replies approved"),
    Annotation.Verdict.CORRECTED: _("Replies corrected"),
    Annotation.Verdict.REJECTED: _("Replies rejected"),
}
DECISIONS: dict[str, Label] = {
    ReviewDecision.Kind.APPROVED: _("approved"),
    ReviewDecision.Kind.CORRECTED: _("corrected"),
    ReviewDecision.Kind.REJECTED: _("rejected"),
    ReviewDecision.Kind.TRAINING: _("use for training switched"),
}
REASONS: dict[str, Label] = {
    Reason.NOT_ASKED: _("Not what was asked"),
    Reason.IGNORES_WISH: _("Ignores a wish"),
    Reason.WRONG_PRODUCT: _("Wrong product"),
    Reason.FALSE_CLAIM: _("Says something false"),
    Reason.INCOMPLETE: _("Leaves something out"),
    Reason.UNCLEAR: _("Hard to understand"),
    Reason.TONE: _("Wrong tone"),
    Reason.TOO_LONG: _("Too long"),
    Reason.NEEDS_PERSON: _("Needs a person"),
}
SIGNALS: dict[str, Label] = {
    "down": _("Thumbs down"),
    "not_meant": _("Not what I meant"),
    "unsure": _("Model not sure"),
    "new_topic": _("New topic"),
}
"""Why a reply comes early in the review queue."""
STANDINGS: dict[str, Label] = {"done": _("Decided"), "disagreed": _("Two readers disagree")}
