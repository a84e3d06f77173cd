"""The slate for a state: hard wishes first; when nothing fits, wishes are given up in a stated order and named.
What fits is ranked and chosen from by ``catalog.ranking``.

The order: what nothing could hold, what it is for (an occasion), prices a quarter wider, then one wish after another (the
last said first), then the price, then wishes and price together. What the customer ruled out ("no leather") and what the
talk is about are never given up; a thing that the goal's category does not hold ("tents" after "knives") is looked for in
the whole shop. Sold-out products are found in the turn that asks for them, and in no other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from django.utils import timezone

from botcore.dialogue.lexicon.kept import lexicon_of
from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.meanings import CATEGORY, KIND, TEXT
from botcore.dialogue.ports import Encoder, SequenceScores
from botcore.dialogue.relevance import Collection
from botcore.dialogue.sold_out import asks_for_sold_out
from botcore.dialogue.state import Constraint, DialogueState, PriceRange
from botcore.dialogue.thesaurus import thesaurus
from botcore.dialogue.words import stem
from catalog.models import Product, Shop
from catalog.pictures import Alike
from catalog.queries import corrected
from catalog.ranking.features import Context, PriceWish, conversation_vector
from catalog.ranking.model import Ranker, ranker_of
from catalog.ranking.rules import rules_of
from catalog.ranking.slate import in_order, slate_of
from catalog.ranking.taste import Vector, price_levels, taste_of
from catalog.search import Candidate, ProductQuery, Wish, count_products, search_products

SLATE = 3
CONSIDERED = 60
WIDER = Decimal("1.25")
PRICE = "price"


@dataclass(frozen=True)
class Visit:
    """Who asks, and the message as it was written. ``seed`` decides what exploring tries; ``sequence`` tells what usually
    follows what the customer took before; ``alike`` are the shop's pictures that look like the customer's. A message is not
    ``telling`` that says nothing of what is looked for, only what it may cost."""

    message: str = ""
    customer_id: int | None = None
    seed: int = 0
    sequence: SequenceScores | None = None
    alike: Alike | None = None
    telling: bool = True

    def following(self, products: Sequence[Product], ranker: Ranker) -> Mapping[int, float]:
        """The sequence model's score of each product by its id; nothing for strangers or where the ranker ignores it."""
        if self.customer_id is None or self.sequence is None or not ranker.sequential:
            return {}
        return self.sequence.scores(self.customer_id, products)

    @property
    def in_stock(self) -> bool:
        """Whether only what can be had is wanted."""
        return not asks_for_sold_out(self.message)


@dataclass(frozen=True)
class Found:
    """Candidates best first, the slate chosen from them, and the wishes that had to be given up for it; ``vain`` are those of
    them that nothing the talk is about could hold."""

    slate: tuple[Candidate, ...]
    candidates: tuple[Candidate, ...]
    gave_up: tuple[Constraint, ...] = ()
    gave_up_price: bool = False
    left_goal: bool = False
    vain: frozenset[Constraint] = frozenset()

    @property
    def relaxed(self) -> bool:
        return bool(self.gave_up or self.gave_up_price)


def find(
    shop: Shop,
    state: DialogueState,
    lexicon: Lexicon,
    encoder: Encoder,
    fresh: bool = False,
    order: str = "",
    visit: Visit | None = None,
) -> Found:
    """The best slate for what the customer wants now.

    ``fresh`` leaves out everything shown before; ``order`` is :class:`ProductQuery`'s, and holds for exact matches.
    """
    visit = visit or Visit()
    hidden = (*state.rejected, *(state.seen if fresh else ()))

    def asked(wanted: DialogueState, without: Sequence[str] = hidden) -> ProductQuery:
        query = product_query(shop, wanted, lexicon, encoder, without)
        return replace(query, in_stock=visit.in_stock, alike=visit.alike)

    query = asked(state)
    for nearer, enough in _nearer(state):
        if count_products(replace(query, wishes=_conditions(nearer, query.words)), at_most=enough) == enough:
            query = asked(nearer)
            break
    if order and (found := search_products(replace(query, order=order))):
        ordered = in_order(query, found, size=SLATE, rules=rules_of(shop, timezone.now()))
        return Found(ordered.shown, ordered.candidates)
    about = lexicon.kinds_wanted(state.constraints)
    if found := search_products(query):
        return _of_each(about, _chosen(query, found, state, lexicon, encoder, visit))
    if state.goal and (thing := [c for c in state.constraints if c.value == state.topic and c.turn == state.turn]):
        only_thing = state.with_(constraints=tuple(thing), price=PriceRange())
        if not search_products(asked(only_thing, ())):
            elsewhere = find(shop, state.with_(goal=""), lexicon, encoder, fresh, visit=visit)
            if elsewhere.slate and not elsewhere.relaxed:
                return replace(elsewhere, left_goal=True)
    vain = _vain(state, about, lambda wanted: count_products(asked(wanted, ()), at_most=1) > 0)
    for constraints, price, gave_up_price in _relaxations(state, vain, about):
        looser = state.with_(constraints=constraints, price=price)
        query = asked(looser)
        if found := search_products(query):
            gave_up = tuple(c for c in state.constraints if c not in constraints)
            chosen = _of_each(about, _chosen(query, found, state, lexicon, encoder, visit))
            return replace(chosen, gave_up=gave_up, gave_up_price=gave_up_price, vain=vain)
    return Found((), ())


