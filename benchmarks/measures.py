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

from benchmarks.platforms import PLATFORMS, Connected, Post, as_json, update
from benchmarks.stack import Stack
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


def customers_posts(channel: str, at: Connected, first: int, count: int) -> list[Post]:
    """A platform's requests for as many messages, each from another person, numbered from ``first`` on."""
    return [PLATFORMS[channel].post(at, first + index, MESSAGES[index % len(MESSAGES)]) for index in range(count)]


def acknowledgement(posts: Sequence[Post], per_second: int) -> Quantiles:
    """Make requests at a steady rate and time the answers (open loop: late ones do not wait)."""

    async def run() -> Quantiles:
        times: list[float] = []
        failed = 0
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=100), timeout=30) as client:

            async def one(post: Post) -> None:
                nonlocal failed
                begun = time.perf_counter()
                if await _taken(client, post):
                    times.append((time.perf_counter() - begun) * 1000)
                else:
                    failed += 1

            begun = time.perf_counter()
            tasks = []
            for index, post in enumerate(posts):
                await asyncio.sleep(max(0, begun + index / per_second - time.perf_counter()))
                tasks.append(asyncio.create_task(one(post)))
            await asyncio.gather(*tasks)
        return Quantiles.of(times, failed)

    return asyncio.run(run())


@dataclass(frozen=True)
class Sustained:
    """Events a second that were taken while ``at_once`` requests were always under way, and how many were not taken."""

    per_second: float
    at_once: int
    failed: int


def sustained(posts: Sequence[Post], at_once: int) -> Sustained:
    """Make all requests as fast as they are answered (closed loop)."""

    async def run() -> Sustained:
        left = iter(posts)
        taken = 0

        async def sender(client: httpx.AsyncClient) -> None:
            nonlocal taken
            for post in left:
                answered = await _taken(client, post)
                taken += answered  # read after the wait: others count meanwhile

        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=at_once), timeout=30) as client:
            begun = time.perf_counter()
            await asyncio.gather(*(sender(client) for _ in range(at_once)))
            seconds = time.perf_counter() - begun
        return Sustained(taken / seconds, at_once, len(posts) - taken)

    return asyncio.run(run())


async def _taken(client: httpx.AsyncClient, post: Post) -> bool:
    """Whether a request was answered as one that is stored."""
    try:
        answer = await client.post(post.url, content=post.body, headers=dict(post.headers))
    except httpx.TransportError:
        return False
    return answer.is_success


def reply_times(stack: Stack, people: int, each: int, first_update: int) -> tuple[Quantiles, dict[str, int]]:
    """Time from a webhook's arrival to its stored reply, for ``people`` who each wait for one answer before the next.

    Also who wrote the replies.
    """

    at = stack.connect("telegram")
    secret = {"X-Telegram-Bot-Api-Secret-Token": at.config["secret"]}

    def talk(person: int) -> list[int]:
        turns = []
        with httpx.Client(timeout=30) as client:
            for index in range(each):
                number = first_update + person * each + index
                told = update(number, 2_000_000 + first_update + person, MESSAGES[index % 10])
                post = as_json(at.url, told, secret)
                client.post(post.url, content=post.body, headers=dict(post.headers))
                turns.append(_wait_for_answer(at, number))
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


def _wait_for_answer(at: Connected, number: int, seconds: float = 240) -> int:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        event = InboundEvent.objects.filter(account=at.account, event_key=str(number)).select_related("turn").first()
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
