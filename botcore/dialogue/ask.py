"""Ask or show: which question is worth its price, what its answer means, and which word has two meanings.

The candidates' scores are read as a belief about what the customer will take (a softmax). A question's worth is the
chance that the next slate holds it, for every answer the question tells, against the chance without it; its price grows
with every question asked, and falls where salespeople are used to asking (the act head). ``pipeline.py`` calls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from botcore.dialogue.evidence import units
from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.meanings import CATEGORY, TEXT, Match, Meaning
from botcore.dialogue.measures import SIZE
from botcore.dialogue.names import attribute_name, meaning_name
from botcore.dialogue.pointing.references import references as pointed_at
from botcore.dialogue.pointing.shown import ShownItem
from botcore.dialogue.state import Constraint, DialogueState, PriceRange, Question
from botcore.dialogue.thesaurus import thesaurus
from botcore.dialogue.understand import Understanding
from botcore.dialogue.understanding.aspects import without_aspects
from botcore.dialogue.understanding.polarity import stances
from botcore.dialogue.words import CHINESE, stem, tokens
from catalog.ingest.mapping import OTHER_NAMES
from catalog.models import Shop
from catalog.search import Candidate, ProductQuery, Wish, count_products

Floats = npt.NDArray[np.float64]

PRICE, MEANING = "price", "meaning"
NOT_ASKED = {"sku", "brand", "promoted", "featured", "image", OTHER_NAMES, "language"}
"""Attributes that a customer has no opinion about before knowing the shop."""
SLATE = 3
TOLD, FEWEST = 4, 2
"""Options that a question tells."""
TO_MOST = 0.5
"""The share of the belief that the told values of an attribute must stand for where no kind is known: among books and rice
cookers nobody is asked which lid it should be."""
SMALLEST = 0.04
"""An option that fewer of the believed products hold is not worth telling."""
SPREAD = 0.5
"""Belief that must hold the attribute at all."""

TEMPERATURE = 0.12
"""Of the softmax over the ranker's scores, whose differences mean the same for all rankers."""
NEXT = 0.85
"""What a find at the next turn is worth against one now: the customer's patience."""
PRICE_OF_ASKING, PRICE_GROWTH = 0.04, 0.75
"""In chances of a find; every question asked for the goal makes the next one dearer by ``PRICE_GROWTH`` of the first."""
BIT = 0.02
"""What a bit of information is worth beyond the next slate: a question also shortens all that comes after."""
READING = 0.05
"""What it costs to look through a slate: below this chance, showing is noise."""
NO_PREFERENCE = 0.25
"""Customers who have no answer."""
ODDS = (0.5, 2.0)
"""How far the act head may make a question cheaper or dearer."""


@dataclass(frozen=True)
class Option:
    """One told answer: as stored, and what share of each candidate stands for it. ``mass`` is the belief in it."""

    value: str
    shares: Floats
    mass: float


@dataclass(frozen=True)
class Asking:
    """The outcome, with the expected worth of each way for the console: None asks nothing."""

    question: Question | None = None
    worth: Mapping[str, float] | None = None


