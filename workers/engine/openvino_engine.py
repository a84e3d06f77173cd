"""The CPU engine: a Q8_0 GGUF in OpenVINO's continuous batching with prefix caching and a language for every turn.

This side turns messages into tokens and samples into text; the pipeline lives in a child process (``openvino_host``),
started here and started again if it dies. Concurrent ``write`` calls meet in its running batch.
"""

from __future__ import annotations

import itertools
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from botcore.dialogue.ports import EngineInfo
from botcore.priority import give_way
from workers.engine.artefacts import Artefact
from workers.engine.writing import Completion, Sampling, TokenGenerator, load_tokenizer, prompt_ids, stop_ids

PROPERTIES: Mapping[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "KV_CACHE_PRECISION": "f32"}
"""The default 8-bit cache gives other texts from run to run on two threads; single precision repeats them, as fast."""
EXACT: Mapping[str, Any] = {**PROPERTIES, "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0"}
"""Weights in 8 bits and nothing else: the same tokens as transformers on the dequantised weights, at half the speed."""

THREADS = len(os.sched_getaffinity(0))
"""Every core: a reply takes two thirds of the time it takes with one core less on two cores (docs/benchmarks.md)."""

NICENESS = 15
"""Webhooks, pages and the database go before the model: they need little, and platforms do not wait."""

MAX_SEQUENCES = 64
CACHE_BLOCKS = 512
"""Of 32 tokens each: 64 sequences of 256 tokens."""

_ROOT = Path(__file__).resolve().parents[2]


class EngineError(RuntimeError):
    """The engine's process ended; the next ``write`` starts another one."""


class OpenVinoGenerator(TokenGenerator):
    """The generator on the CPU. Loading takes about five seconds; ``close`` ends the process."""

    def __init__(
        self,
        artefact: Artefact,
        sampling: Sampling = Sampling(),  # noqa: B008  frozen
        *,
        constrained: bool = True,
        properties: Mapping[str, Any] = PROPERTIES,
    ) -> None:
        self._artefact = artefact
        self.constrained = constrained
        self.tokenizer = load_tokenizer(artefact.hf)
        generation = json.loads((artefact.hf / "generation_config.json").read_text())
        self._order = {
            "gguf": str(artefact.gguf),
            "sampling": asdict(sampling),
            "stops": stop_ids(self.tokenizer, generation.get("eos_token_id")),
            "properties": {"INFERENCE_NUM_THREADS": THREADS, **properties},
            "max_sequences": MAX_SEQUENCES,
            "cache_blocks": CACHE_BLOCKS,
        }
        self._lock = threading.Lock()
        self._host = self._warm_host()

    @property
    def info(self) -> EngineInfo:
        memory = psutil.Process(self._host.pid).memory_info().rss / 2**20
        return EngineInfo("openvino", self._artefact.version, self._artefact.architecture, "CPU", 8, round(memory, 1))

    def complete(self, ids: list[int], language: str, seeds: list[int], deadline: float) -> list[Completion]:
        if time.monotonic() >= deadline:
            return []
        return self._living_host().write(ids, language, seeds, deadline)

    def close(self) -> None:
        self._host.close()

    def _living_host(self) -> _HostProcess:
        with self._lock:
            if not self._host.alive:
                self._host = self._warm_host()
            return self._host

    def _warm_host(self) -> _HostProcess:
        """A process that has compiled its kernels and a language, and has the system prompt's prefix to grow from."""
        host = _HostProcess(self._order)
        ids = prompt_ids(self.tokenizer, [{"role": "user", "content": "Hello"}])
        host.write(ids, "Hello[.]" if self.constrained else "", [0, 1], time.monotonic() + 60)
        return host


class _HostProcess:
    """One child process and the thread that hands its answers to the waiting calls."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "workers.engine.openvino_host"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=_ROOT,
            start_new_session=True,  # Ctrl-C in the terminal reaches the worker, which then closes our stdin
        )
        give_way(self._process.pid, NICENESS)
        self._sending = threading.Lock()
        self._turns = itertools.count()
        self._waiting: dict[int, queue.SimpleQueue[dict[str, Any] | None]] = {}
        self.alive = True
        self._send(order)
        if not self._process.stdout or not self._process.stdout.readline():
            self.close()
            raise EngineError(f"The OpenVINO process could not load {order['gguf']}; its log above says why.")
        threading.Thread(target=self._receive, name="openvino-answers", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def write(self, ids: list[int], language: str, seeds: list[int], deadline: float) -> list[Completion]:
        """As ``TokenGenerator.complete``; what is not finished at ``deadline`` is cancelled."""
        turn = next(self._turns)
        inbox = self._waiting[turn] = queue.SimpleQueue()
        answers: list[dict[str, Any]] = []
        try:
            self._send({"turn": turn, "prompt": ids, "language": language, "seeds": seeds})
            while len(answers) < len(seeds):
                answer = inbox.get(timeout=max(deadline - time.monotonic(), 0))
                if answer is None:
                    raise EngineError("The OpenVINO process ended while it was writing.")
                answers.append(answer)
        except queue.Empty:
            self._send({"cancel": turn})
        finally:
            del self._waiting[turn]
        answers.sort(key=lambda answer: answer["sample"])
        return [Completion(answer["ids"], answer["ended"], answer["log_probability"]) for answer in answers]

    def close(self) -> None:
        self.alive = False
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()

    def _send(self, message: dict[str, Any]) -> None:
        line = json.dumps(message).encode() + b"\n"
        try:
            with self._sending:
                self._process.stdin.write(line)  # type: ignore[union-attr]
                self._process.stdin.flush()  # type: ignore[union-attr]
        except (BrokenPipeError, ValueError) as error:
            self.alive = False
            raise EngineError("The OpenVINO process has ended.") from error

    def _receive(self) -> None:
        for line in self._process.stdout or ():
            answer = json.loads(line)
            if inbox := self._waiting.get(answer["turn"]):
                inbox.put(answer)
        self.alive = False
        for inbox in list(self._waiting.values()):
            inbox.put(None)
