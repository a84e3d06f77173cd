"""Smaller and faster: one model in single precision, in the 8 bits of both engines, and compressed, in one table.

    python -m benchmarks.compress [FOLDER ...] [--briefs 300] [--slow-briefs 64] [--read 300] [--timed 32]

A FOLDER is what ``workers.training.compress`` wrote; its row is served by OpenVINO. All rows write for the same held-out briefs
with serving's sampling and language and the same seeds (each engine has its own random numbers). Tokens a second are those of
one sample a reply, a language for every turn and its compilation included; the rows are timed in turns, a few briefs each, so
that what else the machine does falls upon all of them. Perplexity is of the held-out replies that people
wrote, a token of the whole model's tokenizer, with the weights as they are served: bitsandbytes' own, and what the GGUF file
holds, dequantised (activations stay in single precision). The judge is fresh for every row and sees as many replies of each.
What bitsandbytes loses of grounding is told by all that it and single precision wrote, each sample weighed by how probable
either finds it (``benchmarks.reweighted``), whose interval is several times narrower than that of counting.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.markdown import table

if TYPE_CHECKING:
    from botcore.dialogue.brief import Brief
    from botcore.dialogue.ports import Encoder
    from workers.engine.artefacts import Artefact
    from workers.engine.writing import TokenGenerator
    from workers.training.dialogues.build import Example
    from workers.training.evaluate import Written

PATIENCE = 600.0
"""Seconds for a brief: a sample that a slow engine leaves unfinished would be missing from its quality."""
AT_ONCE = 8
"""Briefs of a turn of the timing, and how many are written together in the second figure."""
MEBIBYTE = 2**20


@dataclass(frozen=True)
class Form:
    """A way to keep weights and to serve them. ``size`` is in bytes, of the file served or, with bitsandbytes, in memory."""

    name: str
    slow: bool
    opened: Callable[[Artefact], TokenGenerator]
    read: Callable[[Artefact], Any]
    size: Callable[[Artefact, Any], int]


@dataclass(frozen=True)
class Task:
    """Held-out ``examples``: how many of the first are ``read`` for perplexity, written for by ``fast`` and by ``slow`` forms,
    and written for against the clock."""

    examples: Sequence[Example]
    read: int
    fast: int
    slow: int
    timed: int
    whole: Artefact

    def given(self, form: Form) -> Sequence[Example]:
        """What a form writes for."""
        return self.examples[: self.slow if form.slow else self.fast]


@dataclass(frozen=True)
class Row:
    """One line of the table. ``risen`` is the perplexity's rise over the first row's, of which 1 is all, over ``read`` replies;
    ``lost`` are grounded samples lost to the first row, on ``compared`` briefs that both wrote for; both with a 95 %
    interval. ``fooled`` is how often the judge takes its reply for a person's, on the briefs that all rows wrote for."""

    name: str
    version: str
    mebibytes: float
    tokens_per_second: float
    tokens_per_second_of_8: float
    perplexity: float
    read: int
    risen: tuple[float, float, float]
    briefs: int
    grounded: float
    compared: int
    lost: tuple[float, float, float]
    fooled: float


@dataclass(frozen=True)
class Measured:
    """What one model in one form wrote, and how it reads."""

    name: str
    version: str
    size: int
    speeds: tuple[float, float]
    surprises: list[float]
    written: list[Written]
    losses: Sequence[float] = ()
    """Of each brief the grounded share lost to the first row, where it can be told by weighing samples."""


def forms() -> tuple[Form, Form, Form]:
    """Single precision, and the 8 bits of either engine."""
    from workers.engine.artefacts import Base, load_base
    from workers.engine.openvino_engine import OpenVinoGenerator
    from workers.engine.transformers_engine import TransformersGenerator, load_model

    return (
        Form(
            "fp32, transformers",
            True,
            lambda built: TransformersGenerator(built, eight_bit=False),
            lambda built: load_model(built.hf, "cpu", eight_bit=False),
            lambda built, _: (built.hf / "model.safetensors").stat().st_size,
        ),
        Form(
            "8-bit, bitsandbytes",
            True,
            TransformersGenerator,
            lambda built: load_model(built.hf, "cpu", eight_bit=True),
            lambda _, model: int(model.get_memory_footprint()),
        ),
        Form(
            "8-bit, OpenVINO",
            False,
            OpenVinoGenerator,
            lambda built: load_base(Base(built.version, built.folder, built.gguf.name))[0],
            lambda built, _: built.gguf.stat().st_size,
        ),
    )


