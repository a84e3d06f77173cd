"""Who may see and do what in the console: every view starts from these querysets, by the right that it needs.

The only place that decides (the table itself is :mod:`botcore.roles`). What lies in another shop does not exist: 404. A
page for which a person has the right in no shop at all says so: 403.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache

from botcore import roles
from botcore.channels.connecting import OFFERED
from botcore.models import (
    Alert,
    ChannelAccount,
    Conversation,
    Dataset,
    ModelVersion,
    Outbound,
    TextStream,
    TrainingRun,
    Turn,
)
from botcore.monitoring.surge_alerts import SURGE
from botcore.roles import Right
from catalog.models import MerchandisingRule, Product, Shop

Person = User | AnonymousUser
Rest = ParamSpec("Rest")
View = Callable[Concatenate[HttpRequest, Rest], HttpResponseBase]


def console_page(right: Right) -> Callable[[View[Rest]], View[Rest]]:
    """Marks a view of the console: for people who are logged in and have the right somewhere, and kept by no cache.

    Somebody who has no right at all reaches the pages to read, which tell whom to ask.
    """

    def mark(view: View[Rest]) -> View[Rest]:
        @wraps(view)
        def page(request: HttpRequest, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponseBase:
            if right != Right.READ and right not in roles.rights_of(request.user):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        page.right = right  # type: ignore[attr-defined]
        return never_cache(login_required(page))

    return mark


def person(request: HttpRequest) -> User:
    """Who sends this to a console page, in whose name it is kept."""
    if not request.user.is_authenticated:
        raise PermissionDenied
    return request.user


def shops(user: Person, right: Right) -> QuerySet[Shop]:
    """The shops in which this person has the right, by name."""
    return roles.shops_of(user, right).order_by("name", "pk")


def shop_named(user: Person, right: Right, slug: str) -> Shop:
    """The shop that a form or an address means; raises ``Http404`` where this person does not have the right in it."""
    return get_object_or_404(shops(user, right), slug=slug)


def chosen_shop(user: Person, right: Right, slug: str | None) -> Shop:
    """The shop that the address of a page names, else the first of this person's. Raises ``Http404``."""
    if slug:
        return shop_named(user, right, slug)
    first = shops(user, right).first()
    if first is None:
        raise Http404
    return first


def conversations(user: Person, right: Right) -> QuerySet[Conversation]:
    """The conversations of :func:`shops`."""
    return Conversation.objects.filter(shop__in=roles.shops_of(user, right))


def products(user: Person, right: Right) -> QuerySet[Product]:
    """The products of :func:`shops`."""
    return Product.objects.filter(shop__in=roles.shops_of(user, right))


def rules(user: Person, right: Right) -> QuerySet[MerchandisingRule]:
    """The merchandising rules of :func:`shops`."""
    return MerchandisingRule.objects.filter(shop__in=roles.shops_of(user, right))


def turns(user: Person, right: Right) -> QuerySet[Turn]:
    """The turns of :func:`conversations`."""
    return Turn.objects.filter(conversation__shop__in=roles.shops_of(user, right))


def accounts(user: Person, right: Right) -> QuerySet[ChannelAccount]:
    """The accounts on platforms of :func:`shops`."""
    return ChannelAccount.objects.filter(shop__in=roles.shops_of(user, right), channel__in=OFFERED)


def outbound(user: Person, right: Right) -> QuerySet[Outbound]:
    """The messages to customers of :func:`accounts`."""
    return Outbound.objects.filter(conversation__contact__account__in=accounts(user, right))


def datasets(user: Person, right: Right) -> QuerySet[Dataset]:
    """The snapshots of :func:`shops`."""
    return Dataset.objects.filter(shop__in=roles.shops_of(user, right))


def runs(user: Person, right: Right) -> QuerySet[TrainingRun]:
    """The training runs of :func:`shops`."""
    return TrainingRun.objects.filter(shop__in=roles.shops_of(user, right))


def versions(user: Person, right: Right) -> QuerySet[ModelVersion]:
    """The model versions of :func:`shops`."""
    return ModelVersion.objects.filter(shop__in=roles.shops_of(user, right))


def streams(user: Person, right: Right) -> QuerySet[TextStream]:
    """The streams of texts of :func:`shops`."""
    return TextStream.objects.filter(shop__in=roles.shops_of(user, right))


def surges(user: Person, right: Right) -> QuerySet[Alert]:
    """The alerts of surges, open or closed, in the streams of :func:`shops`."""
    return Alert.objects.filter(shop__in=roles.shops_of(user, right), subject__startswith=SURGE)
