"""Nothing false is sent: a reply is checked word by word against its brief, and any doubt refuses it.

The vocabulary is closed. A word is either one of the brief's (a fact) or one of the neutral words that our own
hand-written replies use around facts (``data/neutral_words.txt``); every other word would be a claim that nothing
supports. Facts must also belong to the item the sentence speaks of, negations must be the customer's own, and each act
must do what it is for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from botcore.dialogue.brief import TAG, Brief
from botcore.dialogue.words import DATA, stem

WORD_LIMIT = 70
WORD = re.compile(r"[a-z][a-z'-]*|[\u3400-\u9fff]", re.IGNORECASE)
SENTENCE = re.compile(r"(?<=[.!?;])\s+")
FORBIDDEN = re.compile(r"[\d$€£¥￥%<>{}\\|]|https?:|www\.")
PROMISES = re.compile(
    r"\b(?:next[- ]day|same[- ]day|take it back|money back|pay (?:you )?back|half[- ]price|for (?:free|nothing)|no charge|"
    r"on the house|in stock|sold out|best[- ]?sell\w*|top[- ]rated|last (?:one|few)|while (?:it|they) lasts?|any time|"
    r"right away|by tomorrow|always available|never (?:breaks?|fails?))\b",
    re.IGNORECASE,
)
NEGATION = re.compile(r"\b(?:no|not|never|without|nor|neither|none|cannot|\w+n't)\b", re.IGNORECASE)
REFUSAL = re.compile(
    r"\b(?:no|not|none|nothing|without|never|cannot|\w+n't|afraid|unfortunately|sorry|beyond|outside|unable|nowhere)\b",
    re.I,
)
PERSON = re.compile(r"\b(?:person|people|colleagues?|team|someone|human|teammate|somebody)\b", re.IGNORECASE)
EVERY = re.compile(r"\b(?:both|all|each(?! other)|every|either|any of them)\b", re.IGNORECASE)
ASKING = re.compile(r"\?|\b(?:tell me|let me know|say the word|give me|name|describe|point me)\b", re.IGNORECASE)
STOCK = {"yes": "available", "no": "unavailable"}
CHEAPER = re.compile(
    r"\b(?:cheap\w*|less (?:money|expensive)|lower (?:price|priced)|lowest|saves?|saving)\b", re.IGNORECASE
)
RATED = re.compile(r"\b(?:better rated|higher rated|rated (?:better|higher)|higher rating|highest)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Verdict:
    """``problems`` are sentences for the console; empty means that the reply may be sent.

    ``unsupported`` says that some problem is a claim without a fact, not a matter of form.
    """

    problems: tuple[str, ...] = ()
    unsupported: bool = False

    @property
    def accepted(self) -> bool:
        return not self.problems


@lru_cache(maxsize=1)
def neutral_stems() -> frozenset[str]:
    """Stems of the words that claim nothing."""
    text = (DATA / "neutral_words.txt").read_text(encoding="utf-8")
    return frozenset(stem(part) for word in text.split() for part in _parts(word))


def verify(text: str, brief: Brief) -> Verdict:
    """Check one English reply with its tags not yet filled."""
    form = [*_form(text, brief), *_duty(text, brief)]
    claims = [*_unknown_tags(text, brief), *_promises(text, brief), *_claims(text, brief), *_comparisons(text, brief)]
    return Verdict((*form, *claims), unsupported=bool(claims))


def _form(text: str, brief: Brief) -> Iterable[str]:
    bare = TAG.sub(" ", text)
    if not WORD.search(bare) and "[quote]" not in text:
        yield "says nothing"
    if len(WORD.findall(bare)) > WORD_LIMIT:
        yield f"longer than {WORD_LIMIT} words"
    if found := FORBIDDEN.search(bare):
        yield f'holds "{found.group()}", which only a tag may bring in'
    if "[" in bare or "]" in bare:
        yield "holds a broken tag"
    if text and text.rstrip()[-1:] not in ".!?])'\"…":
        yield "breaks off in the middle"
    if _repeats(bare):
        yield "repeats itself"


def _unknown_tags(text: str, brief: Brief) -> Iterable[str]:
    known = brief.tags()
    for tag in dict.fromkeys(TAG.findall(text)):
        if tag not in known:
            yield f"[{tag}] is not among the facts"


def _duty(text: str, brief: Brief) -> Iterable[str]:
    """What the act owes the customer."""
    items = {tag[0] for tag in TAG.findall(text) if tag[1:2] == "."}
    if brief.act in ("recommend", "compare") and not items:
        yield "names no product"
    if brief.act in ("ask", "clarify") and not ASKING.search(text):
        yield "asks nothing"
    if brief.act == "handoff" and not PERSON.search(text):
        yield "does not say that a person takes over"
    if brief.act == "decline" and brief.notes.get("reason") != "nothing_fits" and not REFUSAL.search(text):
        yield "does not say no"
    if "quote" in brief.slots and text.count("[quote]") != 1:
        yield "does not quote the article exactly once"
    for wish in brief.gave_up:
        if not _mentions(text, wish):
            yield f'does not say that "{wish}" was given up'
    if brief.act == "answer" and "attribute" in brief.notes and not _states(text, brief):
        yield "does not state the fact asked for"


def _promises(text: str, brief: Brief) -> Iterable[str]:
    facts = " ".join([*brief.notes.values(), *(v for item in brief.items for v in item.attributes.values())])
    for found in PROMISES.finditer(text):
        if found.group().lower() not in facts.lower():
            yield f'promises "{found.group().lower()}", which no fact supports'


def _claims(text: str, brief: Brief) -> Iterable[str]:
    """Words that no fact of the items spoken of supports, and facts turned into their opposite."""
    stock = STOCK.get(brief.notes.get("stock", ""), "")
    neutral = neutral_stems()
    general = _stems([brief.act, stock, *_positive(brief), *brief.gave_up, *brief.notes.values()])
    ruled_out = _stems(w[4:] for w in brief.wishes if w.startswith("not ")) - general - neutral
    facts = {item.letter: _stems([item.kind, *item.attributes, *item.attributes.values()]) for item in brief.items}
    spoken_of: set[str] = set()
    for sentence in SENTENCE.split(text):
        mentioned = {tag[0] for tag in TAG.findall(sentence) if tag[1:2] == "." and tag[0] in facts}
        spoken_of = mentioned or spoken_of
        sets = [facts[letter] for letter in sorted(spoken_of)] or list(facts.values())
        joined = set().union(*sets) if sets else set()
        everywhere = set.intersection(*sets) if sets else set()
        supported = everywhere if EVERY.search(sentence) and len(sets) > 1 else joined
        for word, start in _words(sentence):
            key = stem(word)
            if key in ruled_out:
                if not _negated(sentence, start):
                    yield f'says "{word}", which the customer ruled out'
            elif key in neutral or key in supported or key in general:
                if key in joined and key not in neutral | general and _negated(sentence, start):
                    yield f'denies "{word}", which is a fact'
            else:
                yield f'"{word}" is supported by no fact'


def _comparisons(text: str, brief: Brief) -> Iterable[str]:
    """Cheaper and better rated must be said of the item that is."""
    for pattern, note in ((CHEAPER, "cheaper"), (RATED, "rated")):
        for sentence in SENTENCE.split(text):
            for found in pattern.finditer(sentence):
                letters = [m.group(1)[0] for m in TAG.finditer(sentence[: found.start()]) if m.group(1)[1:2] == "."]
                after = [m.group(1)[0] for m in TAG.finditer(sentence[found.end() :]) if m.group(1)[1:2] == "."]
                subject = (letters or after or [""])[-1] if letters else (after or [""])[0]
                if brief.act == "compare" and brief.notes.get(note) != subject:
                    yield f'says "{found.group().lower()}" of {subject or "nothing"}'
                elif brief.act != "compare" and note == "cheaper" and not _about_price(brief):
                    yield f'says "{found.group().lower()}" without a comparison of prices'


def _about_price(brief: Brief) -> bool:
    return brief.notes.get("note") == "cheaper" or brief.act in ("ask", "decline", "clarify")


def _positive(brief: Brief) -> list[str]:
    return [wish for wish in brief.wishes if not wish.startswith("not ")]


def _mentions(text: str, wish: str) -> bool:
    """Whether the reply names a wish: its tag, or all its content words."""
    tags = TAG.findall(wish)
    if tags:
        return any(f"[{tag}]" in text for tag in tags) or "budget" in text or "price" in text
    return _stems([wish]) - _stems(["not for in under a the"]) <= _stems([TAG.sub(" ", text)])


def _states(text: str, brief: Brief) -> bool:
    letter, attribute = brief.notes.get("about", "A"), brief.notes["attribute"]
    item = next((i for i in brief.items if i.letter == letter), None)
    if item is None:
        return False
    if attribute in item.attributes:
        return bool(_stems([item.attributes[attribute]]) & _stems([TAG.sub(" ", text)]))
    return f"[{letter}.{attribute}]" in text


def _negated(sentence: str, start: int) -> bool:
    """Whether a negation stands within the four words before, in the same clause."""
    clause = re.split(r"[,;:]|\bbut\b", sentence[:start])[-1]
    return NEGATION.search(" ".join(clause.split()[-4:])) is not None


def _words(sentence: str) -> Iterable[tuple[str, int]]:
    bare = TAG.sub(lambda match: " " * len(match.group()), sentence)
    for match in WORD.finditer(bare):
        for part in _parts(match.group().lower()):
            yield part, match.start()


def _parts(word: str) -> list[str]:
    """Words joined by hyphens one by one, possessives without their ending."""
    return [part.removesuffix("'s").strip("'") for part in word.lower().split("-") if part.strip("'")]


def _stems(texts: Iterable[str]) -> set[str]:
    found = (m.group() for text in texts for m in WORD.finditer(TAG.sub(" ", str(text)).lower()))
    return {stem(part) for word in found for part in _parts(word)}


def _repeats(text: str) -> bool:
    """Whether four words in a row stand twice: what a small model does when it has lost its way."""
    words = [w.lower() for w in WORD.findall(text)]
    grams = [tuple(words[i : i + 4]) for i in range(len(words) - 3)]
    return len(grams) != len(set(grams))