def _of_each(about: Sequence[Constraint], found: Found) -> Found:
    """The best of each kind first, where the customer named several."""
    kinds = next((c for c in about if c.others), None)
    if kinds is None:
        return found
    ranked = (*found.slate, *found.candidates)
    best = [
        next((c for c in ranked if value in c.product.attributes.get(kinds.attribute, ())), None)
        for value in (kinds.value, *kinds.others)
    ]
    slate = {c.product.pk: c for c in (*filter(None, best), *found.slate)}
    return replace(found, slate=tuple(slate.values())[:SLATE])


def _nearer(state: DialogueState) -> Iterator[tuple[DialogueState, int]]:
    """The state taken more narrowly, the narrowest first, and from how many products on: with the customer's own words in place
    of all that mean as much, and with things called so by titles."""
    worded = _worded(state)
    nearer = {_called(worded): SLATE, worded: SLATE, _called(state): 1}
    yield from ((narrow, enough) for narrow, enough in nearer.items() if narrow != state)


def _worded(state: DialogueState) -> DialogueState:
    """The state with the words that the customer has for things and kinds: a teddy bear is a plush toy that titles call so."""
    narrower = [
        replace(c, attribute=KIND, value=c.said, others=()) for c in state.constraints if c.said and c.wanted and c.hard
    ]
    return state.with_(constraints=(*state.constraints, *narrower))


def _called(state: DialogueState) -> DialogueState:
    """The state with the things that it looks for in texts called so by titles: what a leather tote is said to go with is no
    pair of sunglasses."""
    return state.with_(constraints=tuple(_titled(c) for c in state.constraints))


def _titled(constraint: Constraint) -> Constraint:
    named = constraint.attribute == TEXT and constraint.wanted and constraint.hard
    if not named or constraint.value not in thesaurus().things:
        return constraint
    return replace(constraint, attribute=KIND, others=thesaurus().alternatives(constraint.value)[1:])


def in_reach(shop: Shop, state: DialogueState) -> DialogueState:
    """The state with attribute wishes that no product of its goal, or of the kind wanted, could hold turned into wishes about
    texts.

    "Waterproof" may be a feature of mascara in this shop, and of jackets only a word of their descriptions. Where there is
    no goal and whole categories are ruled out, what nothing else could hold is no condition ("for her, but no clothes").
    """
    lexicon = lexicon_of(shop)
    kinds = [c for c in state.constraints if c.attribute == CATEGORY or lexicon.names_kind(c.attribute)]
    of_a_kind = tuple(wish for c in kinds for wish in _wishes(c))
    if not (state.goal or of_a_kind):
        return state

    def reached(constraint: Constraint) -> Constraint:
        if constraint.attribute == TEXT or constraint in kinds or not constraint.wanted or constraint.is_limit:
            return constraint
        wishes = (*_wishes(constraint), *of_a_kind)
        query = ProductQuery(shop=shop, category=state.goal, wishes=wishes, in_stock=False)
        if count_products(query, at_most=1):
            return constraint
        if not state.goal or constraint.value in thesaurus().people:  # nothing of the kind is for somebody
            return replace(constraint, hard=False)
        return replace(constraint, attribute=TEXT, hard=constraint.hard and constraint.attribute not in MEANT_FOR)

    return state.with_(constraints=tuple(reached(c) for c in state.constraints))


