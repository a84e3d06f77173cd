"""One message, read against the shop's vocabulary and what the conversation has shown: text in, ``Understanding`` out.

Nothing is decided here and no state is changed; ``track.py`` does that with the result.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from botcore.dialogue.intents import Intent, IntentClassifier
from botcore.dialogue.lexicon import CATEGORY, TEXT, Lexicon, Match, Meaning
from botcore.dialogue.money import mask_numbers, read_price
from botcore.dialogue.state import Constraint, DialogueState, PriceRange
from botcore.dialogue.thesaurus import thesaurus
from botcore.dialogue.words import (
    CHINESE,
    CLAUSE_END,
    FUNCTION_WORDS,
    Token,
    language_of,
    normalise,
    singular,
    stem,
    tokens,
)

NEGATIONS = {"no", "not", "without", "don't", "dont", "never", "except", "hate", "avoid", "nothing", "neither", "nor",
             "isn't", "aren't", "doesn't", "non", "forget", "skip", "dislike"}  # fmt: skip
NEGATING_PHRASES = re.compile(
    r"\balready(?= (?:have|has|had|got|own|owns|bought)\b)"
    r"|不要|不想要|不喜欢|不用|不含|不带|不是|除了|讨厌|已经有|已经买|别(?!的)|非(?!常)|无(?!线|论|所谓)"
)
NEGATION_ENDS = {"but", "however", "though", "just", "rather", "instead", "prefer", "only", "like", "want", "need",
                 "mean", "meant", "wait", "sorry", "actually"}  # fmt: skip
CHINESE_NEGATION_ENDS = re.compile(r"[但而只]|就要|想要")
NOT_NEGATIONS = re.compile(
    r"\b(?:don'?t (?:mind|care|know)|not (?:only|sure|too)|no (?:problem|idea|worries)|why not)\b"
)

ORDINALS = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4, "last": -1}
ORDINAL = re.compile(
    r"\b(?P<word>first|second|third|fourth|last)\b(?! (?:time|year|week|month|name))"
    r"|\b(?P<digit>[1-4])(?:st|nd|rd|th)\b|(?:number|option|no\.|#)\s?(?P<number>[1-4]|one|two|three|four|a\b|b\b|c\b)"
    r"|第(?P<chinese>[一二三四1-4])(?:个|款|件|种|条|双|本)?|(?P<final>最后一?[个款件])"
)
NUMBER_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "a": 1, "b": 2, "c": 3, "一": 1, "二": 2, "三": 3, "四": 4}
PRONOUN = re.compile(r"\b(?:it|its|it's|that one|this one|that|this)\b|它|这个|那个|这款|那款|这件|那件")
DESCRIBED = re.compile(r"\bthe ((?:[a-z]+ ){0,2}[a-z]+) ones?\b|([\u4e00-\u9fff]{1,4})的?那[个款件]")

QUESTION_INTENTS = {"policy", "order_status", "product_question", "availability", "compare", "explain", "discount"}
"""Messages that ask about something already there: their words are no wishes."""
UNSURE = 0.3
"""Confidence below which a named product, wish or price says more than the classifier."""
LIKELY = 0.45
"""The same for an intent to ask that the message's form does not bear out."""
OVERRULED = QUESTION_INTENTS | {"greeting", "thanks", "goodbye", "wellbeing", "identity", "compliment", "smalltalk", "ok",
                                "not_meant", "reset"}  # fmt: skip
"""Intents that an unsure classifier is not believed about."""

DEARER = re.compile(
    r"\b(?:more expensive|dearer|pricier|fancier|high(?:er)?[- ]end|upscale|premium|(?:most|more) luxurious|most expensive|"
    r"better quality)\b|贵一?[点些]|更贵|最贵|高档|高端|高级|好一[点些]"
)
CHEAPER = re.compile(
    r"cheap|\bless|lower|afford|\bpric|expensive|budget|\bcost|too much|\bsave|economical|贵|便宜|价|实惠|划算|预算|省|低"
)
CHEAPEST = re.compile(
    r"\bwhich(?: one)?(?:'s| is)(?: the)? cheap\w*|\bcheapest\b|最便宜|哪[个個款件](?:更|比较|比較)?(?:便宜|实惠|划算)"
)
DEAREST = re.compile(r"\bmost expensive\b|最贵")
"""With a list in sight they mean the cheapest or dearest of it, with a kind of product that of the whole shop."""

