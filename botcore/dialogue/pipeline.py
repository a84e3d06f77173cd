"""One turn from message to reply: understand -> track state -> decide act -> find -> compose -> verify -> fill.

``respond`` owns the control flow and the errors; every stage takes what it needs and returns what it found. The
database is read, never written: storing the reply is ``botcore.answering``'s.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from botcore.channels.base import Card
from botcore.dialogue.answer import Answer, answer_to, returned_text, similar_text
from botcore.dialogue.ask import MEANING, Asking, ambiguous, answered, ask_or_show, opening, undecided
from botcore.dialogue.brief import LETTERS, Brief, render
from botcore.dialogue.compose import Wording, fill, word
from botcore.dialogue.decide import Decision, decide, subject_of
from botcore.dialogue.evidence import Kind
from botcore.dialogue.facts import Item, items_of
from botcore.dialogue.find import Found, Visit, find, in_reach, items_by_sku, shown_text
from botcore.dialogue.followups import (
    asks_already,
    order_brief,
    question_brief,
    reading_brief,
    second_brief,
    waiting_brief,
)
from botcore.dialogue.goals import separated, turned_to
from botcore.dialogue.heads import asking_odds
from botcore.dialogue.intents import IntentClassifier
from botcore.dialogue.lexicon import Lexicon, lexicon_of
from botcore.dialogue.phrases import phrase_for
from botcore.dialogue.plan import Plan, brief_of, gave_up_names, plan_of
from botcore.dialogue.ports import Ports
from botcore.dialogue.reasons import difference_table, standing_out
from botcore.dialogue.state import Act, DialogueState, LaterGoal
from botcore.dialogue.track import after_reply, track
from botcore.dialogue.understand import ShownItem, Understanding, picked, understand
from botcore.dialogue.words import sentences
from catalog.models import Product, Shop
from catalog.search import Candidate, ProductQuery, Wish, search_articles, search_products


@dataclass(frozen=True)
class Reply:
    """Everything about one answer: what is sent, what is remembered, and what explains it.

    ``items`` are shown as cards; ``told`` are all whose facts the words may state, shown or not.
    """

    text: str
    act: Act
    language: str
    written_by: str
    model_version: str
    state: DialogueState
    cards: tuple[Card, ...]
    items: tuple[Item, ...]
    told: tuple[Item, ...]
    said: Understanding
    found: Found
    brief: Brief
    wording: Wording
    why: str
    asking: Asking
    answer: Answer | None
    timings_ms: dict[str, float] = field(default_factory=dict)

    @property
    def relaxed(self) -> tuple[str, ...]:
        return self.brief.gave_up

    def explanation(self) -> dict[str, Any]:
        """The JSON fields of ``Turn`` that say why."""
        return {
            "understanding": {**self.said.to_json(), "why": self.why, "worth": dict(self.asking.worth or {})},
            "candidates": [_candidate_json(c) for c in _kept(self.found)],
            "slate": [{**item.to_json(), **self._chance(item)} for item in self.items],
            "brief": {**self.brief.to_json(), "prompt": render(self.brief)},
            "samples": [draft.to_json(self.brief.tags()) for draft in self.wording.drafts],
            "source": self.answer.to_json() if self.answer else {},
            "timings_ms": self.timings_ms,
            "error": self.wording.error,
        }

    def _chance(self, item: Item) -> dict[str, float]:
        """With which probability a product got its place: what learning from opinions is weighted by."""
        features = next((c.features for c in self.found.slate if c.product.sku == item.sku), {})
        return {"propensity": features["propensity"]} if "propensity" in features else {}


class Clock:
    """Milliseconds by stage."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        try:
            yield
        finally:
            self.stages[name] = round((time.monotonic() - begun) * 1000, 1)


FAILURES = 2
"""So many replies in a row may fail the customer; instead of the next one a person is brought in."""

_classifiers: dict[int, IntentClassifier] = {}


def classifier_for(ports: Ports) -> IntentClassifier:
    """The intent classifier of an encoder, made once (its examples are embedded then)."""
    key = id(ports.encoder)
    if key not in _classifiers:
        _classifiers[key] = IntentClassifier(ports.encoder)
    return _classifiers[key]


