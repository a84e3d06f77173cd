"""Generators lent to replies: a new version is loaded beside the one that serves, and the old one freed after its last reply.

No reply waits for a model and none loses the one it was lent: until a version has been loaded, replies are written by what
is there, and they say so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import structlog

log = structlog.get_logger(__name__)

IDLE_SECONDS = 300.0
"""A generator that nobody asked for so long is freed."""
MOST_LOADED = 4
"""Live, canary and shadow, and one that is on its way out: about half a gigabyte each."""
AGAIN_SECONDS = 60.0
"""A version that could not be loaded is tried again after so long."""


class Closing(Protocol):
    def close(self) -> None: ...


Key = TypeVar("Key", bound=Hashable)
Engine = TypeVar("Engine", bound=Closing)


@dataclass
class _Held(Generic[Engine]):
    engine: Engine
    asked_for: float
    lent: int = 0


@dataclass
class Lending(Generic[Key, Engine]):
    """``load`` makes the engine of a key, slowly. Safe to use from many threads."""

    load: Callable[[Key], Engine]
    clock: Callable[[], float] = time.monotonic
    _held: dict[Key, _Held[Engine]] = field(default_factory=dict)
    _loading: dict[Key, threading.Thread] = field(default_factory=dict)
    _failed: dict[Key, float] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @contextmanager
    def lend(self, wanted: Key) -> Iterator[tuple[Key, Engine] | None]:
        """The wanted engine, or another that is loaded while the wanted one is; None where there is none at all.

        The very first loads while it waits: nothing else could answer.
        """
        self._load_first(wanted)
        with self._lock:
            key = wanted if wanted in self._held else self._newest()
            if key != wanted:
                self._load_beside(wanted)
            held = self._held[key] if key is not None else None
            if held:
                held.asked_for = self.clock()
                held.lent += 1
        try:
            yield (key, held.engine) if held and key is not None else None
        finally:
            with self._lock:
                if held:
                    held.lent -= 1
                unwanted = self._unwanted()
            for engine in unwanted:
                engine.close()

    def loaded(self) -> set[Key]:
        """What could be lent at once."""
        with self._lock:
            return set(self._held)

    def settle(self, seconds: float = 60.0) -> None:
        """Wait until nothing is being loaded."""
        for thread in list(self._loading.values()):
            thread.join(seconds)

    def close(self) -> None:
        """Free everything; only for a process that is about to end."""
        with self._lock:
            while self._held:
                self._held.popitem()[1].engine.close()

    def _load_first(self, wanted: Key) -> None:
        with self._lock:
            if not self._held and self._may_try(wanted):
                self._take(wanted)

    def _load_beside(self, wanted: Key) -> None:
        if wanted not in self._loading and self._may_try(wanted):
            thread = threading.Thread(target=self._take, args=(wanted,), name=f"load {wanted}", daemon=True)
            self._loading[wanted] = thread
            thread.start()

    def _take(self, key: Key) -> None:
        """Load and hold; a version that cannot be loaded is told of and left for a while."""
        try:
            engine = self.load(key)
        except Exception as error:  # replies go on with what is there
            log.exception("a model cannot be loaded", model=str(key), error=str(error))
            with self._lock:
                self._failed[key] = self.clock()
                self._loading.pop(key, None)
            return
        with self._lock:
            self._held[key] = _Held(engine, self.clock())
            self._loading.pop(key, None)

    def _may_try(self, key: Key) -> bool:
        return key not in self._failed or self.clock() - self._failed[key] >= AGAIN_SECONDS

    def _newest(self) -> Key | None:
        return max(self._held, key=lambda key: self._held[key].asked_for, default=None)

    def _unwanted(self) -> list[Engine]:
        """Take out what is idle, and beyond ``MOST_LOADED`` what was asked for longest ago; never what is lent, nor the last."""
        free = sorted(
            (key for key in self._held if not self._held[key].lent), key=lambda key: self._held[key].asked_for
        )
        out: list[Engine] = []
        for key in free:
            idle = self.clock() - self._held[key].asked_for >= IDLE_SECONDS
            if len(self._held) > 1 and (idle or len(self._held) > MOST_LOADED):
                out.append(self._held.pop(key).engine)
        return out
