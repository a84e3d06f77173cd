"""What stands for the outside world and for slowness in tests: an encoder without weights, a generator without a model,
a messaging platform that remembers what it was sent, and a way to do things at the same moment.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from uuid import UUID

import numpy as np
import numpy.typing as npt
from django.db import connection
from PIL import Image

from botcore.channels.http import content_type_of
from botcore.channels.terminal import Terminal
from botcore.channels.values import (
    Media,
    MediaError,
    MediaReference,
    OutboundMessage,
    Payload,
    Recipient,
    SendResult,
)
from botcore.dialogue.ports import EngineInfo, Heard, Prompt, Sample
from catalog.models import EMBEDDING_DIMENSIONS

T = TypeVar("T")


class HashEncoder:
    """A text's vector is the sum of its words' fixed random vectors: shared words are near, meaning is not."""

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        rows = [sum((self._word(w) for w in re.findall(r"\w+", t.lower())), self._word("")) for t in texts]
        vectors = np.asarray(rows, dtype=np.float32).reshape(len(texts), EMBEDDING_DIMENSIONS)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    @staticmethod
    def _word(word: str) -> npt.NDArray[np.float32]:
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
        return np.random.default_rng(seed).standard_normal(EMBEDDING_DIMENSIONS, dtype=np.float32)


class ColourEncoder:
    """A picture's vector is its colour: how much of each of eight hues it holds, and how light it is."""

    name = "colours-1"

    def encode(self, pictures: Sequence[Image.Image]) -> npt.NDArray[np.float32]:
        return np.stack([self._colours(picture) for picture in pictures])

    @staticmethod
    def _colours(picture: Image.Image) -> npt.NDArray[np.float32]:
        hue, saturation, light = np.asarray(picture.convert("HSV"), dtype=np.float32).reshape(-1, 3).T
        share = np.histogram(hue, bins=8, range=(0, 256), weights=saturation / 255)[0] / len(hue)
        vector = np.append(share, 0.2 * light.mean() / 255).astype(np.float32)
        return vector / np.linalg.norm(vector)


@dataclass
class FakeRecogniser:
    """Hears ``said`` in every recording, after ``seconds``; raises what is an error."""

    said: Heard | Exception
    name: str = "ears-1"
    seconds: float = 0.0
    heard: list[bytes] = field(default_factory=list)

    def hear(self, recording: bytes, *, deadline: float) -> Heard:
        self.heard.append(recording)
        time.sleep(self.seconds)
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


@dataclass
class FakeGenerator:
    """Names the first product and its price; takes ``seconds`` for it and calls ``meanwhile``."""

    seconds: float = 0.0
    meanwhile: Callable[[], object] = lambda: None
    prompts: list[Prompt] = field(default_factory=list)

    @property
    def info(self) -> EngineInfo:
        return EngineInfo("fake", "fake-1", "none", "cpu", 8, 0.0)

    def write(self, prompt: Prompt, *, samples: int, seed: int, deadline: float) -> list[Sample]:
        self.prompts.append(prompt)
        self.meanwhile()
        time.sleep(self.seconds)
        named = "[A.name]" in prompt.messages[-1]["content"]
        return [Sample("I would take the [A.name] for [A.price]." if named else "What are you looking for?", 12)]


@dataclass
class FakeVersion(FakeGenerator):
    """The generator of a version, which its replies are signed with."""

    version_id: int = 0

    @property
    def info(self) -> EngineInfo:
        return replace(super().info, model_version=f"fake-{self.version_id}")

    def close(self) -> None:
        """There is nothing to free."""


@dataclass
class FakeChannel(Terminal):
    """A platform in memory: ``parts`` messages a reply; answers with ``results`` in turn, then with success. It gives out
    ``files`` by name, whatever their size."""

    capabilities = replace(Terminal.capabilities, rate=1000, burst=1000)
    parts: int = 1
    results: list[SendResult] = field(default_factory=list)
    sent: list[Payload] = field(default_factory=list)
    keys: list[UUID] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None
    files: dict[str, bytes | Exception] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)

    def render(self, message: OutboundMessage) -> list[Payload]:
        return [{"part": number, "text": message.text} for number in range(1, self.parts + 1)]

    def send(self, recipient: Recipient, payload: Payload, idempotency_key: UUID) -> SendResult:
        self.meanwhile()
        self.keys.append(idempotency_key)
        self.sent.append(payload)
        return self.results.pop(0) if self.results else SendResult(ok=True, platform_id=f"id-{len(self.sent)}")

    def fetch_media(self, media: MediaReference, limit: int) -> Media:
        name = media.reference["name"]
        self.fetched.append(name)
        content = self.files.get(name, MediaError("gone"))
        if isinstance(content, Exception):
            raise content
        return Media(content, content_type_of(content))


class FakeTelegram:
    """A Bot API server that takes every call and keeps what each chat was sent, in order."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}
        self._lock = threading.Lock()
        self._number = 0

    def take(self, path: str, params: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self._number += 1
            if path.endswith("/sendMessage"):
                self.texts.setdefault(str(params["chat_id"]), []).append(params["text"])
            return {"ok": True, "result": {"message_id": self._number}}


@contextmanager
def telegram_server() -> Iterator[tuple[FakeTelegram, str]]:
    """The fake platform and the address of its Bot API."""
    platform = FakeTelegram()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            params = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(platform.take(self.path, params)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """The test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield platform, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def at_once(*jobs: Callable[[], T]) -> list[T]:
    """Run every job in a thread of its own, released together; their results, in order. The first error is raised."""
    gate = threading.Barrier(len(jobs))
    results: list[Any] = [None] * len(jobs)
    errors: list[BaseException] = []

    def run(index: int, job: Callable[[], T]) -> None:
        try:
            gate.wait(20)
            results[index] = job()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index, job)) for index, job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if errors:
        raise errors[0]
    return results


class Wakes(list[tuple[str, int]]):
    """Stands in for the broker: what was asked of workers, as (task, row id)."""

    def send_task(self, name: str, args: list[int], **_: Any) -> None:
        self.append((name.removeprefix("workers.tasks."), args[0]))
