"""Role x page x shop: what each may do follows from the right that the page is marked with and from the table of roles.

The addresses are the console's own, so a new page is in here by itself; a page about a new kind of row needs a line in
:func:`tests.furnished.furnish`.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, reverse

from admin_console.urls import urlpatterns
from botcore.models import AuditEntry, ShopMember
from botcore.roles import RIGHTS, Right, Role
from catalog.models import Shop
from tests.factories import ShopFactory, UserFactory
from tests.furnished import address, furnish, names_a_row

pytestmark = pytest.mark.django_db

DOOR = {"login", "code", "forgotten", "new_password", "join", "language", "logout"}
PAGES = [pattern for pattern in urlpatterns if pattern.name not in DOOR]
OURS, THEIRS = 7_000_001, 7_000_002


def needed(page: URLPattern, method: str) -> Right:
    """The right that this page asks for."""
    return page.callback.changes if method == "post" else page.callback.right


@dataclass(frozen=True)
class Persona:
    """``ours`` and ``theirs`` are what somebody is in each of the two shops."""

    name: str
    ours: Role | None = None
    theirs: Role | None = None
    staff: bool = False

    def rights(self, role: Role | None) -> frozenset[Right]:
        return frozenset(Right) if self.staff else RIGHTS[role] if role else frozenset()

    def may(self, page: URLPattern, role: Role | None, method: str) -> bool:
        return needed(page, method) in self.rights(role) and (self.staff or not page.callback.staff)

    def browser(self, ours: Shop, theirs: Shop) -> Client:
        user = UserFactory(is_staff=self.staff, password="!")
        for shop, role in ((ours, self.ours), (theirs, self.theirs)):
            if role:
                ShopMember.objects.create(user=user, shop=shop, role=role)
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client


PERSONAS = [
    Persona("nobody"),
    *(Persona(role.value, ours=role) for role in Role),
    Persona("owner elsewhere", ours=Role.REVIEWER, theirs=Role.OWNER),
    Persona("staff", staff=True),
]
MEMBERS = [persona for persona in PERSONAS if not persona.staff]


@pytest.fixture
def shops(db: None) -> tuple[Shop, Shop]:
    ours, theirs = ShopFactory(slug="ours", name="Pine"), ShopFactory(slug="theirs", name="Elsewhere")
    furnish(ours, OURS)
    furnish(theirs, THEIRS)
    return ours, theirs


def _ask(client: Client, method: str, url: str, shop: Shop) -> tuple[HttpResponse, set[int | None]]:
    """The answer, and the shops in which something was changed. The change itself is taken back."""
    before = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    with transaction.atomic():
        response = getattr(client, method)(url, {"shop": shop.slug})
        changed = set(
            AuditEntry.objects.filter(pk__gt=before).exclude(pk__in=(OURS, THEIRS)).values_list("shop_id", flat=True)
        )
        transaction.set_rollback(True)
    return response, changed


def test_every_page_but_the_door_names_its_right():
    assert {pattern.name for pattern in PAGES if not hasattr(pattern.callback, "right")} == set()


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("persona", PERSONAS, ids=lambda persona: persona.name)
def test_each_role_may_do_in_a_shop_what_the_table_says(shops, persona: Persona, method: str):
    ours, theirs = shops
    client = persona.browser(ours, theirs)
    wrong = {}
    for page in PAGES:
        response, _changed = _ask(client, method, address(page, OURS), ours)
        if persona.may(page, persona.ours, method):
            login = response.status_code == 302 and response.url.startswith(reverse("console:login"))
            right = response.status_code not in {403, 404} and not login
        elif persona.may(page, persona.theirs, method):  # in the other shop, and not in this one
            right = response.status_code in {404, 405} or not names_a_row(page)
        elif needed(page, method) == Right.READ:  # open to everybody who is logged in, and empty to who has no shop
            right = response.status_code in {200, 302, 404, 405}
        else:
            right = response.status_code == 403 and "Not for your role" in response.content.decode()
        if not right:
            wrong[page.name] = response.status_code
    assert wrong == {}


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("persona", MEMBERS, ids=lambda persona: persona.name)
def test_a_shop_in_which_somebody_may_not_do_it_does_not_exist(shops, persona: Persona, method: str):
    ours, theirs = shops
    client = persona.browser(ours, theirs)
    wrong = {}
    for page in PAGES:
        for shop, number, role in ((ours, OURS, persona.ours), (theirs, THEIRS, persona.theirs)):
            if persona.may(page, role, method) or (role and needed(page, method) == Right.READ):
                continue
            response, changed = _ask(client, method, address(page, number), shop)
            if names_a_row(page):
                unseen = response.status_code in {403, 404, 405}
            else:
                unseen = bool(role) or shop.name not in response.content.decode()
            if not unseen or shop.pk in changed:
                wrong[page.name, shop.slug] = (response.status_code, changed)
    assert wrong == {}


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_is_sent_to_the_login_and_changes_nothing(shops, method: str):
    wrong = {}
    for page in PAGES:
        response, changed = _ask(Client(), method, address(page, OURS), shops[0])
        if response.status_code != 302 or not response.url.startswith(reverse("console:login")) or changed:
            wrong[page.name] = (response.status_code, changed)
    assert wrong == {}
