"""A merchant's word on a reply: approved, rejected, or corrected in the words that the customer should have read.

What a merchant writes is put back into tags and held against the facts of the reply. A wrong price or a product that
was not shown is refused with the reason; a new word is kept, and waits until the shop has made it its own
(``house_words``).
"""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth.models import User

from botcore.dialogue.brief import TAG, Brief
from botcore.dialogue.verify import NO_FACT, verify
from botcore.dialogue.vocabulary import WORD, parts, plainly, prompt_of
from botcore.models import Annotation, Turn

FIGURE = re.compile(r"[$€£¥￥]?\s?\d[\d.,]*\s?[%$€£¥￥]?")
SENTENCE_START = re.compile(r"(?:^|[.!?:;…]\s+|[\"'“(])$")


class CorrectionRefusedError(ValueError):
    """The correction says what the shop's data do not; ``problems`` are sentences for its author."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def approve(turn: Turn, author: User | None, *, for_training: bool = True) -> Annotation:
    """The reply is as it should be."""
    return _annotate(turn, author, Annotation.Verdict.APPROVED, for_training=for_training)


def reject(turn: Turn, author: User | None, reason: str = "", *, for_training: bool = True) -> Annotation:
    """The reply should not have been sent, and no other is given."""
    return _annotate(turn, author, Annotation.Verdict.REJECTED, reason=reason, for_training=for_training)


def correct(turn: Turn, text: str, author: User | None, reason: str = "", *, for_training: bool = True) -> Annotation:
    """The reply should have been ``text``, with names and prices as the customer reads them, or as tags.

    Raises ``CorrectionRefusedError`` where it says something false.
    """
    wording = tagged(text, Brief.from_json(turn.brief))
    if problems := objections(wording, Brief.from_json(turn.brief)):
        raise CorrectionRefusedError(problems)
    return _annotate(
        turn, author, Annotation.Verdict.CORRECTED, wording=wording, reason=reason, for_training=for_training
    )


def original(turn: Turn) -> str:
    """The model's own words that were sent, with their tags; "" where it wrote none of them."""
    return next((sample["text"] for sample in turn.samples if sample.get("chosen")), "")


def tagged(text: str, brief: Brief) -> str:
    """A reply as people read it, with names and figures turned back into tags.

    Where several products have the same value, it is taken for that of the product named last.
    """
    text = " ".join(text.split())
    by_value: dict[str, list[str]] = {}
    for tag, value in brief.tags().items():
        if value:
            by_value.setdefault(" ".join(value.split()).lower(), []).append(tag)
    if not by_value:
        return text
    values = "|".join(re.escape(value) for value in sorted(by_value, key=len, reverse=True))
    named = ""

    def as_tag(match: re.Match[str]) -> str:
        nonlocal named
        tags = by_value[match.group().lower()]
        tag = next((tag for tag in tags if tag[:2] == named), tags[0])
        if tag.endswith(".name"):
            named = tag[:2]
        return f"[{tag}]"

    return re.sub(rf"(?<![\w.\[])(?:{values})(?!\w)", as_tag, text, flags=re.IGNORECASE)


def objections(wording: str, brief: Brief) -> tuple[str, ...]:
    """What is false in a correction; new words in small letters are not, if all else holds without them."""
    strange = strangers(wording, brief)
    problems = [f"“{found.group().strip()}” is no figure of this reply" for found in FIGURE.finditer(_bare(wording))]
    named = [word for word in strange if _is_name(word, wording)]
    problems += [f"“{word}” is none of the products of this reply" for word in named]
    if problems:
        return tuple(problems)
    new = {NO_FACT.format(word) for word in strange}
    return tuple(problem for problem in verify(wording, brief).problems if problem not in new)


def strangers(wording: str, brief: Brief) -> tuple[str, ...]:
    """The words of a reply, in small letters, that are outside its brief's closed vocabulary."""
    prompt = prompt_of(brief)
    known = prompt.words | {word for phrase in prompt.phrases for word in _bare(phrase).lower().split()}
    said = [part for word in WORD.findall(_bare(plainly(wording, brief))) for part in parts(word)]
    return tuple(dict.fromkeys(word for word in said if word not in known))


def _is_name(word: str, wording: str) -> bool:
    """Whether a word is written as names are: with a capital in the middle of a sentence."""
    places = re.finditer(rf"\b{re.escape(word)}\b", _bare(wording), re.IGNORECASE)
    return any(
        place.group()[0].isupper() and not SENTENCE_START.search(_bare(wording)[: place.start()]) for place in places
    )


def _bare(text: str) -> str:
    """Without tags, which keep their place as a word does."""
    return TAG.sub("_", text)


def _annotate(turn: Turn, author: User | None, verdict: str, **fields: Any) -> Annotation:
    defaults = {"wording": "", "reason": "", **fields, "verdict": verdict}
    row, _ = Annotation.objects.update_or_create(turn=turn, author=author, defaults=defaults)
    return row
