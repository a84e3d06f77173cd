"""One message, read against the shop's vocabulary and what the conversation has shown: text in, ``Understanding`` out.

Nothing is decided here and no state is changed; ``track.py`` does that with the result. The stages are in
``understanding/`` (spelling, polarity, repairs, wishes, intention) and ``pointing/`` (references).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from botcore.dialogue.intents import SMALL_TALK, Intent, IntentClassifier
from botcore.dialogue.lexicon.lexicon import Lexicon, common_category
from botcore.dialogue.meanings import CATEGORY, KIND, TEXT, Match
from botcore.dialogue.measures import LASTING, SIZE, Limit, Measures, in_digits, read_measures
from botcore.dialogue.money import Price, mask_numbers, read_price
from botcore.dialogue.pointing.likeness import shared
from botcore.dialogue.pointing.references import PRONOUN, Pointing, price_between
from botcore.dialogue.pointing.references import references as pointed_at
from botcore.dialogue.pointing.shown import ShownItem
from botcore.dialogue.ports import Encoder, MessageRead, MessageReader
from botcore.dialogue.state import Constraint, DialogueState, PriceRange
from botcore.dialogue.understanding.ages import with_ages
from botcore.dialogue.understanding.aspects import without_aspects
from botcore.dialogue.understanding.glossing import glossed
from botcore.dialogue.understanding.indifference import indifferent as no_longer_minded
from botcore.dialogue.understanding.intention import (
    DISCOUNT,
    NO_SEARCH,
    QUESTION,
    QUESTION_INTENTS,
    compared_with,
    extreme_asked,
    settled,
)
from botcore.dialogue.understanding.needs import need
from botcore.dialogue.understanding.paraphrase import paraphrased
from botcore.dialogue.understanding.polarity import Stances, disowned, stances
from botcore.dialogue.understanding.predicates import attributive
from botcore.dialogue.understanding.spelling import correct_spelling
from botcore.dialogue.understanding.stance import (
    Stance,
    glimpsed,
    meant_places,
    named_places,
    revised,
    stance_chances,
    things,
)
from botcore.dialogue.understanding.wishes import Reading
from botcore.dialogue.words import Token, in_clauses, language_of, normalise, sentences, tokens

__all__ = ["QUESTION_INTENTS", "ShownItem", "Understanding", "picked", "understand", "wish_summary"]


THEY = re.compile(
    r"\b(?:do|are|have|can) (?:they|these|those|any of (?:them|these|those))\b"
    r"|\bwhich(?: ones?)? of (?:them|these|those)\b(?!.*\b(?:better|best|most|\w+est)\b)|[它这那]些.{0,4}有"
)
"""All that was shown, of which a kind is asked for."""
ANOTHER = re.compile(
    r"\b(?:(?:is|are) there|(?:do|have) you (?:have|got|sell|make)|got)(?: (?:also|maybe|perhaps|possibly|any))*"
    r"(?: an?\b)?(?: (?!th(?:e|is|at|ese|ose)\b)[a-z-]+){0,2}? (?:one|ones|another|others)\b|有没有(?:别|其他|另)"
)
"""What asks for a product that is so, whatever item it speaks of: "the first ... is there also one in blue?"."""
ANY_OF = re.compile(
    r"^(?:(?:and|or|but|ok(?:ay)?|so|hmm?|cool|nice|great|lovely)\b[,!. ]*)*"
    r"(?:(?:have )?(?:you |u |ya )?got |do (?:you|u) have |(?:what|how) about |maybe )?(?:any|some|ones|in)\b"
    r"|有没有|[的式]有[吗么嘛没]|有[^，。,.!?！？它这那]{1,8}的[吗么嘛]"
)
"""What asks whether some of a list's kind are so, in whatever words ("any in cast iron?")."""


