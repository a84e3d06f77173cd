"""Who may see and do what in the console: every view starts from these querysets, by the right that it needs.

The only place that decides (the table itself is :mod:`botcore.roles`). What lies in another shop does not exist: 404. A
page for which a person has the right in no shop at all says so: 403, with who could do it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlsplit, urlunsplit

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from botcore import roles, second_factor, sign_in
from botcore.channels.connecting import OFFERED
from botcore.models import (
    Alert,
    AlertRule,
    ApiToken,
    AuditEntry,
    ChannelAccount,
    Contact,
    Conversation,
    Dataset,
    Invitation,
    ModelVersion,
    Outbound,
    ReviewItem,
    SavedView,
    ShopMember,
    TextStream,
    TrainingRun,
    Turn,
    WebhookDelivery,
    WebhookEndpoint,
)
from botcore.monitoring.surge_alerts import SURGE
from botcore.roles import Right
from catalog.models import AttributeValue, ChangeSet, Feed, KnowledgeArticle, MerchandisingRule, Product, Shop

Person = User | AnonymousUser
Rest = ParamSpec("Rest")
View = Callable[Concatenate[HttpRequest, Rest], HttpResponseBase]


def console_page(
    right: Right,
    *,
    changes: Right | None = None,
    confirmed: bool = False,
    staff: bool = False,
    open_without_code: bool = False,
) -> Callable[[View[Rest]], View[Rest]]:
    """Marks a view of the console: for people who are logged in and have the right somewhere, and kept by no cache.

    Somebody who has no right at all reaches the pages to read, which tell whom to ask. ``changes`` is the right that posting
    needs, where it is another one. ``confirmed`` asks those for their
    password again who have not given it lately, ``staff`` lets nobody else in, and ``open_without_code`` lets in who still
    owes a second factor (:func:`botcore.second_factor.owed`).
    """

    def mark(view: View[Rest]) -> View[Rest]:
        @wraps(view)
        def page(request: HttpRequest, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponseBase:
            user = person(request)
            if not open_without_code and second_factor.owed(user):
                return redirect("console:set_up_code")
            needed = changes if changes and request.method == "POST" else right
            if (staff and not user.is_staff) or (needed != Right.READ and needed not in roles.rights_of(user)):
                return refused(request, needed, staff)
            if confirmed and not sign_in.confirmed(request):
                return redirect_to_login(_return_to(request), reverse("console:confirm"))
            return view(request, *args, **kwargs)

        page.right = right  # type: ignore[attr-defined]
        page.changes = changes or right  # type: ignore[attr-defined]
        page.staff = staff  # type: ignore[attr-defined]
        return never_cache(login_required(page))

    return mark


def _return_to(request: HttpRequest) -> str:
    """Where to go on after logging in or confirming: here, or, since what was sent is gone, the page that it came from."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    came_from = urlsplit(request.META.get("HTTP_REFERER", ""))
    here = came_from.netloc == request.get_host()
    return urlunsplit(("", "", came_from.path, came_from.query, "")) if here else reverse("console:home")


def refused(request: HttpRequest, right: Right, staff: bool = False) -> HttpResponse:
    """403, and who could do it."""
    context = {"roles": [] if staff else [role.label for role in roles.roles_with(right)]}
    return render(request, "console/forbidden.html", context, status=403)


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


def articles(user: Person, right: Right) -> QuerySet[KnowledgeArticle]:
    """The articles of :func:`shops`."""
    return KnowledgeArticle.objects.filter(shop__in=roles.shops_of(user, right))


def values(user: Person, right: Right) -> QuerySet[AttributeValue]:
    """The values of attributes in :func:`shops`."""
    return AttributeValue.objects.filter(shop__in=roles.shops_of(user, right))


def change_sets(user: Person, right: Right) -> QuerySet[ChangeSet]:
    """The imports and bulk edits of :func:`shops`."""
    return ChangeSet.objects.filter(shop__in=roles.shops_of(user, right))


def feeds(user: Person, right: Right) -> QuerySet[Feed]:
    """The feeds of :func:`shops`."""
    return Feed.objects.filter(shop__in=roles.shops_of(user, right))


def rules(user: Person, right: Right) -> QuerySet[MerchandisingRule]:
    """The merchandising rules of :func:`shops`."""
    return MerchandisingRule.objects.filter(shop__in=roles.shops_of(user, right))


def turns(user: Person, right: Right) -> QuerySet[Turn]:
    """The turns of :func:`conversations`."""
    return Turn.objects.filter(conversation__shop__in=roles.shops_of(user, right))


def review_items(user: Person, right: Right) -> QuerySet[ReviewItem]:
    """The replies of :func:`shops` in the review queue."""
    return ReviewItem.objects.filter(shop__in=roles.shops_of(user, right))


def review_views(user: Person, right: Right) -> QuerySet[SavedView]:
    """The saved views of :func:`shops`' queues."""
    return SavedView.objects.filter(shop__in=roles.shops_of(user, right))


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


def alerts(user: Person, right: Right) -> QuerySet[Alert]:
    """The alerts of :func:`shops`."""
    return Alert.objects.filter(shop__in=roles.shops_of(user, right))


def alert_rules(user: Person, right: Right) -> QuerySet[AlertRule]:
    """The alert rules of :func:`shops`."""
    return AlertRule.objects.filter(shop__in=roles.shops_of(user, right))


def api_tokens(user: Person, right: Right) -> QuerySet[ApiToken]:
    """The tokens of the API of :func:`shops`."""
    return ApiToken.objects.filter(shop__in=roles.shops_of(user, right))


def webhooks(user: Person, right: Right) -> QuerySet[WebhookEndpoint]:
    """The webhooks of :func:`shops`."""
    return WebhookEndpoint.objects.filter(shop__in=roles.shops_of(user, right))


def deliveries(user: Person, right: Right) -> QuerySet[WebhookDelivery]:
    """What was told to the webhooks of :func:`shops`."""
    return WebhookDelivery.objects.filter(endpoint__shop__in=roles.shops_of(user, right))


def members(user: Person, right: Right) -> QuerySet[ShopMember]:
    """The members of :func:`shops`."""
    return ShopMember.objects.filter(shop__in=roles.shops_of(user, right))


def invitations(user: Person, right: Right) -> QuerySet[Invitation]:
    """The invitations to :func:`shops`."""
    return Invitation.objects.filter(shop__in=roles.shops_of(user, right))


def contacts(user: Person, right: Right) -> QuerySet[Contact]:
    """Who has written to :func:`shops`."""
    return Contact.objects.filter(account__shop__in=roles.shops_of(user, right))


def audit_entries(user: Person, right: Right) -> QuerySet[AuditEntry]:
    """The log of :func:`shops`; for staff also what belongs to no shop, as people's passwords."""
    if user.is_active and user.is_staff:
        return AuditEntry.objects.all()
    return AuditEntry.objects.filter(shop_id__in=roles.shops_of(user, right).values("pk"))


def streams(user: Person, right: Right) -> QuerySet[TextStream]:
    """The streams of texts of :func:`shops`."""
    return TextStream.objects.filter(shop__in=roles.shops_of(user, right))


def surges(user: Person, right: Right) -> QuerySet[Alert]:
    """The alerts of surges, open or closed, in the streams of :func:`shops`."""
    return Alert.objects.filter(shop__in=roles.shops_of(user, right), subject__startswith=SURGE)