def respond(
    shop: Shop,
    text: str,
    before: DialogueState,
    ports: Ports,
    *,
    samples: int,
    seed: int,
    deadline: float,
    pressed: str = "",
    customer_id: int | None = None,
) -> Reply:
    """The reply to a message in a conversation's state.

    ``deadline`` (``time.monotonic()``) bounds the model's writing; ``pressed`` is the SKU whose button was the message;
    ``customer_id`` is the shop's customer that the contact is known to be.
    """
    clock = Clock()
    with clock.stage("understand"):
        lexicon = lexicon_of(shop)
        shown = shown_items(shop, before)
        said, later = _understood(text, pressed, before, shown, lexicon, ports)
        state = in_reach(shop, track(before, said, shown))
    with clock.stage("decide"):
        answer = _answer(shop, said, before, lexicon, ports)
        decision, state = _decided(shop, before, state, said, answer, lexicon)
    with clock.stage("find"):
        visit = Visit(text, customer_id, seed)
        decision, state, found = _settled(shop, decision, state, before, said, lexicon, ports, visit)
    with clock.stage("ask"):
        decision, found, asking = _asked(decision, found, before, state, said, lexicon, later)
    with clock.stage("plan"):
        spoken_of = _spoken_of(decision, state, said)
        items = items_of(found.slate, shop, spoken_of, lexicon, first=answer.name if answer else "")
        plan = plan_of(decision, state, said, found, items, answer, asking.question)
        alike = _alike(shop, plan, lexicon)
        brief = _brief(decision, plan, shop, lexicon)
        second = _second(shop, plan, later, lexicon, ports, visit)
    with clock.stage("compose"):
        wording = word(
            brief,
            state.language,
            ports.encoder,
            None if decision.word or (plan.answer and plan.answer.by_itself) else ports.generator,
            samples=samples,
            seed=seed,
            deadline=deadline,
        )
        more = _followups(shop, plan, wording.text, before, second, lexicon, ports, visit)
    shows = (*(items if plan.shows_items else ()), *second.items, *alike)
    after = after_reply(
        state.with_(hurried=_hurried(before, state, said), waiting=second.waiting),
        [item.sku for item in shows],
        listed=not decision.about or bool(alike),
        question=plan.question,
        article=plan.answer.id if plan.answer and plan.answer.kind is Kind.ARTICLE else "",
        quote=plan.answer.quote if plan.answer and plan.answer.kind is Kind.ARTICLE else "",
        failed=decision.failed,
    )
    clock.stages["total"] = round((time.monotonic() - clock.started) * 1000, 1)
    version = ports.generator.info.model_version if ports.generator and wording.written_by == "model" else ""
    followed = [fill(phrase_for(b, state.language, seed), b.tags()) for b in more]
    told = " ".join(filter(None, [fill(wording.text, brief.tags()), similar_text(plan.answer, alike, state.language)]))
    sentences_ = [returned_text(before), told, _details(decision, found, state)]
    return Reply(
        text=_joined([*sentences_, "\n".join(_table(plan))], followed, state.language),
        act=plan.act,
        language=state.language,
        written_by=wording.written_by,
        model_version=version,
        state=after,
        cards=tuple(item.card() for item in shows),
        items=shows,
        told=(*plan.items, *second.items, *alike),
        said=said,
        found=found,
        brief=brief,
        wording=wording,
        why=plan.reason,
        asking=asking,
        answer=plan.answer,
        timings_ms=clock.stages,
    )


def _understood(
    text: str,
    pressed: str,
    before: DialogueState,
    shown: Sequence[ShownItem],
    lexicon: Lexicon,
    ports: Ports,
) -> tuple[Understanding, LaterGoal | None]:
    """The message as it stands in the talk: as an answer to what was asked, its second goal apart."""
    if pressed:
        return picked(pressed, text, before), None
    said = understand(text, before, shown, lexicon, classifier_for(ports))
    return separated(answered(said, before, lexicon), lexicon)


def _decided(
    shop: Shop,
    before: DialogueState,
    state: DialogueState,
    said: Understanding,
    answer: Answer | None,
    lexicon: Lexicon,
) -> tuple[Decision, DialogueState]:
    """The act for the message; where the customer is done with one goal, the one that waits is turned to."""
    decision = decide(before, state, said, answer)
    if decision.failed and before.failures >= FAILURES:
        return Decision(Act.HANDOFF, "stuck"), state
    if state.waiting and before.shown and _done_with(decision, said):
        return Decision(Act.RECOMMEND, "changed"), in_reach(shop, turned_to(state, state.waiting[0]))
    looks = decision.act is Act.RECOMMEND and decision.reason in ("", "changed") and not before.open_question
    if looks and (unclear := ambiguous(said, state, shop, lexicon)):
        word, question = unclear
        return Decision(Act.ASK, MEANING, question=question, word=word), undecided(state, question, before)
    return decision, state


