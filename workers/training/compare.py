"""Two versions side by side on the same examples: the report that the gate reads (``botcore.learning.gate``).

Both write through the serving engine, in turns, so that whatever else the machine does slows both alike. Differences are
candidate minus live, paired by example, with a 95 % interval that is honest for few examples as well.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from scipy.special import stdtrit

from botcore.dialogue.brief import TAG, Brief
from botcore.dialogue.ports import Discriminator, Encoder, Generator
from botcore.dialogue.vocabulary import WORD
from botcore.dialogue.words import stem
from botcore.learning.progress import UNHEARD, Progress
from botcore.learning.recipes import FEWEST_BRIEFS
from workers.engine.artefacts import Artefact
from workers.training.evaluate import Auditor, Written, report, write_all
from workers.training.judge import told_apart
from workers.training.likelihood import log_likelihoods
from workers.training.rows import Row

BATCH = 25
"""Briefs that one version writes before it is the other's turn."""
FEWEST = 2
"""Examples below which nothing is said of a mean: one has no spread."""
FEWEST_TIMED = 8
"""Batches below which nothing is said of speed."""
EXAMPLES = 60
"""Of so many briefs whose replies changed both are kept, for people to choose between."""


@dataclass(frozen=True)
class Version:
    """A built model with the engine that serves it."""

    artefact: Artefact
    generator: Generator


@dataclass(frozen=True)
class Material:
    """What both are asked: ``briefs`` to write for, with what people wrote for them, ``replies`` and ``pairs`` of the
    snapshot's test part."""

    briefs: Sequence[Brief]
    humans: Sequence[str]
    replies: Sequence[Row]
    pairs: Sequence[Row]


@dataclass(frozen=True)
class Side:
    """What one version wrote, in the order of the briefs, and seconds a reply, batch by batch."""

    written: list[Written]
    seconds: list[float]


def compare(
    candidate: Version,
    live: Version,
    material: Material,
    encoder: Encoder,
    discriminator: Discriminator | None = None,
    progress: Progress = UNHEARD,
) -> dict[str, Any]:
    """The report: ``candidate`` and ``live`` with their numbers, ``differences`` by name, ``changed`` replies."""
    progress.stage("writing")
    own, other = _write_in_turns(candidate, live, material.briefs, encoder, discriminator, progress)
    progress.stage("judging")
    auditor = Auditor()
    sides = {
        name: asdict(report(version.artefact.version, side.written, auditor, sum(side.seconds)))
        | {"seconds_per_reply": round(statistics.median(side.seconds), 4)}
        for name, version, side in (("candidate", candidate, own), ("live", live, other))
    }
    differences = {
        "grounded": _difference(grounded(own.written), grounded(other.written), shares=True),
        "wishes": _difference(_wishes_kept(own.written), _wishes_kept(other.written), shares=True),
        "wishes_named": _difference(_wishes_named(own.written), _wishes_named(other.written), shares=True),
        "speed": _speed(own.seconds, other.seconds),
        "naturalness": _naturalness(own.written, other.written, material.humans, encoder),
    }
    progress.stage("reading")
    return {
        **sides,
        "differences": differences | _by_likelihood(candidate.artefact, live.artefact, material),
        "changed": _changed(own.written, other.written),
    }


def interval(differences: Sequence[float], shares: bool = False) -> tuple[float, float]:
    """The 95 % interval of a mean of two or more paired differences, by Student's t.

    Of ``shares`` (0 to 1, or yes and no) a pair is added in which one side has all and one in which the other has (Bonett and
    Price 2012, "Adjusted Wald confidence interval for a difference of binomial proportions based on paired data"): pairs that
    are all alike leave a width too. With t of the real pairs for their normal, six of six are needed to show a gain, as an
    exact sign test needs them.
    """
    values = np.array([*differences, *((1.0, -1.0) if shares else ())])
    mean, most = float(values.mean()), 1.0 if shares else np.inf
    reach = float(stdtrit(len(differences) - 1, 0.975) * values.std(ddof=1) / np.sqrt(len(values)))
    return max(mean - reach, -most), min(mean + reach, most)


def _write_in_turns(
    candidate: Version,
    live: Version,
    briefs: Sequence[Brief],
    encoder: Encoder,
    discriminator: Discriminator | None,
    progress: Progress,
) -> tuple[Side, Side]:
    own, other = Side([], []), Side([], [])

    def watch(done: int) -> None:
        before = len(own.written) + len(other.written)
        progress.point({"step": before + done, "of": 2 * len(briefs)})

    for start in range(0, len(briefs), BATCH):
        for version, side in ((candidate, own), (live, other)):
            begun, batch = time.monotonic(), briefs[start : start + BATCH]
            side.written.extend(write_all(version.generator, encoder, batch, discriminator, watch=watch))
            side.seconds.append((time.monotonic() - begun) / len(batch))
    return own, other


