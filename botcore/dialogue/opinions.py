"""What customers wrote of a product on one aspect: which reviews mention it, how they speak of it, a sentence to quote.

Nothing here is the shop's own claim: counts are counts of reviews, quotes are customers' words with their review's id.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import yaml

from botcore.dialogue.evidence import Asked
from botcore.dialogue.gloss import english_gist, readings
from botcore.dialogue.ports import Encoder
from botcore.dialogue.thesaurus import thesaurus
from botcore.dialogue.words import CHINESE, DATA, FUNCTION_WORDS, language_of, sentences, tokens
from catalog.models import Interaction, Product

Floats = npt.NDArray[np.float32]

READ = 200
"""So many of a product's newest reviews are read."""
ABOUT = 0.42
"""Cosine from which a sentence is about what was asked, whatever it is like."""
ASPECT, LIKE = 0.45, 0.35
"""Cosines from which a question is after an aspect, and from which a sentence may be counted to its nearest one."""
SPOKEN, TYPICAL = 0.1, 0.3
"""What a sentence gains as the one to quote when it is in the customer's language, and when it says what most say."""
STAR = 0.4
"""What a star above or below three says beside a sentence's own words (-1 to 1): a five-star review may hold a complaint."""
GLOSSED = 0.3
"""How much the words of a Chinese sentence count, of which the encoder reads a gloss."""
GENERAL = "general"


@dataclass(frozen=True)
class Remark:
    """One sentence of a review. ``probes`` are what the encoder reads of it."""

    review: int
    stars: int
    language: str
    text: str
    probes: tuple[str, ...]


@dataclass(frozen=True)
class Opinion:
    """``reviews`` mention the aspect, ``positive`` of them speak well of it; ``quote`` is a sentence of one of them.

    ``near`` is how near the nearest sentence is to the question; ``read`` is how many reviews were looked at.
    """

    reviews: tuple[int, ...]
    positive: int
    quote: str
    stars: int
    near: float
    read: int


def remarks_of(product: Product) -> list[Remark]:
    """The sentences of a product's newest reviews."""
    rows = Interaction.objects.filter(product=product, kind=Interaction.Kind.REVIEW).exclude(text="")
    return [
        Remark(row.pk, row.rating or 3, row.language or language_of(row.text), sentence, meanings(sentence))
        for row in rows.order_by("-at", "-pk")[:READ]
        for sentence in sentences(row.text)
    ]


@lru_cache(maxsize=8192)
def meanings(text: str) -> tuple[str, ...]:
    """What the encoder reads of a text. The concepts in a Chinese one are left out where they are only things: "book"
    is near to whatever is said of books."""
    gist = english_gist(text) if CHINESE.search(text) else ""
    only_things = bool(gist) and gist in thesaurus().things
    return tuple(reading for reading in readings(text) if reading and not (only_things and reading == gist))


def closeness(texts: Sequence[str], probes: Sequence[Sequence[str]], encoder: Encoder) -> Floats:
    """For every group of probes the best cosine with any of the texts, 0 for an empty group."""
    flat = list(dict.fromkeys(probe for group in probes for probe in group))
    if not flat:
        return np.zeros(len(probes), dtype=np.float32)
    best = (encoder.encode(flat) @ encoder.encode(list(texts)).T).max(axis=1)
    by_probe = dict(zip(flat, best, strict=True))
    return np.array([max((by_probe[p] for p in group), default=0.0) for group in probes], dtype=np.float32)


def opinion_on(asked: Asked, language: str, remarks: Sequence[Remark], encoder: Encoder) -> Opinion | None:
    """What the remarks say to a question; None where none does.

    A sentence speaks of what was asked when it is near to the question itself, or when both are nearest to the same of
    the known aspects. A question about nothing in particular is about all.
    """
    if not remarks:
        return None
    near, read_as = np.zeros(len(remarks), dtype=np.float32), meanings(asked.text)
    if read_as:
        near = closeness(read_as, [r.probes for r in remarks], encoder)
    aspect, sure = _aspect(asked, encoder)
    if aspect == GENERAL:
        about = list(remarks)
    else:
        spoken = _aspects(remarks, encoder) if aspect else [""] * len(remarks)
        about = [r for r, n, a in zip(remarks, near, spoken, strict=True) if n >= ABOUT or (aspect and a == aspect)]
    if not about:
        return None
    verdicts: dict[int, list[float]] = {}
    tones = dict(zip(about, praise(about, encoder).tolist(), strict=True))
    for remark, tone in tones.items():
        verdicts.setdefault(remark.review, []).append(tone)
    positive = sum(sum(values) > 0 for values in verdicts.values())
    prevailing = positive * 2 > len(verdicts)
    closest = dict(zip((r.text for r in remarks), near, strict=True))

    def worth(remark: Remark) -> float:
        typical = (tones[remark] > 0) == prevailing
        return float(closest[remark.text]) + SPOKEN * (remark.language == language) + TYPICAL * typical

    quoted = max(about, key=worth)
    read = len({remark.review for remark in remarks})
    strength = max(float(near.max()), sure)
    return Opinion(tuple(verdicts), positive, quoted.text, quoted.stars, strength, read)


