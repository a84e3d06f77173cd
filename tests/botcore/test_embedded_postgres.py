"""Our own PostgreSQL: where it can live, who may use it at once, and what it outlives."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import quote

import psycopg2
import pytest
from django.test import override_settings

from botcore.embedded_postgres import NOBODY, USER, DatabaseError, EmbeddedPostgres, borrowed
from botcore.environment import PROJECT, ConfigurationError
from botcore.installation import database_for_command
from botcore.management.commands import up
from tests.fakes import at_once

COMMAND = """
import sys
from pathlib import Path
from botcore.embedded_postgres import EmbeddedPostgres, borrowed
with borrowed(EmbeddedPostgres(Path(sys.argv[1]))):
    print("ready", flush=True)
    sys.stdin.read()
"""
"""A command that uses the database until its input ends."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a cluster that was created and never started."""
    home = tmp_path_factory.mktemp("made")
    EmbeddedPostgres(home).prepare()
    return home


@pytest.fixture
def server(made: Path, tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    yield from copied(made, tmp_path / "pg")


def copied(made: Path, home: Path) -> Iterator[EmbeddedPostgres]:
    subprocess.run(["cp", "-a", str(made), str(home)], check=True)
    server = EmbeddedPostgres(home)
    yield server
    server.stop()
    assert not server.is_running()
    if server.socket_dir != home:
        shutil.rmtree(server.socket_dir)


def postmaster(server: EmbeddedPostgres) -> int:
    return int((server.data / "postmaster.pid").read_text().splitlines()[0])


def query(server: EmbeddedPostgres, sql: str) -> list[tuple[object, ...]]:
    with (
        closing(psycopg2.connect(host=str(server.socket_dir), user=USER, dbname=USER)) as session,
        session,
        session.cursor() as cursor,
    ):
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def command(server: EmbeddedPostgres) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(server.home)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_root_starts_it_as_nobody_inside_a_folder_that_nobody_may_enter(made, tmp_path):
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    for server in copied(made, private / "pg"):
        server.start()
        assert Path(f"/proc/{postmaster(server)}").stat().st_uid == NOBODY
        assert query(server, "SELECT current_user") == [(USER,)]


def test_a_long_path_moves_the_socket_alone(made, tmp_path):
    deep = tmp_path / ("deep" * 30)
    deep.mkdir()
    for server in copied(made, deep / "pg"):
        server.start()
        assert not server.socket_dir.is_relative_to(server.home)
        assert query(server, "SHOW data_directory") == [(str(server.data),)]


def test_no_port_is_opened(server):
    server.start()
    assert query(server, "SHOW listen_addresses") == [("",)]


def test_an_interrupted_creation_leaves_nothing_that_stops_the_next(tmp_path):
    server = EmbeddedPostgres(tmp_path / "pg")
    (server.home / "data.unfinished" / "base").mkdir(parents=True)
    server.prepare()
    assert (server.data / "PG_VERSION").exists()
    assert not (server.home / "data.unfinished").exists()


def test_two_commands_share_it_and_the_last_one_stops_it(server):
    first, second = ExitStack(), ExitStack()
    first.enter_context(borrowed(server))
    pid = postmaster(server)
    second.enter_context(borrowed(server))
    assert postmaster(server) == pid
    first.close()
    assert server.is_running()
    second.close()
    assert not server.is_running()


def test_commands_that_start_at_the_same_moment_start_one_server(server):
    inside = threading.Barrier(4)

    def use() -> int:
        with borrowed(server):
            inside.wait(30)
            return postmaster(server)

    assert len(set(at_once(*[use] * 4))) == 1
    assert not server.is_running()


def test_an_orphan_is_adopted_and_stopped_by_the_next_command(server):
    killed = command(server)
    pid = postmaster(server)
    killed.kill()
    killed.wait()
    assert server.is_running()
    with borrowed(server):
        assert postmaster(server) == pid
    assert not server.is_running()


def test_what_was_committed_survives_a_kill_of_the_server(server):
    process = server.start()
    query(server, "CREATE TABLE kept AS SELECT 7 AS number")
    with closing(psycopg2.connect(host=str(server.socket_dir), user=USER, dbname=USER)):
        os.kill(postmaster(server), signal.SIGKILL)
        process.wait()
        with borrowed(server):
            assert query(server, "SELECT number FROM kept") == [(7,)]
    assert not server.is_running()


def test_a_stale_pid_file_gets_no_stranger_stopped(server):
    with subprocess.Popen(["sleep", "60"]) as stranger:
        (server.data / "postmaster.pid").write_text(f"{stranger.pid}\n{server.data}\n")
        server.stop()
        time.sleep(0.1)
        assert stranger.poll() is None
        stranger.kill()


def test_a_server_that_cannot_start_says_why(server):
    with (server.data / "postgresql.conf").open("a") as file:
        file.write("no_such_setting = 1\n")
    with pytest.raises(DatabaseError, match="no_such_setting"):
        server.start()


def test_a_missing_package_is_named_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DatabaseError, match="make install"):
        EmbeddedPostgres(tmp_path / "pg").prepare()


def test_commands_that_need_no_database_start_none(server):
    with override_settings(EMBEDDED_POSTGRES=server):
        for argv in (["manage.py"], ["manage.py", "help"], ["manage.py", "migrate", "--help"], ["manage.py", "up"]):
            with database_for_command(argv):
                assert not server.is_running()
        with database_for_command(["manage.py", "migrate"]):
            assert server.is_running()


# --- beside `up`


@pytest.fixture
def installation(server: EmbeddedPostgres, tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    with override_settings(EMBEDDED_POSTGRES=server, VAR_DIR=tmp_path):
        yield server


def test_a_command_works_while_up_runs_and_leaves_its_server_running(installation):
    with up._only_one() as let_commands_in:
        installation.start()
        let_commands_in()
        entered = threading.Event()

        def use() -> None:
            with borrowed(installation):
                entered.set()

        thread = threading.Thread(target=use, daemon=True)
        thread.start()
        assert entered.wait(10)
        thread.join(10)
        assert installation.is_running()


def test_up_does_not_start_beside_a_command_that_uses_the_database(installation):
    with borrowed(installation), pytest.raises(ConfigurationError, match="wait until it ends"), up._only_one():
        pass


def test_up_does_not_start_twice(installation):
    with up._only_one(), pytest.raises(ConfigurationError, match="already runs"), up._only_one():
        pass


# --- the commands by themselves


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "VAR_DIR")}
    return subprocess.run(
        [sys.executable, str(PROJECT / "manage.py"), *arguments],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_command_on_a_new_machine_makes_the_tables_it_needs(tmp_path):
    (tmp_path / "two.csv").write_text("sku,title,price,category\na,Red mug,9,Kitchen\nb,Blue mug,8,Kitchen\n")
    done = manage(
        "import_products", str(tmp_path / "two.csv"), "--shop", "mugs", "--create-shop", VAR_DIR=str(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    assert "2" in done.stdout


def test_a_database_of_the_operators_own_is_not_changed_unasked(server, tmp_path):
    address = f"postgres://{USER}@{quote(str(server.socket_dir), safe='')}/{USER}"
    with borrowed(server):
        done = manage("connect", "webchat", "--shop", "x", VAR_DIR=str(tmp_path), DATABASE_URL=address)
    assert done.returncode == 1
    assert "manage.py migrate" in done.stderr
    assert "Traceback" not in done.stderr
