"""What a message takes back itself: "pink, ah no, blue", "S … still M", "change the black to burgundy". Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")

REPAIR = re.compile(
    r"\b(?:ah|oh|no|hm+|hang on|hold on),? (?:no|wait|actually)\b|\bno,? (?:wait|sorry|hang on|hold on)\b|,\s*no,"
    r"|\b(?:hang|hold) on\b|\bwait\b|\bsorry\b|\bi mean(?:t)?\b|\bscratch that\b|\bor rather\b|\bcorrection\b"
    r"|\btypo\b|\bmy (?:mistake|bad)\b|\bon second thoughts?\b|\bdid i say\b|\bactually\b|\bmake (?:it|that)\b|\boops\b"
    r"|[说看打写记][错串岔]|[哦啊噢哎呃诶]?不对(?!称)|[哦啊噢哎呃]不|[哦啊噢哎呃]?不是(?=[，,、…])|手滑|手误|口误|更正|心里想"
    r"|改成|改为|改要|改(?![天日])|换成|应该[是叫]|还是|算了",
    re.ASCII,
)
CHANGE = re.compile(
    r"\b(?:change|switch|swap)\b[^.;!?]{1,40}?(?P<to>\b(?:to|for|into)\b)|\bfrom\b[^.;!?]{1,30}?(?P<over>\bto\b)"
    r"|把[^，。；！？]{1,12}?(?P<into>[改换](?:成|为|到|要)?)",
    re.ASCII,
)
JOINED = re.compile(r"^[\s,，、/]*(?:or|and|和|或者?|或是|跟|与|&|to|-|~|到|至|/|、)?[\s,，、/]*$")


def taken_back(
    text: str, said: Sequence[tuple[int, int, Hashable, T]], exclusive: Callable[[Hashable], bool] = lambda _: False
) -> list[T]:
    """Which of the values that a text says it takes back.

    ``said`` gives start, end, attribute and the value in the text's order. A later value of the same attribute takes the
    place of an earlier one behind a word of repair or of change; of an ``exclusive`` attribute always, unless the two
    stand side by side ("M or L").
    """
    cues = [match.start(name) for match in CHANGE.finditer(text) for name in ("to", "over", "into") if match[name]]
    found = []
    for i, (_, end, attribute, value) in enumerate(said):
        # The last of the later ones is enough: whatever stands before another of them stands before it too.
        last = max((start for start, _, other, _ in said[i + 1 :] if other == attribute), default=end)
        between = text[end:last]
        if between and (
            REPAIR.search(between)
            or any(end <= cue < last for cue in cues)
            or (exclusive(attribute) and not JOINED.match(between))
        ):
            found.append(value)
    return found


def changed_from(text: str) -> Iterable[tuple[int, int]]:
    """Where a message names what is to be changed, whether or not it says into what ("把黑改了吧")."""
    for match in CHANGE.finditer(text):
        name = next((n for n in ("to", "into") if match[n]), None)
        if name:
            yield match.start(), match.start(name)
