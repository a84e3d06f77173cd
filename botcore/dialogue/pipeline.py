"""One turn from message to reply: understand -> track state -> decide act -> find -> ask or show -> compose -> verify -> fill.

``respond`` owns the control flow and the errors; every stage takes what it needs and returns what it found. The
database is read, never written: storing the reply is ``botcore.answering``'s.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from botcore.dialogue import beside
from botcore.dialogue.answer import DISPLEASING, Answer, answer_to, returned_text, similar_text
from botcore.dialogue.ask import MEANING, Asking, ambiguous, answered, undecided
from botcore.dialogue.brief import Brief
from botcore.dialogue.compose import Wording, fill, word
from botcore.dialogue.decide import APPROVED, Decision, decide, subject_of, with_media, without_products
from botcore.dialogue.evidence import Kind
from botcore.dialogue.facts import Item, items_of
from botcore.dialogue.find import Found, Visit, beyond_goal, in_reach, inside_kind, items_by_sku, shown_text
from botcore.dialogue.follow import Second, followups, second_goal
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
from botcore.dialogue.understanding.intention import asks_within, extreme_asked
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
        beyond = beyond_goal(shop, before, said.constraints)
        state = in_reach(shop, track(before, said, shown, beyond, inside_kind(shop, before, said.thing)))
        visit = Visit(text, customer_id, seed, ports.sequence, telling=bool(said.words))
        heard = Heard(shop, before, said, later, lexicon, ports, visit, perceived, recommends)
    with clock.stage("decide"):
        answer = _answer(shop, said, before, lexicon, ports)
        decision, state = _decided(heard, state, answer)
        decision = decision if recommends else without_products(decision)
    with clock.stage("find"):
        pictured = replace(visit, alike=perceived.alike)
        decision, state, found = settled(shop, decision, state, before, said, lexicon, ports, pictured)
    with clock.stage("ask"):
        decision, found, asking = asked(decision, found, before, state, said, lexicon, later, ports.encoder)
    with clock.stage("plan"):
        content = _content(heard, decision, state, found, answer, asking)
    with clock.stage("compose"), ports.writing_about(state.department) as own:
        writer = own.in_phrases() if _is_approved(decision, content.plan, said) else own
        wording = word(content.brief, state.language, writer, samples=samples, seed=seed, deadline=deadline)
        written = _text(heard, content, wording)
    state = state.with_(hurried=hurried(before, state, said), waiting=content.second.waiting)
    clock.stages["total"] = round((time.monotonic() - clock.started) * 1000, 1)
    return Reply(
        text=written,
        act=content.plan.act,
        language=state.language,
        written_by=wording.written_by,
        model_version=_model_version(writer, wording.written_by),
        version_id=writer.version_id,
        state=_remembered(state, decision, content),
        cards=tuple(item.card() for item in content.cards),
        items=content.cards,
        told=(*content.plan.items, *content.beside, *content.offer.items),
        said=said,
        found=found,
        brief=content.brief,
        wording=wording,
        why=content.plan.reason,
        asking=asking,
        answer=content.plan.answer,
        perceived=perceived,
        timings_ms=clock.stages,
    )


@dataclass(frozen=True)
class Heard:
    """A message as it stands in its talk, with what its reply is made from; ``later`` is the second goal of two."""

    shop: Shop
    before: DialogueState
    said: Understanding
    later: LaterGoal | None
    lexicon: Lexicon
    ports: Ports
    visit: Visit
    perceived: Perceived
    recommends: bool


@dataclass(frozen=True)
class Content:
    """What a reply says before it is put in words: its plan and brief, the items ``shown`` for them, and what is told beside."""

    plan: Plan
    brief: Brief
    shown: tuple[Item, ...]
    second: Second
    offer: beside.Offer
    alike: tuple[Item, ...]
    details: str

    @property
    def beside(self) -> tuple[Item, ...]:
        return (*self.second.items, *self.alike)

    @property
    def cards(self) -> tuple[Item, ...]:
        return (*self.shown, *self.beside, *self.offer.items)


def _content(
    heard: Heard, decision: Decision, state: DialogueState, found: Found, answer: Answer | None, asking: Asking
) -> Content:
    """What is said of what was decided and found."""
    shop, lexicon = heard.shop, heard.lexicon
    spoken = spoken_of(decision, state, heard.said)
    items = items_of(found.slate, shop, spoken, lexicon, first=answer.name if answer else "")
    plan = plan_of(decision, state, heard.said, found, items, answer, asking.question)
    offer = beside.Offer()
    if heard.recommends:
        offer = beside.offer(shop, decision, found, state, lexicon, heard.visit.seed)
    return Content(
        plan=plan,
        brief=_brief(decision, plan, shop, lexicon),
        shown=items if plan.shows_items else (),
        second=second_goal(shop, plan, heard.later, lexicon, heard.ports, heard.visit),
        offer=offer,
        alike=beside.alike(shop, plan, lexicon) if heard.recommends and not offer.items else (),
        details=_details(decision, found, state),
    )


def _text(heard: Heard, content: Content, wording: Wording) -> str:
    """The reply proper, what the shop itself says, what is offered beside and what follows."""
    plan, brief, before = content.plan, content.brief, heard.before
    language, seed = plan.state.language, heard.visit.seed
    likeness = phrase_for(pictured_brief(brief), language, seed) if plan.reason == PICTURED else ""
    told = [likeness, fill(wording.text, brief.tags()), similar_text(plan.answer, content.alike, language)]
    paragraphs = [
        returned_text(before),
        _told(told, language),
        content.details,
        "\n".join(_table(plan)),
        content.offer.text,
    ]
    after = missed_briefs(plan.act, plan.reason, heard.perceived)
    after += followups(heard.shop, plan, wording.text, before, content.second, heard.lexicon, heard.ports, heard.visit)
    followed = [fill(phrase_for(each, language, seed), each.tags()) for each in after]
    return _joined(paragraphs, followed, language)


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


def _remembered(state: DialogueState, decision: Decision, content: Content) -> DialogueState:
    """The state that the next message is read in."""
    answer, shows = content.plan.answer, (*content.shown, *content.beside)
    article = answer if answer and answer.kind is Kind.ARTICLE else None
    gone = bool(answer and answer.kind is Kind.STOCK and answer.details.get("missing"))
    if decision.reason == PICTURED and not state.goal:  # the talk goes on about what was shown, if that is of one kind
        state = state.with_(goal=common_category([item.category for item in shows]))
    return after_reply(
        state,
        [item.sku for item in shows],
        listed=not decision.about or bool(content.alike),
        question=content.plan.question,
        article=article.id if article else "",
        quote=article.quote if article else "",
        gone=gone,
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


def _decided(heard: Heard, state: DialogueState, answer: Answer | None) -> tuple[Decision, DialogueState]:
    """The act for the message; where the customer is done with one goal, the one that waits is turned to."""
    shop, before, said = heard.shop, heard.before, heard.said
    decision = with_media(decide(before, state, said, answer), said, heard.perceived)
    if decision.act is Act.ANSWER and decision.about and state.goal == before.goal:  # "has it a timer?" wishes for none
        state = state.with_(constraints=before.constraints, price=before.price)
    if decision.failed and before.failures >= FAILURES:
        return Decision(Act.HANDOFF, "stuck"), state
    if state.waiting and before.shown and _done_with(decision, said):
        return Decision(Act.RECOMMEND, "changed"), in_reach(shop, turned_to(state, state.waiting[0]))
    looks = decision.act is Act.RECOMMEND and decision.reason in ("", "changed") and not before.open_question
    if looks and (unclear := ambiguous(said, state, shop, heard.lexicon)):
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
    if said.intent.name == "choose" and (not asks_within(said.text) or extreme_asked(said.text)):
        return None
    asks = (
        said.is_question
        or said.intent.name == "choose"
        or DISPLEASING.search(said.text)
        or said.intent.chance(*ASKING) >= LIKELY
    )
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
