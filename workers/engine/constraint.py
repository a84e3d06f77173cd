"""The language a reply is written in: sentences of a prompt's own words and tags, never a digit or a currency sign.

It is an allow list, made anew for every turn, so that a product, a number or a word that the prompt does not hold is
unreachable rather than forbidden. One regular expression serves both engines: xgrammar compiles it inside OpenVINO
(a tenth of a second), llguidance beside transformers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from botcore.dialogue.ports import Prompt

_LEAD = r"[\"'(]?"
_GAP = r"([,.;:!?)\"']*[ ][\"'(]?|-|/|[ ][–—-][ ])"
_END = r"[)\"']?[.!?][)\"']?"
_POSSESSIVE = r"('s)?"


def pattern(prompt: Prompt) -> str:
    """A regular expression for whole replies to ``prompt``; words may begin with a capital anywhere, capitals are kept.

    They are laid out as a trie, which compiles five times faster than a list of them.
    """
    said = [*prompt.words, *(f"[{tag}]" for tag in prompt.tags), *sorted(prompt.phrases)]
    unit = _alternatives(_trie(said), opening=True) + _POSSESSIVE
    tag = "|".join(_literal(f"[{tag}]") for tag in prompt.tags)
    ending = f"({unit}{_END}|{tag})" if tag else f"{unit}{_END}"
    return f"{_LEAD}({unit}{_GAP})*{ending}"


def _literal(text: str) -> str:
    """Text as itself. ``re.escape`` is of Python's dialect; the two engines share a smaller one."""
    return re.sub(r"[][.^$*+?(){}|\\-]", r"\\\g<0>", text)


def _trie(words: Iterable[str]) -> dict[str, Any]:
    """Words and phrases by their letters; the key "" marks where one may end."""
    root: dict[str, Any] = {}
    for word in words:
        node = root
        for letter in word:
            node = node.setdefault(letter, {})
        node[""] = {}
    return root


def _alternatives(node: dict[str, Any], *, opening: bool = False) -> str:
    """The expression of what may follow in a trie."""
    branches = [
        (f"[{letter.upper()}{letter}]" if opening and letter.islower() else _literal(letter)) + _alternatives(after)
        for letter, after in sorted(node.items())
        if letter
    ]
    if not branches:
        return ""
    if "" in node:
        return f"({'|'.join(branches)})?"
    return branches[0] if len(branches) == 1 else f"({'|'.join(branches)})"