def measured(lines: Sequence[tuple[str, Form, Artefact]], task: Task) -> list[Measured]:
    """Everything about the rows: how fast they write, side by side, then what each writes and how it reads."""
    from benchmarks.reweighted import Kept, losses
    from workers.engine.registry import load_discriminator, load_encoder
    from workers.training.evaluate import write_all

    with ExitStack() as opened:
        generators = [opened.enter_context(closing(Kept(form.opened(built)))) for _, form, built in lines]
        _say("the clock")
        timed = speeds(generators, [example.brief for example in task.examples], task.timed)
        written = []
        for generator, (name, form, _) in zip(generators, lines, strict=True):
            _say(f"{name} writes")
            asked = [example.brief for example in task.given(form)]
            generator.forget()  # what was written against the clock
            written.append(write_all(generator, load_encoder(), asked, load_discriminator(), seconds=PATIENCE))
        _say("samples are weighed")
        first = generators[0]
        lost = [
            [] if other is first else losses(first, other, [example.brief for example in task.given(form)])
            for other, (_, form, _) in zip(generators, lines, strict=True)
        ]
    found = []
    for (name, form, built), speed, texts, weighed in zip(lines, timed, written, lost, strict=True):
        _say(f"{name} reads")
        model = form.read(built)
        read = surprises(model, built, task)
        found.append(Measured(name, built.version, form.size(built, model), speed, read, texts, weighed))
    return found


def speeds(generators: Sequence[TokenGenerator], briefs: Sequence[Brief], timed: int) -> list[tuple[float, float]]:
    """Tokens a second of each generator, alone and ``AT_ONCE`` together, on ``timed`` briefs for each figure, in turns."""
    from benchmarks.measures import engine_writing

    told: list[list[float]] = [[] for _ in generators]
    # Others for each figure: OpenVINO keeps what it has computed of a prompt.
    for first, together in ((0, 1), (timed, AT_ONCE)):
        tokens, seconds = [0] * len(generators), [0.0] * len(generators)
        for generator in generators:
            engine_writing(generator, briefs[2 * timed :][:1], 1, 1)
        for start in range(first, first + timed, AT_ONCE):
            for place, generator in enumerate(generators):
                written = engine_writing(generator, briefs[start : min(start + AT_ONCE, first + timed)], 1, together)
                tokens[place] += written.tokens
                seconds[place] += written.seconds
        for figures, count, spent in zip(told, tokens, seconds, strict=True):
            figures.append(count / spent)
    return [(alone, eight) for alone, eight in told]


def surprises(model: Any, built: Artefact, task: Task) -> list[float]:
    """Of each reply that people wrote, nats over the replies' mean length: their mean is the log of the perplexity. Lengths are
    by the ``whole`` model's tokenizer: one that knows fewer tokens must spell more of them."""
    from workers.engine.writing import load_tokenizer
    from workers.training.likelihood import log_likelihoods
    from workers.training.sft import encode

    texts = [(example.brief, example.reply) for example in task.examples[: task.read]]

    def lengths(tokenizer: Any) -> list[int]:
        encoded = (encode(tokenizer, *text) for text in texts)
        return [len(example.ids) - example.reply_start for example in encoded]

    tokenizer = load_tokenizer(built.hf)
    means = log_likelihoods(model, tokenizer, texts)
    typical = statistics.fmean(lengths(load_tokenizer(task.whole.hf)))
    return [-mean * length / typical for mean, length in zip(means, lengths(tokenizer), strict=True)]


