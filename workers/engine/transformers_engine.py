"""The CUDA engine: bitsandbytes 8-bit weights through transformers, concurrent turns batched together.

A batching thread gathers the turns that arrive within a few milliseconds and writes them in one ``generate`` call.
The same code runs, slowly, on a CPU; tests use it there.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, LogitsProcessor, StoppingCriteria

from botcore.dialogue.ports import EngineInfo
from workers.engine import constraint
from workers.engine.artefacts import Artefact
from workers.engine.writing import Completion, Sampling, TokenGenerator, load_tokenizer, stop_ids

GATHER_SECONDS = 0.005
MAX_ROWS = 64
STEP_SECONDS = 0.1
"""How long past its deadline a call waits for the step that notices the deadline and delivers what is finished."""


@dataclass(frozen=True)
class Turn:
    """One ``write`` call on its way to the batching thread."""

    prompt: list[int]
    seeds: list[int]
    deadline: float
    written: Future[list[Completion]] = field(default_factory=Future)


class TransformersGenerator(TokenGenerator):
    """The generator on CUDA where there is one. ``close`` ends the batching thread."""

    def __init__(
        self,
        artefact: Artefact,
        sampling: Sampling = Sampling(),  # noqa: B008  frozen
        *,
        constrained: bool = True,
        eight_bit: bool = True,
    ) -> None:
        self._artefact = artefact
        self._sampling = sampling
        self._bits = 8 if eight_bit else 32
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self.tokenizer = load_tokenizer(artefact.hf)
        self._model = _load(artefact.hf, self._device, eight_bit)
        self._stops = stop_ids(self.tokenizer, self._model.generation_config.eos_token_id)
        self._after = self._transitions() if constrained else None
        self._turns: queue.SimpleQueue[Turn | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="transformers-batches", daemon=True)
        self._thread.start()

    @property
    def info(self) -> EngineInfo:
        memory = self._model.get_memory_footprint() / 2**20
        device = torch.cuda.get_device_name() if self._device == "cuda" else "CPU"
        return EngineInfo(
            "transformers", self._artefact.version, self._artefact.architecture, device, self._bits, round(memory, 1)
        )

    def complete(self, prompt: list[int], seeds: list[int], deadline: float) -> list[Completion]:
        turn = Turn(prompt, seeds, deadline)
        self._turns.put(turn)
        try:
            return turn.written.result(timeout=max(deadline - time.monotonic(), 0) + STEP_SECONDS)
        except TimeoutError:
            return []

    def close(self) -> None:
        self._turns.put(None)
        self._thread.join()

    def _serve(self) -> None:
        while turn := self._turns.get():
            turns, closing = self._gather(turn)
            turns = [waiting for waiting in turns if waiting.deadline > time.monotonic()]
            try:
                if turns:
                    self._generate(turns)
            except Exception as error:  # the callers of this batch hear of it; the next batch gets its chance
                for failed in turns:
                    if not failed.written.done():
                        failed.written.set_exception(error)
            if closing:
                return

    def _gather(self, first: Turn) -> tuple[list[Turn], bool]:
        """``first`` and what arrives shortly after, up to a full batch; and whether the engine is to close."""
        turns, until = [first], time.monotonic() + GATHER_SECONDS
        while sum(len(turn.seeds) for turn in turns) < MAX_ROWS:
            try:
                turn = self._turns.get(timeout=max(until - time.monotonic(), 0))
            except queue.Empty:
                break
            if turn is None:
                return turns, True
            turns.append(turn)
        return turns, False

    @torch.inference_mode()
    def _generate(self, turns: list[Turn]) -> None:
        rows = [(turn.prompt, seed) for turn in turns for seed in turn.seeds]
        width = max(len(prompt) for prompt, _ in rows)
        pad = self._stops[0]
        ids = torch.tensor([[pad] * (width - len(prompt)) + prompt for prompt, _ in rows], device=self._device)
        mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p, _ in rows], device=self._device)
        processors: list[LogitsProcessor] = []
        if self._after is not None:
            processors.append(WellFormed(self._after, self._stops, width))
        if self._sampling.temperature:
            processors.append(Nucleus(self._sampling, [seed for _, seed in rows], self._device))
        delivery = Delivery(turns, self._stops, width, self._sampling.max_new_tokens)
        self._model.generate(
            ids,
            attention_mask=mask,
            max_new_tokens=self._sampling.max_new_tokens,
            do_sample=False,
            eos_token_id=self._stops,
            pad_token_id=pad,
            logits_processor=processors,
            stopping_criteria=[delivery],
        )

    def _transitions(self) -> torch.Tensor:
        tokens = constraint.token_bytes(self.tokenizer, self._model.config.vocab_size)
        return torch.from_numpy(constraint.token_transitions(tokens)).to(self._device)


def _load(folder: Path, device: str, eight_bit: bool) -> Any:
    # On a CPU bitsandbytes reports every matrix product's cast to half precision.
    logging.getLogger("bitsandbytes.autograd._functions").setLevel(logging.ERROR)
    quantization = BitsAndBytesConfig(load_in_8bit=True) if eight_bit else None
    dtype = torch.float16 if device == "cuda" else torch.float32
    model = AutoModelForCausalLM.from_pretrained(
        folder, quantization_config=quantization, dtype=dtype, device_map=device, local_files_only=True
    )
    return model.eval()


class WellFormed(LogitsProcessor):
    """Leaves only the tokens that keep a reply in the language of ``constraint``; a reply may stop outside tags only.

    ``after`` has shape ``(states, vocabulary)``: the automaton's state after a token, ``DEAD`` where there is none.
    """

    def __init__(self, after: torch.Tensor, stops: list[int], prompt_width: int) -> None:
        self._after = after
        self._stops = stops
        self._prompt_width = prompt_width
        self._states: torch.Tensor | None = None

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        if self._states is None:
            self._states = torch.full((len(input_ids),), constraint.TEXT, device=input_ids.device)
        if input_ids.shape[1] > self._prompt_width:
            after = self._after[self._states, input_ids[:, -1]].long()
            # Rows that have stopped are padded with stop tokens; they may go on doing so.
            self._states = torch.where(after == constraint.DEAD, constraint.TEXT, after)
        allowed = self._after[self._states] != constraint.DEAD
        allowed[:, self._stops] = (self._states == constraint.TEXT)[:, None]
        return scores.masked_fill(~allowed, float("-inf"))


class Nucleus(LogitsProcessor):
    """Temperature and top-p with a random stream for every row, so that a sample does not depend on its batch.

    Adding Gumbel noise and taking the largest score is drawing from the softmax (Gumbel, 1954), which lets ``generate``
    stay greedy.
    """

    def __init__(self, sampling: Sampling, seeds: list[int], device: str) -> None:
        self._sampling = sampling
        self._streams = [torch.Generator(device).manual_seed(seed) for seed in seeds]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        scores = scores.float() / self._sampling.temperature
        ordered, order = scores.softmax(-1).sort(descending=True)
        outside = (ordered.cumsum(-1) - ordered) >= self._sampling.top_p
        scores = scores.masked_fill(outside.scatter(-1, order, outside), float("-inf"))
        noise = torch.empty_like(scores)
        for row, stream in zip(noise, self._streams, strict=True):
            row.exponential_(generator=stream)
        return scores - noise.log()


class Delivery(StoppingCriteria):
    """Hands every turn its samples as soon as the last of them is finished, or what is finished at its deadline.

    Rows are the samples of ``turns`` in order. A delivered turn's rows stop.
    """

    def __init__(self, turns: list[Turn], stops: list[int], prompt_width: int, max_new_tokens: int) -> None:
        self._max_new_tokens = max_new_tokens
        self._turns = turns
        self._owner = [turn for turn in turns for _ in turn.seeds]
        self._stops = set(stops)
        self._prompt_width = prompt_width
        self._finished: list[Completion | None] = [None] * len(self._owner)

    def __call__(self, input_ids: torch.Tensor, scores: Any, **arguments: Any) -> torch.Tensor:
        at_limit = input_ids.shape[1] - self._prompt_width >= self._max_new_tokens
        for row, token in enumerate(input_ids[:, -1].tolist()):
            ended = token in self._stops
            if (ended or at_limit) and self._finished[row] is None:
                tokens = input_ids[row, self._prompt_width :].tolist()
                self._finished[row] = Completion(tokens[:-1] if ended else tokens, ended)
        for turn in self._turns:
            if not turn.written.done() and (self._complete(turn) or time.monotonic() >= turn.deadline):
                turn.written.set_result([row for row in self._rows(turn) if row])
        return torch.tensor([turn.written.done() for turn in self._owner], device=input_ids.device)

    def _rows(self, turn: Turn) -> list[Completion | None]:
        return [row for row, owner in zip(self._finished, self._owner, strict=True) if owner is turn]

    def _complete(self, turn: Turn) -> bool:
        return None not in self._rows(turn)
