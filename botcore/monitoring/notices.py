"""Who is told of an alert: by mail, by a signed webhook, or by a message through one of the shop's own channels.

Every notice is a row that is sent once; what fails is tried again a few times and then given up, for the page to show.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from botcore import delivery, intake, mail
from botcore.channels import http, signed
from botcore.channels.values import OutboundMessage
from botcore.models import Alert, AlertNotice, AlertRule
from botcore.monitoring import alerts
from botcore.monitoring.telling import condition_of, sentence_of
from botcore.security import seal, unseal

log = structlog.get_logger(__name__)

Event, Route = AlertNotice.Event, AlertNotice.Route
BACKOFF_SECONDS = (20, 60, 300, 900)
"""After so many failures one more, and a notice is given up."""
LEASE = timedelta(minutes=2)
AT_ONCE = 20


class NotToldError(Exception):
    """A notice did not arrive; the text says why and holds no secret."""


def routes_of(rule: AlertRule) -> list[str]:
    """The ways in which a rule tells."""
    given = {Route.MAIL: rule.mail_to, Route.WEBHOOK: rule.webhook_url, Route.CHAT: rule.contact_id}
    return [route for route, to in given.items() if to]


def tell_opened(alert: Alert, now: datetime) -> None:
    """Queue what tells of an open alert, by each way once; nothing while its subject is silenced."""
    if alert.rule and not alerts.is_silenced(alert, now):
        _queue(alert, Event.OPENED, routes_of(alert.rule))


def tell_resolved(alert: Alert, now: datetime) -> None:
    """Queue that it is over, for those who were told that it began."""
    if alert.rule and not alerts.is_silenced(alert, now):
        told = alert.notices.filter(event=Event.OPENED).values_list("route", flat=True)
        _queue(alert, Event.RESOLVED, [route for route in routes_of(alert.rule) if route in set(told)])


def send_due(now: datetime) -> None:
    """Send what is due; a worker that dies over one leaves it to be sent again once its lease is over."""
    with transaction.atomic():
        due = AlertNotice.objects.select_for_update(skip_locked=True).filter(due_at__lte=now).order_by("due_at")
        notices = list(due[:AT_ONCE])
        AlertNotice.objects.filter(pk__in=[notice.pk for notice in notices]).update(due_at=now + LEASE)
    for notice in notices:
        _send(AlertNotice.objects.select_related("alert__rule", "alert__shop").get(pk=notice.pk), now)


def test(rule: AlertRule) -> dict[str, str]:
    """Tell by every way of a rule that this is a test: what went wrong by each, "" for nothing."""
    with translation.override(_language(rule)):
        words = _("Test of the alert rule “%(name)s”: %(condition)s.") % {
            "name": rule.name,
            "condition": condition_of(rule),
        }
    payload, found = {"type": "alert.test", "data": {"rule": rule.name, "shop": rule.shop.slug}}, {}
    for route in routes_of(rule):
        try:
            SENDERS[Route(route)](rule, words, payload, "")
            found[route] = ""
        except NotToldError as error:
            found[route] = str(error)
    return found


def new_secret() -> str:
    """Sealed, for a rule's webhook."""
    return seal({"secret": signed.new_secret()})


def secret_of(rule: AlertRule) -> str:
    """What a webhook's receiver checks our signature with; "" where there is none."""
    return str(unseal(rule.sealed_secret).get("secret", ""))


# --- sending ----------------------------------------------------------------------------------------------------------


def _queue(alert: Alert, event: str, routes: list[str]) -> None:
    AlertNotice.objects.bulk_create(
        (AlertNotice(alert=alert, event=event, route=route) for route in routes), ignore_conflicts=True
    )