def beyond_goal(shop: Shop, state: DialogueState, constraints: Sequence[Constraint]) -> bool:
    """Whether words are looked for in texts, and no product of the state's goal holds any of them."""
    words = [c for c in constraints if c.attribute == TEXT and c.wanted]
    if not (state.goal and words):
        return False
    queries = (ProductQuery(shop=shop, category=state.goal, wishes=tuple(_wishes(c)), in_stock=False) for c in words)
    return not any(count_products(query, at_most=1) for query in queries)


def inside_kind(shop: Shop, state: DialogueState, thing: str) -> bool:
    """Whether products of the kind that the talk is about are called a thing: a reel is a choice among what is for fishing."""
    kinds = lexicon_of(shop).kinds_wanted(state.constraints)
    if not (kinds and thing):
        return False
    wishes = (*(wish for c in kinds for wish in _wishes(c)), Wish(KIND, (thing,)))
    return count_products(ProductQuery(shop=shop, category=state.goal, wishes=wishes, in_stock=False), at_most=1) > 0


def product_query(
    shop: Shop, state: DialogueState, lexicon: Lexicon, encoder: Encoder, hidden: Sequence[str] = ()
) -> ProductQuery:
    """A state as a query: wishes with all their synonyms, and its words as an embedding."""
    words = search_words(state, lexicon)
    return ProductQuery(
        shop=shop,
        words=tuple(words),
        embedding=corrected(shop, encoder.encode([" ".join(words)])[0]) if words else None,
        category=state.goal,
        wishes=_conditions(state, words),
        soft=tuple(wish for c in state.constraints if not c.hard for wish in _wishes(c)),
        price_low=state.price.low,
        price_high=state.price.high,
        exclude=tuple(hidden),
        title=_alternatives(state.topic),
        limit=CONSIDERED,
    )


def _conditions(state: DialogueState, words: Sequence[str]) -> tuple[Wish, ...]:
    """What must hold in a state, of which ``words`` are looked for."""
    hard = [c for c in state.constraints if c.hard]
    return tuple(wish for c in hard for wish in _wishes(c, for_anybody=not state.goal, as_gift=GIFT not in words))


def search_words(state: DialogueState, lexicon: Lexicon) -> list[str]:
    """What to search for: the goal's noun, the wanted values, the topic."""
    noun = [lexicon.categories[state.goal].noun] if state.goal in lexicon.categories else []
    wanted = [
        c.value for c in state.constraints if c.wanted and not c.is_limit and (state.goal or not _names_people(c))
    ]
    topic = [word for word in state.topic.split() if state.goal or word not in thesaurus().people]
    words = list(dict.fromkeys([*wanted, *noun, *topic]))
    return words if state.goal else [word for word in words if word != GIFT] or words


def items_by_sku(shop: Shop, skus: Sequence[str], wishes: Sequence[Constraint] = ()) -> tuple[Candidate, ...]:
    """Products already shown, in the given order; sold-out ones included.

    Each with its cheapest variant that holds the wishes ("in green?") where it has one, those in stock first.
    """
    query = ProductQuery(shop=shop, only=tuple(skus), in_stock=False, limit=len(skus))
    by_sku = {candidate.product.sku: candidate for candidate in search_products(query)}
    if hard := tuple(wish for c in wishes if c.attribute != TEXT for wish in _wishes(c)):
        by_sku |= {c.product.sku: c for c in search_products(replace(query, wishes=hard))}
    return tuple(by_sku[sku] for sku in skus if sku in by_sku)


def holding(shop: Shop, skus: Sequence[str], constraints: Sequence[Constraint]) -> bool:
    """Whether products hold, in some variant, what is wished of their data; texts are not asked."""
    wishes = tuple(wish for c in constraints if c.attribute not in (TEXT, KIND) for wish in _wishes(c))
    query = ProductQuery(shop=shop, only=tuple(skus), in_stock=False, wishes=wishes)
    return not wishes or count_products(query) == len(set(skus))


def shown_text(product: Product) -> str:
    """All the words of a product, lower case, for telling shown items apart."""
    values = [value for listed in product.attributes.values() for value in listed]
    titles = [texts.get("title", "") for texts in product.translations.values()]
    return " ".join([product.title, *titles, product.description, *values]).lower()


