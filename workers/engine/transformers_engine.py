"""The CUDA engine: bitsandbytes 8-bit weights through transformers, concurrent turns batched together.

A batching thread gathers the turns that arrive within a few milliseconds and writes them in one ``generate`` call.
The same code runs, slowly, on a CPU; tests use it there.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import llguidance.hf
import llguidance.torch
import torch
from llguidance import LLMatcher
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, LogitsProcessor, StoppingCriteria

from botcore.dialogue.ports import EngineInfo
from workers.engine.artefacts import Artefact
from workers.engine.writing import Completion, Sampling, TokenGenerator, load_tokenizer, stop_ids

GATHER_SECONDS = 0.005
MAX_ROWS = 64
STEP_SECONDS = 0.1
"""How long past its deadline a call waits for the step that notices the deadline and delivers what is finished."""

ROUNDING = {
    "load_in_8bit": True,
    "llm_int8_threshold": 0.5,
    "llm_int8_skip_modules": ["lm_head", "v_proj"],
}
"""How bitsandbytes rounds. LLM.int8 rounds inputs as well as weights, row by row, and the inputs are what costs: with its own
threshold of 6 perplexity rises by 1.46 % (60 validation briefs; standard error .36). Inputs beyond the threshold are multiplied
unrounded, on a CPU and on CUDA by the same code, and values (an adapter's 3 of 106 million rounded parameters) are not rounded at
all: .64 % (.19) at 2, .24 % (.13) at .5, of whose distribution a third as much is lost (docs/training.md). Measured on a CPU
alone. Naming modules ends transformers' own exception, so the head is named too."""


@dataclass(frozen=True)
class Turn:
    """One ``write`` call on its way to the batching thread."""

    prompt: list[int]
    language: str
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
        self.constrained = constrained
        self._bits = 8 if eight_bit else 32
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self.tokenizer = load_tokenizer(artefact.hf)
        self._model = load_model(artefact.hf, self._device, eight_bit)
        self._stops = stop_ids(self.tokenizer, self._model.generation_config.eos_token_id)
        self._guide = llguidance.hf.from_tokenizer(self.tokenizer, self._model.config.vocab_size, self._stops)
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

    def complete(self, ids: list[int], language: str, seeds: list[int], deadline: float) -> list[Completion]:
        turn = Turn(ids, language, seeds, deadline)
        self._turns.put(turn)
        try:
            return turn.written.result(timeout=max(deadline - time.monotonic(), 0) + STEP_SECONDS)
        except TimeoutError:
            return []

    @torch.inference_mode()
    def log_probabilities(self, ids: list[int], language: str, completions: Sequence[Completion]) -> list[float]:
        """How probable (nats) it is that ``complete`` draws each of the completions, by language, temperature and nucleus."""
        longest = max(len(one.ids) + one.ended for one in completions)
        padded = [ids + one.ids + self._stops[:1] * (longest - len(one.ids)) for one in completions]
        rows = torch.tensor(padded, device=self._device)
        logits = self._model(rows, logits_to_keep=longest + 1, use_cache=False).logits
        in_language = InLanguage([self._matcher(language) for _ in completions], self._stops, len(ids))
        told = torch.zeros(len(completions), device=self._device)
        for step in range(longest):
            allowed = in_language(rows[:, : len(ids) + step], logits[:, step])
            drawn = nucleus(allowed, self._sampling).log_softmax(-1)
            token = drawn.gather(1, rows[:, len(ids) + step, None]).squeeze(1)
            ends = drawn[:, self._stops].logsumexp(1)  # a completion does not tell by which of them it ended
            for row, one in enumerate(completions):
                if step < len(one.ids) + one.ended:
                    told[row] += token[row] if step < len(one.ids) else ends[row]
        found: list[float] = told.tolist()
        return found

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
        matchers = [self._matcher(turn.language) for turn in turns for _ in turn.seeds]
        likelihood = Likelihood()
        processors = [likelihood, InLanguage(matchers, self._stops, width)]
        if self._sampling.temperature:
            processors.append(Nucleus(self._sampling, [seed for _, seed in rows], self._device))
        delivery = Delivery(turns, likelihood, self._stops, width, self._sampling.max_new_tokens)
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

    def _matcher(self, language: str) -> LLMatcher | None:
        return LLMatcher(self._guide, LLMatcher.grammar_from_regex(language)) if language else None


def load_model(folder: Path, device: str, eight_bit: bool) -> Any:
    """The model of an artefact's Hugging Face folder, its matrices in 8 bits by bitsandbytes if asked for."""
    # On a CPU bitsandbytes reports every matrix product's cast to half precision.
    logging.getLogger("bitsandbytes.autograd._functions").setLevel(logging.ERROR)
    quantization = BitsAndBytesConfig(**ROUNDING) if eight_bit else None
    dtype = torch.float16 if device == "cuda" else torch.float32
    model = AutoModelForCausalLM.from_pretrained(
        folder, quantization_config=quantization, dtype=dtype, device_map=device, local_files_only=True
    )
    return model.eval()


class Likelihood(LogitsProcessor):
    """Keeps the model's own distribution of the step, before language, temperature and nucleus change it."""

    def __init__(self) -> None:
        self._log_probabilities = torch.empty(0)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        self._log_probabilities = scores.float().log_softmax(-1)
        return scores

    def of(self, tokens: torch.Tensor) -> list[float]:
        """Log probabilities (nats) of the tokens just drawn, one a row."""
        drawn: list[float] = self._log_probabilities.gather(1, tokens[:, None]).flatten().tolist()
        return drawn


class InLanguage(LogitsProcessor):
    """Leaves each row the tokens that keep it in its language; a row without a matcher has all of them."""

    def __init__(self, matchers: list[LLMatcher | None], stops: list[int], prompt_width: int) -> None:
        self._matchers = matchers
        self._stops = stops
        self._prompt_width = prompt_width

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        bits = llguidance.torch.allocate_token_bitmask(*scores.shape)
        complete: list[int] = []
        for row, (matcher, token) in enumerate(zip(self._matchers, input_ids[:, -1].tolist(), strict=True)):
            if matcher is None:
                continue
            if input_ids.shape[1] > self._prompt_width and not matcher.is_stopped():
                matcher.consume_token(token)
            if matcher.is_stopped():
                complete.append(row)
            else:
                llguidance.torch.fill_next_token_bitmask(matcher, bits, row)
        allowed = ((bits[:, :, None] >> torch.arange(32, dtype=torch.int32)) & 1).bool()
        allowed = allowed.reshape(len(bits), -1)[:, : scores.shape[1]]
        allowed[complete] = False
        allowed[torch.tensor(complete, dtype=torch.long)[:, None], self._stops] = True
        return scores.masked_fill(~allowed.to(scores.device), float("-inf"))


class Nucleus(LogitsProcessor):
    """Serving's sampling with a random stream for every row, so that a sample does not depend on its batch.

    Adding Gumbel noise and taking the largest score is drawing from the softmax (Gumbel, 1954), which lets ``generate``
    stay greedy.
    """

    def __init__(self, sampling: Sampling, seeds: list[int], device: str) -> None:
        self._sampling = sampling
        self._streams = [torch.Generator(device).manual_seed(seed) for seed in seeds]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        scores = nucleus(scores, self._sampling)
        noise = torch.empty_like(scores)
        for row, stream in zip(noise, self._streams, strict=True):
            row.exponential_(generator=stream)
        return scores - noise.log()


def nucleus(scores: torch.Tensor, sampling: Sampling) -> torch.Tensor:
    """Scores (rows, tokens) at a temperature above 0, what lies outside the nucleus at -inf."""
    scores = scores.float() / sampling.temperature
    ordered, order = scores.softmax(-1).sort(descending=True)
    outside = (ordered.cumsum(-1) - ordered) >= sampling.top_p
    return scores.masked_fill(outside.scatter(-1, order, outside), float("-inf"))


class Delivery(StoppingCriteria):
    """Hands every turn its samples as soon as the last of them is finished, or what is finished at its deadline.

    Rows are the samples of ``turns`` in order. A delivered turn's rows stop.
    """

    def __init__(
        self, turns: list[Turn], likelihood: Likelihood, stops: list[int], prompt_width: int, max_new_tokens: int
    ) -> None:
        self._likelihood = likelihood
        self._max_new_tokens = max_new_tokens
        self._turns = turns
        self._owner = [turn for turn in turns for _ in turn.seeds]
        self._stops = set(stops)
        self._prompt_width = prompt_width
        self._finished: list[Completion | None] = [None] * len(self._owner)
        self._log_probability = [0.0] * len(self._owner)

    def __call__(self, input_ids: torch.Tensor, scores: Any, **arguments: Any) -> torch.Tensor:
        at_limit = input_ids.shape[1] - self._prompt_width >= self._max_new_tokens
        last = input_ids[:, -1]
        for row, (token, drawn) in enumerate(zip(last.tolist(), self._likelihood.of(last), strict=True)):
            if self._finished[row] is not None:
                continue
            self._log_probability[row] += drawn
            ended = token in self._stops
            if ended or at_limit:
                tokens = input_ids[row, self._prompt_width :].tolist()
                self._finished[row] = Completion(tokens[:-1] if ended else tokens, ended, self._log_probability[row])
        for turn in self._turns:
            if not turn.written.done() and (self._complete(turn) or time.monotonic() >= turn.deadline):
                turn.written.set_result([row for row in self._rows(turn) if row])
        return torch.tensor([turn.written.done() for turn in self._owner], device=input_ids.device)

    def _rows(self, turn: Turn) -> list[Completion | None]:
        return [row for row, owner in zip(self._finished, self._owner, strict=True) if owner is turn]

    def _complete(self, turn: Turn) -> bool:
        return None not in self._rows(turn)
