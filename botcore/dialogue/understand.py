"""One message, read against the shop's vocabulary and what the conversation has shown: text in, ``Understanding`` out.

Nothing is decided here and no state is changed; ``track.py`` does that with the result.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from botcore.dialogue.intents import Intent, IntentClassifier
from botcore.dialogue.lexicon import CATEGORY, TEXT, Lexicon, Match, Meaning
from botcore.dialogue.measures import read_measures
from botcore.dialogue.money import mask_numbers, read_price
from botcore.dialogue.pointing.references import PRONOUN, price_between
from botcore.dialogue.pointing.references import references as pointed_at
from botcore.dialogue.pointing.shown import ShownItem
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
    tokens,
)

NEGATIONS = {"no", "not", "without", "don't", "dont", "never", "except", "hate", "avoid", "nothing", "neither", "nor",
             "isn't", "aren't", "doesn't", "mustn't", "can't", "cannot", "won't", "shouldn't", "non", "forget", "skip",
             "dislike"}  # fmt: skip
NEGATING_PHRASES = re.compile(
    r"\balready(?= (?:have|has|had|got|own|owns|bought)\b)|\b(?:leave|keep|rule|cut) out\b|\banything but\b|\bfree of\b"
    r"|不要|不想要|不喜欢|不用|不含|不带|不是|除了|讨厌|已经有|已经买|别(?!的|要)|非(?!常)|无(?!线|论|所谓)"
)
NEGATED_BEFORE = re.compile(
    r"(?:(?:我|就|都|也|可|真的?|太贵|一律)*(?:不要|别要|不想要|不考虑|不喜欢|免谈|除外)|以外|之外)(?=[，。,.!！?？;；\s]|都|的|$)"
)
"""Chinese may say it at the end: "炭灰色的大衣我不要" rules out what stands before, from the clause's beginning."""
DOUBLE_NEGATION = re.compile(
    r"\b(?:not|never|n't|cannot) (?:be |go |do |live |have it )?(?:without|against|opposed to|averse to)\b"
    r"|\b\w+n't (?:be |go |do |live )?without\b|不能(?:没有|缺|少)|不可(?:没有|缺|少)|不反对|不讨厌|不是不|少不了"
)
"""Two negations that ask for a thing."""
NEGATION_ENDS = {"but", "however", "though", "just", "rather", "instead", "prefer", "only", "like", "want", "need",
                 "mean", "meant", "wait", "sorry", "actually"}  # fmt: skip
CHINESE_NEGATION_ENDS = re.compile(r"[但而只]|就要|(?<!不)想要")
NOT_NEGATIONS = re.compile(
    r"\b(?:don'?t (?:mind|care|know)|not (?:only|sure|too)|no (?:problem|idea|worries)|why not|needn'?t|"
    r"(?:doesn'?t|don'?t) (?:have|need) to)\b"
)

QUESTION_INTENTS = {"policy", "order_status", "product_question", "availability", "compare", "explain", "discount"}
"""Messages that ask about something already there: their words are no wishes."""
NO_SEARCH = QUESTION_INTENTS | {"not_meant", "unclear", "reject", "ok", "upset"}
"""What a message that lets an attribute go ("the colour doesn't matter") only looks like."""

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