def ask_or_show(
    candidates: Sequence[Candidate],
    slate: Sequence[Candidate],
    state: DialogueState,
    lexicon: Lexicon,
    *,
    odds: float = 1.0,
    alone: bool = True,
    beside: bool = True,
) -> Asking:
    """Whether to show the slate, to show it and ask, or to ask alone.

    ``odds`` are the act head's; ``alone`` and ``beside`` say which kinds of asking the talk allows now.
    """
    if len(candidates) <= SLATE or not slate or not (alone or beside):
        return Asking()
    trust = belief(candidates, _matching(state, lexicon, len(candidates)))
    shown = {c.product.pk for c in slate}
    left = np.where([c.product.pk in shown for c in candidates], 0.0, trust)
    price = PRICE_OF_ASKING * (1 + PRICE_GROWTH * len(state.asked)) / float(np.clip(odds, *ODDS))
    now = float(trust.sum() - left.sum())
    worth = {"show": now + NEXT * _best(left) - READING}
    questions = {q.attribute: q for q in askable(candidates, trust, state, lexicon)}
    ways: dict[tuple[str, bool], float] = {}
    for attribute, question in questions.items():
        told = BIT * _information(question.options)
        if beside and attribute != CATEGORY:
            ways[attribute, False] = now - READING + NEXT * _answered(question.options, left) + told - price
        if alone:
            ways[attribute, True] = NEXT * _answered(question.options, trust, question.unseen) + told - price
    for (attribute, by_itself), value in ways.items():
        worth[f"ask {attribute}" if by_itself else f"show, ask {attribute}"] = value
    best = max(ways, key=lambda way: ways[way], default=None)
    if best is None or ways[best] <= worth["show"]:
        return Asking(worth=_rounded(worth))
    options = tuple(option.value for option in questions[best[0]].options)
    return Asking(Question(best[0], options, alone=best[1]), _rounded(worth))


def opening(lexicon: Lexicon, state: DialogueState) -> Question:
    """The question where nothing is known: which of the shop's largest departments that were not ruled out."""
    left = [
        c.path
        for c in lexicon.children("")
        if not any(r.attribute == CATEGORY and r.value == c.path for r in state.constraints)
    ]
    return Question(CATEGORY, tuple(left[:TOLD]), alone=True)


def belief(candidates: Sequence[Candidate], matching: int) -> Floats:
    """The chance of each candidate to be what the customer takes, shape ``(n,)``.

    Adds up to less than one where more products match than were considered: those weigh like the last ones.
    """
    scores = np.array([c.score for c in candidates])
    weights: Floats = np.exp((scores - scores.max()) / TEMPERATURE)
    unseen = max(0, matching - len(candidates)) * float(np.mean(np.sort(weights)[:10]))
    return weights / (weights.sum() + unseen)


def _matching(state: DialogueState, lexicon: Lexicon, found: int) -> int:
    """How many products match: known without counting where nothing but a category is said."""
    narrowed = state.price or any(c.hard for c in state.constraints)
    goal = lexicon.categories.get(state.goal)
    return found if narrowed or goal is None else max(found, goal.products)


def _best(chances: Floats) -> float:
    return float(np.sort(chances)[-SLATE:].sum())


@dataclass(frozen=True)
class Askable:
    """A question with its options; ``unseen`` is what each option's best unseen products would add to a slate."""

    attribute: str
    options: tuple[Option, ...]
    unseen: tuple[float, ...] = ()


def _answered(options: Sequence[Option], chances: Floats, unseen: Sequence[float] = ()) -> float:
    """The chance of a find after the answer, over all answers: one of those told, another one, or none."""
    told = sum((option.shares for option in options), start=np.zeros_like(chances))
    groups = [_best(chances * option.shares) for option in options]
    groups = [found + more for found, more in zip(groups, unseen, strict=True)] if unseen else groups
    other = _best(chances * np.clip(1 - told, 0, 1))
    return (1 - NO_PREFERENCE) * (sum(groups) + other) + NO_PREFERENCE * _best(chances)


def _information(options: Sequence[Option]) -> float:
    """Bits that the answer is expected to bring, (1 - no preference) of its entropy: who answers tells it truly."""
    shares = np.array([option.mass for option in options])
    shares = np.append(shares, max(0.0, 1.0 - shares.sum())) if shares.sum() < 1 else shares / shares.sum()
    shares = shares[shares > 0]
    return (1 - NO_PREFERENCE) * float(-(shares * np.log2(shares)).sum())


