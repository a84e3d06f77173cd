from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import translation

from botcore.learning.review import value
from catalog.models import Shop
from tests.factories import ShopFactory, UserFactory


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """A request leaves its language behind in the thread; the next test starts without it."""
    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No reply is drawn by its number for a second reader, who would not see the first one's word."""
    monkeypatch.setattr(value, "SECOND_SHARE", 0.0)


@pytest.fixture
def shop(db: None) -> Shop:
    return ShopFactory(slug="pine", name="Pine")


@pytest.fixture
def merchant(client: Client, shop: Shop) -> Client:
    """A browser in which a member of ``shop`` is logged in."""
    client.force_login(UserFactory(shops=[shop]), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(UserFactory(is_staff=True), backend="django.contrib.auth.backends.ModelBackend")
    return client
