"""Which rows of data are worth learning from. Pure decisions; a snapshot asks for each row in turn.

Near-duplicates are judged by exact Jaccard similarity over character 5-grams; MinHash only names whom to compare.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from functools import lru_cache
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from botcore.dialogue.words import language_of, normalise

NEAR = 0.85
"""Jaccard similarity from which two texts are nearly the same."""
SHINGLE = 5
BANDS, ROWS = 24, 11
"""At a similarity of .85 a pair shares a band with a chance of 1 - (1 - .85^11)^24 = .988, at .5 of .012."""
SLACK = 0.15
"""By how much the share of equal signature entries may fall short of the similarity: six standard deviations."""
_RANDOM = np.random.Generator(np.random.PCG64(20240229))
FACTORS = _RANDOM.integers(1, 2**63, BANDS * ROWS, np.uint64) * np.uint64(2) + np.uint64(1)
OFFSETS = _RANDOM.integers(0, 2**63, BANDS * ROWS, np.uint64)
LONGEST = 2_000
"""Characters of a message or of a reply; what is longer was pasted."""
SAME_CHARACTER = 8
SAME_WORD = 5
LEAST_LETTERS = 0.4
"""Share of letters and digits among the signs of a message, below which it is no language."""
KEYBOARD_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm")
KEYBOARD_RUN = 5
LINK = re.compile(r"(?:https?://|www\.)[^\s\u3400-\u9fff]+|<link>", re.IGNORECASE)
PLACEHOLDER_OR_TAG = re.compile(r"<[a-z]{2,12}>|\[[A-Za-z._]{1,40}\]")
WORD = re.compile(r"[a-z']+|[\u3400-\u9fff]")
LATIN_WORD = re.compile(r"[a-z]{6,}")
VOWEL = re.compile(r"[aeiouy]")


class NearDuplicates:
    """Texts seen so far, and whether a new one is nearly the same as one of them: no false alarm, few misses.

    Near-linear in the number of texts: MinHash signatures cut into bands (Leskovec, Rajaraman and Ullman, "Mining of
    Massive Datasets", ch. 3) name the candidates, of which those are compared that agree in enough of the signature.
    Hashes are BLAKE2 and a seeded generator, so every process gives the same answers.
    """

    def __init__(self) -> None:
        self._letters: list[str] = []
        self._known: set[str] = set()
        self._signatures = np.empty((1024, BANDS * ROWS), np.uint32)
        self._buckets: dict[int, list[int]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._letters)

    def holds(self, text: str) -> bool:
        """Whether a text added before has at least ``NEAR`` of its shingles in common with this one."""
        letters = letters_of(text)
        if letters in self._known:
            return True
        signature = _signature(letters)
        candidates = sorted({place for key in _keys(signature) for place in self._buckets.get(key, ())})
        if not candidates:
            return False
        agreement = (self._signatures[candidates] == signature).mean(axis=1)
        likely = np.flatnonzero(agreement >= NEAR - SLACK)
        return any(similarity(letters, self._letters[candidates[place]]) >= NEAR for place in likely)

    def add(self, text: str) -> None:
        letters = letters_of(text)
        if letters in self._known:
            return
        signature, place = _signature(letters), len(self._letters)
        if place == len(self._signatures):
            self._signatures = np.concatenate([self._signatures, np.empty_like(self._signatures)])
        self._signatures[place] = signature
        for key in _keys(signature):
            self._buckets[key].append(place)
        self._letters.append(letters)
        self._known.add(letters)


def bands_of(letters: str) -> list[int]:
    """A signed 64-bit key for each band of a text's signature; two texts that share one are worth comparing."""
    return [key - 2**64 if key >= 2**63 else key for key in _keys(_signature(letters))]


def letters_of(text: str) -> str:
    """What two texts are compared by: letters and digits of the normalised text, or its signs where it has none."""
    said = normalise(text)
    return "".join(c for c in said if c.isalnum()) or said


def similarity(one: str, other: str) -> float:
    """Jaccard similarity of two texts' character 5-grams, as ``letters_of`` gives the texts."""
    a, b = _shingles(one), _shingles(other)
    return len(a & b) / len(a | b)


def _shingles(letters: str) -> set[str]:
    """The character 5-grams; a shorter text is one by itself."""
    return {letters[i : i + SHINGLE] for i in range(max(1, len(letters) - SHINGLE + 1))}


def _signature(letters: str) -> NDArray[np.uint32]:
    """The least of the shingles' hashes under each of ``BANDS * ROWS`` hash functions."""
    hashes = np.array([_hashed(shingle) for shingle in _shingles(letters)], np.uint64)
    return ((hashes[:, None] * FACTORS + OFFSETS).min(axis=0) >> np.uint64(32)).astype(np.uint32)


def _keys(signature: NDArray[np.uint32]) -> list[int]:
    """One key for each band, the band's place mixed in."""
    bands = signature.astype(np.uint64).reshape(BANDS, ROWS) + np.arange(BANDS, dtype=np.uint64)[:, None]
    return [int(key) for key in (bands * FACTORS[:ROWS]).sum(axis=1, dtype=np.uint64)]


@lru_cache(maxsize=200_000)
def _hashed(shingle: str) -> int:
    return int.from_bytes(hashlib.blake2b(shingle.encode(), digest_size=8).digest(), "big")


def reason_to_drop(text: str, reply: str, language: str, seen: NearDuplicates) -> str:
    """Why a row is not to be learnt from, or "" to keep it; what is kept counts as seen from then on.

    One of "empty", "too long", "other language", "spam", "near-duplicate". ``language`` is the data set's, and the
    message alone must be in it: a reply's names and quotes may be in another.
    """
    if not text.strip() or not reply.strip():
        return "empty"
    if len(text) > LONGEST or len(reply) > LONGEST:
        return "too long"
    if is_spam(text):
        return "spam"
    if language_of(PLACEHOLDER_OR_TAG.sub(" ", text), otherwise=language) != language:
        return "other language"
    row = f"{text} {reply}"  # the same few words of many customers may deserve different replies
    if seen.holds(row):
        return "near-duplicate"
    seen.add(row)
    return ""


def is_spam(text: str) -> bool:
    """Repetition, bare links, signs without words, fingers on a keyboard."""
    said = normalise(text)
    return _is_links_only(said) or _repeats(said) or _is_mostly_signs(said) or _is_keyboard_noise(said)


def _is_links_only(said: str) -> bool:
    return LINK.search(said) is not None and not any(c.isalnum() for c in LINK.sub(" ", said))


def _repeats(said: str) -> bool:
    """One character or one word again and again, or hardly a word that is not one of very few."""
    if any(len(list(same)) >= SAME_CHARACTER and c.isalnum() for c, same in groupby(said)):
        return True
    words = WORD.findall(PLACEHOLDER_OR_TAG.sub(" ", said))
    if any(len(list(same)) >= SAME_WORD for _, same in groupby(words)):
        return True
    commonest = sum(count for _, count in Counter(words).most_common(3))
    return len(words) >= 15 and commonest >= 0.8 * len(words)


def _is_mostly_signs(said: str) -> bool:
    signs = [c for c in PLACEHOLDER_OR_TAG.sub("a", said) if not c.isspace()]
    return len(signs) > 4 and sum(c.isalnum() for c in signs) < LEAST_LETTERS * len(signs)


def _is_keyboard_noise(said: str) -> bool:
    """Whether most letters stand in words that no vowel holds together or that run along a row of keys."""
    words = re.findall(r"[a-z]+", PLACEHOLDER_OR_TAG.sub(" ", said))
    noise = sum(len(word) for word in words if _is_noise(word))
    return noise * 2 > sum(len(word) for word in words) > 0 and not re.search(r"[\u3400-\u9fff]", said)


def _is_noise(word: str) -> bool:
    if len(word) < 5:
        return False
    runs = sum(word[i : i + KEYBOARD_RUN] in row for i in range(len(word) - KEYBOARD_RUN + 1) for row in _rows())
    return bool(runs) or (len(word) > 5 and (len(VOWEL.findall(word)) * 6 < len(word) or _is_home_row(word)))


def _is_home_row(word: str) -> bool:
    """ "asdfjkl", "sdfsdfsd": seven letters of the middle row without an ordinary vowel pattern."""
    return len(word) > 6 and set(word) <= set("asdfghjkl") and len(re.findall(r"[a]", word)) * 4 < len(word)


def _rows() -> tuple[str, ...]:
    return (*KEYBOARD_ROWS, *(row[::-1] for row in KEYBOARD_ROWS))