OF_OTHERS = re.compile(r"的(?:有没有|有[吗么嘛没])|的呢\W*$|^(?:那|要不|还是)?换(?!货)\S{1,10}的")
"""What asks for others that are so, even where one item alone is in sight ("换橙色的呢")."""
LISTED = re.compile(
    r"\bwhat(?:'?s| is| else is)? (?:there|else)\b|\b(?:anything|something|show me|what (?:have|do) (?:you|u) (?:have|got))\b"
)
"""What asks to be shown things: beside a price it is no question about the shop ("what's there for 300 or less?")."""
OFFER = re.compile(
    r"\b(?:give|sell|let) (?:me|us) .{1,40}\bfor\b|\b(?:i'll|i will|i would|i'd|can i) "
    r"(?:take|have|get|buy|give|pay) .{0,40}\bfor\b|(?:卖给我|给我吧|成交|行不行|卖不卖)"
)
"""What bids a price for an item."""
TWO = re.compile(r"\b(?:two|2|couple)\b|[两2][款个台件本种只支瓶]")
SOME = re.compile(r"\b(?:three|3|some|few|your|different)\b|[三3几][款个台件本种只支瓶]|一些")
"""What goes with a kind of which two, or some, are meant."""


@dataclass(frozen=True)
class Understanding:
    """What a message says. ``goals`` and ``dropped_goals`` are category paths; ``references`` SKUs of shown items.

    ``constraints`` are the wishes of the first goal, ``second`` those of the other one; ``withdrawn`` are earlier wishes and
    refusals (attribute, value) that hold no longer, ``allowed`` what would do as well; ``rejected`` are the shown items that
    the message turns down.

    ``beyond`` says that a place is pointed at which the last list does not have.
    ``thing`` is a kind of product that no category is named after ("tent"), ``indifferent`` the attributes that no longer
    matter, ``order`` is "price" or "-price" where the cheapest or dearest is asked for. ``words`` is what to search for,
    ``unknown`` the words asked for that no text of the shop holds, ``unheard`` wishes of the goal that nothing can hold,
    ``needs`` is a goal that the message does not name, but surely needs; ``anew`` says that all before is forgotten for what
    the message wishes; ``likely`` are categories of which it may need one.
    ``currency`` is the code of one that the price was named in. ``masked`` the message as the model may see it.
    """

    text: str
    language: str
    intent: Intent
    goals: tuple[str, ...] = ()
    dropped_goals: tuple[str, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    price: PriceRange = field(default_factory=PriceRange)
    currency: str = ""
    second: tuple[Constraint, ...] = ()
    withdrawn: tuple[tuple[str, str], ...] = ()
    allowed: tuple[tuple[str, str], ...] = ()
    references: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    beyond: bool = False
    thing: str = ""
    indifferent: tuple[str, ...] = ()
    order: str = ""
    words: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    unheard: tuple[str, ...] = ()
    needs: str = ""
    anew: bool = False
    likely: tuple[str, ...] = ()
    is_question: bool = False
    masked: str = ""

    @property
    def compared(self) -> int:
        """How many of a kind are to be compared that are not in sight yet ("compare two kettles for me"); 0 for none."""
        if self.intent.name != "compare" or self.references or not self.goals:
            return 0
        return 2 if TWO.search(self.text) else 3 if SOME.search(self.text) else 0

    def to_json(self) -> dict[str, Any]:
        return {
            "intent": self.intent.name,
            "confidence": round(self.intent.confidence, 3),
            "goals": list(self.goals),
            "dropped_goals": list(self.dropped_goals),
            "constraints": [str(c) if c.attribute == TEXT else f"{c.attribute}: {c}" for c in self.constraints],
            "price": {name: str(bound) for name, bound in self.price.bounds.items()},
            "second": [f"{c.attribute}: {c}" for c in self.second],
            "withdrawn": [f"{attribute}: {value}" for attribute, value in self.withdrawn],
            "references": list(self.references),
            "rejected": list(self.rejected),
            "thing": self.thing,
            "indifferent": list(self.indifferent),
            "words": list(self.words),
            "unknown": list(self.unknown),
            "needs": self.needs,
            "likely": list(self.likely),
        }


def understand(
    text: str,
    state: DialogueState,
    shown: Sequence[ShownItem],
    lexicon: Lexicon,
    reader: MessageReader,
    encoder: Encoder | None = None,
) -> Understanding:
    """Read one message. ``shown`` is the last list in its order; ``encoder`` finds paraphrases of the shop's values.

    A message that names nothing is read again as one about what it needs, if the reader is sure of that. Where it was asked back
    and is not told, it is about all that is likely.
    """
    said = _read(text, state, shown, lexicon, reader, encoder)
    if said.intent.name == "reset" or AFRESH.search(said.text):
        return _anew(AFRESH.sub(" ", normalise(text)), said, state, lexicon, reader, encoder)
    if not _leaves_open(said, state, lexicon):
        return said
    ruled_out = (*said.dropped_goals, *(c.value for c in state.constraints if c.attribute == CATEGORY))
    told = _behind_greeting(said.text, IntentClassifier(reader))
    needed = need(f"{state.told} {told}".strip(), ruled_out, lexicon, reader)
    asked = state.open_question is not None and state.open_question.attribute == CATEGORY
    goal = needed.goal or (common_category(needed.likely) or next(iter(needed.likely), "") if asked else "")
    if goal in ("", state.goal):
        return said if goal or state.goal else replace(said, likely=needed.likely)
    about = _read(text, state.with_(goal=goal), shown, lexicon, reader, encoder, needs=goal)
    story = [replace(c, hard=c.hard and not (c.wanted and c.attribute == TEXT)) for c in about.constraints]
    if needed.kind and goal == needed.goal:
        story.append(Constraint(lexicon.sorting or KIND, needed.kind, turn=state.turn + 1))
    return replace(about, constraints=tuple(story), unheard=())


AFRESH = re.compile(
    r"\bstart(?:ing)? over\b|\b(?:scrap|forget|erase) (?:all(?: of)?|everything)(?: (?:that|this|i (?:said|told you)|so far))?\b"
    r"|从头(?:再|重新)?(?:开始|来)|重新(?:开始|来)(?:吧|过)?"
)
"""What begins the talk anew, whatever else the message says."""


def _anew(
    text: str,
    said: Understanding,
    state: DialogueState,
    lexicon: Lexicon,
    reader: MessageReader,
    encoder: Encoder | None,
) -> Understanding:
    """A message that begins the talk anew; where it says with what ("start over. I want a wall clock"), as the first one."""
    fresh = _read(text, DialogueState(turn=state.turn, language=state.language), (), lexicon, reader, encoder)
    named = fresh.goals or fresh.thing or any(c.wanted and c.hard for c in fresh.constraints)
    return replace(fresh, intent=fresh.intent.called("find"), anew=True) if named else said


OPEN = frozenset({"find", "vague", "show", "smalltalk", "unclear", "reject", "not_meant", "indifferent"})
"""Intents of messages that may need something without naming it."""


def _leaves_open(said: Understanding, state: DialogueState, lexicon: Lexicon) -> bool:
    """Whether something may be needed of which neither the message nor the talk names the kind; what was only guessed is open."""
    named = (state.goal and not state.told) or said.goals or said.references or said.beyond or said.thing
    wished = (*state.constraints, *said.constraints)
    called = lexicon.kinds_wanted(wished) or any(c.attribute == TEXT and c.wanted and c.hard for c in wished)
    tells = len(said.text) > SHORTEST and not (said.price and not said.words)  # "below 700" goes on about what was told
    return said.intent.name in OPEN and tells and not (named or called)


SHORTEST = 6
"""Characters up to which a message tells of no need."""


def _read(
    text: str,
    state: DialogueState,
    shown: Sequence[ShownItem],
    lexicon: Lexicon,
    reader: MessageReader,
    encoder: Encoder | None,
    needs: str = "",
) -> Understanding:
    """One message, by its own words; ``needs`` is a category that it is about without naming it."""
    clean = normalise(text)
    noticed = _noticed(clean, lexicon)
    message = reader.message(noticed.text)
    matches = _matches(noticed, message, state.goal, lexicon, encoder)
    pointing = pointed_at(noticed.text, noticed.words, matches, shown, state)
    reading = _reading(noticed, matches, pointing, state, lexicon, message, asks=bool(shown), guessed=bool(needs))
    goals = reading.goals or ((needs,) if needs else ())
    thing, second, price = reading.thing_name, reading.second, noticed.price.range
    if any(pointing.describes(start) for start, _ in noticed.price.spans):  # "is the $65 one any good"
        price = PriceRange()
    measured, unheld = _measured(noticed.measures, message, next(iter(goals), state.goal), lexicon, reading)
    alike = [Constraint(*meaning) for meaning in shared(noticed.text, pointing.skus, shown, state, lexicon)]
    counted = (replace(c, turn=state.turn + 1) for c in (*measured, *alike))
    constraints = (*(c for c in reading.constraints if c not in second), *counted)
    price = price or price_between(noticed.text, pointing, shown)
    looking = not state.goal and bool(state.topic or state.constraints)
    told = _Told(noticed.text, goals, thing, constraints, price, noticed.indifferent, shown, pointing.skus, looking)
    intent, references, order = told.meant(IntentClassifier(reader))
    if told.haggles:
        price = PriceRange()
    if alike:
        intent, references = intent.called("more"), ()
    if intent.name == "identity" and intent.confidence > CERTAINLY:  # "are you a robot?" asks for no robot vacuum
        goals, constraints = (), ()
    said = Understanding(
        text=clean,
        language=language_of(clean, state.language),
        intent=intent,
        goals=goals,
        dropped_goals=reading.dropped,
        constraints=constraints,
        price=price,
        currency=noticed.price.currency,
        second=second,
        withdrawn=reading.withdrawn,
        allowed=reading.allowed,
        references=references,
        rejected=_rejected(pointing, reading.words, reading.stances),
        beyond=pointing.beyond,
        thing=thing,
        indifferent=noticed.indifferent,
        order=order,
        words=reading.search_words(),
        unknown=reading.unknown(),
        unheard=(*reading.unheard(), *unheld),
        needs=needs if goals == (needs,) else "",
        is_question=QUESTION.search(noticed.text) is not None,
        masked=mask_numbers(clean)[:200],
    )
    return replace(said, unheard=reading.untold()) if shown and state.goal and _tells_nothing(said) else said


def _tells_nothing(said: Understanding) -> bool:
    """Whether a message wishes for something, and nothing of it was understood."""
    firm = any(c.hard or c.attribute != TEXT for c in said.constraints)
    moved = said.goals or said.dropped_goals or said.price or said.withdrawn or said.allowed or said.indifferent
    pointed = said.references or said.beyond or said.order or said.is_question
    return said.intent.name in ("find", "vague") and not (firm or moved or pointed or said.thing or said.unheard)


@dataclass(frozen=True)
class _Noticed:
    """A message with its spelling corrected, what grammars of their own read of it, and the ``words`` that these leave."""

    text: str
    price: Price
    measures: Measures
    indifferent: tuple[str, ...]
    words: tuple[Token, ...]


def _noticed(clean: str, lexicon: Lexicon) -> _Noticed:
    text = correct_spelling(attributive(in_digits(in_clauses(clean)), lexicon), lexicon)
    price = read_price(text)
    indifferent, spans = no_longer_minded(text)
    if any(disowned(text, start) for start, _ in price.spans):
        price, indifferent = replace(price, range=PriceRange()), (*indifferent, "price")
    measures = read_measures(text, lexicon.attributes, price.spans)
    read = (*price.spans, *spans, *measures.spans)
    words = tuple(t for t in tokens(text) if not any(start <= t.start < end for start, end in read))
    return _Noticed(text, price, measures, tuple(indifferent), words)


def _matches(
    noticed: _Noticed, message: MessageRead, goal: str, lexicon: Lexicon, encoder: Encoder | None
) -> list[Match]:
    """The phrases that the vocabulary knows, those of ages, and paraphrases of its values where the reader sees a thing."""
    words = noticed.words
    matches = without_aspects(lexicon.match(words), lexicon)
    if not goal and not any(x.attribute == CATEGORY for m in matches for x in m.meanings):
        matches = [part for match in matches for part in lexicon.by_head(words, match)]
    matches = glossed(noticed.text, words, with_ages(noticed.text, words, matches, lexicon), message, lexicon)
    if encoder:
        matches = paraphrased(noticed.text, words, matches, goal, lexicon, encoder)
    return [match for match in matches if not match.guessed or glimpsed(match, words, message)]


def _reading(
    noticed: _Noticed,
    matches: Sequence[Match],
    pointing: Pointing,
    state: DialogueState,
    lexicon: Lexicon,
    message: MessageRead,
    *,
    asks: bool,
    guessed: bool,
) -> Reading:
    """What the matches and the reader make of a message's words; ``asks``: it may ask about something in sight, ``guessed``: it
    is about the state's goal without naming it."""
    text, words = noticed.text, noticed.words
    naming = named_places(words, message)
    return Reading(
        text,
        words,
        [m for m in matches if not pointing.describes(words[m.first].start)],
        revised(words, matches, stances(text, words, matches, naming), message),
        lexicon,
        state,
        described=frozenset(i for i, token in enumerate(words) if pointing.describes(token.start)),
        things=things(words, matches, message),
        naming=naming,
        meant=meant_places(words, matches, message),
        asks=asks and QUESTION.search(text) is not None,
        guessed=guessed,
    )


def _measured(
    measures: Measures, message: MessageRead, goal: str, lexicon: Lexicon, reading: Reading
) -> tuple[list[Constraint], list[str]]:
    """Amounts and sizes as wishes, or refused ("30 ml is gone in a week"), and those that the goal's products do not have."""
    sized = lexicon.says(goal, SIZE)  # "a small flat" is no size of vacuum cleaners
    values = [
        m for m in measures.values if m.attribute != SIZE or (sized and (goal or not reading.is_of_another(m.end)))
    ]
    limits, beyond = _limited(measures.limits, goal, lexicon)
    unheld = [*beyond, *(measures.missing if sized else ())] if goal else []
    refused = {m for m in values if stance_chances(message, m.start, m.end)[Stance.REFUSED] >= 1 / 2}
    return [*(Constraint(m.attribute, m.value, wanted=m not in refused) for m in values), *limits], unheld


def _limited(limits: Sequence[Limit], goal: str, lexicon: Lexicon) -> tuple[list[Constraint], list[str]]:
    """Limits as wishes about the goal's values, and the names of those that its products say nothing of; a time that they say
    nothing of is when, not how long."""
    held = lexicon.held_in(goal) if limits else {}
    wishes, beyond = [], []
    for limit in limits:
        lasts = limit.unit in LASTING
        attribute, fitting = limit.within(held)
        if attribute and (goal or not lasts):
            wishes.append(Constraint(attribute, str(limit), others=fitting))
        elif not lasts:
            beyond.append(limit.said)
    return wishes, beyond


@dataclass(frozen=True)
class _Told:
    """What a message names, from which follows what it wants done, and with which of the ``shown`` items; ``looking`` says that
    something is looked for of which no kind is known yet."""

    text: str
    goals: tuple[str, ...]
    thing: str
    constraints: tuple[Constraint, ...]
    price: PriceRange
    indifferent: tuple[str, ...]
    shown: Sequence[ShownItem]
    pointed: tuple[str, ...]
    looking: bool = False

    def meant(self, classifier: IntentClassifier) -> tuple[Intent, tuple[str, ...], str]:
        """The intent, the shown items it is about, and the order wanted in a search ("price", "-price", "")."""
        order = extreme_asked(self.text)
        of_a_kind = bool(self.goals or self.thing)
        references = () if self._between or self._asks_for_a_kind_of_them else self.pointed
        intent = self._intent(classifier, references)
        if order and len(self.shown) > 1 and not of_a_kind and not self.price:
            references = references or self._at_the_extreme(order)
            intent = intent.called("choose")
        elif order and of_a_kind:
            intent = intent.called("find")
        return intent, references, order if of_a_kind else ""

    def _at_the_extreme(self, order: str) -> tuple[str, ...]:
        """The cheapest or dearest of what was shown: all that share the price."""
        extreme = min if order == "price" else max
        amount = extreme(item.price for item in self.shown)
        return tuple(item.sku for item in self.shown if item.price == amount)

    @property
    def _between(self) -> bool:
        """Whether it is to cost more than one of them and less than another."""
        return not self.price.named

    @property
    def _asks_for_a_kind_of_them(self) -> bool:
        """Whether what was shown is pointed at for others, or for those of a kind: "do they come in black?" """
        everything = set(self.pointed) == {item.sku for item in self.shown}
        asked = ANOTHER.search(self.text) or (everything and THEY.search(self.text))
        return bool(self.constraints and asked)

    def _intent(self, classifier: IntentClassifier, references: tuple[str, ...]) -> Intent:
        of_a_kind, pointed = bool(self.goals or self.thing), bool(references or PRONOUN.search(self.text))
        named = names_something(self.goals, self.thing, self.price, () if pointed else self.constraints)
        intent = _meant(self.text, named, classifier)
        intent = settled(intent, self.text, of_a_kind, bool(self.shown))
        no_search = self.indifferent and intent.name in NO_SEARCH
        no_critique = "price" in self.indifferent and intent.name in ("cheaper", "dearer")
        another = self.thing and intent.name == "goes_with"  # "oh, and a kite?"
        haggled = (  # "$110 is my limit", "books on home and money"
            (self.price or self.goals) and intent.name == "discount" and not DISCOUNT.search(self.text)
        )
        tells = named or (
            self.looking and self.constraints
        )  # "we have a cat": pet hair; of a present: "he likes to cook"
        doubtful = named and intent.name in SMALL_TALK and intent.confidence < DOUBTFUL  # "再来个汤" is no 再见
        told = tells and (intent.name == "smalltalk" or doubtful)
        wishes = any(c.wanted for c in self.constraints)
        any_of = intent.name == "availability" and wishes and ANY_OF.search(self.text) is not None
        others = intent.name in ("availability", "product_question") and wishes and OF_OTHERS.search(self.text)
        of_a_list = named and not pointed and intent.name == "availability" and len(self.shown) > 1  # "any in size S?"
        of_a_list = of_a_list or bool(not pointed and (others or (any_of and len(self.shown) != 1)))
        listed = self.price and intent.name == "policy" and LISTED.search(self.text)
        stated = named and intent.name in ("availability", "product_question") and not QUESTION.search(self.text)
        if pointed and named and intent.name == "choose" and QUESTION.search(self.text) and self.constraints:
            return intent.called("product_question")  # "what about the last one, is it vegan?"
        if (
            no_search
            or no_critique
            or another
            or haggled
            or told
            or of_a_list
            or stated
            or listed
            or self._between
            or self._asks_for_a_kind_of_them
        ):
            intent = intent.called("find")
        if self.haggles:
            return intent.called("discount")
        relation = compared_with(self.text) if references else ""
        return intent.called(relation) if relation else intent

    @property
    def haggles(self) -> bool:
        """Whether one item is wanted for less than it costs ("give me the first one for 5 dollars")."""
        prices = [item.price for item in self.shown if item.sku in self.pointed]
        offered = self.price.high
        return len(prices) == 1 and offered is not None and offered < prices[0] and OFFER.search(self.text) is not None


SALUTATION = re.compile(r"[^,，.。!！?？~]{1,20}[,，.。!！~]\s*")
"""What somebody is greeted with before the rest ("Hello, I need something to wear")."""
CERTAINLY = 0.9
"""Confidence from which a question who the bot is names nothing to sell."""
CALLS_A_PERSON = 0.6
"""Confidence in one sentence of several from which it decides: who asks for a person tells the reason as well."""
SOMEHOW = 0.05
"""The chance that the whole must have: "show me Prof. Tang's" is cut behind its first full stop."""


def _meant(text: str, named: bool | None, classifier: IntentClassifier) -> Intent:
    """The intent of the whole message, unless one of its sentences calls for a person, or it says more than hello."""
    whole, parts = _goes_on(classifier.classify(text, bool(named))), sentences(text)
    if whole.name == "greeting" and (behind := _behind_greeting(text, classifier)) != text:
        return classifier.classify(behind, bool(named))
    for part in parts if len(parts) > 1 else ():
        alone = classifier.classify(part)
        if alone.name == "person" and alone.confidence > CALLS_A_PERSON and whole.chance("person") > SOMEHOW:
            return alone
    return whole


DOUBTFUL = 0.45
"""Confidence below which a remark may as well be said of the search."""
GOING_ON = ("indifferent", "vague", "show", "find", "choose", "more")
"""What goes on with a search without naming anything."""


def _goes_on(intent: Intent) -> Intent:
    """The intent, unless it is small talk that goes on with the search as likely as not ("你推荐就好": a compliment?)."""
    likeliest = max(GOING_ON, key=intent.chance)
    doubtful = intent.name in SMALL_TALK and intent.confidence < DOUBTFUL
    return intent.called(likeliest) if doubtful and intent.chance(*GOING_ON) >= intent.confidence else intent


def _behind_greeting(text: str, classifier: IntentClassifier) -> str:
    """What a message says behind its greeting; all of it where it begins with none, or says hardly more."""
    begun = SALUTATION.match(text)
    if begun is None or len(text) - begun.end() <= SHORTEST:
        return text
    return text[begun.end() :] if classifier.classify(begun.group()).name == "greeting" else text


def names_something(goals: Sequence[str], thing: object, price: PriceRange, constraints: Sequence[Constraint]) -> bool:
    """Whether a message names what the shop sells or costs; a word of its texts alone does not say so."""
    return bool(goals or thing or price or any(c.attribute != TEXT for c in constraints))


def _rejected(pointing: Pointing, words: Sequence[Token], polarity: Stances) -> tuple[str, ...]:
    """The shown items whose mention a refusal covers."""
    refused = {words[i].start for i in polarity.refused}
    turned_down = [m for m in pointing.mentions if any(m.start <= place < m.end for place in refused)]
    return tuple(dict.fromkeys(sku for mention in turned_down for sku in mention.skus))


def picked(sku: str, text: str, state: DialogueState) -> Understanding:
    """What pressing a product's button says: nothing but which product. ``text`` is the button's or the card's title."""
    clean = normalise(text)
    chosen = Intent("choose", {"choose": 1.0})
    return Understanding(clean, state.language, chosen, references=(sku,), masked=mask_numbers(clean)[:200])


def wish_summary(constraints: Sequence[Constraint], names: Mapping[Constraint, str]) -> tuple[str, ...]:
    """Constraints as short phrases, soft ones last."""
    ordered = sorted(constraints, key=lambda c: not c.hard)
    return tuple(names[c] if c.wanted else f"not {names[c]}" for c in ordered)
