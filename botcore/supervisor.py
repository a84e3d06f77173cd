"""Children of one terminal: started in order, their logs prefixed, restarted when they die, stopped together."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from botcore.priority import give_way

COLOURS = {"database": 36, "web": 32, "reply": 35, "io": 34, "index": 33, "train": 31, "beat": 90, "daogou": 37}
STABLE_SECONDS = 10.0
LONGEST_PAUSE = 15.0


def on_a_leash(command: Sequence[str], signal_name: str = "TERM") -> list[str]:
    """The command so that the kernel ends it when its parent is gone, also by ``kill -9`` (Linux; elsewhere as it is)."""
    setpriv = shutil.which("setpriv")
    return [setpriv, f"--pdeathsig={signal_name}", *command] if setpriv else list(command)


@dataclass
class Child:
    """One supervised process. ``stop_signal`` asks it to finish; after ``patience`` seconds it is killed.

    ``niceness`` above 0: it gets the processor after the others.
    """

    name: str
    command: Sequence[str]
    stop_signal: signal.Signals = signal.SIGTERM
    patience: float = 8.0
    niceness: int = 0
    env: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 0.5
    due: float = 0.0

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Used from the main thread only: the kernel's leash hangs on the thread that starts a child."""

    def __init__(self, colour: bool) -> None:
        self.colour = colour
        self.children: list[Child] = []
        self.stopping = False
        self._write = threading.Lock()

    def start(self, child: Child) -> Child:
        """Start a child and keep it running from now on."""
        self.children.append(child)
        self.launch(child)
        return child

    def watch(self) -> None:
        """Restart whatever dies, sooner the first time than the tenth, until :meth:`stop` is called by a signal."""
        while not self.stopping:
            for child in self.children:
                if self.stopping or child.running:
                    continue
                self._revive(child)
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop all children at once, but the first, which the others lean on, after them; returns when all are gone."""
        self.stopping = True
        self._end(self.children[1:])
        self._end(self.children[:1])

    def say(self, text: str, name: str = "daogou") -> None:
        """One line of output under a name."""
        with self._write:
            label = f"{name:<8}"
            if self.colour:
                label = f"\033[{COLOURS.get(name, 37)}m{label}\033[0m"
            sys.stdout.write(f"{label} │ {text}\n")
            sys.stdout.flush()

    def launch(self, child: Child) -> None:
        """Start a child's process, whatever became of the one before."""
        child.process = subprocess.Popen(
            child.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "DAOGOU_COLOUR": str(int(self.colour)), **child.env},
            start_new_session=True,
        )
        give_way(child.process.pid, child.niceness)
        child.started = time.monotonic()
        threading.Thread(target=self._relay, args=(child,), daemon=True).start()

    def _relay(self, child: Child) -> None:
        assert child.process is not None and child.process.stdout is not None
        for line in child.process.stdout:
            self.say(line.decode(errors="replace").rstrip(), child.name)

    def _revive(self, child: Child) -> None:
        now = time.monotonic()
        if child.due == 0.0:
            _end_group(child)
            child.pause = 0.5 if now - child.started > STABLE_SECONDS else min(child.pause * 2, LONGEST_PAUSE)
            child.due = now + child.pause
            code = child.process.returncode if child.process else None
            self.say(f"{child.name} ended unexpectedly (code {code}); starting it again in {child.pause:.1f} s")
        elif now >= child.due:
            child.due = 0.0
            self.launch(child)

    def _end(self, children: Sequence[Child]) -> None:
        """Ask all to finish, then wait for each; whoever is out of patience is killed."""
        asked = time.monotonic()
        running = [child for child in children if child.running]
        for child in running:
            cast(subprocess.Popen[bytes], child.process).send_signal(child.stop_signal)
        for child in running:
            process = cast(subprocess.Popen[bytes], child.process)
            try:
                process.wait(max(0.0, asked + child.patience - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.say(f"{child.name} does not stop: killed")
                process.kill()
                process.wait()
            _end_group(child)


def _end_group(child: Child) -> None:
    """What a child that has just ended started itself goes with it."""
    if child.process:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.process.pid, signal.SIGKILL)