def _send(notice: AlertNotice, now: datetime) -> None:
    rule = notice.alert.rule
    if rule is None or notice.route not in routes_of(rule):
        notice.due_at, notice.error = None, "the rule does not tell by this way any more"
        notice.save(update_fields=["due_at", "error"])
        return
    notice.attempts += 1
    try:
        SENDERS[Route(notice.route)](rule, _words(notice), _payload(notice), f"alert-{notice.pk}")
        notice.sent_at, notice.due_at, notice.error = now, None, ""
    except NotToldError as error:
        again = notice.attempts <= len(BACKOFF_SECONDS)
        notice.due_at = now + timedelta(seconds=BACKOFF_SECONDS[notice.attempts - 1]) if again else None
        notice.error = str(error)[:300]
        log.warning("an alert was not told", alert=notice.alert_id, route=notice.route, error=notice.error)
    notice.save(update_fields=["attempts", "sent_at", "due_at", "error"])


def _words(notice: AlertNotice) -> str:
    alert, rule = notice.alert, notice.alert.rule
    assert rule is not None
    with translation.override(_language(rule)):
        told = f"{rule.name}: {sentence_of(alert.measured, alert.shop.currency)}"
        return told if notice.event == Event.OPENED else _("Over: %(sentence)s") % {"sentence": told}


def _payload(notice: AlertNotice) -> dict[str, Any]:
    alert = notice.alert
    data = {
        "id": alert.pk,
        "shop": alert.shop.slug,
        "rule": alert.rule.name if alert.rule else "",
        "sentence": alert.sentence,
        "measured": alert.measured,
        "opened_at": alert.opened_at.isoformat(),
        "closed_at": alert.closed_at.isoformat() if alert.closed_at else None,
        "url": _page(),
    }
    return {"type": f"alert.{notice.event}", "data": data}


def _mail(rule: AlertRule, words: str, payload: Mapping[str, Any], key: str) -> None:
    if not mail.can_send():
        raise NotToldError("no mail server is set up: set MAIL_URL and MAIL_FROM")
    to = [address for address in rule.mail_to.replace(",", " ").split() if address]
    subject = f"[{rule.shop.name}] {words}".replace("\n", " ")[:200]
    try:
        EmailMessage(subject, f"{words}\n\n{_page()}\n", settings.MAIL_FROM, to).send()
    except Exception as error:  # whatever the way to a server does; its words may hold an address or a password
        raise NotToldError(f"mail: {type(error).__name__}") from None


def _webhook(rule: AlertRule, words: str, payload: Mapping[str, Any], key: str) -> None:
    body = json.dumps({**payload, "text": words}, ensure_ascii=False).encode()
    try:
        status = signed.post(rule.webhook_url, key or f"test-{secrets.token_hex(8)}", body, [secret_of(rule)])
    except http.UnreachableError as error:
        raise NotToldError(str(error)) from None
    if not 200 <= status < 300:
        raise NotToldError(f"webhook: answered {status}")


def _chat(rule: AlertRule, words: str, payload: Mapping[str, Any], key: str) -> None:
    """A message of ours into the contact's conversation; it is sent like every other, in its order and at its pace."""
    contact = rule.contact
    if contact is None or contact.account.shop_id != rule.shop_id:
        raise NotToldError("chat: nobody of this shop's channels is named")
    if contact.stopped_at or not contact.account.active:
        raise NotToldError("chat: the contact wants no messages, or the channel is switched off")
    with transaction.atomic():
        conversation = intake.open_conversation(contact)
        delivery.post(conversation, OutboundMessage(text=words, language=contact.language or rule.shop.language))


SENDERS: Mapping[AlertNotice.Route, Callable[[AlertRule, str, Mapping[str, Any], str], None]] = {
    Route.MAIL: _mail,
    Route.WEBHOOK: _webhook,
    Route.CHAT: _chat,
}


def _language(rule: AlertRule) -> str:
    return "zh-hans" if rule.shop.language.lower().startswith("zh") else "en"


def _page() -> str:
    return f"{settings.PUBLIC_URL}/console/alerts/"
