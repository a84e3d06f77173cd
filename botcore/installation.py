"""Django with its database, for ``manage.py`` and for scripts that are no commands of it: benchmarks and training."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from botcore.embedded_postgres import borrowed
from botcore.environment import ConfigurationError

COMMANDS_WITHOUT_DATABASE = {"up", "help", "version", "--help", "-h", "--version", "findstatic"}
IMPORTS = {"import_products", "import_knowledge"}
MIGRATIONS = {"migrate", "makemigrations", "showmigrations", "sqlmigrate"}
OUR_APPS = {"botcore", "catalog", "workers", "admin_console"}


@contextlib.contextmanager
def installation() -> Iterator[None]:
    """The installation that the environment names (``VAR_DIR``, ``DATABASE_URL``), with the tables of this version.

    Raises ``ConfigurationError`` where a database that is not ours to change is behind.
    """
    with _database():
        _bring_up_to_date()
        yield


@contextlib.contextmanager
def scratch_installation(folder: Path) -> Iterator[None]:
    """An installation of its own in ``folder``, whatever the environment names. Django must not be set up yet."""
    os.environ.update(VAR_DIR=str(folder), LOG_LEVEL="WARNING")
    for name in ("DATABASE_URL", "BROKER_URL"):
        os.environ.pop(name, None)
    with installation():
        yield


@contextlib.contextmanager
def database_for_command(argv: Sequence[str]) -> Iterator[None]:
    """What ``manage.py`` wraps around a command: the embedded database where one is configured and needed.

    A command of ours finds the tables it needs; Django's own (``migrate``, ``shell``) find the database as it is.
    Raises ``ConfigurationError`` where a database that is not ours to change is behind.
    """
    command = argv[1] if len(argv) > 1 else "help"
    if command in COMMANDS_WITHOUT_DATABASE or {"--help", "-h"} & set(argv):
        yield
        return
    with _database():
        from django.core.management import get_commands

        if get_commands().get(command) in OUR_APPS:
            _bring_up_to_date()
        with _recorded(command):
            yield


@contextlib.contextmanager
def _database() -> Iterator[None]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botcore.settings")
    import django
    from django.conf import settings

    django.setup()
    with borrowed(settings.EMBEDDED_POSTGRES) if settings.EMBEDDED_POSTGRES else contextlib.nullcontext():
        yield


@contextlib.contextmanager
def _recorded(command: str) -> Iterator[None]:
    """What a command changes is entered in the audit log as its deed; of an import, that it ran and not every product."""
    from botcore import audit

    actor = audit.as_command(command)
    if command in MIGRATIONS:
        yield
        return
    with audit.recorded(lambda: actor):
        if command not in IMPORTS:
            yield
            return
        audit.note(audit.Action.RAN, "command", label=command)
        with audit.unrecorded():
            yield


def _bring_up_to_date() -> None:
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if not (missing := executor.migration_plan(executor.loader.graph.leaf_nodes())):
        return
    if settings.EMBEDDED_POSTGRES is None:
        raise ConfigurationError(
            f"the database lacks {len(missing)} of this version's migrations: run `python manage.py migrate` first"
        )
    call_command("migrate", verbosity=0, interactive=False)