def _alternatives(topic: str) -> tuple[str, ...]:
    return thesaurus().alternatives(topic) if topic in thesaurus().things else ()


EVERYBODY = ("unisex", "universal", "all skin types", "all hair types", "all ages")
"""Values with which catalogues say that any wish about the attribute is fulfilled."""


def _names_people(constraint: Constraint) -> bool:
    """Whether a wish says whom a thing is for. A gift for a sister may be a thing that is made for nobody in particular."""
    return constraint.attribute != TEXT and constraint.value in thesaurus().people


GIFT = "gift"
"""The occasion that anything is for which the other words of the talk fit, whether or not a shop says so of it."""


def _wishes(constraint: Constraint, for_anybody: bool = False, as_gift: bool = False) -> Iterator[Wish]:
    """``for_anybody``: what is made for nobody in particular is for these people too; ``as_gift``: it is a gift as well."""
    if constraint.attribute != TEXT:
        everybody = EVERYBODY if constraint.wanted and constraint.attribute not in (CATEGORY, KIND) else ()
        may_lack = _names_people(constraint) or (as_gift and constraint.value == GIFT)
        or_absent = for_anybody and constraint.wanted and may_lack
        values = (constraint.value, *constraint.others, *everybody)
        yield Wish(constraint.attribute, values, constraint.wanted, or_absent)
        return
    words = thesaurus()
    narrow = not constraint.wanted and constraint.value not in words.same  # no shrimp is not all seafood refused
    yield Wish(TEXT, (constraint.value,) if narrow else words.alternatives(constraint.value), constraint.wanted)


def relaxed_states(state: DialogueState, lexicon: Lexicon) -> Iterator[DialogueState]:
    """The state with ever fewer wishes, in the stated order."""
    for constraints, price, _ in _relaxations(state, about=lexicon.kinds_wanted(state.constraints)):
        yield state.with_(constraints=constraints, price=price)


USES = frozenset({"occasion", "use", "activity", "season"})
"""What a thing is meant for is its maker's suggestion, no property: a navy dress may go to work that is not said to."""
MEANT_FOR = USES | {"place", "room", "household"}
"""Where none of a kind is said to be for such a use or place, that is no lack of any: a fan may stand in a bedroom."""


def _vain(
    state: DialogueState, about: tuple[Constraint, ...], exists: Callable[[DialogueState], bool]
) -> frozenset[Constraint]:
    """The wishes that nothing the talk is about could hold, whatever else were given up."""
    yielding = _yielding(state, about)
    return frozenset(c for c in yielding if not exists(state.with_(constraints=(*about, c), price=PriceRange())))


def _yielding(state: DialogueState, about: Sequence[Constraint]) -> list[Constraint]:
    """The wishes that may be given up, the last said first; what the talk is ``about`` is none of them."""
    firm = [c for c in state.constraints if c in about or c.value == state.topic]
    return [c for c in reversed(state.constraints) if c.hard and c.wanted and c not in firm]


def _relaxations(
    state: DialogueState, vain: frozenset[Constraint] = frozenset(), about: Sequence[Constraint] = ()
) -> Iterator[tuple[tuple[Constraint, ...], PriceRange, bool]]:
    """Looser versions of a state in the stated order: constraints kept, price range, whether the price was given up. Wishes in
    ``vain`` are given up before all others, so that no other goes with them for nothing; then what it is for, words of texts,
    which may only tell of it, a quarter of the price, and values of attributes; what it is stays longest."""
    given = tuple(c for c in state.constraints if c not in vain)
    latest = [c for c in _yielding(state, about) if c not in vain]
    things = [c for c in latest if c.attribute == TEXT and c.value in thesaurus().things]
    loose = [c for c in latest if c.attribute in (*USES, TEXT) and c not in things]
    loose.sort(key=lambda c: c.attribute == TEXT)
    firm = [*(c for c in latest if c not in loose and c not in things), *things]
    wanted = [*loose, *firm]
    price = state.price
    if vain:
        yield given, price, False
    for constraint in loose:
        yield tuple(c for c in given if c != constraint), price, False
    if price:
        low = price.low / WIDER if price.low is not None else None
        high = price.high * WIDER if price.high is not None else None
        yield given, replace(price, low=low, high=high), True
    for constraint in firm:
        yield tuple(c for c in given if c != constraint), price, False
    if price:
        yield given, PriceRange(), True
        for constraint in wanted:
            yield tuple(c for c in given if c != constraint), PriceRange(), True
    if len(wanted) > 1:
        yield tuple(c for c in given if c not in wanted), price, False
        yield tuple(c for c in given if c not in wanted), PriceRange(), bool(price)


