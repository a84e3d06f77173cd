"""Who may see what in the console: staff see every shop, a merchant the shops they are a member of.

The only place that decides. Views start from these querysets, so what is hidden does not exist (404, never 403).
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache

from botcore.channels.connecting import OFFERED
from botcore.models import ChannelAccount, Conversation, Dataset, ModelVersion, Outbound, TrainingRun, Turn
from catalog.models import MerchandisingRule, Product, Shop

View = Callable[..., HttpResponseBase]


def console_page(view: View) -> View:
    """Marks a view of the console: only for people who are logged in, and kept by no cache."""
    return never_cache(login_required(view))


def person(request: HttpRequest) -> User:
    """Who sends this to a console page, in whose name it is kept."""
    if not request.user.is_authenticated:
        raise PermissionDenied
    return request.user


def shops(user: User | AnonymousUser) -> QuerySet[Shop]:
    """The shops this person works for, by name."""
    visible = Shop.objects.order_by("name", "pk")
    return visible if user.is_staff else visible.filter(members__user=user.pk)


def shop_named(user: User | AnonymousUser, slug: str) -> Shop:
    """The shop that a form or an address means; raises ``Http404`` where this person does not work for it."""
    return get_object_or_404(shops(user), slug=slug)


def chosen_shop(user: User | AnonymousUser, slug: str | None) -> Shop:
    """The shop that the address of a page to read names, else the reader's first. Raises ``Http404``."""
    if slug:
        return shop_named(user, slug)
    first = shops(user).first()
    if first is None:
        raise Http404
    return first


def conversations(user: User | AnonymousUser) -> QuerySet[Conversation]:
    """The conversations of :func:`shops`."""
    visible = Conversation.objects.all()
    return visible if user.is_staff else visible.filter(shop__members__user=user.pk)


def products(user: User | AnonymousUser) -> QuerySet[Product]:
    """The products of :func:`shops`."""
    return Product.objects.filter(shop__in=shops(user).order_by())


def rules(user: User | AnonymousUser) -> QuerySet[MerchandisingRule]:
    """The merchandising rules of :func:`shops`."""
    return MerchandisingRule.objects.filter(shop__in=shops(user).order_by())


def turns(user: User | AnonymousUser) -> QuerySet[Turn]:
    """The turns of :func:`conversations`."""
    return Turn.objects.filter(conversation__shop__in=shops(user).order_by())


def accounts(user: User | AnonymousUser) -> QuerySet[ChannelAccount]:
    """The accounts on platforms of :func:`shops`."""
    return ChannelAccount.objects.filter(shop__in=shops(user).order_by(), channel__in=OFFERED)


def outbound(user: User | AnonymousUser) -> QuerySet[Outbound]:
    """The messages to customers of :func:`accounts`."""
    return Outbound.objects.filter(conversation__contact__account__in=accounts(user))


def datasets(user: User | AnonymousUser) -> QuerySet[Dataset]:
    """The snapshots of :func:`shops`."""
    return Dataset.objects.filter(shop__in=shops(user).order_by())


def runs(user: User | AnonymousUser) -> QuerySet[TrainingRun]:
    """The training runs of :func:`shops`."""
    return TrainingRun.objects.filter(shop__in=shops(user).order_by())


def versions(user: User | AnonymousUser) -> QuerySet[ModelVersion]:
    """The model versions of :func:`shops`."""
    return ModelVersion.objects.filter(shop__in=shops(user).order_by())
