"""Shown items by their place or number: "the second", "first two", "最后那只", "both", "这四瓶". Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from botcore.dialogue.pointing.shown import ShownItem

CLASSIFIER = "[个件款种条双本台臺把支瓶盒只套张块顶副枚颗样位]"
THAT = "[这那嗰𠮶呢]"
"""Cantonese has 嗰, which simplifying turns into a rare sign."""
COUNT = "[两俩三仨四2-4]"
NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "couple": 2, "a": 1, "b": 2, "c": 3, "d": 4,
           "一": 1, "二": 2, "三": 3, "四": 4, "两": 2, "俩": 2, "仨": 3, "首": 1, "头": 1}  # fmt: skip
ORDINALS = {"first": 1, "1st": 1, "former": 1, "top": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4,
            "4th": 4, "last": -1, "latter": -1, "bottom": -1, "final": -1}  # fmt: skip

FROM_THE_END = re.compile(
    r"\b(?:second|2nd|next)[ -](?:from|to)[ -](?:the )?last\b|\b(?:second|2nd) last\b|\blast but one\b|\bpenultimate\b"
    rf"|倒数第(?P<back>[一二三四1-4]){CLASSIFIER}?",
    re.ASCII,
)
GROUP = re.compile(
    r"\b(?P<side>first|last|top|bottom) (?P<many>two|three|couple|2|3)\b"
    rf"|(?P<front>前面?|头|开头)的?(?P<fore>{COUNT}){CLASSIFIER}?|(?P<rear>最后面?|后面?|末尾)的?(?P<aft>{COUNT}){CLASSIFIER}?",
    re.ASCII,
)
ORDINAL = re.compile(
    r"\b(?P<word>first|second|third|fourth|former|latter"
    r"|(?:(?<=the )|(?<=very )|(?<=and )|(?<=or )|(?<=vs ))last|last(?= ones?\b))\b"
    r"(?!-| (?:time|year|week|month|name|of all|thing|night))"
    r"|\bthe (?:very )?(?P<edge>top|bottom|final) (?:one|pair|item|choice|option)\b|\bat the (?:very )?(?P<end>end|top)\b"
    r"|\b(?P<digit>[1-4])(?:st|nd|rd|th)\b|(?:\bnumber|\boption|\bno\.|\bnr\.?|#)\s?(?P<number>[1-4]|one|two|three|four|[a-d]\b)"
    rf"|第(?P<chinese>[一二三四1-4])(?:{CLASSIFIER})?|(?<![\d零一二三四五六七八九十百])(?P<mark>[一二三四1-4])号(?!码)"
    rf"|(?P<head>(?:头|首|最前面?|最上面?|打头)(?:的?{THAT}|的)?一?{CLASSIFIER})"
    rf"|(?P<final>(?:最后面?|末尾|末|最末|最下面?)(?:的?{THAT}|的)?一?{CLASSIFIER})"
    r"|(?P<middle>\b(?:the )?middle (?:one|pair)\b|\bthe (?:one|pair) in the middle\b"
    rf"|(?:正?中间|当中)(?:的?{THAT}|的)?一?{CLASSIFIER}|中间的(?=$|[，。吧了]))",
    re.ASCII,
)
PAIR = re.compile(
    r"(?<![\d.,$€£])(?P<one>[1-4])\s?(?:and|or|vs\.?|versus|&|和|跟|与|还是)\s?(?P<two>[1-4])(?![\d.%]|\s?[a-z])"
)
IDIOM = re.compile(r"\b(?:a|one|per|few|split|at|every|your|my|his|her|its|our|their) $")
"""Before "second", "first" and the like: no place in a list."""

EVERY = re.compile(
    r"\ball (?:of )?(?:them|these|those|the (?:two|three|four)|two|three|four)\b|\bany of (?:them|these|those)\b"
    r"|\b(?:none|neither|either|each|which|some)(?: one)? of (?:them|these|those)\b"
    r"|\b(?:which|what|none|any|neither) (?:one )?of the (?P<of>two|three|four)\b(?! \w+(?: ones?| pairs?)\b)"
    r"|\bneither\b(?=[\s.,!]*$)|^not (?:those|these|them)\b|^none\b"
    r"|都不(?:要|喜欢|行|好|合适|满意)|全不要|除了[^，。]{1,10}?都[不没]"
    r"|\bboth(?: of (?:them|these|those))?\b|\beverything (?:except|but)\b|\bthe (?:whole )?lot of them\b"
    rf"|(?:(?:这|呢)(?P<these>{COUNT}){CLASSIFIER}?|(?P<bare>{COUNT}){CLASSIFIER}?)"
    r"(?=[^，。,.!？?]{0,3}(?:都|全|各|哪|边)|里|之中|当中)"
    rf"|(?:这|那)(?P<deictic>{COUNT})(?:{CLASSIFIER}|(?=[^\d，。]))|(?:这些|那些|它们|他们|全部|全都)",
    re.ASCII,
)
THEY = re.compile(r"^(?:[a-z' ]{0,20})\b(?:do|does|are|will|would|can|were) (?:they|these|those)\b(?! [a-z]+s\b)")
"""A question about all that is there."""


def is_beyond(text: str, shown: Sequence[ShownItem]) -> bool:
    """Whether a place is named that the list does not have ("the second one" of one); a bare "second" may be no place."""
    return any(
        not 0 <= place < len(shown)
        for match, place in _ordinals(text, len(shown))
        if not match["word"] or text[: match.start()].endswith("the ") or text.startswith(" one", match.end())
    )


def by_place(text: str, shown: Sequence[ShownItem]) -> Iterable[tuple[int, int, list[ShownItem]]]:
    """What ordinals name: start and end in the text with the items at those places."""
    taken: list[tuple[int, int]] = []
    for match in FROM_THE_END.finditer(text):
        back = NUMBERS.get(match["back"] or "二") or int(match["back"])
        taken.append(match.span())
        yield *match.span(), list(shown[-back:][:1]) if back <= len(shown) else []
    for match in GROUP.finditer(text):
        if not _inside(match.start(), taken):
            many = match["many"] or match["fore"] or match["aft"]
            count = NUMBERS.get(many) or int(many)
            from_front = match["front"] or match["side"] in ("first", "top")
            taken.append(match.span())
            if count <= len(shown):
                yield *match.span(), list(shown[:count] if from_front else shown[-count:])
    for pair in PAIR.finditer(text):
        yield *pair.span(), [shown[int(n) - 1] for n in pair.groups() if int(n) <= len(shown)]
    for match, place in _ordinals(text, len(shown)):
        if 0 <= place < len(shown) and not _inside(match.start(), taken):
            yield *match.span(), [shown[place]]


def _ordinals(text: str, length: int) -> Iterator[tuple[re.Match[str], int]]:
    """The places of a list of some length that a message names, counted from 0, those that it does not have as well."""
    for match in ORDINAL.finditer(text):
        place = _place(match, length)
        if place is not None and not IDIOM.search(text[: match.start()]):
            yield match, place


def _place(match: re.Match[str], length: int) -> int | None:
    if match["middle"]:
        return length // 2 if length % 2 else None
    if match["head"] or match["end"] == "top":
        return 0
    if match["final"] or match["end"] == "end":
        return length - 1
    given = match["word"] or match["edge"] or match["digit"] or match["number"] or match["chinese"] or match["mark"]
    place = ORDINALS.get(given) or NUMBERS.get(given) or int(given)
    return place - 1 if place > 0 else length + place


def all_of(text: str, shown: Sequence[ShownItem]) -> Iterable[tuple[int, int]]:
    """Where the whole list is spoken of ("both", "none of these", "三件都"); numbers must be those of the list."""
    for match in EVERY.finditer(text):
        number = match["of"] or match["these"] or match["bare"] or match["deictic"]
        count = len(shown) if not number else NUMBERS.get(number) or int(number)
        if match.group().startswith("both"):
            count = 2
        if count == len(shown):
            yield match.span()
    if they := THEY.search(text):
        yield they.span()


def _inside(place: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= place < end for start, end in spans)