def _brief(decision: Decision, plan: Plan, shop: Shop, lexicon: Lexicon) -> Brief:
    """What the reply says; which meaning a word has is asked in an approved phrase alone."""
    if decision.word and decision.question:
        return reading_brief(decision.question, decision.word, plan.state, lexicon)
    return brief_of(plan, shop, lexicon)


DONE = ("ok", "thanks", "show")
"""What customers say when they are ready for the next thing."""


def _done_with(decision: Decision, said: Understanding) -> bool:
    return said.intent.name in DONE and not (said.goals or said.constraints or said.price or decision.about)


ASKED_BESIDE = ("", "changed", "more", "cheaper", "dearer")
"""Lists of products that a question may come with."""
DIRECT = ("show", "more", "reject", "cheaper", "dearer")
"""Messages that are about the list itself: a question alone would not answer them."""


def _asked(
    decision: Decision,
    found: Found,
    before: DialogueState,
    state: DialogueState,
    said: Understanding,
    lexicon: Lexicon,
    later: LaterGoal | None,
) -> tuple[Decision, Found, Asking]:
    """The decision after weighing questions: shown as it is, with a question beside it, or the question alone."""
    if decision.act is Act.ASK:
        asked = decision.question or opening(lexicon)
        return decision, found, Asking(asked)
    if decision.act is not Act.RECOMMEND or decision.reason not in ASKED_BESIDE or found.relaxed or said.order:
        return decision, found, Asking()
    hurried = _hurried(before, state, said)
    asked_last = before.open_question is not None and before.open_question.alone
    asking = ask_or_show(
        found.candidates,
        found.slate,
        state,
        lexicon,
        odds=asking_odds(said.text, said.intent.vector, before),
        alone=not (hurried or asked_last or later or said.intent.name in DIRECT or decision.reason in DIRECT),
        beside=not (hurried or later),
    )
    if asking.question and asking.question.alone:
        alone = Decision(Act.ASK, asking.question.attribute, question=asking.question)
        return alone, replace(found, slate=(), beside=()), asking
    return decision, found, asking


SHOW_ME = 0.25
"""Chance by the words alone that somebody wants to be shown things; naming what things makes it a search all the same."""


def _hurried(before: DialogueState, state: DialogueState, said: Understanding) -> bool:
    """Whether the customer wants to see things: said instead of answering a question, and as long as the goal lasts."""
    instead = said.intent.by_words.get("show", 0.0) > SHOW_ME and before.open_question is not None
    return instead or (before.hurried and before.goal == state.goal)


@dataclass(frozen=True)
class _Second:
    """What became of the message's other goal: shown (``item``), without a find, or still waiting."""

    goal: LaterGoal | None = None
    item: Item | None = None
    gave_up: tuple[str, ...] = ()
    waiting: tuple[LaterGoal, ...] = ()

    @property
    def items(self) -> tuple[Item, ...]:
        return (self.item,) if self.item else ()


def _second(shop: Shop, plan: Plan, later: LaterGoal | None, lexicon: Lexicon, ports: Ports, visit: Visit) -> _Second:
    """The best product for the second goal, beside a list; where the reply is no list, the goal waits."""
    waiting = plan.state.waiting
    if later is None:
        return _Second(waiting=waiting)
    if plan.act is not Act.RECOMMEND or not plan.items:
        return _Second(later, waiting=(*waiting, later))
    state = in_reach(shop, turned_to(plan.state, later))
    found = find(shop, state, lexicon, ports.encoder, visit=visit)
    if not found.slate:
        return _Second(later, waiting=waiting)
    (item,) = items_of(found.slate[:1], shop, state, lexicon)
    letter = LETTERS[len(plan.items)]
    return _Second(later, replace(item, letter=letter), gave_up_names(found, state, lexicon, shop.currency), waiting)


