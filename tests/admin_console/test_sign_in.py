"""The door: password, code, lock-out, proving once more who one is, forgotten passwords, ended sessions."""

import re
import time

import pyotp
import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from botcore import audit, second_factor
from botcore.models import AuditEntry, SecondFactor, SignIn, SignInRule
from botcore.security import unseal
from botcore.sign_in import CONFIRMED
from tests.factories import PASSWORD, ShopFactory, UserFactory

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def mei(shop):
    return UserFactory(username="mei", email="mei@example.com", shops=[shop])


@pytest.fixture
def secret(mei) -> str:
    """Mei has a second factor; her app's last code was of an hour ago."""
    secret = second_factor.new_secret()
    assert second_factor.enable(mei, secret, pyotp.TOTP(secret).now())
    SecondFactor.objects.update(last_step=0)
    return secret


def _password(client: Client, **more: str):
    return client.post(reverse("console:login"), {"username": "mei", "password": PASSWORD, **more})


def _wrong(secret: str) -> str:
    """Six figures that no step near now has."""
    totp, now = pyotp.TOTP(secret), time.time()
    near = {totp.at(now, counter_offset=step) for step in range(-5, 6)}
    return next(
        code for code in ("000000", "111111", "222222", "333333", *map(str, range(400000, 400020))) if code not in near
    )


def test_the_password_alone_lets_nobody_in_who_has_a_second_factor(client, secret):
    response = _password(client)
    assert response.url.startswith(reverse("console:code"))
    assert client.get(reverse("console:home")).status_code == 302


def test_password_and_code_let_in_and_lead_to_where_one_was_going(client, secret):
    response = _password(client, next=reverse("console:rules"))
    before = client.session.session_key
    response = client.post(response.url, {"code": pyotp.TOTP(secret).now()})
    assert response.url == reverse("console:rules")
    assert client.session.session_key != before
    assert client.get(reverse("console:home")).status_code == 200


def test_a_code_is_taken_once(client, secret):
    code = pyotp.TOTP(secret).now()
    _password(client)
    client.post(reverse("console:code"), {"code": code})
    other = Client()
    _password(other)
    page = other.post(reverse("console:code"), {"code": code}).content.decode()
    assert "used before" in page
    assert other.get(reverse("console:home")).status_code == 302


def test_a_recovery_code_lets_in_once_and_what_is_left_is_told(client, mei, secret):
    codes = second_factor.new_recovery_codes(mei)
    _password(client)
    page = client.post(reverse("console:code"), {"code": codes[0].upper()}, follow=True).content.decode()
    assert "9 are left" in page
    other = Client()
    _password(other)
    assert "used before" in other.post(reverse("console:code"), {"code": codes[0]}).content.decode()


def test_neither_secret_nor_recovery_codes_are_readable_in_the_database(mei, secret):
    codes = second_factor.new_recovery_codes(mei)
    row = SecondFactor.objects.get(user=mei)
    assert secret not in row.sealed_secret
    assert unseal(row.sealed_secret) == {"secret": secret}
    stored = " ".join(row.recovery_digests)
    assert not [code for code in codes if code in stored or code.replace("-", "") in stored]


def test_ten_wrong_codes_lock_the_code_even_from_other_addresses_and_the_message_is_in_the_reader_s_language(secret):
    for attempt in range(10):
        client = Client(REMOTE_ADDR=f"192.0.2.{attempt}")
        _password(client)
        response = client.post(reverse("console:code"), {"code": _wrong(secret)})
        assert response.status_code == (429 if attempt == 9 else 200)
    client = Client(REMOTE_ADDR="192.0.2.99")
    assert _password(client).status_code == 302
    right = {"code": pyotp.TOTP(secret).now()}
    response = client.post(reverse("console:code"), right, headers={"Accept-Language": "zh-CN"})
    assert response.status_code == 429
    assert "请在 15 分钟后重试" in response.content.decode()
    assert client.get(reverse("console:home")).status_code == 302


def test_wrong_passwords_of_strangers_do_not_lock_the_code_of_who_knows_it(client, secret):
    stranger = Client(REMOTE_ADDR="192.0.2.1")
    for _ in range(12):
        stranger.post(reverse("console:login"), {"username": "mei", "password": "wrong"})
    _password(client)
    assert client.post(reverse("console:code"), {"code": pyotp.TOTP(secret).now()}).status_code == 302


