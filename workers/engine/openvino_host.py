"""The process that owns the OpenVINO pipeline: requests come in on stdin, samples go out on stdout, one JSON a line.

It is a process of its own because ``ContinuousBatchingPipeline.step`` holds Python's interpreter lock while it
computes, which would stop every other thread of a worker for the length of each step; and a crash of native code
stays in here.
Run by ``openvino_engine``; ends when its stdin closes. It knows tokens only, no text.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
import openvino
import openvino_genai as genai


@dataclass
class Turn:
    """One prompt and its samples by index: ``seeds`` of those not started, handles of those ``running``."""

    prompt: openvino.Tensor
    language: str
    seeds: dict[int, int]
    running: dict[int, Any] = field(default_factory=dict)


class Host:
    """Steps the pipeline while there is work, taking new requests between two steps."""

    def __init__(self, order: dict[str, Any], out: BinaryIO) -> None:
        scheduler = genai.SchedulerConfig()
        scheduler.enable_prefix_caching = True
        scheduler.max_num_seqs = order["max_sequences"]
        scheduler.num_kv_blocks = order["cache_blocks"]
        self._pipeline = genai.ContinuousBatchingPipeline(order["gguf"], scheduler, "CPU", order["properties"])
        self._sampling = order["sampling"]
        self._stops = set(order["stops"])
        self._out = out
        self._turns: dict[int, Turn] = {}
        self._requests = 0

    @property
    def busy(self) -> bool:
        return bool(self._turns)

    def take(self, message: dict[str, Any]) -> None:
        if "cancel" in message:
            turn = self._turns.get(message["cancel"])
            if turn:
                turn.seeds.clear()
                for handle in turn.running.values():
                    handle.cancel()
            return
        tensor = openvino.Tensor(np.array([message["prompt"]], dtype=np.int64))
        turn = self._turns[message["turn"]] = Turn(tensor, message["language"], dict(enumerate(message["seeds"])))
        self._start(turn, 0)

    def step(self) -> None:
        if self._pipeline.has_non_finished_requests():
            self._pipeline.step()
        for number, turn in list(self._turns.items()):
            self._collect(number, turn)
            # The first sample's prefill fills the prefix cache; the others start from it instead of computing it again.
            if turn.seeds and (not turn.running or turn.running[min(turn.running)].can_read()):
                for index in list(turn.seeds):
                    self._start(turn, index)
            if not turn.running and not turn.seeds:
                del self._turns[number]

    def _start(self, turn: Turn, index: int) -> None:
        config = self._config(turn.seeds.pop(index), turn.language)
        self._requests += 1
        turn.running[index] = self._pipeline.add_request(self._requests, turn.prompt, config)

    def _config(self, seed: int, language: str) -> genai.GenerationConfig:
        config = genai.GenerationConfig()
        config.max_new_tokens = self._sampling["max_new_tokens"]
        config.stop_token_ids = self._stops
        config.eos_token_id = min(self._stops)
        if self._sampling["temperature"]:
            config.do_sample = True
            config.temperature = self._sampling["temperature"]
            config.top_p = self._sampling["top_p"]
            config.rng_seed = seed
        config.logprobs = 1
        if language:
            config.structured_output_config = genai.StructuredOutputConfig(regex=language)
        return config

    def _collect(self, number: int, turn: Turn) -> None:
        for index, handle in list(turn.running.items()):
            if handle.get_status() == genai.GenerationStatus.RUNNING:
                continue
            del turn.running[index]
            if handle.get_status() == genai.GenerationStatus.CANCEL:
                continue
            sample = {"turn": number, "sample": index, "ids": [], "ended": False, "log_probability": 0.0}
            if outputs := handle.read_all():  # none where the cache had no room for it: one sample less
                output = outputs[0]
                ended = output.finish_reason == genai.GenerationFinishReason.STOP
                ids = output.generated_ids[:-1] if ended else output.generated_ids
                sample |= {"ids": list(ids), "ended": ended, "log_probability": sum(output.generated_log_probs)}
            self.send(sample)

    def send(self, message: dict[str, Any]) -> None:
        self._out.write(json.dumps(message).encode() + b"\n")
        self._out.flush()


def _lines(descriptor: int, host: Host) -> None:
    """Read until stdin closes; block only when there is nothing to compute."""
    pending = b""
    while True:
        while host.busy and not select.select([descriptor], [], [], 0)[0]:
            host.step()
        received = os.read(descriptor, 1 << 16)
        if not received:
            return
        *lines, pending = (pending + received).split(b"\n")
        for line in lines:
            host.take(json.loads(line))


def main() -> None:
    # Native libraries print to descriptor 1; keep the real one for answers and give them the log.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    # Unbuffered, so that it takes the first line only: what follows is read by descriptor.
    with open(0, "rb", buffering=0, closefd=False) as unbuffered:
        order = json.loads(unbuffered.readline())
    host = Host(order, out)
    host.send({"ready": True})
    with contextlib.suppress(BrokenPipeError):  # nobody is left to answer
        _lines(0, host)


if __name__ == "__main__":
    main()