def askable(
    candidates: Sequence[Candidate], trust: Floats, state: DialogueState, lexicon: Lexicon
) -> Iterator[Askable]:
    """The questions that the candidates differ in and that nothing said has settled."""
    settled = {*state.asked, *(c.attribute for c in state.constraints if c.wanted)}
    if any(c.attribute == TEXT and thesaurus().is_colour(c.value) for c in state.constraints):
        settled.add("color")
    known = {value for c in state.constraints for value in (c.value,)}
    for attribute in dict.fromkeys(a for c in candidates for a in c.product.attributes):
        if attribute in settled | NOT_ASKED:
            continue
        options = _values(attribute, candidates, trust, state.language, lexicon, known)
        spoken_of = sum(option.mass for option in options)
        if len(options) >= FEWEST and (state.goal or spoken_of >= TO_MOST * trust.sum()):
            yield Askable(attribute, options)
    of_a_kind = lexicon.kinds_wanted(state.constraints)
    if not of_a_kind and CATEGORY not in settled and (kinds := _kinds(candidates, trust, state, lexicon)):
        yield kinds
    if PRICE not in settled and not state.price and (bands := _bands(candidates, trust)):
        yield Askable(PRICE, bands)


def _values(
    attribute: str,
    candidates: Sequence[Candidate],
    trust: Floats,
    language: str,
    lexicon: Lexicon,
    known: set[str],
) -> tuple[Option, ...]:
    """The likeliest values of an attribute; a product of several colours stands for each of them in part."""
    listed = [c.product.attributes.get(attribute) or () for c in candidates]
    if sum(chance for chance, values in zip(trust, listed, strict=True) if values) < SPREAD * trust.sum():
        return ()
    options = []
    for value in dict.fromkeys(v for values in listed for v in values):
        shares = np.array([1 / len(values) if value in values else 0.0 for values in listed])
        mass = float(trust @ shares)
        if mass >= SMALLEST * trust.sum() and value not in known and _sayable(attribute, value, language, lexicon):
            options.append(Option(value, shares, mass))
    return tuple(sorted(options, key=lambda o: -o.mass)[:TOLD])


def _sayable(attribute: str, value: str, language: str, lexicon: Lexicon) -> bool:
    """Whether a reply can name the value: no digits (the model may write none), Chinese in Chinese."""
    name = lexicon.name(Meaning(attribute, value), language)
    chinese = language != "zh" or CHINESE.search(name) or attribute == "brand"
    return bool(chinese) and len(name) <= 30 and not any(character.isdigit() for character in name)


def _kinds(candidates: Sequence[Candidate], trust: Floats, state: DialogueState, lexicon: Lexicon) -> Askable | None:
    """The kinds below the goal's category. What was not considered is shared out by the kinds' sizes."""
    children = lexicon.children(state.goal) if state.goal in lexicon.categories else []
    total = sum(child.products for child in children)
    options, unseen = [], []
    for child in children[:TOLD] if total else ():
        held = np.array([float((c.product.category.path + "/").startswith(child.path + "/")) for c in candidates])
        share = child.products / total
        options.append(Option(child.path, held, float(trust @ held) + (1 - float(trust.sum())) * share))
        missing = max(0, min(SLATE, child.products) - int(held.sum()))
        unseen.append(missing * (1 - float(trust.sum())) / max(1, total - len(candidates)))
    return Askable(CATEGORY, tuple(options), tuple(unseen)) if len(options) >= FEWEST else None


def _bands(candidates: Sequence[Candidate], trust: Floats) -> tuple[Option, ...]:
    """Three bands of price with about as much belief in each, their limits round; none where prices are alike."""
    prices = np.array([float(c.variant.price) for c in candidates])
    order = np.argsort(prices)
    cumulated = np.cumsum(trust[order]) / trust.sum()
    low, high = (_round(prices[order][int(np.searchsorted(cumulated, third))]) for third in (1 / 3, 2 / 3))
    if low <= 0 or high < 1.4 * low:
        return ()
    bands = ((None, low), (low, high), (high, None))
    options = []
    for start, end in bands:
        held = ((prices > (start or 0)) & (prices <= (end or prices.max()))).astype(np.float64)
        value = f"{'' if start is None else f'{start:g}'}..{'' if end is None else f'{end:g}'}"
        options.append(Option(value, held, float(trust @ held)))
    return tuple(options)