def _aspect(asked: Asked, encoder: Encoder) -> tuple[str, float]:
    """The aspect that a question is after with how near it is, "" where none is near enough."""
    read_as = meanings(asked.text)
    if not read_as:
        return GENERAL, 1.0
    names = list(known_remarks())
    near = closeness(read_as, [[*known_remarks()[n]["about"], *_said_of(n)] for n in names], encoder)
    best = int(near.argmax())
    return (names[best], float(near[best])) if near[best] >= ASPECT else ("", 0.0)


def _aspects(remarks: Sequence[Remark], encoder: Encoder) -> list[str]:
    """The aspect that each remark is nearest to, "" where it is near to none."""
    names = list(known_remarks())
    near = np.stack(
        [closeness([*known_remarks()[n]["about"], *_said_of(n)], [r.probes for r in remarks], encoder) for n in names]
    )
    return [names[int(column.argmax())] if column.max() >= LIKE else "" for column in near.T]


def _said_of(aspect: str) -> list[str]:
    return [*known_remarks()[aspect]["good"], *known_remarks()[aspect]["bad"]]


def praise(remarks: Sequence[Remark], encoder: Encoder) -> Floats:
    """For every remark how well it speaks of things, above 0 well and below 0 badly: by its words and by the stars of its
    review."""
    tones = np.array([STAR * (remark.stars - 3) for remark in remarks], dtype=np.float32)
    known = [i for i, remark in enumerate(remarks) if remark.probes]
    if known:
        head = _polarity(encoder)
        vectors = encoder.encode([remarks[i].probes[-1] for i in known])
        shares = np.array([GLOSSED if CHINESE.search(remarks[i].text) else 1.0 for i in known], dtype=np.float32)
        tones[known] += shares * np.clip(vectors @ head[:-1] + head[-1], -1, 1)
    return tones


RIDGE = 0.3
_heads: dict[int, Floats] = {}


def _polarity(encoder: Encoder) -> Floats:
    """Ridge regression of the hand-written remarks' tone (1 or -1) on their vectors, with the constant last; once an
    encoder."""
    if id(encoder) not in _heads:
        told = [
            (text, tone)
            for remarks in known_remarks().values()
            for tone, texts in ((1.0, remarks["good"]), (-1.0, remarks["bad"]))
            for text in texts
        ]
        vectors = encoder.encode([text for text, _ in told])
        inputs = np.hstack([vectors, np.ones((len(told), 1), dtype=np.float32)])
        tones = np.array([tone for _, tone in told], dtype=np.float32)
        weights = np.linalg.solve(inputs.T @ inputs + RIDGE * np.eye(inputs.shape[1]), inputs.T @ tones)
        _heads[id(encoder)] = weights.astype(np.float32)
    return _heads[id(encoder)]


@lru_cache(maxsize=1)
def known_remarks() -> dict[str, dict[str, list[str]]]:
    """Remarks as customers write them of goods in general: aspect -> what asks for it, good ones, bad ones."""
    found: dict[str, dict[str, list[str]]] = yaml.safe_load((DATA / "remarks.yaml").read_text(encoding="utf-8"))
    return found


OTHERS = frozenset(
    "people customer customers reader readers buyer buyers reviewer reviewers review reviews opinion opinions others user "
    "users feedback everyone anybody".split()
)
SAYING = frozenset("write wrote written say says said saying think thinks thought find finds found feel feels".split())
CHINESE_OTHERS = re.compile(
    "大家|别人|其他人|网友|顾客|买家|读者|用户|[买看用穿吃试]过的人?|评价|评论|口碑|反馈|好评|差评"
)
CHINESE_SAYING = re.compile("觉得|认为|怎么说|怎么样|如何|怎样|说|反映")


def asks_others(asked: Asked) -> bool:
    """Whether a question is after what other customers say."""
    if CHINESE.search(asked.text):
        return CHINESE_OTHERS.search(asked.text) is not None
    return not OTHERS.isdisjoint(token.text for token in tokens(asked.text))


def subject_of(asked: Asked) -> Asked:
    """What a question about opinions is about, without the words for those who have them and for having them."""
    if CHINESE.search(asked.text):
        return Asked(CHINESE_SAYING.sub("", CHINESE_OTHERS.sub("", asked.text)), asked.language)
    left = OTHERS | SAYING | FUNCTION_WORDS
    return Asked(" ".join(t.text for t in tokens(asked.text) if t.is_word and t.text not in left), asked.language)
