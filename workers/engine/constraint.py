"""The language a reply is written in: words and well-formed tags, never a digit or a currency sign.

One description serves both engines: an EBNF grammar for OpenVINO and a byte automaton for transformers. It is an allow
list, so digits of other scripts, currency signs, markup and chat control tokens are unreachable rather than forbidden.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

RANGES: tuple[tuple[str, str], ...] = (
    ("A", "Z"),
    ("a", "z"),
    *((mark, mark) for mark in " !\"&'(),-./:;?"),
    ("\u00a1", "\u00a1"),  # inverted exclamation mark
    ("\u00b7", "\u00b7"),  # middle dot
    ("\u00bf", "\u00d6"),  # Latin letters, without the multiplication
    ("\u00d8", "\u00f6"),  # and division signs
    ("\u00f8", "\u024f"),
    ("\u0400", "\u0481"),  # Cyrillic
    ("\u048a", "\u052f"),
    ("\u1e00", "\u1eff"),  # Vietnamese
    ("\u2013", "\u2014"),
    ("\u2018", "\u2019"),
    ("\u201c", "\u201d"),
    ("\u2026", "\u2026"),
    ("\u3001", "\u3002"),  # CJK punctuation
    ("\u3005", "\u3005"),
    ("\u300a", "\u300f"),
    ("\u3041", "\u3096"),  # kana
    ("\u30a1", "\u30ff"),
    ("\u4e00", "\u9fff"),  # Han
    ("\uac00", "\ud7a3"),  # Hangul
    *((mark, mark) for mark in "！（），：；？"),
)
"""Inclusive ranges of characters outside tags: the scripts a shop writes in, without their numerals and symbols."""

TEXT, OPEN, ITEM, DOT, SLOT = range(5)
"""Automaton states at character boundaries; a reply may end in ``TEXT``. Later states lie inside a character."""

DEAD = -1
_SLOT_BYTES = b"abcdefghijklmnopqrstuvwxyz_"


def grammar() -> str:
    """EBNF of the language, as xgrammar reads it.

    The starred class is deliberate: it costs nothing per token, where ``(character | tag)+`` costs 140 ms a step.
    """
    characters = "".join(_class(first, last) for first, last in RANGES)
    return (
        "root ::= text (tag text)*\n"
        f"text ::= [{characters}]*\n"
        'tag ::= "[" ([A-D] "." slot | slot) "]"\n'
        "slot ::= [a-z_]+\n"
    )


def _class(first: str, last: str) -> str:
    return f"\\u{ord(first):04x}" if first == last else f"\\u{ord(first):04x}-\\u{ord(last):04x}"


@functools.cache
def automaton() -> npt.NDArray[np.int16]:
    """Deterministic byte automaton of the language, shape ``(states, 256)``: the next state or ``DEAD``."""
    arcs: defaultdict[bytes, dict[int, int]] = defaultdict(dict)
    for first, last in RANGES:
        for code in range(ord(first), ord(last) + 1):
            encoded = chr(code).encode()
            arcs[encoded[:-1]][encoded[-1]] = TEXT
    states: dict[frozenset[tuple[int, int]], int] = {}
    for length in (3, 2, 1):  # from the inside of a character outwards, sharing equal tails
        for prefix in [prefix for prefix in arcs if len(prefix) == length]:
            tail = frozenset(arcs.pop(prefix).items())
            arcs[prefix[:-1]][prefix[-1]] = states.setdefault(tail, SLOT + 1 + len(states))
    slot = dict.fromkeys(_SLOT_BYTES, SLOT)
    rows = [
        arcs[b""] | {ord("["): OPEN},
        slot | dict.fromkeys(b"ABCD", ITEM),
        {ord("."): DOT},
        slot,
        slot | {ord("]"): TEXT},
        *(dict(tail) for tail in states),
    ]
    table = np.full((len(rows), 256), DEAD, dtype=np.int16)
    for state, row in enumerate(rows):
        table[state, list(row)] = list(row.values())
    return table


def token_transitions(tokens: Sequence[bytes]) -> npt.NDArray[np.int16]:
    """The state after each whole token from each state, shape ``(states, len(tokens))``; empty tokens are ``DEAD``."""
    table = automaton()
    lengths = np.array([len(token) for token in tokens])
    padded = np.zeros((len(tokens), max(lengths.max(), 1)), dtype=np.uint8)
    for row, token in zip(padded, tokens, strict=True):
        row[: len(token)] = list(token)
    after = np.repeat(np.arange(len(table), dtype=np.int16)[:, None], len(tokens), axis=1)
    for position in range(padded.shape[1]):
        running = lengths > position
        current = after[:, running]
        after[:, running] = np.where(current == DEAD, DEAD, table[current, padded[running, position]])
    after[:, lengths == 0] = DEAD
    return after


def token_bytes(tokenizer: Any, size: int) -> list[bytes]:
    """The bytes of every token of a byte-level BPE tokenizer, empty for special, added and unused tokens."""
    letters = _byte_of_letter()
    added = set(tokenizer.get_added_vocab().values())
    tokens = [b""] * size
    for token, index in tokenizer.get_vocab().items():
        if index < size and index not in added and all(letter in letters for letter in token):
            tokens[index] = bytes(letters[letter] for letter in token)
    return tokens


def _byte_of_letter() -> dict[str, int]:
    """Byte-level BPE writes printable Latin-1 bytes as themselves and the rest as letters from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(0x100 + n): byte for n, byte in enumerate(rest)}
