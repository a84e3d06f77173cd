"""Pages of channels: the accounts and how they are, connecting one, trying it, and the messages that failed."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from admin_console import access
from admin_console import channels as wizard
from admin_console.access import console_page
from admin_console.channels import ConnectForm
from admin_console.labels import channel_name
from admin_console.views import PAGE_SIZE
from botcore import dead_letters, delivery, intake
from botcore.channels import connecting
from botcore.channels.base import Channel
from botcore.channels.condition import conditions
from botcore.channels.registry import channel_class, webhook_url
from botcore.channels.values import OutboundMessage
from botcore.models import ChannelAccount, Outbound
from botcore.roles import Right

log = structlog.get_logger(__name__)

TEST_MESSAGES = {"en": "A test message from {}: this channel works.", "zh": "来自{}的测试消息：此渠道已接通。"}
"""What the customer's side sees, in the language their platform says they speak."""


@console_page(Right.CONNECT)
@require_safe
def channels(request: HttpRequest) -> HttpResponse:
    """The accounts of the reader's shops with their health."""
    shops = access.shops(request.user, Right.CONNECT)
    context = {"rows": conditions(access.accounts(request.user, Right.CONNECT)), "shops": shops, "now": timezone.now()}
    return render(request, "console/channels.html", context)


@console_page(Right.CONNECT)
@require_safe
def choose_channel(request: HttpRequest) -> HttpResponse:
    """Which platform to connect a shop to."""
    shop = access.chosen_shop(request.user, Right.CONNECT, request.GET.get("shop"))
    connected = set(access.accounts(request.user, Right.CONNECT).filter(shop=shop).values_list("channel", flat=True))
    context = {
        "shop": shop,
        "shops": access.shops(request.user, Right.CONNECT),
        "offered": [platform.name for platform in wizard.offered()],
        "connected": connected,
    }
    return render(request, "console/choose_channel.html", context)


@console_page(Right.CONNECT)
@require_http_methods(["GET", "HEAD", "POST"])
def connect_channel(request: HttpRequest, channel: str) -> HttpResponse:
    """Steps and settings of a platform; a POST connects the shop and shows the account."""
    shop = access.chosen_shop(request.user, Right.CONNECT, request.GET.get("shop"))
    if channel not in connecting.OFFERED:
        raise Http404
    platform = channel_class(channel)
    form = ConnectForm(platform, access.person(request).is_staff, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and _accepted(request, platform, form):
        account = connecting.register(shop, platform, form.cleaned_data["config"])
        return _finished(request, account, "channel connected")
    context = {"shop": shop, "channel": channel, "form": form, "steps": wizard.steps(platform)}
    return render(request, "console/connect_channel.html", context)


@console_page(Right.CONNECT)
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest, pk: int) -> HttpResponse:
    """One account: how it is, trying it, and its settings, which a POST replaces."""
    row = _account(request, pk)
    platform = channel_class(row.channel)
    staff = access.person(request).is_staff
    if request.method != "POST":
        # A page of our own has nothing to be told to a platform: what is to be done with it may always be read.
        told = connecting.finish(row) if platform.capabilities.feedback == "page" else []
        return _account_page(request, row, ConnectForm(platform, staff, kept=connecting.stored(row)), told)
    form = ConnectForm(platform, staff, request.POST, kept=connecting.stored(row))
    if form.is_valid() and _accepted(request, platform, form):
        return _finished(request, connecting.renew(row, form.cleaned_data["config"]), "channel connected again")
    return _account_page(request, row, form, [])


@console_page(Right.CONNECT)
@require_POST
def switch_account(request: HttpRequest, pk: int) -> HttpResponse:
    """On or off, as the button said. What is off takes no messages and sends none."""
    row = _account(request, pk)
    row.active = request.POST.get("active") == "on"
    row.save(update_fields=["active"])
    _note(request, row, "channel switched on" if row.active else "channel switched off")
    return redirect("console:channels")


