"""Mail to people of the shop, where the operator named a server for it (``MAIL_URL``, ``MAIL_FROM``)."""

from __future__ import annotations

import smtplib

import structlog
from django.conf import settings
from django.core.mail import send_mail

log = structlog.get_logger(__name__)


def can_send() -> bool:
    """Whether this installation has been told of a mail server."""
    return bool(settings.MAIL_FROM)


def send(to: str, subject: str, text: str) -> bool:
    """Whether the server took it. False without a server, too."""
    if not can_send():
        return False
    try:
        send_mail(subject, text, None, [to])
    except (smtplib.SMTPException, OSError) as error:
        log.warning("mail not sent", error=type(error).__name__)
        return False
    return True