def _chosen(
    query: ProductQuery,
    found: Sequence[Candidate],
    state: DialogueState,
    lexicon: Lexicon,
    encoder: Encoder,
    visit: Visit,
) -> Found:
    """The slate that the shop's ranker and rules make of what was found; what looks like a picture is in order as it is."""
    shop, now = query.shop, timezone.now()
    if query.alike is not None:
        ordered = in_order(query, found, size=SLATE, rules=rules_of(shop, now))
        return Found(ordered.shown, ordered.candidates)
    ranker, found = ranker_of(shop), _holding_most(_to_the_point(query, found), state, lexicon)
    slate = slate_of(
        query,
        found,
        Context(
            conversation=_conversation(query, state, encoder, visit),
            price=PriceWish(state.price.low, state.price.high, state.price.about),
            taste=taste_of(visit.customer_id, now),
            levels=price_levels({c.product.category_id for c in found}) if visit.customer_id else {},
            sequence=visit.following([c.product for c in found], ranker),
        ),
        ranker,
        size=SLATE,
        rules=rules_of(shop, now),
        seed=visit.seed,
    )
    return Found(slate.shown, slate.candidates)


TO_THE_POINT = 0.7
"""The share of the nearest candidate's cosine with the talk's words that others must have where no category bounds them.
Set by hand on a dozen talks about presents."""


def _to_the_point(query: ProductQuery, found: Sequence[Candidate]) -> Sequence[Candidate]:
    """Of candidates from the whole shop, or of a category with something to be about, those that the talk's words are about: a
    slate is varied within what was asked for, "she bakes a lot" is no sunscreen because both cost as much, and a thriller is
    no book about cooking."""
    if query.embedding is None or (query.category and not query.soft):
        return found
    near = TO_THE_POINT * max(candidate.features["vector"] for candidate in found)
    kept = [c for c in found if c.features["vector"] >= near or c.features["soft"] > 0]
    return kept if len(kept) >= SLATE else found


HELD = 0.67
"""The share that a product must hold, of what that holds which holds most of the words said."""


def _holding_most(found: Sequence[Candidate], state: DialogueState, lexicon: Lexicon) -> Sequence[Candidate]:
    """Of candidates for a talk that says what is wanted in words of texts alone, none of them surely a condition, those that
    hold most of them, the rarer the more: "ribeye steaks for a barbecue" are no shirt to wear at one."""
    wanted = [c for c in state.constraints if c.wanted]
    words = [c for c in wanted if c.attribute == TEXT and not c.hard]
    if state.goal or len(words) < len(wanted) or not words:
        return found
    common = Collection(lexicon.document_stems, lexicon.size)
    told = [(_stems(c.value), max(map(common.rarity, _stems(c.value)), default=0.0)) for c in words]
    texts = [frozenset(stem(word) for word in re.findall(r"[a-z]+", shown_text(c.product))) for c in found]
    held = [sum(rarity for stems, rarity in told if stems <= text) for text in texts]
    return [c for c, share in zip(found, held, strict=True) if share >= HELD * max(held)]


def _stems(phrase: str) -> set[str]:
    return set(map(stem, phrase.split()))


def _conversation(query: ProductQuery, state: DialogueState, encoder: Encoder, visit: Visit) -> Vector | None:
    """The talk so far as one vector: its wishes, the message (the encoder reads English), what was liked and rejected."""
    said = [] if query.embedding is None else [query.embedding]
    if visit.message and visit.telling and state.language == "en":
        said.append(encoder.encode([visit.message])[0])
    judged = {*state.liked, *state.rejected, *filter(None, [state.focus])}
    rows = Product.objects.filter(shop=query.shop, sku__in=judged) if judged else ()
    vectors = {product.sku: product.embedding for product in rows if product.embedding is not None}
    liked = [vectors[sku] for sku in dict.fromkeys([*state.liked, state.focus]) if sku in vectors]
    return conversation_vector(said, liked, [vectors[sku] for sku in state.rejected if sku in vectors])
