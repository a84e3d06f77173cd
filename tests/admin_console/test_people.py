"""People of a shop: invitations, roles, leaving, and that rights end at once."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from botcore import people
from botcore.models import Invitation, ShopMember
from botcore.roles import RIGHTS, Role
from tests.factories import PASSWORD, InvitationFactory, MemberFactory, ShopFactory, UserFactory

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def owner(shop):
    return UserFactory(username="olga", shops=[shop])


@pytest.fixture
def office(client, owner) -> Client:
    client.force_login(owner, backend=BACKEND)
    return client


def _link(office: Client, **form: str) -> str:
    return office.post(reverse("console:invite"), {"role": "merchant", **form}).context["link"]


def test_a_link_makes_a_login_and_a_member_once(office, shop, settings):
    link = _link(office)
    assert link.startswith(f"{settings.PUBLIC_URL}/console/join/")
    path = link.removeprefix(settings.PUBLIC_URL)
    guest = Client()
    assert "olga invites you as merchant" in guest.get(path).content.decode()
    guest.post(path, {"username": "mei", "email": "mei@example.com", "password": "a stable of horses"})
    assert guest.get(reverse("console:home")).status_code == 200
    member = ShopMember.objects.get(user__username="mei")
    assert (member.shop, member.role, member.user.email) == (shop, Role.MERCHANT, "mei@example.com")
    assert not member.user.is_staff
    again = Client().post(path, {"username": "eve", "password": "a stable of horses"})
    assert again.status_code == 404
    assert not get_user_model().objects.filter(username="eve").exists()


def test_only_the_digest_of_the_link_is_kept(office, settings):
    token = _link(office).rstrip("/").rpartition("/")[2]
    assert token not in Invitation.objects.get().token_digest


def test_who_is_logged_in_joins_as_who_they_are(office, shop, settings):
    path = _link(office).removeprefix(settings.PUBLIC_URL)
    mei = UserFactory(username="mei")
    guest = Client()
    guest.force_login(mei, backend=BACKEND)
    assert "Join as mei" in guest.get(path).content.decode()
    guest.post(path)
    assert mei.memberships.get().role == Role.MERCHANT


def test_a_member_who_opens_a_link_keeps_role_and_leaves_the_link_good(office, owner, settings):
    path = _link(office).removeprefix(settings.PUBLIC_URL)
    page = office.post(path, follow=True)
    assert "already" in page.content.decode()
    assert owner.memberships.get().role == Role.OWNER
    assert Client().get(path).status_code == 200


def test_a_weak_password_makes_no_login(office, settings):
    path = _link(office).removeprefix(settings.PUBLIC_URL)
    page = Client().post(path, {"username": "mei", "password": "12345"})
    assert "too short" in page.content.decode()
    assert not get_user_model().objects.filter(username="mei").exists()


def test_a_revoked_link_and_one_older_than_a_week_let_nobody_in(office, shop, owner):
    row, token = people.invite(shop, Role.REVIEWER, owner)
    assert row.expires_at - timezone.now() < timedelta(days=7, seconds=1)
    office.post(reverse("console:revoke_invitation", args=[row.pk]))
    assert Client().get(reverse("console:join", args=[token])).status_code == 404
    old, token = people.invite(shop, Role.REVIEWER, owner)
    Invitation.objects.filter(pk=old.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Client().get(reverse("console:join", args=[token])).status_code == 404
    with pytest.raises(people.InvitationOverError):
        people.accept(old, UserFactory())


def test_an_invitation_goes_by_mail_where_mail_is_set_up(office, settings):
    settings.MAIL_FROM = "daogou@pine.example"
    link = _link(office, email="mei@example.com")
    assert mail.outbox[0].to == ["mei@example.com"]
    assert link in mail.outbox[0].body


def test_without_mail_the_link_is_to_be_handed_over(office):
    page = office.post(reverse("console:invite"), {"role": "merchant", "email": "mei@example.com"})
    assert "hand the link over yourself" in page.content.decode()


def test_a_changed_role_holds_from_the_next_click_of_an_open_session(office, shop):
    mei = MemberFactory(shop=shop, role=Role.MERCHANT)
    session = Client()
    session.force_login(mei.user, backend=BACKEND)
    assert session.get(reverse("console:inbox")).status_code == 200
    office.post(reverse("console:member", args=[mei.pk]), {"role": "reviewer"})
    assert session.get(reverse("console:inbox")).status_code == 403
    office.post(reverse("console:remove_member", args=[mei.pk]))
    assert "make you a member of your shop" in session.get(reverse("console:home")).content.decode()


def test_the_last_owner_can_neither_be_removed_nor_made_less_nor_leave(office, owner, shop):
    row = owner.memberships.get()
    MemberFactory(shop=shop, role=Role.OWNER, user__is_active=False)
    page = office.post(reverse("console:member", args=[row.pk]), {"role": "merchant"}).content.decode()
    assert "without an owner" in page
    office.post(reverse("console:remove_member", args=[row.pk]))
    office.post(reverse("console:leave"), {"shop": shop.slug})
    row.refresh_from_db()
    assert row.role == Role.OWNER


def test_one_of_two_owners_may_leave(office, owner, shop):
    MemberFactory(shop=shop, role=Role.OWNER)
    office.post(reverse("console:leave"), {"shop": shop.slug})
    assert not owner.memberships.exists()


def test_the_page_tells_roles_last_seen_and_second_factors_and_shows_the_table_of_rights(office, shop):
    MemberFactory(shop=shop, role=Role.REVIEWER, user__username="ravi")
    InvitationFactory(shop=shop, email="late@example.com")
    InvitationFactory(email="theirs@example.com")
    page = office.get(reverse("console:people"))
    text = page.content.decode()
    assert [line.membership.user.username for line in page.context["members"]] == ["olga", "ravi"]
    assert page.context["members"][1].seen_at is None
    assert "late@example.com" in text
    assert "theirs@example.com" not in text
    held = {role: sum(line.held[place] for line in page.context["table"]) for place, role in enumerate(RIGHTS)}
    assert held == {role: len(rights) for role, rights in RIGHTS.items()}


def test_staff_make_a_shop_and_invite_its_owner(staff, settings):
    page = staff.post(
        reverse("console:new_shop"),
        {"name": "Tea & Co", "slug": "tea", "currency": "cny", "language": "zh"},
        follow=True,
    )
    shop = page.context["shop"]
    assert (shop.slug, shop.currency) == ("tea", "CNY")
    assert shop.channel_accounts.get().channel == "webchat"
    made = staff.post(f"{reverse('console:invite')}?shop=tea", {"role": "owner"})
    path = made.context["link"].removeprefix(settings.PUBLIC_URL)
    Client().post(path, {"username": "lin", "password": "a stable of horses"})
    assert shop.members.get().role == Role.OWNER


def test_a_login_by_password_is_seen_on_the_page(office, shop):
    UserFactory(username="mei", shops=[shop], shops__role=Role.REVIEWER)
    Client().post(reverse("console:login"), {"username": "mei", "password": PASSWORD})
    lines = {line.membership.user.username: line for line in office.get(reverse("console:people")).context["members"]}
    assert timezone.now() - lines["mei"].seen_at < timedelta(minutes=5)


def test_a_shop_elsewhere_is_named_to_nobody(office):
    ShopFactory(slug="elsewhere")
    assert office.get(reverse("console:people"), {"shop": "elsewhere"}).status_code == 404
    assert office.post(reverse("console:demand_code"), {"shop": "elsewhere", "wanted": "on"}).status_code == 404


def test_in_chinese_the_people_of_a_shop_are_not_a_number_of_people(office):
    assert (
        "<h1>人员</h1>" in office.get(reverse("console:people"), headers={"Accept-Language": "zh-CN"}).content.decode()
    )