def grounded(written: Sequence[Written]) -> list[float]:
    """Of each brief the share of samples that claim nothing without a fact, before anything is refused."""
    return [statistics.fmean([not verdict.unsupported for verdict in one.verdicts] or [0.0]) for one in written]


def _wishes_kept(written: Sequence[Written]) -> list[float]:
    """Of each brief with wishes the share of samples that say nothing against them, and leave unsaid none given up."""
    wishing = [one for one in written if one.brief.wishes or one.brief.gave_up]
    return [statistics.fmean([not verdict.against_wishes for verdict in one.verdicts] or [0.0]) for one in wishing]


def _wishes_named(written: Sequence[Written]) -> list[float]:
    """Of each brief with wishes the share of samples that name one of them."""
    wishing = [one for one in written if one.brief.wishes]
    return [
        statistics.fmean([_names_wish(sample.text, one.brief) for sample in one.samples] or [0.0]) for one in wishing
    ]


def _names_wish(text: str, brief: Brief) -> bool:
    said, tags = _stems(text), set(TAG.findall(text))
    return any(_stems(wish) & said or set(TAG.findall(wish)) & tags for wish in brief.wishes)


def _stems(text: str) -> set[str]:
    return {stem(word.lower()) for word in WORD.findall(TAG.sub(" ", text))}


def _naturalness(
    own: Sequence[Written], other: Sequence[Written], humans: Sequence[str], encoder: Encoder
) -> dict[str, Any] | None:
    """How often a fresh judge of each version is fooled: takes its reply for the human's."""
    known = [place for place in range(len(humans)) if humans[place] and own[place].samples and other[place].samples]
    if len(known) < FEWEST_BRIEFS:
        return None
    people = [humans[place] for place in known]
    fooled = [1 - told_apart(people, [_said(side[place]) for place in known], encoder) for side in (own, other)]
    return _difference(fooled[0].tolist(), fooled[1].tolist(), shares=True)


def _speed(own: Sequence[float], other: Sequence[float]) -> dict[str, Any] | None:
    """Replies in the time that the live version takes for one, batch by batch."""
    if len(own) < FEWEST_TIMED:
        return None
    return _difference([live / seconds for seconds, live in zip(own, other, strict=True)], [1.0] * len(own))


def _said(one: Written) -> str:
    return one.chosen or one.samples[0].text


def _by_likelihood(candidate: Artefact, live: Artefact, material: Material) -> dict[str, Any]:
    """Differences of held-out likelihood (nats a token) and of preference agreement (share of pairs told apart rightly)."""
    replies = [(Brief.from_json(row["brief"]), str(row["reply"])) for row in material.replies]
    chosen = [(Brief.from_json(row["brief"]), str(row["chosen"])) for row in material.pairs]
    rejected = [(Brief.from_json(row["brief"]), str(row["rejected"])) for row in material.pairs]
    texts = [*replies, *chosen, *rejected]
    if not texts:
        return {}
    own, other = (_read(artefact, texts) for artefact in (candidate, live))
    found = {}
    if replies:
        found["likelihood"] = _difference(own[: len(replies)], other[: len(replies)])
    if chosen:
        agreed = (agreements(told[len(replies) :]) for told in (own, other))
        found["preference"] = _difference(*agreed, shares=True)
    return found


def _read(artefact: Artefact, texts: Sequence[tuple[Brief, str]]) -> list[float]:
    from transformers import AutoModelForCausalLM

    from workers.engine.writing import load_tokenizer

    model = AutoModelForCausalLM.from_pretrained(artefact.hf, dtype=torch.float32, local_files_only=True)
    return log_likelihoods(model, load_tokenizer(artefact.hf), texts)


def agreements(told: Sequence[float]) -> list[float]:
    """Whether each chosen reply is likelier than its rejected one; the first half of ``told`` are the chosen."""
    half = len(told) // 2
    return [float(chosen > rejected) for chosen, rejected in zip(told[:half], told[half:], strict=True)]


def _difference(own: Sequence[float], other: Sequence[float], *, shares: bool = False) -> dict[str, Any] | None:
    if len(own) < FEWEST:
        return None
    differences = [a - b for a, b in zip(own, other, strict=True)]
    low, high = interval(differences, shares)
    return {
        "candidate": _mean(own),
        "live": _mean(other),
        "mean": _mean(differences),
        "low": round(low, 4),
        "high": round(high, 4),
        "n": len(own),
    }


def _mean(values: Sequence[float]) -> float:
    return round(statistics.fmean(values), 4) if values else 0.0


def _changed(own: Sequence[Written], other: Sequence[Written]) -> list[Mapping[str, str]]:
    differing = [(a, b) for a, b in zip(own, other, strict=True) if a.chosen != b.chosen]
    return [
        {"customer": a.brief.customer, "act": a.brief.act, "candidate": a.chosen, "live": b.chosen}
        for a, b in differing[:EXAMPLES]
    ]
