"""``manage.py up``: the whole of Daogou in one terminal."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from botcore import firstrun
from botcore.embedded_postgres import EmbeddedPostgres
from botcore.environment import PROJECT, SERVED_PORT, ConfigurationError, Environment
from botcore.supervisor import Child, Supervisor, on_a_leash

REPLY_THREADS = 16
QUIET = {"PYTHONWARNINGS": "ignore:You're running the worker", "TQDM_DISABLE": "1"}
"""Celery's word about root, and progress bars of loading, say nothing to whoever reads the log of a shop."""
IO_THREADS = 8


class Command(BaseCommand):
    help = "Start the database, the web server, the workers and beat; Ctrl-C stops them all."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", help="where the web server listens (default: PORT, else 8000)")
        parser.add_argument("--host", default="127.0.0.1", help="on which address (default: this machine only)")
        parser.add_argument("--no-demo", action="store_true", help="do not make the demo shop in an empty database")

    def handle(self, **options: Any) -> None:
        if options["port"]:
            os.environ["PORT"] = options["port"]
        started = time.monotonic()
        with _only_one() as let_commands_in, _served() as served:
            environment = Environment.read()
            _check_port(options["host"], environment.port)
            served.write_text(str(environment.port), encoding="ascii")
            supervisor = Supervisor(colour=sys.stdout.isatty())
            with _signals(supervisor):
                try:
                    if settings.EMBEDDED_POSTGRES:
                        _start_database(supervisor, settings.EMBEDDED_POSTGRES)
                    call_command("migrate", verbosity=0, interactive=False)
                    let_commands_in()
                    self._run(supervisor, environment, options, started)
                except KeyboardInterrupt:
                    pass
                finally:
                    supervisor.say("stopping")
                    supervisor.stop()
                    supervisor.say("stopped")

    def _run(self, supervisor: Supervisor, environment: Environment, options: dict[str, Any], started: float) -> None:
        logins = firstrun.make_logins()
        shop = None
        if not options["no_demo"]:
            with _progress() as bars:
                shop = firstrun.make_demo_shop(bars)
        _build_model(supervisor)
        settings.REPLY_READY.unlink(missing_ok=True)
        for child in children(options["host"], environment.port):
            supervisor.start(child)
        _wait_for_web(supervisor, options["host"], environment.port)
        _wait_for_reply(supervisor)
        firstrun.announce(supervisor.say, environment.public_url, logins, shop, time.monotonic() - started)
        supervisor.watch()


@contextlib.contextmanager
def _served() -> Iterator[Path]:
    """Where commands read which port is served; gone before and after, whatever became of the last run."""
    path = settings.VAR_DIR / SERVED_PORT
    path.unlink(missing_ok=True)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def children(host: str, port: int) -> list[Child]:
    """Web, workers and beat, in the order of their start."""
    python = sys.executable
    web = [python, "-m", "uvicorn", "botcore.asgi:application", "--host", host, "--port", str(port)]
    web += ["--no-access-log", "--log-level", "warning", "--timeout-graceful-shutdown", "2"]
    web += ["--timeout-keep-alive", "75"]  # a platform's idle connection is not closed in the moment it is used again
    celery = [python, "-m", "celery", "--app", "botcore.celery", "--quiet"]

    def worker(queue: str, threads: int) -> Child:
        flags = ["--loglevel=WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"]
        pool = ["-P", "threads", "-c", str(threads)] if threads > 1 else ["-P", "solo"]
        command = [*celery, "worker", "-Q", queue, "-n", f"{queue}@%h", *pool, *flags]
        if queue in ("index", "train"):  # nobody waits for it, and what it leaves undone is found again
            return Child(queue, on_a_leash(command), patience=2, niceness=19, env=QUIET)
        return Child(queue, on_a_leash(command), niceness=8 if queue == "io" else 12, env=QUIET)

    beat = [*celery, "beat", "--loglevel=WARNING", "-s", str(settings.VAR_DIR / "beat")]
    beat += ["--pidfile="]
    return [
        Child("web", on_a_leash(web), patience=5),
        worker("reply", REPLY_THREADS),
        worker("io", IO_THREADS),
        worker("index", 1),
        worker("train", 1),
        Child("beat", on_a_leash(beat)),
    ]


def _start_database(supervisor: Supervisor, server: EmbeddedPostgres) -> None:
    server.prepare()
    if server.is_running():
        server.stop()
    child = supervisor.start(
        Child("database", server.argv(die_with_parent=True), stop_signal=signal.SIGINT, patience=30)
    )
    server.wait_until_ready(child.process)


def _build_model(supervisor: Supervisor) -> None:
    """In a process of its own: this one never loads what builds models."""
    command = [sys.executable, str(PROJECT / "manage.py"), "engine", "--build"]
    result = subprocess.run(command, env={**os.environ, **QUIET})
    if result.returncode:
        supervisor.say("the model could not be built: replies come from approved phrases until it is")


def _wait_for_web(supervisor: Supervisor, host: str, port: int, seconds: float = 60) -> None:
    address = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}/healthz"  # noqa: S104
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not supervisor.stopping:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2):
            return
        time.sleep(0.1)
    if not supervisor.stopping:
        raise ConfigurationError(f"the web server does not answer on {address}; its log lines above say why")


def _wait_for_reply(supervisor: Supervisor, seconds: float = 60) -> None:
    """Give the reply worker time to load its models, so that the first customer is answered as quickly as the next."""
    deadline = time.monotonic() + seconds
    supervisor.say("loading the model")
    while not settings.REPLY_READY.exists() and time.monotonic() < deadline and not supervisor.stopping:
        time.sleep(0.1)


def _check_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(
                f"port {port} on {host} cannot be used ({error.strerror}); choose another: make run PORT={port + 1}"
            ) from error


@contextlib.contextmanager
def _only_one() -> Iterator[Callable[[], None]]:
    """Hold the installation's locks, which a killed process gives up by itself.

    Other commands wait for the database until they are let in, and keep it running no longer than this process.
    """
    path = settings.VAR_DIR / "up.lock"
    with path.open("a+") as lock, contextlib.ExitStack() as held:
        _lock(lock, f"Daogou already runs from {settings.VAR_DIR}; stop it first, or set VAR_DIR for a second one")
        if settings.EMBEDDED_POSTGRES is None:
            yield lambda: None
            return
        settings.EMBEDDED_POSTGRES.home.mkdir(parents=True, exist_ok=True)
        users = held.enter_context((settings.EMBEDDED_POSTGRES.home / "users.lock").open("w"))
        _lock(users, "another manage.py command is using the database; wait until it ends")
        yield lambda: fcntl.flock(users, fcntl.LOCK_SH)


def _lock(file: IO[str], problem: str) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ConfigurationError(problem) from error


@contextlib.contextmanager
def _signals(supervisor: Supervisor) -> Iterator[None]:
    def stop(number: int, frame: object) -> None:
        if not supervisor.stopping:
            supervisor.stopping = True
            raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _progress() -> Progress:
    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(), transient=False)
