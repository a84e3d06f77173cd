"""Fixtures every test may use. The database is a real, embedded PostgreSQL, started once for the run."""

from collections.abc import Iterator

import pytest
from django.conf import settings

from botcore import queues
from botcore.embedded_postgres import borrowed
from tests.fakes import Wakes


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> Iterator[None]:
    """pytest-django asks for this before it makes the test database."""
    if settings.EMBEDDED_POSTGRES is None:
        yield
        return
    with borrowed(settings.EMBEDDED_POSTGRES):
        yield


@pytest.fixture
def database_calls_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Playwright keeps an event loop in this thread, which Django takes for asynchronous code."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture
def wakes(monkeypatch: pytest.MonkeyPatch) -> Wakes:
    """What workers were woken for, of whom there are none."""
    broker = Wakes()
    monkeypatch.setattr(queues, "app", broker)
    return broker
