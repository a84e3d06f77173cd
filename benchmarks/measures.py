"""What is measured, one function a row of the table; every function returns plain numbers."""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.stack import Stack, update
from botcore.dialogue.brief import Brief, messages
from botcore.dialogue.ports import Generator
from botcore.dialogue.verify import verify
from botcore.dialogue.vocabulary import prompt_of
from botcore.models import InboundEvent, Turn

MESSAGES = (
    "a waterproof jacket for hiking please",
    "something cheaper?",
    "what's the difference between the first and the second?",
    "how long do I have to send something back?",
    "a quiet robot vacuum under $400",
    "do you have it in white?",
    "a face cream for dry skin",
    "why did you pick that one?",
    "a detective novel for a long flight",
    "thanks!",
)


@dataclass(frozen=True)
class Quantiles:
    """Milliseconds, and how many were measured."""

    p50: float
    p95: float
    count: int
    failed: int = 0

    @classmethod
    def of(cls, milliseconds: Sequence[float], failed: int = 0) -> Quantiles:
        ordered = sorted(milliseconds)
        return cls(
            statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))], len(ordered), failed
        )


def acknowledgement(stack: Stack, per_second: int, seconds: int, first_update: int) -> Quantiles:
    """Post updates at a steady rate, each from another person, and time the answers (open loop: late ones do not wait)."""

    async def run() -> Quantiles:
        times: list[float] = []
        failed = 0
        async with httpx.AsyncClient(headers=stack.headers, limits=httpx.Limits(max_connections=100)) as client:

            async def one(number: int) -> None:
                nonlocal failed
                begun = time.perf_counter()
                body = update(number, 1_000_000 + number, MESSAGES[number % len(MESSAGES)])
                try:
                    answer = await client.post(stack.webhook, json=body, timeout=30)
                except httpx.TransportError:
                    failed += 1
                    return
                times.append((time.perf_counter() - begun) * 1000)
                failed += answer.status_code != 200

            begun = time.perf_counter()
            tasks = []
            for index in range(per_second * seconds):
                await asyncio.sleep(max(0, begun + index / per_second - time.perf_counter()))
                tasks.append(asyncio.create_task(one(first_update + index)))
            await asyncio.gather(*tasks)
        return Quantiles.of(times, failed)

    return asyncio.run(run())


def reply_times(stack: Stack, people: int, each: int, first_update: int) -> tuple[Quantiles, dict[str, int]]:
    """Time from a webhook's arrival to its stored reply, for ``people`` who each wait for one answer before the next.

    Also who wrote the replies.
    """

    def talk(person: int) -> list[int]:
        turns = []
        with httpx.Client(headers=stack.headers, timeout=30) as client:
            for index in range(each):
                number = first_update + person * each + index
                client.post(stack.webhook, json=update(number, 2_000_000 + first_update + person, MESSAGES[index % 10]))
                turns.append(_wait_for_answer(stack, number))
        return turns

    with ThreadPoolExecutor(people) as pool:
        turn_ids = [turn for turns in pool.map(talk, range(people)) for turn in turns]
    rows = Turn.objects.filter(pk__in=turn_ids).prefetch_related("events")
    times: list[float] = []
    authors: dict[str, int] = {}
    for turn in rows:
        received = min(event.received_at for event in turn.events.all())
        assert turn.answered_at is not None
        times.append((turn.answered_at - received).total_seconds() * 1000)
        authors[turn.written_by] = authors.get(turn.written_by, 0) + 1
    return Quantiles.of(times), authors


def web_chat_times(stack: Stack, each: int) -> Quantiles:
    """Time from a visitor's Enter to the reply with its cards on the page's event stream, over HTTP as a browser does it."""
    times: list[float] = []
    with httpx.Client(base_url=stack.chat, timeout=60) as page:
        token = re.search(r'"token": "([^"]+)"', page.get("").text)
        assert token is not None
        with page.stream("GET", "events") as events:
            lines = events.iter_lines()
            for index in range(each):
                begun = time.perf_counter()
                message = {"id": f"bench-{time.time_ns()}", "text": MESSAGES[index % len(MESSAGES)]}
                page.post("messages", json=message, headers={"X-Chat-Token": token[1]}).raise_for_status()
                next(line for line in lines if line == "event: reply")
                times.append((time.perf_counter() - begun) * 1000)
    return Quantiles.of(times)


def _wait_for_answer(stack: Stack, number: int, seconds: float = 60) -> int:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        event = InboundEvent.objects.filter(account=stack.account, event_key=str(number)).select_related("turn").first()
        if event and event.turn and event.turn.status == Turn.Status.ANSWERED:
            return event.turn.pk
        time.sleep(0.1)  # the times are the database's own: asking more often would only take the processor
    raise RuntimeError(f"update {number} was not answered in {seconds} s")


@dataclass(frozen=True)
class Writing:
    """How fast plans become replies. A reply counts when one of its samples is accepted."""

    replies: int
    accepted: int
    tokens: int
    seconds: float

    @property
    def tokens_per_second(self) -> float:
        return self.tokens / self.seconds

    @property
    def replies_per_second(self) -> float:
        return self.replies / self.seconds


def plans(path: Path, count: int) -> list[Brief]:
    """Held-out briefs that every engine writes for."""
    lines = path.read_text(encoding="utf-8").splitlines()[:count]
    return [Brief.from_json(json.loads(line)["brief"]) for line in lines]


def engine_writing(generator: Generator, briefs: Sequence[Brief], samples: int, at_once: int) -> Writing:
    """Our engine, ``at_once`` plans at a time."""

    def one(numbered: tuple[int, Brief]) -> tuple[int, bool]:
        seed, brief = numbered
        written = generator.write(prompt_of(brief), samples=samples, seed=seed, deadline=time.monotonic() + 60)
        return sum(s.tokens for s in written), any(verify(s.text, brief).accepted for s in written)

    begun = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        results = list(pool.map(one, enumerate(briefs)))
    seconds = time.perf_counter() - begun
    return Writing(len(briefs), sum(ok for _, ok in results), sum(tokens for tokens, _ in results), seconds)


def plain_generate(folder: Path, briefs: Sequence[Brief], samples: int, eight_bit: bool) -> Writing:
    """``transformers.generate`` as anyone would call it: one plan after another, its samples in one batch."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

    tokenizer = AutoTokenizer.from_pretrained(folder)
    options: dict[str, Any] = {"quantization_config": BitsAndBytesConfig(load_in_8bit=True)} if eight_bit else {}
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, device_map="cpu", **options)
    tokens = accepted = 0
    torch.manual_seed(0)
    begun = time.perf_counter()
    for brief in briefs:
        prompt: Any = tokenizer.apply_chat_template(
            messages(brief), add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        with torch.inference_mode():
            out = model.generate(
                **prompt, do_sample=True, temperature=0.8, top_p=0.9, max_new_tokens=64, num_return_sequences=samples
            )
        replies = out[:, prompt["input_ids"].shape[1] :]
        tokens += int((replies != tokenizer.pad_token_id).sum())
        texts = tokenizer.batch_decode(replies, skip_special_tokens=True)
        accepted += any(verify(" ".join(text.split()), brief).accepted for text in texts)
    return Writing(len(briefs), accepted, tokens, time.perf_counter() - begun)