CORRECTION = re.compile(
    r"\b(?:(?:ah|oh|no|hm+),? no|no,? (?:wait|sorry)|wait|sorry|i mean|i meant|scratch that|or rather|correction)\b"
    r"|说错|(?:哦|啊|噢)?不对|改成|改为|改要|应该是"
)
"""Between two values of one attribute it makes the later one the wish."""
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
    measures = [m for m in read_measures(corrected, lexicon.attributes) if not _within(m.start, price.spans)]
    read = (*price.spans, *spans, *((m.start, m.end) for m in measures))
    words = [t for t in tokens(corrected) if not any(start <= t.start < end for start, end in read)]
    matches = lexicon.match(words)
    pointing = pointed_at(corrected, words, matches, shown, state)
    described = {m for m in matches if pointing.describes(words[m.first])}
    negated = _negated(corrected, words)
    wishing = [m for m in matches if m not in described]
    spoken = frozenset(i for i, token in enumerate(words) if pointing.describes(token))
    reading = _Reading(
        words,
        wishing,
        negated,
        lexicon,
        state.turn + 1,
        described=spoken,
        asks=bool(shown) and QUESTION.search(corrected) is not None,
    )
    goals, dropped, goal_matches = reading.goals()
    if not goals and not state.goal and (implied := reading.implied()):
        goals = (implied,)  # the thing itself stays a wish: "humidifier" in Air & Climate
    reading = replace(reading, goal=goals[0] if goals else state.goal)
    thing = None if goals else reading.thing()
    measured = tuple(Constraint(m.attribute, m.value, turn=state.turn + 1) for m in measures)
    constraints = (*reading.corrected(reading.constraints(goal_matches, thing), corrected), *measured)
    references = pointing.skus
    if (between := price_between(corrected, pointing, shown)) and not price.range:
        price = replace(price, range=PriceRange(*between))
    pointed = bool(references or PRONOUN.search(corrected))
    named = names_something(goals, thing, price.range, () if pointed else constraints)
    intent = _settled(classifier.classify(mask_numbers(corrected), named), corrected)
    if indifferent and intent.name in NO_SEARCH:
        intent = intent.called("find")
    if (goals or thing) and not shown and intent.name in ("availability", "product_question"):
        intent = intent.called("find")  # nothing is there to be asked about
    if (goals or thing) and intent.name in ("policy", *LISTS) and SELLS.search(corrected):
        intent = intent.called("find")
    if "price" in indifferent and intent.name in ("cheaper", "dearer"):
        intent = intent.called("find")
    order = "price" if CHEAPEST.search(corrected) else "-price" if DEAREST.search(corrected) else ""
    if order and len(shown) > 1 and not goals and not thing and not price.range:
        extreme = min if order == "price" else max
        references, intent = (
            (extreme(shown, key=lambda item: item.price).sku,),
            intent.called("choose"),
        )
    elif order and (goals or thing):
        intent = intent.called("find")
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


def names_something(goals: Sequence[str], thing: object, price: PriceRange, constraints: Sequence[Constraint]) -> bool:
    """Whether a message names what the shop sells or costs; a word of its texts alone does not say so."""
    return bool(goals or thing or price or any(c.attribute != TEXT for c in constraints))


def _settled(intent: Intent, text: str) -> Intent:
    """The intent after what the words themselves say: why, discounts, dearer and cheaper."""
    if WHY.search(text) and intent.name not in ("policy", "order_status", "upset", "person"):
        return intent.called("explain")
    if DISCOUNT.search(text):
        return replace(intent, name="discount", scores={**intent.scores, "discount": 1.0})
    if MORE_ABOUT.search(text) and intent.name in ("product_question", "show", "more", "choose", "find"):
        return intent.called("choose")
    if DEARER.search(text) and intent.name in ("cheaper", "dearer", "find", "show", "vague", "more"):
        negated = re.search(r"\b(?:not|n't|no|less)\b|不|别|太", text) and intent.name == "cheaper"
        return intent if negated else intent.called("dearer")
    if (intent.name == "cheaper" and not CHEAPER.search(text)) or intent.name == "dearer":
        return intent.called("find")
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
    spared = [m.span() for pattern in (NOT_NEGATIONS, DOUBLE_NEGATION) for m in pattern.finditer(text)]
    cues = [m.span() for m in NEGATING_PHRASES.finditer(text) if not _within(m.start(), spared)]
    ends = [m.start() for m in CLAUSE_END.finditer(text)]
    breaks = ends + [m.start() for m in CHINESE_NEGATION_ENDS.finditer(text)]
    behind = [(max([0, *(e for e in ends if e < m.start())]), m.start()) for m in NEGATED_BEFORE.finditer(text)]
    inside, cue_at, negated = False, 0, set()
    for index, token in enumerate(words):
        if inside and (any(cue_at < b <= token.start for b in breaks) or (token.text in NEGATION_ENDS and index)):
            inside = token.text in ("like", "want", "need") and words[index - 1].text in NEGATIONS
        starts_english = token.text in NEGATIONS and not _within(token.start, spared)
        if starts_english or any(s == token.start for s, _ in cues):
            inside, cue_at = True, token.start
        elif inside or _within(token.start, behind):
            negated.add(index)
    return frozenset(negated)


