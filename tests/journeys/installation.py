"""An installation of its own for a test: folder, cluster, shop and Telegram account, beside pytest's database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psycopg2

from botcore.embedded_postgres import USER, EmbeddedPostgres
from botcore.environment import PROJECT


@dataclass(frozen=True)
class Installation:
    """``path`` and ``secret`` are the Telegram webhook's."""

    var_dir: Path
    path: str
    secret: str

    @property
    def server(self) -> EmbeddedPostgres:
        return EmbeddedPostgres(self.var_dir / "postgres")

    def start(self, *argv: str, log: IO[Any], **environment: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            _command(argv), env=_environment(self.var_dir, environment), cwd=PROJECT, stdout=log, stderr=log
        )

    def run(self, *argv: str, **environment: str) -> str:
        return _run(self.var_dir, argv, environment)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        session = psycopg2.connect(host=str(self.server.socket_dir), user=USER, dbname=USER)
        with closing(session), session.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def value(self, sql: str) -> Any:
        return self.rows(sql)[0][0]


def install(var_dir: Path, api: str) -> Installation:
    """Make the database, the small shop and the account of a bot whose platform is at ``api``."""
    return Installation(var_dir, **json.loads(_run(var_dir, ["prepare", api], {})))


def wait_for(condition: Callable[[], object], seconds: float, pause: float = 0.1) -> bool:
    """Whether the condition came to hold in time. A database that is down does not hold anything."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if condition():
                return True
        except psycopg2.OperationalError:
            pass
        time.sleep(pause)
    return False


def _run(var_dir: Path, argv: Any, environment: dict[str, str]) -> str:
    done = subprocess.run(
        _command(argv), env=_environment(var_dir, environment), cwd=PROJECT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _command(argv: Any) -> list[str]:
    return [sys.executable, "-m", "tests.journeys.launch", *argv]


def _environment(var_dir: Path, more: dict[str, str]) -> dict[str, str]:
    inherited = {
        k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "BROKER_URL", "DJANGO_SETTINGS_MODULE")
    }
    return {**inherited, "VAR_DIR": str(var_dir), "PYTHONUNBUFFERED": "1", **more}
