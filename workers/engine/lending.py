"""Generators lent to replies: a new version is loaded beside the one that serves, and the old one freed after its last reply.

No reply waits for a model and none loses the one it was lent. Until a version has been loaded only what the caller names may
write in its place, and the reply is told whose words it has and whether the version failed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Generic, Protocol, TypeVar

import structlog
from django.db import connection

log = structlog.get_logger(__name__)

IDLE_SECONDS = 300.0
"""A generator that nobody asked for so long is freed."""
MOST_LOADED = 8
"""What ships, live, canary and shadow, and some departments' own: about half a gigabyte each."""
AGAIN_SECONDS = 60.0
"""A version that could not be loaded is tried again after so long."""


class Closing(Protocol):
    def close(self) -> None: ...


Key = TypeVar("Key", bound=Hashable)
Engine = TypeVar("Engine", bound=Closing)


@dataclass(frozen=True)
class Lent(Generic[Key, Engine]):
    """An engine and whose it is, or neither. ``failure`` names the error for which the wanted one could not be loaded the last
    time; it is empty while that is only on its way."""

    key: Key | None
    engine: Engine | None
    failure: str


@dataclass
class _Held(Generic[Engine]):
    engine: Engine
    asked_for: float
    lent: int = 0


@dataclass(frozen=True)
class _Failure:
    error: str
    at: float


@dataclass
class Lending(Generic[Key, Engine]):
    """``load`` makes the engine of a key, slowly; the one of ``kept`` is never freed. Safe to use from many threads."""

    load: Callable[[Key], Engine]
    clock: Callable[[], float] = time.monotonic
    kept: Key | None = None
    _held: dict[Key, _Held[Engine]] = field(default_factory=dict)
    _loading: dict[Key, threading.Thread] = field(default_factory=dict)
    _failed: dict[Key, _Failure] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @contextmanager
    def lend(self, wanted: Key, instead: Callable[[], Iterable[Key]] = tuple) -> Iterator[Lent[Key, Engine]]:
        """The wanted engine, or until it is loaded the first of ``instead`` that is. What would be better is loaded beside.

        The very first loads while it waits: nothing else could answer. ``instead`` is asked only if it is needed.
        """
        self._load_first(wanted)
        keys = (wanted, *(() if wanted in self.loaded() else instead()))
        with self._lock:
            key = next((key for key in keys if key in self._held), None)
            self._load_beside(takewhile(lambda better: better != key, keys))
            failure = self._failed[wanted].error if wanted in self._failed else ""
            held = self._held[key] if key is not None else None
            if held:
                held.asked_for = self.clock()
                held.lent += 1
        try:
            yield Lent(key, held.engine if held else None, failure)
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
            if not self._held and not self._loading and self._may_try(wanted):
                self._take(wanted)

    def _load_beside(self, keys: Iterable[Key]) -> None:
        """Begin to load the first that has not failed lately."""
        key = next((key for key in keys if self._may_try(key)), None)
        if key is not None and key not in self._loading:
            thread = threading.Thread(target=self._take_beside, args=(key,), name=f"load {key}", daemon=True)
            self._loading[key] = thread
            thread.start()

    def _take_beside(self, key: Key) -> None:
        """In a thread of its own, whose database connection ends with it."""
        try:
            self._take(key)
        finally:
            connection.close()

    def _take(self, key: Key) -> None:
        """Load and hold; a version that cannot be loaded is told of and left for a while."""
        try:
            engine = self.load(key)
        except Exception as error:  # replies go on with what is there
            log.exception("a model cannot be loaded", model=str(key), error=str(error))
            with self._lock:
                self._failed[key] = _Failure(type(error).__name__, self.clock())
                self._loading.pop(key, None)
            return
        with self._lock:
            self._held[key] = _Held(engine, self.clock())
            self._failed.pop(key, None)
            self._loading.pop(key, None)

    def _may_try(self, key: Key) -> bool:
        return key not in self._failed or self.clock() - self._failed[key].at >= AGAIN_SECONDS

    def _unwanted(self) -> list[Engine]:
        """Take out what is idle, and beyond ``MOST_LOADED`` what was asked for longest ago; never what is lent, nor the last."""
        free = sorted(
            (key for key, held in self._held.items() if not held.lent and key != self.kept),
            key=lambda key: self._held[key].asked_for,
        )
        out: list[Engine] = []
        for key in free:
            idle = self.clock() - self._held[key].asked_for >= IDLE_SECONDS
            if len(self._held) > 1 and (idle or len(self._held) > MOST_LOADED):
                out.append(self._held.pop(key).engine)
        return out