def rows(found: Sequence[Measured], humans: Sequence[str], encoder: Encoder) -> list[Row]:
    """The table's lines. Quality is compared where all rows wrote."""
    from workers.training.compare import grounded, interval

    common = min(len(one.written) for one in found)
    first = grounded(found[0].written[:common])
    told = []
    for one in found:
        shares = grounded(one.written)
        counted = [before - now for before, now in zip(first, shares[:common], strict=True)]
        losses = one.losses or counted
        low, high = interval(losses, shares=not one.losses)
        rises = [now - before for before, now in zip(found[0].surprises, one.surprises, strict=True)]
        least, most = interval(rises)
        told.append(
            Row(
                one.name,
                one.version,
                round(one.size / MEBIBYTE, 1),
                round(one.speeds[0], 1),
                round(one.speeds[1], 1),
                round(math.exp(statistics.fmean(one.surprises)), 4),
                len(rises),
                (_risen(statistics.fmean(rises)), _risen(least), _risen(most)),
                len(shares),
                round(statistics.fmean(shares), 4),
                len(losses),
                (round(statistics.fmean(losses), 4), round(low, 4), round(high, 4)),
                round(_fooled(one.written[:common], humans[:common], encoder), 4),
            )
        )
    return told


def _risen(nats: float) -> float:
    return round(math.expm1(nats), 4)


def _fooled(written: Sequence[Written], humans: Sequence[str], encoder: Encoder) -> float:
    from workers.training.judge import told_apart

    pairs = [
        (human, one.chosen or one.samples[0].text) for human, one in zip(humans, written, strict=True) if one.samples
    ]
    return 1 - float(told_apart([human for human, _ in pairs], [text for _, text in pairs], encoder).mean())


def as_table(told: Sequence[Row]) -> str:
    head = ("model", "MiB", "tokens/s", "8 at once", "perplexity", "grounded", "lost to fp32 (95 %)", "fools the judge")
    lines = [
        (
            row.name,
            f"{row.mebibytes:.0f}",
            f"{row.tokens_per_second:.1f}",
            f"{row.tokens_per_second_of_8:.1f}",
            f"{row.perplexity:.4f} ({row.risen[0]:+.2%}, {row.risen[1]:+.2%} to {row.risen[2]:+.2%}, n={row.read})",
            f"{row.grounded:.2%} (n={row.briefs})",
            f"{row.lost[0]:+.2%} ({row.lost[1]:+.2%} to {row.lost[2]:+.2%}, n={row.compared})",
            f"{row.fooled:.1%} (n={row.compared})",
        )
        for row in told
    ]
    return table(head, lines)


def _say(doing: str) -> None:
    print(f"... {doing}", file=sys.stderr, flush=True)


def described(folder: Path) -> str:
    """A compressed model's row, by what was taken from it."""
    meta = json.loads((folder / "meta.json").read_text())
    parts = []
    if layers := meta.get("layers"):
        left = len(layers["influence"]) - len(layers["dropped"])
        parts.append(f"{left} of {len(layers['influence'])} layers")
    if tokens := meta.get("vocabulary"):
        parts.append(f"{tokens['after']:,} of {tokens['before']:,} tokens")
    return f"8-bit, {', '.join(parts) or folder.name}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, help="compressed models, a row each")
    parser.add_argument("--adapter", type=Path, help="what the other rows serve; without it the shipped adapter")
    parser.add_argument("--briefs", type=int, default=300, help="held-out briefs, four samples each")
    parser.add_argument("--slow-briefs", type=int, default=64, help="the first of them, for both rows of transformers")
    parser.add_argument("--read", type=int, default=300, help="held-out replies for perplexity")
    parser.add_argument("--timed", type=int, default=32, help="briefs for each figure of tokens a second")
    options = parser.parse_args()
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botcore.settings")
    django.setup()
    from django.conf import settings

    from workers.engine import artefacts
    from workers.engine.registry import current_artefact, load_encoder
    from workers.training.dialogues.build import build_examples

    whole, models, base = current_artefact(options.adapter), settings.VAR_DIR / "models", settings.DAOGOU_BASE_MODEL
    heldout = build_examples().heldout
    task = Task(heldout, options.read, options.briefs, options.slow_briefs, options.timed, whole)
    lines = [(form.name, form, whole) for form in forms()]
    lines += [(described(folder), forms()[-1], artefacts.build(folder, base, models)) for folder in options.folders]
    told = rows(measured(lines, task), [example.reply for example in task.examples], load_encoder())
    print(as_table(told))
    print(json.dumps([asdict(row) for row in told], indent=1))


if __name__ == "__main__":
    main()