def _within(place: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= place < end for start, end in spans)


@dataclass(frozen=True)
class _Reading:
    """The tokens of one message with what the vocabulary made of them."""

    words: Sequence[Token]
    matches: Sequence[Match]
    negated: frozenset[int]
    lexicon: Lexicon
    turn: int
    goal: str = ""
    described: frozenset[int] = frozenset()
    asks: bool = False
    """Whether the message may ask about shown items: what they do not come in is asked all the same."""

    def goals(self) -> tuple[tuple[str, ...], tuple[str, ...], tuple[Match, ...]]:
        """Categories wanted, categories given up, and the matches that named the wanted ones.

        The head of a compound is its last noun ("camping chair"); what stands after "for" is a purpose, not a goal,
        unless nothing else is named.
        """
        named = [m for m in self.matches if any(x.attribute == CATEGORY for x in m.meanings)]
        dropped = [self._category(m) for m in named if self._is_ruled_out(m)]
        wanted = [m for m in named if not self._is_ruled_out(m)]
        heads = [m for m in wanted if not any(other.first == m.last for other in wanted)]
        direct = [m for m in heads if not self._after(m, PURPOSE)] or heads
        goals = tuple(dict.fromkeys(self._category(m) for m in direct))
        return goals[:2], tuple(dict.fromkeys(dropped)), tuple(direct[:1])

    def implied(self) -> str:
        """The category of the thing that the message is about, where it names no category itself."""
        wanted = [m for m in self.matches if not self._is_negated(m)]
        direct = [m for m in wanted if not self._after(m, PURPOSE | MANNER)]
        about = [m for m in direct if any(map(self._home, m.meanings))] or wanted
        paths = {path for m in about for x in m.meanings if (path := self._home(x))}
        return paths.pop() if len(paths) == 1 else ""

    def _home(self, meaning: Meaning) -> str:
        """The category a thing is in, or that the last word of a value names ("tower fan"); "" for none."""
        if meaning.attribute == TEXT:
            return self.lexicon.implied.get(meaning.value, "")
        head = meaning.value.rpartition(" ")[2]
        named = (
            [x.value for x in self.lexicon.meanings(head) if x.attribute == CATEGORY] if " " in meaning.value else []
        )
        return next((path for path in named if self.lexicon.holds(path, meaning)), "")

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

    def corrected(self, constraints: Sequence[Constraint], text: str) -> tuple[Constraint, ...]:
        """The wishes without those that the message itself takes back ("pink, ah no, blue")."""
        cue = CORRECTION.search(text)
        if not cue:
            return tuple(constraints)
        late = {self._value(m) for m in self.matches if self.words[m.first].start >= cue.end()}
        replaced = {meaning.attribute for meaning in late if meaning} - {TEXT}
        return tuple(c for c in constraints if c.attribute not in replaced or Meaning(c.attribute, c.value) in late)

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
            if i not in taken | self.described and t.is_word and len(t.text) > 2
            if t.text not in FUNCTION_WORDS | NEGATIONS
        ]

    def _is_negated(self, match: Match) -> bool:
        return match.first in self.negated

    def _is_ruled_out(self, match: Match) -> bool:
        """Whether a category is not wanted; in "no satin skirts" it is the satin that is not."""
        modified = any(m.last == match.first and self._is_negated(m) and self._value(m) for m in self.matches)
        return self._is_negated(match) and not modified

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
        """The attribute value a match stands for: one that the goal's products have, the commonest where it may be several.

        A value that none of them has is a word of texts; so is a category used as a word.
        """
        values = [m for m in match.meanings if m.attribute not in (CATEGORY, TEXT)]
        placed = [m for m in values if not self.goal or self.lexicon.holds(self.goal, m)]
        if values and not placed and not self.asks:
            value = values[0].value
            return Meaning(TEXT, value) if value not in thesaurus().people else None
        if values := placed or values:
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
