"""Children are kept running, stopped in order, and never left behind."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from botcore.environment import PROJECT
from botcore.supervisor import STABLE_SECONDS, Child, Supervisor, on_a_leash

leashed = pytest.mark.skipif(shutil.which("setpriv") is None, reason="the leash is Linux's")


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    supervisor = Supervisor(colour=False)
    yield supervisor
    supervisor.stop()


def script(name: str, text: str, **fields: object) -> Child:
    return Child(name, ["sh", "-c", text], **fields)  # type: ignore[arg-type]


def pid_of(child: Child) -> int:
    assert child.process is not None
    return child.process.pid


def wait_for(condition: Callable[[], object], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def watch_until(supervisor: Supervisor, condition: Callable[[], object]) -> bool:
    """Watch from this thread, which started the children, until the condition holds."""
    met: list[bool] = []

    def look() -> None:
        met.append(wait_for(condition))
        supervisor.stopping = True

    looking = threading.Thread(target=look)
    looking.start()
    supervisor.watch()
    looking.join()
    return met[0]


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_child_that_dies_is_started_again(supervisor):
    child = supervisor.start(script("web", "sleep 60"))
    first = pid_of(child)
    psutil.Process(first).kill()
    assert watch_until(supervisor, lambda: child.running and pid_of(child) != first)


def test_one_child_s_death_disturbs_no_other(supervisor):
    dying, other = supervisor.start(script("web", "sleep 60")), supervisor.start(script("io", "sleep 60"))
    before = pid_of(other)
    first = pid_of(dying)
    psutil.Process(first).kill()
    assert watch_until(supervisor, lambda: dying.running and pid_of(dying) != first)
    assert (other.running, pid_of(other)) == (True, before)


def test_a_child_that_dies_again_and_again_is_started_less_and_less_often(supervisor, capsys):
    supervisor.start(script("reply", "exit 3"))
    said: list[str] = []

    def twice() -> bool:
        said.extend(re.findall(r"reply.*\(code 3\); starting it again in ([\d.]+) s", capsys.readouterr().out))
        return len(said) == 2

    assert watch_until(supervisor, twice)
    assert said == ["1.0", "2.0"]


def test_a_child_that_ran_long_is_started_again_at_once(supervisor, capsys):
    child = supervisor.start(script("reply", "sleep 60"))
    child.pause = 15.0
    child.started -= STABLE_SECONDS + 1
    first = pid_of(child)
    psutil.Process(first).kill()
    assert watch_until(supervisor, lambda: pid_of(child) != first)
    assert "in 0.5 s" in capsys.readouterr().out


def test_children_are_asked_to_stop_together_and_what_they_lean_on_after_them(supervisor, tmp_path):
    log = tmp_path / "log"
    log.touch()

    def slow(name: str, seconds: float) -> str:
        ending = f"echo asked {name} >> {log}; sleep {seconds}; echo gone {name} >> {log}; exit"
        return f"trap '{ending}' TERM; echo up >> {log}; while :; do sleep 0.05; done"

    for name, seconds in (("database", 0), ("web", 0.4), ("io", 0.8)):
        supervisor.start(script(name, slow(name, seconds)))
    assert wait_for(lambda: log.read_text().count("up") == 3)
    supervisor.stop()
    events = log.read_text().splitlines()[3:]
    assert set(events[:2]) == {"asked web", "asked io"}
    assert events[2:] == ["gone web", "gone io", "asked database", "gone database"]


def test_every_child_is_asked_by_its_own_signal(supervisor, tmp_path):
    log = tmp_path / "log"
    asked = f"import signal, time; signal.signal(signal.SIGINT, lambda *_: (open('{log}', 'a').write('int'), exit(0)))"
    command = [sys.executable, "-c", f"{asked}; open('{log}', 'w').write('up '); time.sleep(60)"]
    supervisor.start(Child("database", command, stop_signal=signal.SIGINT))
    assert wait_for(lambda: log.exists() and log.read_text())
    supervisor.stop()
    assert log.read_text() == "up int"


def test_a_child_that_does_not_listen_is_killed_after_its_patience(supervisor, capsys):
    child = supervisor.start(script("io", "trap '' TERM; echo up; while :; do sleep 0.05; done", patience=0.3))
    assert wait_for(lambda: "up" in capsys.readouterr().out)
    begun = time.monotonic()
    supervisor.stop()
    assert not child.running
    assert 0.3 <= time.monotonic() - begun < 5


@pytest.mark.parametrize(
    ("ending", "patience"),
    [("trap 'exit' TERM", 5.0), ("trap '' TERM", 0.2)],
    ids=["when it ends by itself", "when it has to be killed"],
)
def test_a_stopped_child_leaves_no_process_of_its_own_behind(supervisor, tmp_path, ending, patience):
    note = tmp_path / "pid"
    supervisor.start(
        script("reply", f"sleep 60 & echo $! > {note}; {ending}; while :; do sleep 0.05; done", patience=patience)
    )
    assert wait_for(lambda: note.exists() and note.read_text().strip())
    supervisor.stop()
    assert wait_for(lambda: gone(int(note.read_text())), 5)


def test_a_child_that_died_leaves_no_process_of_its_own_beside_the_next(supervisor, tmp_path):
    note = tmp_path / "pids"
    child = supervisor.start(script("reply", f"sleep 60 & echo $! >> {note}; wait"))
    assert wait_for(lambda: note.exists() and note.read_text().strip())
    psutil.Process(pid_of(child)).kill()
    assert watch_until(supervisor, lambda: len(note.read_text().split()) == 2)
    assert wait_for(lambda: gone(int(note.read_text().split()[0])), 5)


def test_a_child_is_not_started_again_while_everything_stops(supervisor):
    child = supervisor.start(script("web", "sleep 60"))
    supervisor.stop()
    stopped = pid_of(child)
    supervisor.watch()
    assert (child.running, pid_of(child)) == (False, stopped)


def test_output_is_prefixed_with_the_child_s_name_whatever_its_bytes(supervisor, capsys):
    supervisor.start(script("web", r"printf 'bad \377 byte\nsecond\n'; sleep 60"))
    lines: list[str] = []

    def both() -> bool:
        lines.extend(capsys.readouterr().out.splitlines())
        return len(lines) == 2

    assert wait_for(both)
    assert lines == ["web      │ bad \ufffd byte", "web      │ second"]


@leashed
def test_children_on_a_leash_go_with_a_supervisor_that_is_killed(tmp_path: Path):
    note = tmp_path / "pid"
    program = (
        "from botcore.supervisor import Child, Supervisor, on_a_leash\n"
        "supervisor = Supervisor(colour=False)\n"
        f"supervisor.start(Child('web', on_a_leash(['sh', '-c', 'echo $$ > {note}; exec sleep 60'])))\n"
        "supervisor.watch()\n"
    )
    supervising = subprocess.Popen([sys.executable, "-c", program], cwd=PROJECT)
    assert wait_for(lambda: note.exists() and note.read_text().strip())
    assert not gone(int(note.read_text()))
    supervising.kill()
    supervising.wait()
    assert wait_for(lambda: gone(int(note.read_text())), 5)


@leashed
def test_the_leash_keeps_the_command(tmp_path):
    assert subprocess.run(on_a_leash(["echo", "hello"]), capture_output=True, text=True).stdout == "hello\n"


def test_a_child_that_gives_way_does_so_against_other_sessions(supervisor):
    child = supervisor.start(script("index", "while :; do sleep 0.05; done"))
    polite = supervisor.start(script("io", "while :; do sleep 0.05; done", niceness=7))
    assert os.getpriority(os.PRIO_PROCESS, pid_of(polite)) == 7
    assert os.getpriority(os.PRIO_PROCESS, pid_of(child)) == 0
    group = Path(f"/proc/{pid_of(polite)}/autogroup")
    if group.exists():
        assert group.read_text().split()[-1] == "7"
