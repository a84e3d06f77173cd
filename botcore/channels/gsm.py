"""The alphabet of text messages: one character outside it halves what a segment holds, and doubles what a text costs.

GSM 03.38 (3GPP TS 23.038, 6.2.1): 160 characters in one segment, 153 in each of several; in UCS-2 it is 70 and 67.
"""

from __future__ import annotations

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")
"""These take two places."""

ALIKE = str.maketrans(
    dict.fromkeys("‘’‚‛′`´", "'")
    | dict.fromkeys("“”„‟″«»", '"')
    | dict.fromkeys("‐‑‒–—―·•−", "-")
    | dict.fromkeys("\u00a0\u2002\u2003\u2009\u200a\u202f\t", " ")
    | {"…": "...", "×": "x", "\u200b": "", "\ufeff": ""}
)
"""Marks and what a person would write for them on a telephone. No letter and no digit is ever another."""


def plain(text: str) -> str:
    """The text in the alphabet where its marks alone are outside it; else unchanged, for then they cost nothing."""
    told = text.translate(ALIKE)
    return told if fits(told) else text


def fits(text: str) -> bool:
    return all(character in BASIC or character in EXTENDED for character in text)


def segments(text: str) -> int:
    """How many messages a text travels, and is paid, as."""
    if fits(text):
        places, one, each = len(text) + sum(character in EXTENDED for character in text), 160, 153
    else:
        places, one, each = len(text.encode("utf-16-le")) // 2, 70, 67
    return 1 if places <= one else -(-places // each)
