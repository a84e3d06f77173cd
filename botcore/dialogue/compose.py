"""From a decision and its facts to the words: the brief, the model's samples, the verdicts, the choice.

The model writes tags; :func:`fill` puts the values in. Whatever goes wrong with the model, a phrase made from the same
brief takes its place.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import structlog

from botcore.dialogue.brief import TAG, Brief
from botcore.dialogue.phrases import phrase_for
from botcore.dialogue.ports import Discriminator, Encoder, Generator, Ports, Sample
from botcore.dialogue.verify import Verdict, verify
from botcore.dialogue.vocabulary import prompt_of

log = structlog.get_logger(__name__)

MODEL_LANGUAGES = ("en",)
"""What the shipped base writes; everything else comes from approved phrases."""

INTEREST, FLUENCY, BREVITY, COVERAGE, NATURALNESS = 1.0, 1.0, 0.15, 0.25, 0.1
"""Weights of a draft's score. Naturalness is the discriminator's. Fluency is the model's own confidence: where it had
to take a word it did not want, the mean log probability of its tokens falls."""
UNSURE, UNSURE_OF_IT = -0.54, "the model was not sure of its words"
"""Where the mean log probability of a draft's tokens is lower an approved phrase is said instead. Of 41 replies to an
unscripted customer five were below, three of them without sense (docs/training.md)."""
ENDS = ".!?…。！？"
"""Marks that a sentence has one of."""
SURE = 3.0
"""Log odds beyond which the discriminator's say grows no more."""
GOOD_LENGTH = 26
"""Words of a reply that a chat reads at a glance; scores fall on both sides."""


@dataclass(frozen=True)
class Draft:
    """One sampled text with what was found of it. ``score`` ranks the accepted ones."""

    text: str
    verdict: Verdict
    score: float = 0.0
    interest: float = 0.0
    fluency: float = 0.0
    naturalness: float = 0.0
    chosen: bool = False

    def to_json(self, slots: Mapping[str, str]) -> dict[str, Any]:
        return {
            "text": self.text,
            "filled": fill(self.text, slots),
            "accepted": self.verdict.accepted,
            "problems": list(self.verdict.problems),
            "scores": {
                "total": round(self.score, 3),
                "interest match": round(self.interest, 3),
                "fluency": round(self.fluency, 3),
                "naturalness": round(self.naturalness, 3),
            },
            "chosen": self.chosen,
        }


@dataclass(frozen=True)
class Wording:
    """The reply's words, tags not yet filled, with how they came about. ``error`` says why they are not those of the model that
    was to write."""

    text: str
    written_by: str
    drafts: tuple[Draft, ...] = ()
    error: str = ""


def word(
    brief: Brief,
    language: str,
    ports: Ports,
    *,
    samples: int,
    seed: int,
    deadline: float,
) -> Wording:
    """The best words for a brief before ``deadline`` (``time.monotonic()``), a phrase's where there is no generator."""
    phrase_author = "article" if "quote" in brief.slots else "template"
    if language not in MODEL_LANGUAGES:
        return Wording(phrase_for(brief, language, seed), phrase_author)
    if ports.generator is None:
        return Wording(phrase_for(brief, language, seed), phrase_author, error=ports.load_error)
    drafts, error = _drafts(brief, ports, ports.generator, samples, seed, deadline)
    if drafts and drafts[0].verdict.accepted:
        return Wording(drafts[0].text, "model", drafts, ports.load_error)
    error = ports.load_error or error or "every sample was refused"
    return Wording(phrase_for(brief, language, seed), phrase_author, drafts, error)


def fill(text: str, slots: Mapping[str, str]) -> str:
    """The text with every tag's value. A tag without one, which only a refused draft can hold, stays as it is.

    A value that ends as the sentence goes on ("Returns are free." before ".") ends it once.
    """

    def value(match: re.Match[str]) -> str:
        told, mark = slots.get(match.group(1), match.group()), text[match.end() : match.end() + 1]
        return told[:-1] if mark and mark in ENDS and told.endswith(mark) else told

    return TAG.sub(value, text)


def ranked(
    samples: Sequence[Sample], brief: Brief, encoder: Encoder, discriminator: Discriminator | None
) -> tuple[Draft, ...]:
    """Different samples judged, the accepted ones first by score; the first of those is the chosen one."""
    different = list({sample.text: sample for sample in samples}.values())
    texts = [sample.text for sample in different]
    interest = _interest(texts, brief, encoder)
    naturalness = discriminator.naturalness(brief, texts) if discriminator else [0.0] * len(texts)
    drafts = [_draft(*one, brief) for one in zip(different, interest, naturalness, strict=True)]
    drafts.sort(key=lambda d: (not d.verdict.accepted, -d.score))
    return tuple(replace(draft, chosen=draft.verdict.accepted and not place) for place, draft in enumerate(drafts))


def _drafts(
    brief: Brief, ports: Ports, generator: Generator, samples: int, seed: int, deadline: float
) -> tuple[tuple[Draft, ...], str]:
    """What the model wrote, ranked; with the reason when there is nothing."""
    try:
        written = generator.write(prompt_of(brief), samples=samples, seed=seed, deadline=deadline)
    except Exception as error:  # whatever the engine does, the customer gets a reply from a phrase
        log.exception("the generator failed", error=str(error))
        return (), f"the generator failed: {type(error).__name__}"
    if not written:
        late = deadline - time.monotonic() <= 0
        return (), "the generator was late" if late else "the generator wrote nothing"
    return ranked(written, brief, ports.encoder, ports.discriminator), ""


def _interest(texts: Sequence[str], brief: Brief, encoder: Encoder) -> list[float]:
    """Interest match: how near each text is to what the customer said and wants (cosine)."""
    wanted = ". ".join([brief.customer, *brief.wishes, *brief.notes.values()])
    vectors = encoder.encode([TAG.sub("", wanted), *(TAG.sub("", text) for text in texts)])
    return [float(np.dot(vectors[0], vector)) for vector in vectors[1:]]


def _draft(sample: Sample, interest: float, naturalness: float, brief: Brief) -> Draft:
    length = len(sample.text.split())
    named = len({tag[0] for tag in TAG.findall(sample.text) if tag.endswith(".name")})
    coverage = named / len(brief.items) if brief.items else 1.0
    brevity = abs(length - GOOD_LENGTH) / GOOD_LENGTH
    score = INTEREST * interest + FLUENCY * sample.likelihood + COVERAGE * coverage - BREVITY * brevity
    score += NATURALNESS * max(-SURE, min(SURE, naturalness))
    verdict = verify(sample.text, brief)
    if sample.likelihood < UNSURE:
        verdict = replace(verdict, problems=(*verdict.problems, UNSURE_OF_IT))
    return Draft(sample.text, verdict, score, interest, sample.likelihood, naturalness)
