"""Fixtures every test may use. The database is a real, embedded PostgreSQL, started once for the run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher

from botcore import queues
from botcore.embedded_postgres import borrowed
from tests.botcore.channels.web_server import serving
from tests.environment import is_own
from tests.fakes import Wakes

UNSYNCED = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"
"""What a database need not do whose data may go with the machine."""


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> Iterator[None]:
    """pytest-django asks for this before it makes the test database."""
    if settings.EMBEDDED_POSTGRES is None:
        yield
        return
    if is_own(settings.VAR_DIR):  # never the database of an installation
        settings.EMBEDDED_POSTGRES.prepare()
        (settings.EMBEDDED_POSTGRES.data / "postgresql.auto.conf").write_text(UNSYNCED)
    with borrowed(settings.EMBEDDED_POSTGRES):
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Making a password hard to guess takes half a second, which most tests with a merchant spent on nothing else."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(PBKDF2PasswordHasher, "iterations", 100)
        yield


@pytest.fixture(scope="module")
def web_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a module's web process keeps its data."""
    return tmp_path_factory.mktemp("web")


@pytest.fixture(scope="module")
def web_process(django_db_setup: None, django_db_blocker: Any, web_folder: Path) -> Iterator[str]:
    """The address of a web process that a module's tests share: starting one takes longer than most of them."""
    with django_db_blocker.unblock(), serving(web_folder) as address:
        yield address


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
