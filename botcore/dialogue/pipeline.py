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
from botcore.dialogue import beside
from botcore.dialogue.answer import ArticleAnswer, answer_from_articles, answer_from_description
from botcore.dialogue.brief import Brief, render
from botcore.dialogue.compose import Wording, fill, word
from botcore.dialogue.decide import Decision, decide
from botcore.dialogue.facts import Item, items_of
from botcore.dialogue.find import Found, Visit, find, in_reach, is_broad, items_by_sku, question_options, shown_text
from botcore.dialogue.intents import IntentClassifier
from botcore.dialogue.lexicon import Lexicon, lexicon_of
from botcore.dialogue.plan import brief_of, plan_of
from botcore.dialogue.ports import Ports
from botcore.dialogue.state import Act, DialogueState
from botcore.dialogue.track import after_reply, track
from botcore.dialogue.understand import ShownItem, Understanding, picked, understand
from botcore.dialogue.words import sentences
from catalog.models import Shop
from catalog.search import Candidate


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
    article: ArticleAnswer | None
    timings_ms: dict[str, float] = field(default_factory=dict)

    @property
    def relaxed(self) -> tuple[str, ...]:
        return self.brief.gave_up

    def explanation(self) -> dict[str, Any]:
        """The JSON fields of ``Turn`` that say why."""
        return {
            "understanding": {**self.said.to_json(), "why": self.why},
            "candidates": [_candidate_json(c) for c in _kept(self.found)],
            "slate": [{**item.to_json(), **self._chance(item)} for item in self.items],
            "brief": {**self.brief.to_json(), "prompt": render(self.brief)},
            "samples": [draft.to_json(self.brief.tags()) for draft in self.wording.drafts],
            "source": self.article.to_json() if self.article else {},
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
        if pressed:
            said = picked(pressed, text, before)
        else:
            said = understand(text, before, shown, lexicon, classifier_for(ports))
        state = in_reach(shop, track(before, said, shown))
    with clock.stage("decide"):
        article = _article(shop, said, before, ports)
        broad = is_broad(shop, state, lexicon)
        decision = decide(before, state, said, article.similarity if article else 0.0, broad)
    with clock.stage("find"):
        visit = Visit(text, customer_id, seed, ports.sequence)
        decision, state, found = _settled(shop, decision, state, before, said, lexicon, ports, visit)
        items = items_of(found.slate, shop, _spoken_of(decision, state, said), lexicon)
        options = question_options(shop, decision, state, lexicon)
        plan = plan_of(decision, state, said, found, items, article, options, _described(found, state, said, ports))
        brief = brief_of(plan, shop, lexicon)
        offer = beside.offer(shop, decision, found, state, lexicon, seed)
    with clock.stage("compose"):
        wording = word(
            brief, state.language, ports.encoder, ports.generator, samples=samples, seed=seed, deadline=deadline
        )
    shows = items if plan.shows_items else ()
    after = after_reply(
        state,
        [item.sku for item in shows],
        listed=not decision.about,
        question=plan.question,
        article=article.article.slug if article and plan.from_article else "",
        quote=article.quote if article and plan.from_article else "",
        failed=plan.act in (Act.DECLINE, Act.CLARIFY),
    )
    clock.stages["total"] = round((time.monotonic() - clock.started) * 1000, 1)
    version = ports.generator.info.model_version if ports.generator and wording.written_by == "model" else ""
    return Reply(
        text="\n\n".join(
            filter(None, [fill(wording.text, brief.tags()), _details(decision, found, state), offer.text])
        ),
        act=plan.act,
        language=state.language,
        written_by=wording.written_by,
        model_version=version,
        state=after,
        cards=tuple(item.card() for item in (*shows, *offer.items)),
        items=(*shows, *offer.items),
        told=(*plan.items, *offer.items),
        said=said,
        found=found,
        brief=brief,
        wording=wording,
        why=plan.reason,
        article=article if plan.from_article else None,
        timings_ms=clock.stages,
    )


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


def _described(found: Found, state: DialogueState, said: Understanding, ports: Ports) -> str:
    """What the spotlit product's description says to a question about it."""
    if said.intent.name not in ("product_question", "availability") or len(found.slate) != 1:
        return ""
    description = found.slate[0].product.text("description", state.language)
    return answer_from_description(description, said.text, ports.encoder)


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


def _article(shop: Shop, said: Understanding, before: DialogueState, ports: Ports) -> ArticleAnswer | None:
    """The article that could answer, looked up only where the message may be asking for one."""
    asks = said.is_question or said.intent.name in ("policy", "order_status", "product_question")
    if not asks and said.intent.scores.get("policy", 0.0) < 0.15:
        return None
    return answer_from_articles(shop, said, before, ports.encoder)


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
        if chosen and decision.reason == beside.GOES_WITH:
            others = beside.companions(shop, chosen, state)
            return replace(decision, about=()) if others else Decision(Act.DECLINE, "nothing_fits"), Found(
                others, others
            )
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
