"""The closed vocabulary: a reply may only say words of its brief and neutral words.

The neutral words are the literal words of the skeletons and of the approved English phrases.
``python -m workers.training.dialogues.vocabulary`` writes them to the file that serving's verifier reads.
"""

from __future__ import annotations

import re
from pathlib import Path

from botcore.dialogue.brief import TAG, Brief, render
from botcore.dialogue.phrases import PLACEHOLDER as PHRASE_PLACEHOLDER
from botcore.dialogue.phrases import phrases as approved
from workers.training.dialogues.skeletons import PLACEHOLDER, load_skeletons

NEUTRAL_FILE = Path(__file__).parents[3] / "botcore" / "dialogue" / "data" / "neutral_words.txt"

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_STOCK_WORDS = {"yes": "available", "no": "unavailable"}


def words(text: str) -> set[str]:
    """Lower-case words of ``text`` without its tags; a hyphenated word counts as its parts."""
    return set(_WORD.findall(TAG.sub(" ", text).lower()))


def neutral_words() -> list[str]:
    """The sorted literal words of all skeletons and English phrases."""
    phrases = (phrase.reply for listed in approved()["en"].values() for phrase in listed)
    found = set().union(
        *(words(PHRASE_PLACEHOLDER.sub(" ", re.sub(r"\[\{[a-z]+\}\.[a-z_]+\]", " ", reply))) for reply in phrases)
    )
    for skeletons in load_skeletons().values():
        for skeleton in skeletons:
            found |= words(PLACEHOLDER.sub(" ", re.sub(r"\[\{[a-z]+\}\.[a-z_]+\]", " ", skeleton.reply)))
    return sorted(found)


def brief_words(brief: Brief) -> set[str]:
    """Words a reply may take from its brief: all of it but the customer's own, which prove nothing."""
    facts = words(render(Brief(**{**vars(brief), "customer": ""})))
    stock = _STOCK_WORDS.get(brief.notes.get("stock", ""))
    return facts | {stock} if stock else facts


def unsupported(reply: str, brief: Brief, neutral: frozenset[str]) -> set[str]:
    """Words of ``reply`` that neither the brief nor the neutral vocabulary allows."""
    return words(reply) - neutral - brief_words(brief)


if __name__ == "__main__":
    NEUTRAL_FILE.parent.mkdir(parents=True, exist_ok=True)
    NEUTRAL_FILE.write_text("\n".join(neutral_words()) + "\n", "utf-8")
