"""Fixtures every test may use. The database is a real, embedded PostgreSQL, started once for the run."""

from collections.abc import Iterator

import pytest
from django.conf import settings

from botcore.embedded_postgres import borrowed


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> Iterator[None]:
    """pytest-django asks for this before it makes the test database."""
    if settings.EMBEDDED_POSTGRES is None:
        yield
        return
    with borrowed(settings.EMBEDDED_POSTGRES):
        yield