def _round(price: float) -> float:
    """To one that people name: 40, 65, 120, 450."""
    step = next((s for top, s in ((20, 1), (100, 5), (300, 10), (1000, 50)) if price < top), 100)
    return round(price / step) * step


def _rounded(worth: Mapping[str, float]) -> dict[str, float]:
    best = sorted(worth.items(), key=lambda pair: -pair[1])[:6]
    return {name: round(value, 3) for name, value in best}


# Answers


def price_band(option: str) -> PriceRange:
    """``20..50`` as a range."""
    low, _, high = option.partition("..")
    return PriceRange(Decimal(low) if low else None, Decimal(high) if high else None)


def answered(said: Understanding, before: DialogueState, lexicon: Lexicon) -> Understanding:
    """The message as the answer to the open question, where it is one: "leather", "the first", "doesn't matter"."""
    question = before.open_question
    if question is None or said.intent.name in ("person", "upset", "reset"):
        return said
    if said.is_question and said.references and not question.alone:  # "does the first one have a timer?"
        return said
    if before.goal and said.goals and said.goals[0] != before.goal and question.attribute not in (CATEGORY, MEANING):
        return said  # asked of another kind of product
    told = _told(question, said, before, lexicon)
    if question.attribute == MEANING:
        return _meant(said, told[0], before, lexicon) if told else said
    if question.attribute == PRICE:
        return _priced(said, told, before)
    if told and question.attribute == CATEGORY:
        return said if said.goals else replace(_as_wish(said), goals=told[:1])
    if said.intent.name == "reject" and question.alone and not said.constraints and question.attribute != CATEGORY:
        refused = told or question.options
        ruled_out = tuple(Constraint(question.attribute, value, False, turn=before.turn + 1) for value in refused)
        return replace(_as_wish(said), constraints=ruled_out)
    if told:
        return _valued(said, question.attribute, told, before, lexicon)
    return _indifferent(said, question.attribute)


def _indifferent(said: Understanding, attribute: str) -> Understanding:
    says_nothing = not (said.goals or said.constraints or said.price or said.references)
    if said.intent.name == "indifferent" and says_nothing:
        return replace(_as_wish(said), indifferent=tuple(dict.fromkeys([*said.indifferent, attribute])))
    return said


def _told(question: Question, said: Understanding, before: DialogueState, lexicon: Lexicon) -> tuple[str, ...]:
    """The options that a message picks, and any other value of the attribute that it names."""
    words = tokens(said.text)
    refused = {(c.attribute, c.value) for c in said.constraints if not c.wanted}
    known = without_aspects(lexicon.match(words), lexicon)
    matches = [m for m in known if refused.isdisjoint(m.meanings)]  # 白色 is cream too, refused as white
    named = [
        x.value
        for m in matches
        for x in lexicon.exact(m) or m.meanings
        if x.attribute == question.attribute and _has(before, x, lexicon)
    ]
    if question.attribute == MEANING:
        named = _readings_named(question, words_of=said.text, language=before.language, lexicon=lexicon)
    if not named and question.alone and not said.references:
        items = [
            ShownItem(option, name, name.lower(), Decimal(place))
            for place, (option, name) in enumerate(option_names(question, before.language, lexicon))
        ]
        named = list(pointed_at(said.text, words, matches, items, DialogueState()).skus)
    if not (named or said.constraints or said.references):
        named = _alluded(question, said, before, lexicon)
    return tuple(dict.fromkeys(value for value in named if (question.attribute, value) not in refused))


