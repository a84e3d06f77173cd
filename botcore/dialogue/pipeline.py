"""One turn from message to reply: understand -> track state -> decide act -> find -> ask or show -> compose -> verify -> fill.

``respond`` owns the control flow and the errors; every stage takes what it needs and returns what it found. The
database is read, never written: storing the reply is ``botcore.answering``'s.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from botcore.dialogue import beside
from botcore.dialogue.answer import DISPLEASING, Answer, answer_to, returned_text, similar_text
from botcore.dialogue.ask import MEANING, ambiguous, answered, undecided
from botcore.dialogue.brief import Brief
from botcore.dialogue.compose import fill, word
from botcore.dialogue.decide import APPROVED, Decision, decide, subject_of, with_media, without_products
from botcore.dialogue.evidence import Kind
from botcore.dialogue.facts import Item, items_of
from botcore.dialogue.find import Found, Visit, beyond_goal, in_reach, items_by_sku, shown_text
from botcore.dialogue.follow import followups, second_goal
from botcore.dialogue.followups import missed_briefs, pictured_brief, reading_brief
from botcore.dialogue.goals import separated, turned_to
from botcore.dialogue.lexicon.kept import lexicon_of
from botcore.dialogue.lexicon.lexicon import Lexicon, common_category
from botcore.dialogue.named import product_named
from botcore.dialogue.perceived import ASKED_FOR_WORDS, NOTHING, PICTURED, Perceived
from botcore.dialogue.phrases import phrase_for
from botcore.dialogue.plan import Plan, brief_of, plan_of
from botcore.dialogue.ports import Ports
from botcore.dialogue.questions import asked, hurried
from botcore.dialogue.reasons import difference_table
from botcore.dialogue.reply import Reply
from botcore.dialogue.settle import CHEAPEST, settled, spoken_of
from botcore.dialogue.state import Act, DialogueState, LaterGoal
from botcore.dialogue.track import after_reply, track
from botcore.dialogue.understand import ShownItem, Understanding, picked, understand
from botcore.dialogue.understanding.intention import extreme_asked
from botcore.dialogue.words import sentences
from catalog.models import Product, Shop


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
    perceived: Perceived = NOTHING,
    recommends: bool = True,
) -> Reply:
    """The reply to a message in a conversation's state.

    ``deadline`` (``time.monotonic()``) bounds the model's writing; ``pressed`` is the SKU whose button was the message;
    ``customer_id`` is the shop's customer that the contact is known to be; ``perceived`` is what came beside the words.
    Where the bot does not ``recommend``, whoever looks for products gets a person.
    """
    clock = Clock()
    with clock.stage("understand"):
        lexicon = lexicon_of(shop)
        shown = shown_items(shop, before)
        said, later = _understood(shop, text, pressed, before, shown, lexicon, ports)
        state = in_reach(shop, track(before, said, shown, beyond_goal(shop, before, said.constraints)))
    with clock.stage("decide"):
        answer = _answer(shop, said, before, lexicon, ports)
        decision, state = _decided(shop, before, state, said, answer, lexicon, perceived)
        decision = decision if recommends else without_products(decision)
    with clock.stage("find"):
        visit = Visit(text, customer_id, seed, ports.sequence, telling=bool(said.words))
        pictured = replace(visit, alike=perceived.alike)
        decision, state, found = settled(shop, decision, state, before, said, lexicon, ports, pictured)
    with clock.stage("ask"):
        decision, found, asking = asked(decision, found, before, state, said, lexicon, later, ports.encoder)
    with clock.stage("plan"):
        spoken_with = spoken_of(decision, state, said)
        items = items_of(found.slate, shop, spoken_with, lexicon, first=answer.name if answer else "")
        plan = plan_of(decision, state, said, found, items, answer, asking.question)
        brief = _brief(decision, plan, shop, lexicon)
        second = second_goal(shop, plan, later, lexicon, ports, visit)
        offer = beside.offer(shop, decision, found, state, lexicon, seed) if recommends else beside.Offer()
        alike = () if offer.items or not recommends else beside.alike(shop, plan, lexicon)
    with clock.stage("compose"), ports.writing_about(state.department) as own:
        writer = own.in_phrases() if _is_approved(decision, plan, said) else own
        wording = word(brief, state.language, writer, samples=samples, seed=seed, deadline=deadline)
        unused = missed_briefs(plan.act, plan.reason, perceived)
        more = [*unused, *followups(shop, plan, wording.text, before, second, lexicon, ports, visit)]
        followed = [fill(phrase_for(each, state.language, seed), each.tags()) for each in more]
        likeness = phrase_for(pictured_brief(brief), state.language, seed) if plan.reason == PICTURED else ""
        told = [likeness, fill(wording.text, brief.tags()), similar_text(plan.answer, alike, state.language)]
        paragraphs = [
            returned_text(before),
            _told(told, state.language),
            _details(decision, found, state),
            "\n".join(_table(plan)),
            offer.text,
        ]
    shows = (*(items if plan.shows_items else ()), *second.items, *alike)
    state = state.with_(hurried=hurried(before, state, said), waiting=second.waiting)
    clock.stages["total"] = round((time.monotonic() - clock.started) * 1000, 1)
    return Reply(
        text=_joined(paragraphs, followed, state.language),
        act=plan.act,
        language=state.language,
        written_by=wording.written_by,
        model_version=_model_version(writer, wording.written_by),
        version_id=writer.version_id,
        state=_remembered(state, decision, plan, shows, listed=not decision.about or bool(alike)),
        cards=tuple(item.card() for item in (*shows, *offer.items)),
        items=(*shows, *offer.items),
        told=(*plan.items, *second.items, *alike, *offer.items),
        said=said,
        found=found,
        brief=brief,
        wording=wording,
        why=plan.reason,
        asking=asking,
        answer=plan.answer,
        perceived=perceived,
        timings_ms=clock.stages,
    )


def _is_approved(decision: Decision, plan: Plan, said: Understanding) -> bool:
    """Whether an approved phrase is said whatever the model could write: what is said is settled, word for word, or quotes what
    nobody understood ("we'd have to let go of a special")."""
    by_itself = plan.answer is not None and plan.answer.by_itself
    settled = plan.reason in {CHEAPEST, *ASKED_FOR_WORDS, *APPROVED} or by_itself
    return settled or bool(decision.word or said.unheard)


def _told(sentences: Sequence[str], language: str) -> str:
    return ("" if language == "zh" else " ").join(filter(None, sentences))


def _model_version(ports: Ports, written_by: str) -> str:
    return ports.generator.info.model_version if ports.generator and written_by == "model" else ""


def _remembered(
    state: DialogueState, decision: Decision, plan: Plan, shows: Sequence[Item], *, listed: bool
) -> DialogueState:
    """The state that the next message is read in."""
    article = plan.answer if plan.answer and plan.answer.kind is Kind.ARTICLE else None
    if decision.reason == PICTURED and not state.goal:  # the talk goes on about what was shown, if that is of one kind
        state = state.with_(goal=common_category([item.category for item in shows]))
    return after_reply(
        state,
        [item.sku for item in shows],
        listed=listed,
        question=plan.question,
        article=article.id if article else "",
        quote=article.quote if article else "",
        failed=decision.failed,
    )


NAMING = ("availability", "product_question", "find")
"""Questions in which a product may be called by its name."""


def _understood(
    shop: Shop,
    text: str,
    pressed: str,
    before: DialogueState,
    shown: Sequence[ShownItem],
    lexicon: Lexicon,
    ports: Ports,
) -> tuple[Understanding, LaterGoal | None]:
    """The message as it stands in the talk: as an answer to what was asked, its second goal apart; a product that a
    question calls by its name is one that it points at."""
    if pressed:
        return picked(pressed, text, before), None
    said = understand(text, before, shown, lexicon, ports.reader, ports.encoder)
    said = answered(said, before, lexicon)
    asks = said.is_question and said.intent.name in NAMING
    if asks and not said.references and (named := product_named(shop, said.text)):
        likelier = max("availability", "product_question", key=said.intent.chance)
        return replace(said, references=(named,), goals=(), intent=said.intent.called(likelier)), None
    return separated(said, lexicon)


def _decided(
    shop: Shop,
    before: DialogueState,
    state: DialogueState,
    said: Understanding,
    answer: Answer | None,
    lexicon: Lexicon,
    perceived: Perceived,
) -> tuple[Decision, DialogueState]:
    """The act for the message; where the customer is done with one goal, the one that waits is turned to."""
    decision = with_media(decide(before, state, said, answer), said, perceived)
    if decision.act is Act.ANSWER and decision.about and state.goal == before.goal:  # "has it a timer?" wishes for none
        state = state.with_(constraints=before.constraints, price=before.price)
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
    """What the reply says; which meaning a word has, and that nothing costs less, is said in approved phrases alone."""
    if plan.reason == CHEAPEST:
        return Brief(CHEAPEST, items=tuple(item.facts() for item in plan.items))
    if decision.word and decision.question:
        return reading_brief(decision.question, decision.word, plan.state, lexicon)
    return brief_of(plan, shop, lexicon)


DONE = ("ok", "thanks", "show")
"""What customers say when they are ready for the next thing."""


def _done_with(decision: Decision, said: Understanding) -> bool:
    return said.intent.name in DONE and not (said.goals or said.constraints or said.price or decision.about)


def _table(plan: Plan) -> tuple[str, ...]:
    return difference_table(plan.items, plan.state.language) if plan.act is Act.COMPARE else ()


def _joined(paragraphs: Sequence[str], followed: Sequence[str], language: str) -> str:
    """The reply's paragraphs; what follows goes on in the last of them, unless that is a table."""
    told = [paragraph for paragraph in paragraphs if paragraph]
    if len(told) == 1 and followed:
        return _told([*told, *followed], language)
    return "\n\n".join(filter(None, [*told, _told(followed, language)]))


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