def _followups(
    shop: Shop,
    plan: Plan,
    words: str,
    before: DialogueState,
    second: _Second,
    lexicon: Lexicon,
    ports: Ports,
    visit: Visit,
) -> list[Brief]:
    """The sentences after the reply: the other goal, more reasons, how to order, the question."""
    state, question, found = plan.state, plan.question, []
    language = state.language
    if second.goal and second.goal in second.waiting:
        found.append(waiting_brief("later", second.goal, language, lexicon))
    elif second.goal:
        found.append(second_brief(second.goal, second.item, second.gave_up, language, lexicon))
    if plan.act is Act.EXPLAIN and plan.items:
        candidates = find(shop, state, lexicon, ports.encoder, visit=visit).candidates
        if because := standing_out(plan.items[0].sku, candidates, language):
            found.append(Brief("also_because", notes={"because": "; ".join(because)}))
    if closing := _closing(shop, plan, before, lexicon, ports):
        found.append(closing)
    if plan.reason == "chosen" and second.waiting:
        found.append(waiting_brief("next", second.waiting[0], language, lexicon))
    if question and plan.act is Act.RECOMMEND and not asks_already(words, question, language, lexicon):
        found.append(question_brief(question, state, lexicon, shop.currency))
    return found


HOW_TO_ORDER = "How do I place an order? How do I buy and check out?"
ORDERING = 0.62
"""Similarity from which an article is about placing an order; those about changing or tracking one stay below."""


def _closing(shop: Shop, plan: Plan, before: DialogueState, lexicon: Lexicon, ports: Ports) -> Brief | None:
    """How to order what was chosen, as the shop tells it; after thanks, what the talk was last about."""
    if plan.reason == "chosen" and plan.items:
        item = plan.items[0]
    elif plan.reason in ("thanks", "goodbye") and before.focus in before.liked and before.focus:
        chosen = items_by_sku(shop, (before.focus,))
        if not chosen:
            return None
        (item,) = items_of(chosen, shop, plan.state, lexicon)
    else:
        return None
    return order_brief(item, "" if item.url else _ordering(shop, plan.state.language, ports))


def _ordering(shop: Shop, language: str, ports: Ports) -> str:
    """What the shop's own article says about placing an order, "" where it has none."""
    hits = search_articles(shop, language, HOW_TO_ORDER, ports.encoder.encode([HOW_TO_ORDER])[0], limit=1)
    near = [hit.article for hit in hits if hit.similarity >= ORDERING]
    return " ".join(sentences(near[0].body)[:2]) if near else ""


def _table(plan: Plan) -> tuple[str, ...]:
    return difference_table(plan.items, plan.state.language) if plan.act is Act.COMPARE else ()


def _joined(paragraphs: Sequence[str], followed: Sequence[str], language: str) -> str:
    """The reply's paragraphs; what follows goes on in the last of them, unless that is a table."""
    told = [paragraph for paragraph in paragraphs if paragraph]
    if len(told) == 1 and followed:
        return ("" if language == "zh" else " ").join([*told, *followed])
    return "\n\n".join([*told, *([("" if language == "zh" else " ").join(followed)] if followed else [])])


def shown_items(shop: Shop, state: DialogueState) -> tuple[ShownItem, ...]:
    """The last list as the customer may refer to it."""
    return tuple(
        ShownItem(
            c.product.sku,
            c.product.text("title", state.language),
            shown_text(c.product),
            c.variant.price,
            frozenset(value for values in c.product.attributes.values() for value in values),
        )
        for c in items_by_sku(shop, state.slate)
    )


CANDIDATES_KEPT = 24
"""Of those considered, as many of the best are kept with the turn."""
REASONS = 3
DETAILS = 3
"""Sentences of a chosen product's description that follow the reply, in the shop's own words."""


def _details(decision: Decision, found: Found, state: DialogueState) -> str:
    """What the shop itself says of the product a customer chose."""
    if decision.reason != "chosen" or len(found.slate) != 1:
        return ""
    description = sentences(found.slate[0].product.text("description", state.language))[:DETAILS]
    return ("" if state.language == "zh" else " ").join(description)


ASKING = ("policy", "order_status", "product_question", "availability", "discount")
LIKELY = 0.15
"""Chance of a question from which an answer is looked for where the message does not look like one."""


def _answer(shop: Shop, said: Understanding, before: DialogueState, lexicon: Lexicon, ports: Ports) -> Answer | None:
    """The nearest answer that the shop has, looked for only where the message may ask for one."""
    if said.intent.name == "choose" and not said.is_question:
        return None
    if not said.is_question and sum(said.intent.scores.get(intent, 0.0) for intent in ASKING) < LIKELY:
        return None
    subject = subject_of(before, said)
    products = (
        Product.objects.filter(shop=shop, sku=subject).select_related("category__parent").prefetch_related("variants")
    )
    return answer_to(shop, said, before, products.first() if subject else None, lexicon, ports.encoder)