@console_page(Right.CONNECT)
@require_POST
def test_account(request: HttpRequest, pk: int) -> HttpResponse:
    """Write to whoever has just written; nobody else is disturbed."""
    row = _account(request, pk)
    trial = wizard.trial(row)
    if trial is None or str(trial.contact.pk) != request.POST.get("contact"):
        messages.error(request, _("Nobody has written in the last minutes, or somebody else has since."))
    else:
        words = TEST_MESSAGES["zh" if trial.contact.language.startswith("zh") else "en"].format(row.shop.name)
        with transaction.atomic():
            conversation = intake.open_conversation(trial.contact)
            delivery.post(conversation, OutboundMessage(text=words), author=access.person(request))
        _note(request, row, "test message sent")
        messages.success(request, _("The test message is on its way."))
    return redirect("console:account", pk=pk)


@console_page(Right.TALK)
@require_safe
def failed(request: HttpRequest) -> HttpResponse:
    """Messages that were given up."""
    page = Paginator(_failed(request), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "console/failed.html", {"page": page, "rows": page.object_list})


@console_page(Right.TALK)
@require_POST
def resend(request: HttpRequest, pk: int) -> HttpResponse:
    """Try one of them once more."""
    _resend(request, [get_object_or_404(_failed(request), pk=pk)])
    return redirect("console:failed")


@console_page(Right.TALK)
@require_POST
def resend_all(request: HttpRequest) -> HttpResponse:
    """Try all of them once more, the oldest first: within a conversation the order stays."""
    _resend(request, list(_failed(request).order_by("pk")))
    return redirect("console:failed")


def _account(request: HttpRequest, pk: int) -> ChannelAccount:
    return get_object_or_404(access.accounts(request.user, Right.CONNECT).select_related("shop"), pk=pk)


def _failed(request: HttpRequest) -> QuerySet[Outbound]:
    wanted = ("turn", "conversation__shop", "conversation__contact__account")
    return dead_letters.failed(access.outbound(request.user, Right.TALK)).select_related(*wanted)


def _resend(request: HttpRequest, rows: Sequence[Outbound]) -> None:
    tried = [row for row in rows if dead_letters.resend(row)]
    log.info("messages sent again", by=access.person(request).get_username(), messages=[row.pk for row in tried])
    if tried:
        told = ngettext("%(count)d message is sent again.", "%(count)d messages are sent again.", len(tried))
        messages.success(request, told % {"count": len(tried)})
    if refused := len(rows) - len(tried):
        told = ngettext(
            "%(count)d message is not sent: what it says of prices or texts is no longer so.",
            "%(count)d messages are not sent: what they say of prices or texts is no longer so.",
            refused,
        )
        messages.warning(request, told % {"count": refused})


def _accepted(request: HttpRequest, platform: type[Channel], form: ConnectForm) -> bool:
    """Whether the platform takes the settings, or they are to be stored all the same."""
    checked = connecting.check(platform, form.cleaned_data["config"])
    if checked.ok or request.POST.get("unchecked"):
        return True
    form.refuse(checked.detail)
    return False


def _finished(request: HttpRequest, row: ChannelAccount, event: str) -> HttpResponse:
    """The account's page with what is left to do: at once, not after a redirect, for it may hold a secret to be pasted."""
    _note(request, row, event)
    messages.success(request, _("%(platform)s is connected.") % {"platform": channel_name(row.channel)})
    form = ConnectForm(channel_class(row.channel), access.person(request).is_staff, kept=connecting.stored(row))
    return _account_page(request, row, form, connecting.finish(row))


def _account_page(request: HttpRequest, row: ChannelAccount, form: ConnectForm, told: Sequence[str]) -> HttpResponse:
    platform = channel_class(row.channel)
    webhook = "" if platform.capabilities.feedback == "page" else webhook_url(row)
    context = {
        "account": row,
        "condition": conditions(ChannelAccount.objects.filter(pk=row.pk))[0],
        "form": form,
        "steps": wizard.steps(platform, webhook),
        "webhook": webhook,
        "lines": [line for line in wizard.lines(told) if line.text != webhook],
        "trial": wizard.trial(row),
        "now": timezone.now(),
        "follow": reverse("console:account", args=[row.pk]),
    }
    return render(request, "console/account.html", context)


def _note(request: HttpRequest, row: ChannelAccount, event: str) -> None:
    by = access.person(request).get_username()
    log.info(event, account=row.pk, shop=row.shop.slug, channel=row.channel, by=by)
