"""The same surge of complaints as its merchant sees it come up on an open page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse

from botcore.dialogue.ports import Ports
from botcore.models import ChannelAccount, Conversation
from tests.browser import IN_A_BROWSER, anything_but, windows_of
from tests.factories import AccountFactory, UserFactory
from tests.fakes import FakeGenerator, HashEncoder
from tests.journeys.small_shop import open_shop
from tests.journeys.test_surge import COMPLAINTS, says, usual_days
from workers.engine import load_reader
from workers.tasks import watch_streams

pytestmark = IN_A_BROWSER


@pytest.fixture
def account(database_calls_allowed: None, transactional_db: None, wakes: Any) -> ChannelAccount:
    shop = open_shop("lantern")
    UserFactory(username="ann", shops=[shop])
    return AccountFactory(shop=shop)


@pytest.fixture
def page(account: ChannelAccount, web_process: str) -> Iterator[Any]:
    with windows_of(web_process, anything_but()) as windows:
        yield windows.logged_in("ann")


def test_a_merchant_at_the_inbox_sees_the_alert_come_and_takes_the_conversations(page, account):
    ports = Ports(HashEncoder(), load_reader(), FakeGenerator())
    usual_days(account, ports)
    page.goto(reverse("console:inbox"))
    alerts = page.get_by_role("navigation").get_by_role("link", name="Alerts")
    assert "1" not in alerts.inner_text()
    complaining = {says(account, ports, text).conversation_id for text in COMPLAINTS}
    watch_streams()
    alerts.get_by_text("1").wait_for()

    page.get_by_role("link", name="Streams").click()
    page.get_by_role("link", name="What they say, and what to do").click()
    assert page.locator("blockquote").count() > 0
    page.get_by_role("button", name="Hand the conversations to people").click()
    page.get_by_text("wait for a person now").wait_for()
    waiting = set(Conversation.objects.filter(waiting_for_person=True).values_list("pk", flat=True))
    assert waiting and waiting <= complaining
    page.get_by_role("link", name="Inbox").click()
    assert page.locator("#held a").count() >= len(waiting)
