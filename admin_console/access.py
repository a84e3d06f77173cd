"""Who may see what in the console: staff see every shop, a merchant the shops they are a member of.

The only place that decides. Views start from these querysets, so what is hidden does not exist (404, never 403).
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.views.decorators.cache import never_cache

from botcore.models import Conversation
from catalog.models import MerchandisingRule, Product, Shop

View = Callable[..., HttpResponseBase]


def console_page(view: View) -> View:
    """Marks a view of the console: only for people who are logged in, and kept by no cache."""
    return never_cache(login_required(view))


def shops(user: User | AnonymousUser) -> QuerySet[Shop]:
    """The shops this person works for, by name."""
    visible = Shop.objects.order_by("name", "pk")
    return visible if user.is_staff else visible.filter(members__user=user.pk)


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