ASPECTS = {
    "price": ("price", "prices", "budget", "cost", "money", "价格", "价钱", "预算"),
    "color": ("colour", "color", "colours", "colors", "颜色"),
    "material": ("material", "materials", "fabric", "材质", "材料", "面料"),
    "size": ("size", "sizes", "尺码", "大小", "尺寸"),
    "brand": ("brand", "brands", "品牌", "牌子"),
    "style": ("style", "styles", "款式", "风格"),
}
_ASPECT = rf"(?P<aspect>{'|'.join(word for words in ASPECTS.values() for word in words)})"
INDIFFERENT = (
    re.compile(rf"\b(?:any|whatever|whichever) {_ASPECT}\b"),
    re.compile(rf"{_ASPECT} (?:doesn'?t|does not|don'?t|isn'?t|is not) (?:really )?(?:matter|important)"),
    re.compile(
        rf"\b(?:don'?t (?:really )?care about|no preference (?:on|for|about)|not fussy about)(?: the)? {_ASPECT}\b"
    ),
    re.compile(rf"{_ASPECT}(?:都|倒)?(?:无所谓|随便|可以|行|不限|不重要|不在乎|没要求)"),
)

DETERMINERS = {"a", "an", "any", "some", "another"}
WHY = re.compile(
    r"^(?:and |but |so |ok |okay )?why (?:did|do|would|have|that|this|the|it)\b|^(?:你)?(?:为什么|为啥|凭什么)(?!不)"
)
DISCOUNT = re.compile(
    r"\d\s?(?:%|percent)\s?(?:off|discount)|\bpromo(?: code)?\b|\bcoupon|\bvoucher code|打[一二三四五六七八九\d]折|优惠码"
)
MORE_ABOUT = re.compile(
    r"\b(?:more|details?|info(?:rmation)?) (?:about|on|of)\b|\btell me about\b|介绍一下|详细(?:说|介绍|信息)|具体说说"
)

PURPOSE = {"for", "to"}
MANNER = {"with", "in", "of", "from"}

LISTS = ("vague", "show", "more")
SELLS = re.compile(
    r"\byou(?: guys| folks)?(?: also)? (?:sell|have|carry|stock|offer|got)\b|有卖|卖不卖|有没有卖|卖.{1,8}吗"
)

QUESTION = re.compile(
    r"[?？]|^(?:do|does|is|are|can|could|how|what|which|when|where|who|why|will)\b|吗|呢|多少|几|怎么|什么"
)


@dataclass(frozen=True)
class ShownItem:
    """What the customer can refer to: one product of the last list. ``text`` is all its words, lower case."""

    sku: str
    title: str
    text: str
    price: Decimal


@dataclass(frozen=True)
class Understanding:
    """What a message says. ``goals`` and ``dropped_goals`` are category paths; ``references`` SKUs of shown items.

    ``thing`` is a kind of product that no category is named after ("tent"), ``indifferent`` the attributes that no longer
    matter, ``order`` is "price" or "-price" where the cheapest or dearest is asked for. ``words`` is what to search for,
    ``unknown`` the words asked for that no text of the shop holds, ``masked`` the message as the model may see it.
    """

    text: str
    language: str
    intent: Intent
    goals: tuple[str, ...] = ()
    dropped_goals: tuple[str, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    price: PriceRange = field(default_factory=PriceRange)
    references: tuple[str, ...] = ()
    thing: str = ""
    indifferent: tuple[str, ...] = ()
    order: str = ""
    words: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    is_question: bool = False
    masked: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "intent": self.intent.name,
            "confidence": round(self.intent.confidence, 3),
            "goals": list(self.goals),
            "dropped_goals": list(self.dropped_goals),
            "constraints": [str(c) if c.attribute == TEXT else f"{c.attribute}: {c}" for c in self.constraints],
            "price": {k: str(v) for k, v in vars(self.price).items() if v is not None},
            "references": list(self.references),
            "thing": self.thing,
            "indifferent": list(self.indifferent),
            "words": list(self.words),
            "unknown": list(self.unknown),
        }


