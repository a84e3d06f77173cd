"""Collects the neutral words: ``python -m workers.training.dialogues.vocabulary`` after a change to a skeleton.

They are the literal words of an act's skeletons and approved English phrases, and the half of the closed vocabulary
(``botcore.dialogue.vocabulary``) that is the same for every brief.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable

from botcore.dialogue.brief import TAG
from botcore.dialogue.phrases import PLACEHOLDER as PHRASE_PLACEHOLDER
from botcore.dialogue.phrases import phrases
from botcore.dialogue.words import DATA
from workers.training.dialogues.skeletons import PLACEHOLDER, load_skeletons

NEUTRAL_FILE = DATA / "neutral_words.yaml"

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_TAG_WITH_HOLE = re.compile(r"\[\{[a-z]+\}\.[a-z_]+\]")


def collect() -> dict[str, list[str]]:
    """The sorted literal words of every act."""
    approved = phrases()["en"]
    return {
        str(act): sorted(
            _words(PLACEHOLDER, (skeleton.reply for skeleton in skeletons))
            | _words(PHRASE_PLACEHOLDER, (phrase.reply for phrase in approved.get(act, ())))
        )
        for act, skeletons in load_skeletons().items()
    }


def as_yaml(words: dict[str, list[str]]) -> str:
    """One block of wrapped lines an act."""
    blocks = (f"{act}: >-\n{textwrap.indent(textwrap.fill(' '.join(w), 116), '  ')}\n" for act, w in words.items())
    return "\n".join(blocks)


def _words(placeholder: re.Pattern[str], replies: Iterable[str]) -> set[str]:
    bare = (TAG.sub(" ", placeholder.sub(" ", _TAG_WITH_HOLE.sub(" ", reply))) for reply in replies)
    return {word for reply in bare for word in _WORD.findall(reply.lower())}


if __name__ == "__main__":
    NEUTRAL_FILE.write_text(as_yaml(collect()), "utf-8")
