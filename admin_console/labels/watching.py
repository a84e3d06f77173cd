"""What the rooms that watch call the words that are stored: metrics, alert rules, streams."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from admin_console.labels.naming import Label
from botcore.models import AlertNotice, AlertRule, TextStream
from botcore.monitoring.metrics import Group, Unit

SENTIMENTS: dict[str, Label] = {
    "positive": _("positive"),
    "neutral": _("neutral"),
    "negative": _("negative"),
}
STREAM_KINDS: dict[str, Label] = {
    TextStream.Kind.MESSAGES: _("what customers write in chats"),
    TextStream.Kind.REVIEWS: _("reviews of products"),
    TextStream.Kind.FEED: _("texts from elsewhere"),
}
ALERT_RULE_STATES: dict[str, Label] = {
    AlertRule.State.OK: _("all is well"),
    AlertRule.State.PENDING: _("met, waits"),
    AlertRule.State.FIRING: _("fires"),
}
ALERT_ROUTES: dict[str, Label] = {
    AlertNotice.Route.MAIL: _("Mail"),
    AlertNotice.Route.WEBHOOK: _("Webhook"),
    AlertNotice.Route.CHAT: _("Chat"),
}
ALERT_KINDS: dict[str, Label] = {
    AlertRule.Kind.THRESHOLD: _("A limit"),
    AlertRule.Kind.ANOMALY: _("Unusual for this hour"),
}
ALERT_DIRECTIONS: dict[str, Label] = {
    AlertRule.Direction.ABOVE: _("too high"),
    AlertRule.Direction.BELOW: _("too low"),
}
ALERT_RULE_FIELDS: dict[str, tuple[Label, Label]] = {
    "name": (_("Name"), ""),
    "metric": (_("Metric"), ""),
    "channel": (_("Channel"), ""),
    "version": (_("Version"), _("all where empty; “shipped” is the model that ships")),
    "kind": (_("Told when it is"), _("unusual needs a week of the shop's own past")),
    "direction": (_("Way"), ""),
    "threshold": (_("Limit"), _("in the metric's unit; for unusual how many usual spreads away, 4 is a good start")),
    "window_minutes": (_("Window, minutes"), _("shares and times need ten replies in it")),
    "hold_minutes": (_("For at least, minutes"), _("0 tells at once")),
    "mail_to": (_("Mail to"), _("addresses with commas between")),
    "webhook_url": (_("Webhook"), _("https address; signed by Standard Webhooks")),
}
"""Titles and hints of a rule's form."""
SILENCES: dict[int, Label] = {1: _("1 hour"), 8: _("8 hours"), 24: _("1 day"), 168: _("1 week")}
"""By hours."""
PERIODS: dict[str, Label] = {
    "1h": _("Last hour"),
    "24h": _("Last 24 hours"),
    "7d": _("Last 7 days"),
    "30d": _("Last 30 days"),
    "90d": _("Last 90 days"),
}
UNITS: dict[str, Label] = {Unit.SHARE: "%", Unit.MILLISECONDS: "ms", Unit.SECONDS: "s"}
METRIC_GROUPS: dict[str, Label] = {
    Group.TRAFFIC: _("Traffic"),
    Group.SPEED: _("Speed"),
    Group.QUALITY: _("Quality"),
    Group.SALES: _("Sales"),
}