def understand(
    text: str, state: DialogueState, shown: Sequence[ShownItem], lexicon: Lexicon, classifier: IntentClassifier
) -> Understanding:
    """Read one message. ``shown`` is the last list in its order."""
    clean = normalise(text)
    language = language_of(clean, state.language)
    corrected = _correct_spelling(clean, lexicon)
    price = read_price(corrected)
    indifferent, spans = _indifferent(corrected)
    read = (*price.spans, *spans)
    words = [t for t in tokens(corrected) if not any(start <= t.start < end for start, end in read)]
    matches = lexicon.match(words)
    negated = _negated(corrected, words)
    reading = _Reading(words, matches, negated, lexicon, state.turn + 1)
    goals, dropped, goal_matches = reading.goals()
    thing = None if goals else reading.thing()
    constraints = reading.constraints(goal_matches, thing)
    references = _references(corrected, shown, state)
    intent = classifier.classify(mask_numbers(corrected))
    named = bool(goals or price.range or (constraints and not references and not PRONOUN.search(corrected)))
    intent = _settled(intent, corrected, named or bool(indifferent))
    if (goals or thing) and intent.name in ("policy", *LISTS) and SELLS.search(corrected):
        intent = Intent("find", intent.scores)
    if "price" in indifferent and intent.name in ("cheaper", "dearer"):
        intent = Intent("find", intent.scores)
    order = "price" if CHEAPEST.search(corrected) else "-price" if DEAREST.search(corrected) else ""
    if order and len(shown) > 1 and not goals and not thing and not price.range:
        extreme = min if order == "price" else max
        references, intent = (extreme(shown, key=lambda item: item.price).sku,), Intent("choose", intent.scores)
    elif order and (goals or thing):
        intent = Intent("find", intent.scores)
    return Understanding(
        text=clean,
        language=language,
        intent=intent,
        goals=goals,
        dropped_goals=dropped,
        constraints=constraints,
        price=price.range,
        references=references,
        thing=reading.named(thing) if thing else "",
        indifferent=indifferent,
        order=order if goals or thing else "",
        words=reading.search_words(),
        unknown=reading.unknown(),
        is_question=QUESTION.search(corrected) is not None,
        masked=mask_numbers(clean)[:200],
    )


def _settled(intent: Intent, text: str, named: bool) -> Intent:
    """The intent after what the words themselves say: why, discounts, dearer and cheaper, and where it is not sure."""
    if WHY.search(text) and intent.name not in ("policy", "order_status", "upset", "person"):
        return Intent("explain", intent.scores)
    if DISCOUNT.search(text):
        return Intent("discount", {**intent.scores, "discount": 1.0})
    if MORE_ABOUT.search(text) and intent.name in ("product_question", "show", "more", "choose", "find"):
        return Intent("choose", intent.scores)
    if DEARER.search(text) and intent.name in ("cheaper", "dearer", "find", "show", "vague", "more"):
        negated = re.search(r"\b(?:not|n't|no|less)\b|不|别|太", text) and intent.name == "cheaper"
        return intent if negated else Intent("dearer", intent.scores)
    if (intent.name == "cheaper" and not CHEAPER.search(text)) or intent.name == "dearer":
        return Intent("find", intent.scores)
    unsure = UNSURE if QUESTION.search(text) or intent.name not in QUESTION_INTENTS else LIKELY
    if intent.confidence < unsure and (intent.name == "reset" or (named and intent.name in OVERRULED)):
        return Intent("find", intent.scores)
    return intent


def _indifferent(text: str) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
    """Attributes that the customer no longer minds, and where that is said."""
    matches = [m for pattern in INDIFFERENT for m in pattern.finditer(text)]
    found = {m["aspect"] for m in matches}
    attributes = tuple(attribute for attribute, words in ASPECTS.items() if not found.isdisjoint(words))
    return attributes, tuple(m.span() for m in matches)


def picked(sku: str, text: str, state: DialogueState) -> Understanding:
    """What pressing a product's button says: nothing but which product. ``text`` is the button's or the card's title."""
    clean = normalise(text)
    chosen = Intent("choose", {"choose": 1.0})
    return Understanding(clean, state.language, chosen, references=(sku,), masked=mask_numbers(clean)[:200])


def _correct_spelling(text: str, lexicon: Lexicon) -> str:
    """Misspelt names put right; everything else, spacing included, as written."""
    parts, position = [], 0
    for token in tokens(text):
        if token.is_word and (better := lexicon.correct(token.text)) != token.text:
            parts += [text[position : token.start], better]
            position = token.end
    return "".join([*parts, text[position:]])


