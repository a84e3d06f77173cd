"""For whom, where and why something is wanted, which is no wish of the thing itself. Pure.

The words here are of grammar (prepositions, coverbs, modal verbs, pronouns); what is for sale is in the vocabulary alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from botcore.dialogue.meanings import CATEGORY, Match
from botcore.dialogue.thesaurus import thesaurus
from botcore.dialogue.words import CHINESE, CLAUSE_END, Token

PURPOSE = {"for", "to"}
MODAL = {"has", "have", "had", "got", "need", "needs", "want", "wants", "ought", "like", "love", "prefer", "supposed"}
"""Before "to" they make a verb with it ("it has to be purple")."""
MANNER = {"with", "in", "of", "from"}
PLACE = {"under", "on", "over", "behind", "beside", "against", "into"}
"""What stands after these is where a thing goes ("a robot that fits under the sofa")."""
ABOUT = {"about", "by"}
"""What stands after these is said of what is wanted, whatever stands between ("a book for my son about whales")."""
SOMETHING = {"something", "anything", "thing", "things", "one", "ones", "stuff", "gift", "gifts", "present", "presents"}
"""What is wanted, where no kind is named."""
PERSONS = {"me", "him", "her", "us", "them", "myself", "somebody", "someone"}
TO_SOMEBODY = re.compile(r"给|因为|由于|为了?|去|参加|加入|进(?!口)|陪|替|帮|跟|家里?有|我有")
BOUGHT = re.compile(r"[买找选挑要换求]|推荐|来[点些一个件条双本台款支]")
"""Chinese circumstances stand between the one and the other: "给养鸟的邻居买个杯子"."""
CELEBRATED = "过"
"""Before an occasion ("过生日")."""
USED_BY_THEN = re.compile(r"[^，。,;；!?]{0,2}(?:穿|用|看|读|吃|喝|戴|放|睡|送人?)的")
"""Behind an occasion or a place in Chinese: what is done with the thing there ("参加婚礼穿的裙子")."""


def is_circumstance(text: str, words: Sequence[Token], matches: Sequence[Match], first: int, last: int) -> bool:
    """Whether tokens tell of circumstances: what stands behind "for" and the like to the end of the clause ("a vacuum for a
    house with two cats"), unless it goes on about the thing ("for my son with a zip")."""
    begun = first
    while begun > 0 and not CLAUSE_END.match(words[begun - 1].text):
        begun -= 1
    if CHINESE.match(words[first].text):
        return _is_chinese_circumstance(text, words[begun].start, words[first].start, words[last - 1].end)
    openings = [i for i in range(begun, first) if words[i].text in PURPOSE | PLACE and not is_modal(words, i)]
    opening = next((i for i in openings if i == begun or _is_wanted_between(words, matches, begun, i)), None)
    if opening is None:
        return False
    joins = (i for i in range(opening, first) if words[i].text in MANNER | ABOUT)
    return not any(words[i].text in ABOUT or words[i - 1].text in PERSONS | thesaurus().kin for i in joins)


def is_modal(words: Sequence[Token], index: int) -> bool:
    """Whether a "to" makes a verb with the one before it."""
    return words[index].text == "to" and index > 0 and words[index - 1].text in MODAL


def _is_chinese_circumstance(text: str, begun: int, start: int, end: int) -> bool:
    """The same of characters from ``start`` to ``end`` in a clause that begins at ``begun``."""
    before = text[begun:start]
    opened = max((found.end() for found in TO_SOMEBODY.finditer(before)), default=-1)
    return (
        before.endswith(CELEBRATED)
        or USED_BY_THEN.match(text, end) is not None
        or (opened >= 0 and BOUGHT.search(before, opened) is None)
    )


def _is_wanted_between(words: Sequence[Token], matches: Sequence[Match], first: int, last: int) -> bool:
    """Whether what is wanted stands in a stretch of the message."""
    kinds = (m for m in matches if any(x.attribute == CATEGORY for x in m.meanings))
    return any(first <= m.first < last for m in kinds) or any(t.text in SOMETHING for t in words[first:last])
