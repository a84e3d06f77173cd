"""``manage.py engine``: which model this installation serves, on what, and how fast it is now."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from botcore.dialogue.brief import Brief, ItemFacts
from botcore.dialogue.ports import Generator, Prompt
from botcore.dialogue.vocabulary import prompt_of
from workers.engine import close_generators, load_generator
from workers.engine.artefacts import ArtefactError
from workers.engine.registry import current_artefact

SAMPLES = 4
CONCURRENT = (1, 8)


class Command(BaseCommand):
    help = "Show the reply engine: engine, model version, device, memory, and its speed measured on a fixed prompt."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--build", action="store_true", help="only build the model's files, and say where they are")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, build: bool, json: bool, **options: Any) -> None:
        try:
            artefact = current_artefact(progress=self.stderr.write)
            report: dict[str, Any] = {"model_version": artefact.version, "folder": str(artefact.folder)}
            if not build:
                generator = load_generator()
                report |= asdict(generator.info) | {"speed": [measure(generator, turns) for turns in CONCURRENT]}
        except ArtefactError as error:
            raise CommandError(str(error)) from error
        finally:
            close_generators()
        self.stdout.write(_as_json(report) if json else _as_text(report))


def measure(generator: Generator, turns: int) -> dict[str, float]:
    """Write ``turns`` replies at once, ``SAMPLES`` samples each; only tokens of samples that were returned count."""
    prompt = _prompt()
    deadline = time.monotonic() + 60
    generator.write(prompt, samples=1, seed=0, deadline=deadline)
    started = time.monotonic()
    with ThreadPoolExecutor(turns) as pool:
        replies = list(
            pool.map(
                lambda seed: generator.write(prompt, samples=SAMPLES, seed=seed, deadline=deadline), range(1, turns + 1)
            )
        )
    seconds = time.monotonic() - started
    tokens = sum(sample.tokens for reply in replies for sample in reply)
    return {
        "turns": turns,
        "samples": SAMPLES,
        "seconds": round(seconds, 2),
        "tokens": tokens,
        "tokens_per_second": round(tokens / seconds, 1),
    }


def _prompt() -> Prompt:
    items = tuple(
        ItemFacts(letter, "rain jacket", {"colour": "green", "material": "nylon"}, {"name": "", "price": ""})
        for letter in "AB"
    )
    return prompt_of(Brief("recommend", "a light jacket for the rain", wishes=("green",), items=items))


def _as_json(report: dict[str, Any]) -> str:
    return json.dumps(report)


def _as_text(report: dict[str, Any]) -> str:
    lines = [f"{name.replace('_', ' '):14} {value}" for name, value in report.items() if name != "speed"]
    for speed in report.get("speed", ()):
        lines.append(
            f"{speed['turns']} at once      {speed['tokens_per_second']} tokens/s "
            f"({speed['samples']} samples each, {speed['tokens']} tokens in {speed['seconds']} s)"
        )
    return "\n".join(lines)