def test_the_step_between_is_over_when_the_password_is_changed_meanwhile(client, mei, secret):
    _password(client)
    mei.set_password("another horse battery")
    mei.save()
    response = client.post(reverse("console:code"), {"code": pyotp.TOTP(secret).now()})
    assert response.url == reverse("console:login")


def test_no_code_is_kept_by_the_counter_of_failures(client, secret):
    from axes.models import AccessAttempt

    _password(client)
    wrong = _wrong(secret)
    client.post(reverse("console:code"), {"code": wrong})
    assert wrong not in AccessAttempt.objects.get(username="mei (code)").post_data


def test_django_s_admin_is_behind_the_same_door(client, mei, secret):
    mei.is_staff = mei.is_superuser = True
    mei.save()
    response = client.get("/admin/login/?next=/admin/")
    assert response.url == f"{reverse('console:login')}?next=/admin/"
    client.force_login(mei, backend=BACKEND)
    assert client.get("/admin/").status_code == 200
    SecondFactor.objects.all().delete()
    SignInRule.objects.create(shop=mei.memberships.get().shop, second_factor=True)
    assert client.get("/admin/").status_code == 302


def test_setting_up_shows_a_picture_and_a_code_of_the_app_switches_it_on(client, mei):
    client.force_login(mei, backend=BACKEND)
    page = client.get(reverse("console:set_up_code"))
    secret = page.context["secret"].replace(" ", "")
    assert 'src="data:image/svg+xml' in page.content.decode()
    page = client.post(reverse("console:set_up_code"), {"code": _wrong(secret)})
    assert "not the code" in page.content.decode()
    assert not second_factor.has(mei)
    page = client.post(reverse("console:set_up_code"), {"code": pyotp.TOTP(secret).now()})
    codes = page.context["codes"]
    assert len(codes) == 10
    assert codes[0] in page.content.decode()
    assert second_factor.check(mei, codes[0]).recovery_codes_left == 9


def test_a_shop_that_demands_it_closes_the_console_to_who_has_none(client, mei, shop):
    SignInRule.objects.create(shop=shop, second_factor=True)
    client.force_login(mei, backend=BACKEND)
    assert client.get(reverse("console:home")).url == reverse("console:set_up_code")
    assert client.post(reverse("console:switch_code_off")).url == reverse("console:set_up_code")
    assert client.get(reverse("console:me")).status_code == 200
    secret = client.get(reverse("console:set_up_code")).context["secret"].replace(" ", "")
    client.post(reverse("console:set_up_code"), {"code": pyotp.TOTP(secret).now()})
    assert client.get(reverse("console:home")).status_code == 200
    client.post(reverse("console:switch_code_off"))
    assert second_factor.has(mei)


def test_another_shop_s_demand_is_not_mine(client, mei):
    SignInRule.objects.create(shop=ShopFactory(), second_factor=True)
    client.force_login(mei, backend=BACKEND)
    assert client.get(reverse("console:home")).status_code == 200


def test_the_installation_may_demand_it_of_everybody(client, mei, settings):
    settings.REQUIRE_SECOND_FACTOR = True
    client.force_login(mei, backend=BACKEND)
    assert client.get(reverse("console:home")).url == reverse("console:set_up_code")


@pytest.fixture
def stale(client, mei) -> Client:
    """Mei has been logged in for a long time."""
    client.force_login(mei, backend=BACKEND)
    session = client.session
    session[CONFIRMED] = time.time() - 3600
    session.save()
    return client


@pytest.mark.parametrize("page", ["invite", "set_up_code", "details"])
def test_people_and_ways_to_come_in_are_changed_after_the_password_once_more(stale, page):
    response = stale.get(reverse(f"console:{page}"))
    assert response.url == f"{reverse('console:confirm')}?next={reverse(f'console:{page}')}"
    wrong = stale.post(response.url, {"password": "wrong"})
    assert "not your password" in wrong.content.decode()
    right = stale.post(response.url, {"password": PASSWORD})
    assert right.url == reverse(f"console:{page}")
    assert stale.get(right.url).status_code == 200


