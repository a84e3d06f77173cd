"""``python -m benchmarks.adversarial ADAPTER...``: does training against a discriminator make replies more natural?

Every arm writes for the same held-out briefs, sampled and constrained as served: the SFT generator at five
temperatures; the best of four of its samples by the discriminator, without any training, and by all
that ranks drafts in serving; and each adapter given, one a seed, at the temperature that it was trained at.
Judges are fresh (``workers.training.judge``): trained anew for every arm, on the other folds, and nothing was ever trained
against them. All numbers of an arm are over texts of as many draws, one text a brief and draw.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.markdown import table
from benchmarks.texts import perplexity, self_bleu

if TYPE_CHECKING:
    from botcore.dialogue.ports import Discriminator
    from workers.engine.artefacts import Artefact
    from workers.training.dialogues.build import Example
    from workers.training.evaluate import Written

TEMPERATURES = (0.4, 0.6, 0.8, 1.0, 1.2)
SERVED = 0.8
"""The temperature of which the best of four is told as well."""
DRAWS, BEST_OF = 2, 4
JUDGES = 3
"""Fresh judges of a draw, with other folds each."""
Texts = list[list[str]]
"""By draw, then by brief."""


@dataclass(frozen=True)
class Row:
    """One arm. ``judge`` is the share of pairs that fresh judges tell apart, .5 by chance; ``grounded`` of texts before the
    verifier; ``perplexity`` of people's replies under 5-grams of the arm's texts."""

    arm: str
    judge: float
    grounded: float | None
    distinct_2: float
    self_bleu: float
    perplexity: float
    length: float
    seconds: float


def measured(arm: str, texts: Texts, examples: Sequence[Example], seconds: float) -> Row:
    """All numbers of an arm."""
    from botcore.dialogue.verify import verify
    from workers.engine import load_encoder
    from workers.training.evaluate import distinct
    from workers.training.judge import told_apart

    humans = [example.reply for example in examples]
    judged = [told_apart(humans, draw, load_encoder(), seed).mean() for draw in texts for seed in range(JUDGES)]
    verdicts = [
        not verify(text, one.brief).unsupported for draw in texts for text, one in zip(draw, examples, strict=True)
    ]
    return Row(
        arm,
        round(statistics.fmean(judged), 4),
        round(statistics.fmean(verdicts), 4),
        _mean([distinct(draw, 2) for draw in texts]),
        _mean([self_bleu(draw) for draw in texts]),
        round(statistics.fmean([perplexity(draw, humans) for draw in texts]), 1),
        round(statistics.fmean([len(text.split()) for draw in texts for text in draw]), 1),
        round(seconds, 1),
    )


def run(adapters: Sequence[Path], temperatures: Sequence[float], briefs: int, say: Callable[[str], None]) -> list[Row]:
    """The rows of all arms. Needs ``django.setup()``."""
    from workers.engine import load_discriminator
    from workers.engine.registry import current_artefact
    from workers.training.dialogues.build import build_examples

    examples = build_examples().heldout[:briefs]
    others = [one.reply for one in build_examples(2).heldout[:briefs]]
    rows = [replace(measured("people, for other briefs", [others], examples, 0), grounded=None)]
    for temperature in temperatures:
        many = DRAWS * BEST_OF if temperature == SERVED else DRAWS
        written, seconds = _written(current_artefact(), temperature, examples, many)
        rows.append(measured(f"SFT, temperature {temperature}", _draws(written), examples, seconds * DRAWS / many))
        say(str(rows[-1]))
        if temperature == SERVED:
            best = _best(written, load_discriminator().naturalness)
            rows.append(measured(f"SFT, best of {BEST_OF} by the discriminator", best, examples, seconds))
            say(str(rows[-1]))
            for name, judge in (("without", None), ("with", load_discriminator())):
                rows.append(
                    measured(f"SFT, best of {BEST_OF} as served, {name} it", _served(written, judge), examples, seconds)
                )
                say(str(rows[-1]))
    for adapter in adapters:
        temperature = json.loads((adapter / "meta.json").read_text())["hyperparameters"]["temperature"]
        written, seconds = _written(current_artefact(adapter), temperature, examples, DRAWS)
        arm = f"adversarial, {adapter.name}, temperature {temperature}"
        rows.append(measured(arm, _draws(written), examples, seconds))
        say(str(rows[-1]))
    return rows


def _written(
    artefact: Artefact, temperature: float, examples: Sequence[Example], samples: int
) -> tuple[list[Written], float]:
    from workers.engine import load_encoder
    from workers.engine.openvino_engine import OpenVinoGenerator
    from workers.engine.writing import Sampling
    from workers.training.evaluate import write_all

    generator = OpenVinoGenerator(artefact, Sampling(temperature))
    begun = time.monotonic()
    try:
        return write_all(
            generator, load_encoder(), [one.brief for one in examples], samples=samples
        ), time.monotonic() - begun
    finally:
        generator.close()


def _draws(written: Sequence[Written]) -> Texts:
    """The first samples of every brief; an unfinished one is an empty text."""
    return [[_sample(one, draw) for one in written] for draw in range(DRAWS)]


def _best(written: Sequence[Written], naturalness: Callable[..., Sequence[float]]) -> Texts:
    """Of every brief the best of each four samples."""
    found: Texts = []
    for draw in range(DRAWS):
        places = range(draw * BEST_OF, (draw + 1) * BEST_OF)
        offered = [[_sample(one, place) for place in places] for one in written]
        scores = [naturalness(one.brief, texts) for one, texts in zip(written, offered, strict=True)]
        found.append([max(zip(s, t, strict=True))[1] for s, t in zip(scores, offered, strict=True)])
    return found


def _served(written: Sequence[Written], discriminator: Discriminator | None) -> Texts:
    """Of every brief what would be sent of each four samples, by all that ranks drafts; the first where all are refused."""
    from botcore.dialogue.compose import ranked
    from workers.engine import load_encoder

    return [
        [
            next(
                (draft.text for draft in ranked(some, one.brief, load_encoder(), discriminator) if draft.chosen),
                some[0].text,
            )
            for one in written
            for some in [one.samples[draw * BEST_OF : (draw + 1) * BEST_OF]]
        ]
        for draw in range(DRAWS)
    ]


def _sample(one: Written, place: int) -> str:
    return one.samples[place].text if place < len(one.samples) else ""


def _mean(values: Sequence[float]) -> float:
    return round(statistics.fmean(values), 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("adapters", type=Path, nargs="*", help="adapter folders of the adversarial recipe, one a seed")
    parser.add_argument(
        "--temperatures", type=float, nargs="*", default=TEMPERATURES, help="at which the SFT generator writes"
    )
    parser.add_argument("--briefs", type=int, default=300)
    parser.add_argument("--json", type=Path, help="write the rows there as well")
    options = parser.parse_args()
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botcore.settings")
    django.setup()
    rows = run(options.adapters, options.temperatures, options.briefs, lambda text: print(text, flush=True))
    head = [name.replace("_", " ") for name in Row.__annotations__]
    print(table(head, [["" if cell is None else str(cell) for cell in asdict(row).values()] for row in rows]))
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()