def _negated(text: str, words: Sequence[Token]) -> frozenset[int]:
    """Indices of the tokens inside the scope of a negation: from its cue to the end of the clause or a turn of mind."""
    spared = [m.span() for m in NOT_NEGATIONS.finditer(text)]
    cues = [m.span() for m in NEGATING_PHRASES.finditer(text)]
    breaks = [m.start() for m in CLAUSE_END.finditer(text)] + [m.start() for m in CHINESE_NEGATION_ENDS.finditer(text)]
    inside, cue_at, negated = False, 0, set()
    for index, token in enumerate(words):
        if inside and (any(cue_at < b <= token.start for b in breaks) or (token.text in NEGATION_ENDS and index)):
            inside = token.text in ("like", "want", "need") and words[index - 1].text in NEGATIONS
        starts_english = token.text in NEGATIONS and not any(s <= token.start < e for s, e in spared)
        if starts_english or any(s == token.start for s, _ in cues):
            inside, cue_at = True, token.start
        elif inside:
            negated.add(index)
    return frozenset(negated)


def _references(text: str, shown: Sequence[ShownItem], state: DialogueState) -> tuple[str, ...]:
    """The shown items a message points at, in the order it names them."""
    if not shown:
        return ()
    found: list[str] = []
    for match in ORDINAL.finditer(text):
        given = match["word"] or match["digit"] or match["number"] or match["chinese"] or "last"
        place = ORDINALS.get(given) or NUMBER_WORDS.get(given) or int(given)
        if place == -1:
            found.append(shown[-1].sku)
        elif place <= len(shown):
            found.append(shown[place - 1].sku)
    for match in DESCRIBED.finditer(text):
        found += _described((match[1] or match[2]).split() if match[1] else [match[2]], shown)
    found += [item.sku for item in shown if item.title.lower() in text]
    if not found and PRONOUN.search(text):
        found = [state.focus] if state.focus in state.slate else [shown[0].sku] if len(shown) == 1 else []
    return tuple(dict.fromkeys(found))


def _described(description: Sequence[str], shown: Sequence[ShownItem]) -> list[str]:
    """The one item that a description fits; none where it fits several or no other is left out by it."""
    telling = [word for word in description if word not in FUNCTION_WORDS and word not in ORDINALS]
    if not telling:
        return []
    if telling == ["cheapest"] or telling == ["cheaper"]:
        return [min(shown, key=lambda item: item.price).sku]
    fitting = [
        item.sku for item in shown if all(stem(word) in {stem(w) for w in item.text.split()} for word in telling)
    ]
    return fitting if len(fitting) == 1 else []