DETAILS = 3
"""Sentences of a chosen product's description that follow the reply, in the shop's own words."""


def _details(decision: Decision, found: Found, state: DialogueState) -> str:
    """What the shop itself says of the product a customer chose."""
    if decision.reason != "chosen" or len(found.slate) != 1:
        return ""
    description = sentences(found.slate[0].product.text("description", state.language))[:DETAILS]
    return _told(description, state.language)


ASKING = ("policy", "order_status", "product_question", "availability", "discount")
LIKELY = 0.15
"""Chance of a question from which an answer is looked for where the message does not look like one."""


def _answer(shop: Shop, said: Understanding, before: DialogueState, lexicon: Lexicon, ports: Ports) -> Answer | None:
    """The nearest answer that the shop has, looked for only where the message may ask for one."""
    if said.intent.name == "choose" and (not said.is_question or extreme_asked(said.text)):
        return None
    asks = said.is_question or DISPLEASING.search(said.text) or said.intent.chance(*ASKING) >= LIKELY
    if not asks:
        return None
    subject = subject_of(before, said)
    skus = (subject,) if subject else said.references or before.slate
    rows = (
        Product.objects.filter(shop=shop, sku__in=skus).select_related("category__parent").prefetch_related("variants")
    )
    products = sorted(rows, key=lambda product: skus.index(product.sku))
    product = products[0] if subject and products else None
    return answer_to(shop, said, before, product, lexicon, ports, products)