ALIKE = 2
"""Products offered in place of a size or colour that is sold out."""


def _alike(shop: Shop, plan: Plan, lexicon: Lexicon) -> tuple[Item, ...]:
    """Products of the same kind that can be had in what is sold out, nearest to the one asked about first."""
    if not (plan.answer and plan.answer.kind is Kind.STOCK and plan.answer.details["missing"] and plan.found.slate):
        return ()
    product, attribute = plan.found.slate[0].product, plan.answer.details["attribute"]
    wanted = [(attribute, plan.answer.details["missing"])] if attribute else []
    wanted += [("gender", tuple(product.attributes["gender"]))] if "gender" in product.attributes else []
    query = ProductQuery(
        shop=shop,
        category=product.category.path,
        embedding=product.embedding,
        wishes=tuple(Wish(name, tuple(values)) for name, values in wanted),
        exclude=(product.sku,),
        limit=ALIKE,
    )
    return items_of(search_products(query), shop, plan.state, lexicon)


def _settled(
    shop: Shop,
    decision: Decision,
    state: DialogueState,
    before: DialogueState,
    said: Understanding,
    lexicon: Lexicon,
    ports: Ports,
    visit: Visit,
) -> tuple[Decision, DialogueState, Found]:
    """What is done in the end, with its products: what finding tells changes the decision and the state."""
    decision, found = _found(shop, decision, state, said, lexicon, ports, visit)
    if decision.reason == "cheapest":  # nothing costs less: the lower limit that was tried is forgotten
        decision, state = replace(decision, reason="nothing_fits"), state.with_(price=before.price)
    if found.left_goal:
        state = state.with_(goal="")
    return decision, state, found


def _spoken_of(decision: Decision, state: DialogueState, said: Understanding) -> DialogueState:
    """The state whose wishes choose which facts an item shows; an answer also tells what the question named."""
    return state.with_(constraints=(*state.constraints, *said.constraints)) if decision.act is Act.ANSWER else state


def _found(
    shop: Shop,
    decision: Decision,
    state: DialogueState,
    said: Understanding,
    lexicon: Lexicon,
    ports: Ports,
    visit: Visit,
) -> tuple[Decision, Found]:
    """The products a decision needs; a decision that finds none becomes another one."""
    if decision.about:
        chosen = items_by_sku(shop, decision.about, said.constraints)
        return decision if chosen else Decision(Act.CLARIFY, "item"), Found(chosen, chosen)
    if decision.act is not Act.RECOMMEND:
        return decision, Found((), ())
    found = find(shop, state, lexicon, ports.encoder, fresh=decision.fresh, order=said.order, visit=visit)
    if not found.slate:
        return replace(decision, act=Act.DECLINE, reason="not_sold" if said.thing else "nothing_fits"), found
    if found.gave_up_price and decision.reason == "cheaper":
        return replace(decision, act=Act.DECLINE, reason="cheapest"), Found((), found.candidates)
    if not state.goal and said.unknown and not decision.reason and _far(found.slate):
        return replace(decision, act=Act.DECLINE, reason="not_sold"), Found((), found.candidates)
    return decision, found


FAR = 0.38
"""Below this cosine the best product is not what an unknown word asked for."""


def _far(slate: Sequence[Candidate]) -> bool:
    return max(candidate.features.get("vector", 0.0) for candidate in slate) < FAR


def _candidate_json(candidate: Candidate) -> dict[str, Any]:
    return {
        "sku": candidate.product.sku,
        "title": candidate.product.title,
        "price": str(candidate.variant.price),
        "score": round(candidate.score, 4),
        **candidate.features,
        "because": _because(candidate),
    }


def _kept(found: Found) -> list[Candidate]:
    """The best candidates and whatever else was shown, best first."""
    shown = {candidate.product.pk for candidate in found.slate}
    best = found.candidates[:CANDIDATES_KEPT]
    return [*best, *(c for c in found.candidates[CANDIDATES_KEPT:] if c.product.pk in shown)]


def _because(candidate: Candidate) -> str:
    """The features that made most of a candidate's score, with what each added."""
    largest = sorted(candidate.contributions.items(), key=lambda part: -abs(part[1]))[:REASONS]
    return ", ".join(f"{name} {part:+.2f}" for name, part in largest)