@dataclass(frozen=True)
class _Reading:
    """The tokens of one message with what the vocabulary made of them."""

    words: Sequence[Token]
    matches: Sequence[Match]
    negated: frozenset[int]
    lexicon: Lexicon
    turn: int

    def goals(self) -> tuple[tuple[str, ...], tuple[str, ...], tuple[Match, ...]]:
        """Categories wanted, categories given up, and the matches that named the wanted ones.

        The head of a compound is its last noun ("camping chair"); what stands after "for" is a purpose, not a goal,
        unless nothing else is named.
        """
        named = [m for m in self.matches if any(x.attribute == CATEGORY for x in m.meanings)]
        dropped = [self._category(m) for m in named if self._is_negated(m)]
        wanted = [m for m in named if not self._is_negated(m)]
        heads = [m for m in wanted if not any(other.first == m.last for other in wanted)]
        direct = [m for m in heads if not self._after(m, PURPOSE)] or heads
        goals = tuple(dict.fromkeys(self._category(m) for m in direct))
        return goals[:2], tuple(dict.fromkeys(dropped)), tuple(direct[:1])

    def thing(self) -> Match | None:
        """The kind of product a message is about that names no category; never what is for or with something."""
        things = thesaurus().things
        named = [
            m
            for m in self.matches
            if not self._is_negated(m) and any(x.attribute == TEXT and x.value in things for x in m.meanings)
        ]
        heads = [m for m in named if not any(other.first == m.last for other in named)]
        return next((m for m in heads if not self._after(m, PURPOSE | MANNER)), None) or self._introduced()

    def _introduced(self) -> Match | None:
        """A word of the shop's texts right behind "a", "any" or "another" that ends its phrase ("what about a reel?")."""
        loose = self._loose()
        for i, token in loose:
            follows = i > 0 and self.words[i - 1].text in DETERMINERS
            modifies = any(j == i + 1 for j, _ in loose) or any(m.first == i + 1 for m in self.matches)
            if follows and not modifies and i not in self.negated and self.lexicon.knows(token.text):
                return Match(i, i + 1, token.text, (Meaning(TEXT, token.text),))
        return None

    def named(self, match: Match) -> str:
        """The text that a match stands for."""
        return next(x.value for x in match.meanings if x.attribute == TEXT)

    def constraints(self, goals: Sequence[Match], thing: Match | None) -> tuple[Constraint, ...]:
        """Wishes about attributes and texts.

        What the message is about and what modifies it is hard, and so is all it says where it is about nothing else
        ("in blue, please"); what is only mentioned is soft.
        """
        heads = goals or ((thing,) if thing else ())
        loose = self._loose()
        alone = not heads and not self.matches and len(loose) <= 2
        found = []
        for match in self.matches:
            if match in goals or (self._only_category(match) and self._is_negated(match)):
                continue
            meaning = self._value(match)
            if meaning is None:
                continue
            hard = (
                self._is_negated(match)
                or meaning.attribute != TEXT
                or not heads
                or match == thing
                or self._modifies(match.first, match.last, heads)
            )
            found.append(Constraint(meaning.attribute, meaning.value, not self._is_negated(match), hard, self.turn))
        for index, token in loose:
            if self.lexicon.knows(token.text):
                hard = (
                    alone
                    or (thing is not None and thing.first == index)
                    or index in self.negated
                    or self._modifies(index, index + 1, heads)
                )
                found.append(Constraint(TEXT, token.text, index not in self.negated, hard, self.turn))
        return tuple(dict.fromkeys(found))

    def search_words(self) -> tuple[str, ...]:
        """English words to search for: what was named, in the shop's words, and what else was said."""
        named = [x.value.rpartition("/")[2] for m in self.matches if not self._is_negated(m) for x in m.meanings[:1]]
        loose = [t.text for i, t in self._loose() if i not in self.negated]
        return tuple(dict.fromkeys([*named, *loose]))

    def unknown(self) -> tuple[str, ...]:
        """What is asked for and nowhere in the catalogue."""
        return tuple(t.text for i, t in self._loose() if i not in self.negated and not self.lexicon.knows(t.text))

    def _loose(self) -> list[tuple[int, Token]]:
        """Content words that belong to no known phrase."""
        taken = {i for m in self.matches for i in range(m.first, m.last)}
        return [
            (i, t)
            for i, t in enumerate(self.words)
            if i not in taken and t.is_word and len(t.text) > 2 and t.text not in FUNCTION_WORDS | NEGATIONS
        ]

    def _is_negated(self, match: Match) -> bool:
        return match.first in self.negated

    def _after(self, match: Match, prepositions: set[str]) -> bool:
        """Whether one of the prepositions opens the phrase that the match ends ("for my living room")."""
        for index in range(match.first - 1, max(match.first - 4, -1), -1):
            if self.words[index].text in prepositions:
                return not (index and self.words[index - 1].text == "back")
            if self.words[index].text not in FUNCTION_WORDS:
                return False
        return False

    def _modifies(self, first: int, last: int, heads: Sequence[Match]) -> bool:
        """Whether the words stand right before the goal, or behind it with "in", "with", "made of"."""
        if not heads:
            return False
        head = heads[0]
        if CHINESE.match(self.words[first].text):
            return True
        between = self.words[last : head.first]
        if last <= head.first and len(between) <= 3 and all(t.is_word and t.text not in PURPOSE for t in between):
            return not any(t.text in FUNCTION_WORDS and t.text not in ("and", "or") for t in between)
        before = self.words[max(first - 2, 0) : first]
        return any(t.text in MANNER for t in before) or (
            first > 0 and not self.words[first - 1].is_word and first - head.last <= 2
        )

    def _only_category(self, match: Match) -> bool:
        return all(m.attribute == CATEGORY for m in match.meanings)

    def _category(self, match: Match) -> str:
        paths = [m.value for m in match.meanings if m.attribute == CATEGORY]
        return max(paths, key=lambda path: self.lexicon.categories[path].products)

    def _value(self, match: Match) -> Meaning | None:
        """The attribute value a match stands for, the commonest where it may be several; a category used as a word is text."""
        values = [m for m in match.meanings if m.attribute not in (CATEGORY, TEXT)]
        if values:
            return max(values, key=lambda m: self.lexicon.attributes[m.attribute][m.value])
        text = next((m for m in match.meanings if m.attribute == TEXT), None)
        if text:
            return text
        noun = singular(self.lexicon.categories[self._category(match)].name.lower())
        return Meaning(TEXT, noun) if self.lexicon.knows(noun.split()[0]) else None


def wish_summary(constraints: Sequence[Constraint], names: Mapping[Constraint, str]) -> tuple[str, ...]:
    """Constraints as short phrases, soft ones last."""
    ordered = sorted(constraints, key=lambda c: not c.hard)
    return tuple(names[c] if c.wanted else f"not {names[c]}" for c in ordered)
