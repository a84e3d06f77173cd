"""Chinese names that the shop's vocabulary lacks, by the English words for them that it has. Pure.

A shop that writes English alone has no Chinese for "jack-o'-lantern"; a dictionary has, and the shop says whether it sells one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from botcore.dialogue.gloss import PARTICLES, named
from botcore.dialogue.lexicon.lexicon import ENDINGS, Lexicon
from botcore.dialogue.meanings import TEXT, Match, Meaning
from botcore.dialogue.ports import MessageRead
from botcore.dialogue.understanding.spelling import single_characters
from botcore.dialogue.understanding.stance import things
from botcore.dialogue.words import CHINESE, FUNCTION_WORDS, Token, tokens

LONGEST = 6
"""Characters of a word that is looked up."""


def glossed(
    text: str, words: Sequence[Token], matches: Sequence[Match], read: MessageRead, lexicon: Lexicon
) -> list[Match]:
    """The matches with those of Chinese names that the reader takes for things and the vocabulary does not know, in order. What
    a shop lacks that writes Chinese itself it would have called so."""
    found = list(matches)
    if lexicon.writes_chinese or not CHINESE.search(text):
        return found
    single = single_characters(text)
    for thing in things(words, matches, read):
        found += _named(words, thing.first, thing.last, single, lexicon)
    return sorted(found, key=lambda match: match.first)


def in_english(said: str, meaning: Meaning, lexicon: Lexicon) -> str:
    """A Chinese name by its first sense in the dictionary that stands for a meaning, where texts of the shop hold all of its
    words; "" for none."""
    known = (sense for sense in named(said) if all(t.is_word and lexicon.knows(t.text) for t in tokens(sense)))
    return "" if lexicon.writes_chinese else next((s for s in known if meaning in _of_sense(s, lexicon)), "")


def _named(words: Sequence[Token], first: int, last: int, single: set[int], lexicon: Lexicon) -> Iterator[Match]:
    """The longest names from left to right; a single character only at the end, where the head of a compound stands (登山靴), and
    where it is no part of a word (生日)."""
    while first < last:
        alone = last - first == 1 and words[first].start in single
        for length in range(min(LONGEST, last - first), 0 if alone else 1, -1):
            said = "".join(token.text for token in words[first : first + length])
            if CHINESE.match(said) and (meanings := _meanings(said, lexicon)):
                yield Match(first, first + length, said, meanings)
                first += length
                break
        else:
            first += 1


def _meanings(said: str, lexicon: Lexicon) -> tuple[Meaning, ...]:
    """What the shop has by the name's first sense that it knows: a value, a kind, or a word of its texts. Of the many senses of
    a single character that which names a kind tells, or else one of the first two."""
    if said in PARTICLES or said in ENDINGS:
        return ()
    told = [_of_sense(sense, lexicon) for sense in named(said)]
    if len(said) == 1:
        told = [*(meanings for meanings in told if _name_kind(meanings, lexicon)), *told[:2]]
    return next(filter(None, told), ())


def _of_sense(sense: str, lexicon: Lexicon) -> tuple[Meaning, ...]:
    """What the shop has by one sense, or the kind that the sense's last word names ("presbyopic glasses")."""
    told = [token for token in tokens(sense) if token.is_word and token.text not in FUNCTION_WORDS | GENERAL]
    ending = [m for m in lexicon.match(told) if m.last == len(told)]
    known = [m for m in ending if m.first == 0 or _name_kind(m.meanings, lexicon)]
    if known:
        return known[0].meanings
    return (Meaning(TEXT, told[0].text),) if len(told) == 1 and lexicon.knows(told[0].text) else ()


def _name_kind(meanings: Sequence[Meaning], lexicon: Lexicon) -> bool:
    return any(lexicon.names_kind(m.attribute) for m in meanings)


GENERAL = frozenset("surface shape style type kind color colour".split())
"""Nouns of senses that only say of what the word before them is told ("curved surface")."""
