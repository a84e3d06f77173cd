"""Every page of the console in a real browser, for every role: nothing is refused by the policy, nothing is asked of
other hosts, nothing is wider than its window, and axe finds nothing that keeps people out.

A new page is opened here by itself; one that needs a row in its address needs it in ``tests/furnished.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from botcore.channels.connecting import OFFERED
from botcore.roles import RIGHTS, Right, Role
from catalog.models import Shop
from tests.browser import AXE, IN_A_BROWSER, log_in, windows_of
from tests.factories import ShopFactory, UserFactory
from tests.furnished import address, furnish, rooms

ASKED = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
STAFF = "staff"
NUMBER = 7_000_001
"""The id of the shop's rows."""
TABLET = {"width": 820, "height": 1180}
PHONE = {"width": 390, "height": 844}

pytestmark = IN_A_BROWSER


@dataclass
class Window:
    """A page of one person with everything that it complained about."""

    page: Any
    host: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda line: self._note(f"console: {line.text}") if line.type == "error" else None)
        self.page.on("pageerror", lambda error: self._note(f"error: {error}"))
        self.page.on("request", lambda request: self._look_at(request.url))

    def _note(self, what: str) -> None:
        self.complaints.append(f"{urlsplit(self.page.url).path}: {what}")

    def _look_at(self, url: str) -> None:
        if urlsplit(url).scheme in {"http", "https"} and urlsplit(url).netloc != self.host:
            self._note(f"asks {url}")

    def open(self, address: str) -> None:
        answer = self.page.goto(address)
        if answer.status != 200:
            self._note(f"answers {answer.status} for {address}")

    def check(self) -> None:
        """Ask axe, and look for what sticks out."""
        self.page.evaluate(AXE.read_text())
        for violation in self.page.evaluate("asked => axe.run(document, asked)", ASKED)["violations"]:
            where = [node["html"][:160] for node in violation["nodes"][:2]]
            self._note(f"{violation['id']}: {violation['help']}: {where}")
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            self._note(f"is {wide} px wider than its window")


@pytest.fixture
def shop(database_calls_allowed: None, transactional_db: None) -> Shop:
    made = ShopFactory(slug="pine", name="Pine")
    furnish(made, NUMBER)
    return made


@pytest.fixture
def windows(shop: Shop, web_process: str) -> Iterator[Any]:
    """Opens a window in which a person of a role is logged in."""
    with windows_of(web_process) as browser:

        def opener(role: str, **options: Any) -> Window:
            name = f"{role}-of-{shop.slug}"
            UserFactory(username=name, **_membership(role, shop))
            page = browser.open(**options)
            log_in(page, name)
            return Window(page, urlsplit(browser.address).netloc)

        yield opener


def _membership(role: str, shop: Shop) -> dict[str, Any]:
    return {"is_staff": True} if role == STAFF else {"shops": [shop], "shops__role": role}


def _pages(role: str) -> list[str]:
    """The addresses of whole pages that this role may read: no parts of one, no files, nothing that only takes posts."""
    rights = frozenset(Right) if role == STAFF else RIGHTS[Role(role)]
    reader = Client()
    reader.force_login(UserFactory(is_staff=True), backend="django.contrib.auth.backends.ModelBackend")
    allowed = [page for page in rooms() if page.callback.right in rights and (role == STAFF or not page.callback.staff)]
    addresses = [address(page, NUMBER) for page in allowed]
    return [url for url in addresses if b'<main id="main">' in b"".join(reader.get(url))]


@pytest.mark.parametrize(
    "options", [{"color_scheme": "light"}, {"color_scheme": "dark", "locale": "zh-CN", "viewport": TABLET}]
)
def test_every_page_is_for_everybody(shop, windows, options):
    window = windows(Role.OWNER, **options)
    for url in (*_pages(Role.OWNER), f"{reverse('console:retention')}?days=30"):
        window.open(url)
        window.check()
    assert not window.complaints, "\n".join(window.complaints)


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.MERCHANT, STAFF])
def test_every_page_of_a_role_is_for_everybody(shop, windows, role):
    window = windows(role)
    for url in _pages(role):
        window.open(url)
        window.check()
    assert not window.complaints, "\n".join(window.complaints)


@pytest.mark.parametrize(
    "options",
    [{"locale": "zh-CN", "viewport": PHONE}, {"color_scheme": "dark", "viewport": TABLET}],
    ids=["phone in Chinese", "tablet in the dark"],
)
def test_every_channel_is_connected_and_tried_by_everybody(shop, windows, options):
    """The wizard of each platform, a mistake in it, and the account's page once it is connected."""
    window = windows(Role.OWNER, **options)
    for channel in OFFERED:
        window.open(reverse("console:connect_channel", kwargs={"channel": channel}))
        window.check()
    for reply_url, answer in (("http://10.0.0.1/replies", "error"), ("https://app.invalid/replies", "refused")):
        window.open(reverse("console:connect_channel", kwargs={"channel": "generic"}))
        window.page.get_by_role("textbox").first.fill(reply_url)
        window.page.keyboard.press("Enter")
        window.page.wait_for_selector("[role=alert]")
        assert window.page.locator("[name=unchecked]").count() == (answer == "refused")
        window.check()
    window.page.check("[name=unchecked]")
    window.page.keyboard.press("Enter")
    window.page.wait_for_selector("#webhook")
    assert window.page.locator("code").filter(has_text="whsec_").count() == 2
    window.check()
    assert not window.complaints, "\n".join(window.complaints)


def test_the_entrance_is_for_everybody(shop, windows):
    window = windows(Role.OWNER)
    window.page.context.clear_cookies()
    window.open(reverse("console:login"))
    window.check()
    assert not window.complaints, "\n".join(window.complaints)