def test_who_has_a_second_factor_confirms_with_a_code_as_well(stale, secret):
    url = reverse("console:confirm")
    assert stale.post(url, {"password": PASSWORD}).status_code == 200
    assert stale.post(url, {"password": PASSWORD, "code": _wrong(secret)}).status_code == 200
    assert stale.post(url, {"password": PASSWORD, "code": pyotp.TOTP(secret).now()}).status_code == 302


def test_confirming_leads_to_no_other_site(stale):
    response = stale.post(f"{reverse('console:confirm')}?next=https://evil.example/", {"password": PASSWORD})
    assert response.url == reverse("console:home")


def test_a_session_is_ended_from_elsewhere(client, mei):
    lost = Client(headers={"User-Agent": "Mozilla/5.0 (iPhone) Safari/605"}, REMOTE_ADDR="192.0.2.7")
    lost.force_login(mei, backend=BACKEND)
    SignIn.objects.update(ip="192.0.2.7", agent="Mozilla/5.0 (iPhone) Safari/605")
    client.force_login(mei, backend=BACKEND)
    page = client.get(reverse("console:me")).content.decode()
    assert "Safari, iPhone" in page
    assert "192.0.2.7" in page
    client.post(reverse("console:end_session"), {"which": SignIn.objects.get(ip="192.0.2.7").pk})
    assert lost.get(reverse("console:home")).status_code == 302
    assert client.get(reverse("console:home")).status_code == 200


def test_nobody_ends_another_person_s_session(client, mei):
    other = UserFactory()
    theirs = Client()
    theirs.force_login(other, backend=BACKEND)
    client.force_login(mei, backend=BACKEND)
    client.post(reverse("console:end_session"), {"which": other.sign_ins.get().pk})
    assert other.sign_ins.count() == 1


def test_changing_the_password_logs_out_everywhere_else(client, mei):
    elsewhere = Client()
    elsewhere.force_login(mei, backend=BACKEND)
    client.force_login(mei, backend=BACKEND)
    new = "a stable of horses"
    client.post(reverse("console:password"), {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
    assert client.get(reverse("console:home")).status_code == 200
    assert elsewhere.get(reverse("console:home")).status_code == 302
    mei.refresh_from_db()
    assert mei.check_password(new)
    assert mei.sign_ins.count() == 1


def test_a_forgotten_password_is_replaced_by_mail(client, mei, settings):
    settings.MAIL_FROM = "daogou@pine.example"
    client.post(reverse("console:forgotten"), {"email": "mei@example.com"})
    link = re.search(r"(/console/login/forgotten/\S+)", mail.outbox[0].body)[1]
    assert mail.outbox[0].body.count(settings.PUBLIC_URL) == 1
    form = client.get(link, follow=True)
    new = "a stable of horses"
    client.post(form.request["PATH_INFO"], {"new_password1": new, "new_password2": new})
    mei.refresh_from_db()
    assert mei.check_password(new)
    assert AuditEntry.objects.filter(kind="user", row_id=mei.pk, action="changed", changes={"password": None}).exists()
    assert "used before" in client.get(link, follow=True).content.decode()


def test_asking_again_and_again_sends_one_mail(client, mei, settings):
    settings.MAIL_FROM = "daogou@pine.example"
    for _ in range(3):
        page = client.post(reverse("console:forgotten"), {"email": "mei@example.com"}, follow=True)
    assert len(mail.outbox) == 1
    nobody = client.post(reverse("console:forgotten"), {"email": "nobody@example.com"}, follow=True)
    assert [str(m) for m in nobody.context["messages"]] == [str(m) for m in page.context["messages"]]


def test_without_mail_it_is_told_whom_to_ask(client, mei):
    page = client.get(reverse("console:forgotten")).content.decode()
    assert "manage.py changepassword" in page
    client.post(reverse("console:forgotten"), {"email": "mei@example.com"})
    assert mail.outbox == []


def test_who_has_lost_phone_and_codes_is_helped_by_a_command_and_it_is_entered(client, mei, secret):
    client.force_login(mei, backend=BACKEND)
    with audit.recorded(lambda: audit.as_command("reset_second_factor")):
        call_command("reset_second_factor", "mei")
    assert not second_factor.has(mei)
    assert client.get(reverse("console:home")).status_code == 302
    assert AuditEntry.objects.get(kind="secondfactor", action="deleted").label == "mei"
    with pytest.raises(CommandError, match="nobody called eve"):
        call_command("reset_second_factor", "eve")