def _alluded(question: Question, said: Understanding, before: DialogueState, lexicon: Lexicon) -> list[str]:
    """The value of what was asked that alone shares a word with the answer, whatever its form ("it should give hope":
    hopeful, "给人希望的": 充满希望); none where the answer refuses."""
    if stances(said.text, tokens(said.text), ()).refused:
        return []
    spoken = _telling(said.text)
    own = {
        value: _telling(lexicon.name(Meaning(question.attribute, value), said.language))
        for value in lexicon.held_in(before.goal).get(question.attribute, ())
    }
    times = Counter(unit for telling in own.values() for unit in telling)
    found = [value for value, telling in own.items() if any(times[unit] == 1 for unit in telling & spoken)]
    return found if len(found) == 1 else []


def _telling(text: str) -> frozenset[str]:
    """What tells values apart; short words hold sentences together."""
    return frozenset(unit for unit in units(text) if len(unit) > 3 or CHINESE.match(unit))


def _has(before: DialogueState, meaning: Meaning, lexicon: Lexicon) -> bool:
    """Whether a value can answer what was asked of the goal's products."""
    return meaning.attribute not in lexicon.attributes or not before.goal or lexicon.holds(before.goal, meaning)


def _readings_named(question: Question, *, words_of: str, language: str, lexicon: Lexicon) -> list[str]:
    """Meanings whose own words (attribute or department) a message names, and the others do not have."""
    spoken = {stem(t.text) for t in tokens(words_of)}
    own = {
        option: {stem(t.text) for t in tokens(f"{name} {option.partition('=')[0]} {option.partition('=')[2]}".lower())}
        for option, name in option_names(question, language, lexicon)
    }
    found = []
    for option, stems in own.items():
        others = set().union(*(s for o, s in own.items() if o != option))
        if (stems - others) & spoken or ({"colour"} & spoken and option.startswith("color=")):
            found.append(option)
    return found if len(found) == 1 else []


def _meant(said: Understanding, option: str, before: DialogueState, lexicon: Lexicon) -> Understanding:
    attribute, _, value = option.partition("=")
    if attribute == CATEGORY:
        return replace(_as_wish(said), goals=(value,), constraints=())
    return _valued(said, attribute, (value,), before, lexicon)


def _priced(said: Understanding, told: Sequence[str], before: DialogueState) -> Understanding:
    if said.price:
        return said
    if told:
        return replace(_as_wish(said), price=price_band(told[0]))
    numbers = [t.text for t in tokens(said.text) if t.text[0].isdigit()]
    if len(numbers) == 1 and not said.goals and len(tokens(said.text)) <= 4:
        amount = Decimal(numbers[0].replace(",", ""))
        return replace(_as_wish(said), price=PriceRange(high=amount), constraints=(), unknown=())
    return _indifferent(said, PRICE)


def _valued(
    said: Understanding, attribute: str, values: Sequence[str], before: DialogueState, lexicon: Lexicon
) -> Understanding:
    """The answer as a wish, in place of what its words would else have meant. Of several values any one must hold."""
    spoken = lexicon.match(tokens(said.text))
    meant = {x for m in spoken for x in m.meanings if any(x.value == v for v in values)}
    replaced = {(x.attribute, x.value) for m in spoken if meant & set(m.meanings) for x in m.meanings}
    kept = [c for c in said.constraints if (c.attribute, c.value) not in replaced and c.value not in values]
    wish = Constraint(attribute, values[0], turn=before.turn + 1, others=tuple(values[1:]))
    return replace(_as_wish(said), constraints=(*kept, wish), unknown=(), references=())


def _as_wish(said: Understanding) -> Understanding:
    """An answer is a wish, whatever its few words look like by themselves."""
    return replace(said, intent=replace(said.intent, name="find", scores={"find": 1.0}))


# Words with several meanings

OTHER_SHARE, BOTH_SHARE = 0.2, 0.5
"""A second meaning counts from this share of the first one's products; meanings that mostly hold together are one."""


def ambiguous(said: Understanding, state: DialogueState, shop: Shop, lexicon: Lexicon) -> tuple[str, Question] | None:
    """A word of the message with several meanings that nothing said decides between, and the question about it."""
    if MEANING in state.asked or said.intent.name not in ("find", "show", "vague", "availability"):
        return None
    for match in lexicon.match(tokens(said.text)):
        if match.phrase in thesaurus().kin:
            continue
        options = _categories_meant(match, said, state, lexicon) or _values_meant(match, said, state, shop, lexicon)
        if len(options) >= FEWEST:
            return match.phrase, Question(MEANING, tuple(options[:SLATE]), alone=True)
    return None


def undecided(state: DialogueState, question: Question, before: DialogueState) -> DialogueState:
    """The state without the reading of the word that was only a guess."""
    guesses = {tuple(option.split("=", 1)) for option in question.options}
    kept = tuple(c for c in state.constraints if (c.attribute, c.value) not in guesses)
    goal = before.goal if (CATEGORY, state.goal) in guesses else state.goal
    return state.with_(constraints=kept, goal=goal)


def _categories_meant(match: Match, said: Understanding, state: DialogueState, lexicon: Lexicon) -> list[str]:
    paths = [m.value for m in match.meanings if m.attribute == CATEGORY]
    departments = {path.partition("/")[0] for path in paths}
    if len(departments) < FEWEST or not set(paths) & set(said.goals) or len(said.goals) > 1:
        return []
    wishes = [Meaning(c.attribute, c.value) for c in said.constraints if c.wanted and c.attribute != TEXT]
    fitting = [path for path in paths if all(lexicon.holds(path, wish) for wish in wishes)]
    if len({path.partition("/")[0] for path in fitting}) < FEWEST:
        return []
    return [f"{CATEGORY}={path}" for path in sorted(fitting, key=lambda p: -lexicon.categories[p].products)]


def _values_meant(match: Match, said: Understanding, state: DialogueState, shop: Shop, lexicon: Lexicon) -> list[str]:
    wished = {(c.attribute, c.value) for c in said.constraints if c.wanted}
    values = [m for m in match.meanings if m.attribute not in (CATEGORY, TEXT)]
    placed = [m for m in values if not state.goal or lexicon.holds(state.goal, m)]
    if len({m.attribute for m in placed}) < FEWEST or not wished & set(placed) or len(placed) != len(values):
        return []
    if any(attribute_name(m.attribute, language) in said.text for m in placed for language in ("en", "zh")):
        return []
    return [f"{m.attribute}={m.value}" for m in _apart(placed, shop, state.goal)]


def _apart(meanings: Sequence[Meaning], shop: Shop, goal: str) -> list[Meaning]:
    """Meanings that lead to different products, the commonest first."""

    def count(*held: Meaning) -> int:
        wishes = tuple(Wish(m.attribute, (m.value,)) for m in held)
        return count_products(ProductQuery(shop=shop, category=goal, wishes=wishes))

    sizes = {meaning: count(meaning) for meaning in meanings}
    found: list[Meaning] = []
    for meaning in sorted(meanings, key=lambda m: -sizes[m]):
        large = not found or sizes[meaning] >= OTHER_SHARE * sizes[found[0]]
        apart = all(count(meaning, other) < BOTH_SHARE * min(sizes[meaning], sizes[other]) for other in found)
        if sizes[meaning] and large and apart and meaning.attribute not in {m.attribute for m in found}:
            found.append(meaning)
    return found


def option_names(question: Question, language: str, lexicon: Lexicon) -> Iterable[tuple[str, str]]:
    """Each option with what a reply calls it."""
    for option in question.options:
        if question.attribute == MEANING:
            yield option, meaning_name(Meaning(*option.split("=", 1)), language, lexicon)
        elif question.attribute == CATEGORY and (category := lexicon.categories.get(option)):
            yield option, category.chinese if language == "zh" else category.name.lower()
        else:
            name = lexicon.name(Meaning(question.attribute, option), language)
            yield option, name.upper() if question.attribute == SIZE and name == option else name
