"""What a reply will say, before any words: the decision with its facts, and the brief made from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from botcore.dialogue.answer import Answer
from botcore.dialogue.ask import PRICE, option_names
from botcore.dialogue.brief import Brief
from botcore.dialogue.decide import THEMELESS, UNTOLD, Decision
from botcore.dialogue.evidence import Kind
from botcore.dialogue.facts import Item, format_price, satisfied
from botcore.dialogue.find import Found
from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.meanings import CATEGORY, KIND, TEXT, Meaning
from botcore.dialogue.names import attribute_name
from botcore.dialogue.state import Act, Constraint, DialogueState, Question
from botcore.dialogue.understand import Understanding
from catalog.models import Shop

LIST_NOTES = {"cheaper", "more", "changed", "similar"}
WISHES_TOLD = 4
DIFFERENCES_TOLD = 3


@dataclass(frozen=True)
class Plan:
    """One reply's content; ``question`` is what it asks, by itself or beside what it shows."""

    act: Act
    state: DialogueState
    said: Understanding
    found: Found
    items: tuple[Item, ...]
    answer: Answer | None
    reason: str = ""
    question: Question | None = None
    shows_items: bool = True
    quote: str = ""
    notes: dict[str, str] = field(default_factory=dict)


def plan_of(
    decision: Decision,
    state: DialogueState,
    said: Understanding,
    found: Found,
    items: tuple[Item, ...],
    answer: Answer | None,
    question: Question | None,
) -> Plan:
    """The plan for a decision; ``answer`` is what an answer rests on."""
    answer = answer if decision.act is Act.ANSWER else None
    notes, quote = _notes(decision, items, state.language), ""
    if answer:
        notes = _answer_notes(answer, items)
        quote = "" if "attribute" in notes else answer.text
        items = items if "attribute" in notes else ()
    return Plan(
        act=decision.act,
        state=state,
        said=said,
        found=found,
        items=items,
        answer=answer,
        reason=decision.reason,
        question=question,
        shows_items=decision.act in (Act.RECOMMEND, Act.COMPARE, Act.EXPLAIN),
        quote=quote,
        notes=notes,
    )


def brief_of(plan: Plan, shop: Shop, lexicon: Lexicon) -> Brief:
    """The plan as the model's brief: in the reply's language, numbers behind tags."""
    state = plan.state
    notes = dict(plan.notes)
    if plan.question:
        notes |= _asked(plan.question, state, lexicon)
    if plan.act is Act.EXPLAIN:
        notes["because"] = "; ".join(_reasons(plan, lexicon))
    slots: dict[str, str] = {}
    wishes = _wishes(plan, lexicon)
    gave_up = _gave_up(plan, lexicon)
    if any("[budget]" in phrase for phrase in (*wishes, *gave_up, notes.get("because", ""))):
        slots["budget"] = format_price(_budget(state), shop.currency)
    if any("[budget_low]" in phrase for phrase in (*wishes, *gave_up)) and state.price.low is not None:
        slots["budget_low"] = format_price(state.price.low, shop.currency)
    if plan.quote:
        slots["quote"] = plan.quote
    if plan.reason in ("not_sold", THEMELESS, UNTOLD) and plan.said.unknown:
        slots["asked"] = " ".join(plan.said.unknown)[:60]
    if plan.act in (Act.CHITCHAT, Act.HANDOFF):
        slots["shop"] = shop.name
    return Brief(
        act=plan.act,
        customer=plan.said.masked,
        wishes=wishes,
        gave_up=gave_up,
        items=tuple(item.facts() for item in plan.items),
        notes=notes,
        slots=slots,
        house_words=dict(shop.house_words.values_list("word", "stands_for")),
    )


def _notes(decision: Decision, items: tuple[Item, ...], language: str) -> dict[str, str]:
    match decision.act:
        case Act.RECOMMEND:
            return {"note": decision.reason} if decision.reason in LIST_NOTES else {}
        case Act.COMPARE:
            return _differences(items, language)
        case Act.CHITCHAT:
            return {"topic": decision.reason}
        case Act.CLARIFY:
            return {"unclear": decision.reason}
        case Act.DECLINE if decision.reason == UNTOLD and len(items) > 1:
            differ = _differing(items)[:DIFFERENCES_TOLD]
            return {"reason": UNTOLD} | ({"differ": _names(differ, language)} if differ else {})
        case Act.HANDOFF | Act.DECLINE:
            return {"reason": decision.reason}
    return {}


def _answer_notes(answer: Answer, items: tuple[Item, ...]) -> dict[str, str]:
    """What the model is told of an answer: the one value to state, else what the quote is of."""
    item = items[0] if items else None
    one_value = answer.kind is Kind.ATTRIBUTE and len(answer.details.get("values", ())) == 1
    if item and one_value and not answer.by_itself and (answer.name in item.words or answer.name in item.slots):
        return {"about": item.letter, "attribute": answer.name}
    if answer.by_itself:
        return {"source": answer.kind.value}
    return {"title": answer.name if item is None else item.kind}


def _differences(items: tuple[Item, ...], language: str) -> dict[str, str]:
    """What the items differ in, and which is cheaper and which better rated; the one that is both is only said to be rated."""
    cheaper = min(items, key=lambda item: item.price)
    prices = ["price"] if len({item.price for item in items}) > 1 else []
    differ = _differing(items)[:DIFFERENCES_TOLD] or prices
    notes = {"differ": _names(differ, language)} if differ else {}
    if sum(item.price == cheaper.price for item in items) == 1:
        notes["cheaper"] = cheaper.letter
    rated = [item for item in items if "rating" in item.slots]
    if len(rated) == len(items):
        best = max(rated, key=lambda item: item.slots["rating"])
        if sum(item.slots["rating"] == best.slots["rating"] for item in rated) == 1:
            notes = {name: told for name, told in notes.items() if told != best.letter} | {"rated": best.letter}
    return notes


def _differing(items: tuple[Item, ...]) -> list[str]:
    """The attributes that all items have words for, not the same."""
    shared = [a for a in items[0].words if all(a in item.words for item in items)]
    return [a for a in shared if len({item.words[a] for item in items}) > 1]


def _names(attributes: list[str], language: str) -> str:
    return ("、" if language == "zh" else ", ").join(attribute_name(a, language) for a in attributes)


def _asked(question: Question, state: DialogueState, lexicon: Lexicon) -> dict[str, str]:
    """The question as the model is told it. Prices have digits, which it never writes: their bands follow as a phrase."""
    if question.attribute == PRICE:
        return {"ask": attribute_name("budget", state.language)} if question.alone else {}
    kind = "kind" if question.attribute == CATEGORY and state.goal else question.attribute
    notes = {"ask": attribute_name("category" if kind == "kind" and state.language == "en" else kind, state.language)}
    told = [name for _, name in option_names(question, state.language, lexicon)]
    return notes | {"options": ("、" if state.language == "zh" else ", ").join(told)} if told else notes


def _wishes(plan: Plan, lexicon: Lexicon) -> tuple[str, ...]:
    """What the customer wants and every shown item holds, as short phrases; nothing that had to be given up."""
    state = plan.state
    of_a_kind = any(c.attribute == KIND and c.wanted for c in state.constraints)  # "blender", not "mixers & blender"
    phrases = [lexicon.name(Meaning(CATEGORY, state.goal), state.language)] if state.goal and not of_a_kind else []
    for constraint in sorted(state.constraints, key=lambda c: not c.hard):
        if constraint in plan.found.gave_up:
            continue
        if all(satisfied(candidate, constraint) for candidate in plan.found.slate):
            phrases.append(_phrase(constraint, state.language, lexicon))
    kept = (
        state.price.named and not plan.found.gave_up_price and all(state.price.holds(item.price) for item in plan.items)
    )
    price = _price_phrases(state) if kept else ()
    return tuple(dict.fromkeys([*phrases[:WISHES_TOLD], *price]))


def gave_up_names(found: Found, state: DialogueState, lexicon: Lexicon, currency: str) -> tuple[str, ...]:
    """What had to be given up for a find, in words with their amounts."""
    prices = _price_phrases(state) if _dearer_or_unlike(found, state) else ()
    low, high = (format_price(p or Decimal(0), currency) for p in (state.price.low, _budget(state)))
    told = (phrase.replace("[budget_low]", low).replace("[budget]", high) for phrase in prices)
    return (*(_phrase(c, state.language, lexicon) for c in found.gave_up), *told)


def _gave_up(plan: Plan, lexicon: Lexicon) -> tuple[str, ...]:
    phrases = [_phrase(c, plan.state.language, lexicon) for c in plan.found.gave_up]
    return (*phrases, *(_price_phrases(plan.state) if _dearer_or_unlike(plan.found, plan.state) else ()))


def _dearer_or_unlike(found: Found, state: DialogueState) -> bool:
    """Whether the price that was given up is one to speak of: who said "around 60" minds nothing that costs less."""
    if not found.gave_up_price:
        return False
    high = state.price.high
    return state.price.about is None or high is None or any(c.variant.price > high for c in found.slate)


def _reasons(plan: Plan, lexicon: Lexicon) -> list[str]:
    """Why the item in the spotlight was picked: the wishes it holds, then its rating."""
    item = plan.items[0]
    held = [c for c in plan.state.constraints if satisfied(plan.found.slate[0], c)]
    reasons = [_phrase(c, plan.state.language, lexicon) for c in held]
    if plan.state.price.named and plan.state.price.holds(item.price):
        reasons += _price_phrases(plan.state)
    if not reasons and plan.state.goal:
        reasons.append(lexicon.name(Meaning(CATEGORY, plan.state.goal), plan.state.language))
    if len(reasons) < 2 and "rating" in item.slots:
        reasons.append(
            f"评分[{item.letter}.rating]" if plan.state.language == "zh" else f"rated [{item.letter}.rating]"
        )
    return reasons[:3]


def _phrase(constraint: Constraint, language: str, lexicon: Lexicon) -> str:
    own_word = constraint.said if constraint.attribute == TEXT and language == "en" else ""
    name = own_word or lexicon.name(Meaning(constraint.attribute, constraint.value), language)
    if constraint.wanted:
        return name
    return f"不要{name}" if language == "zh" else f"not {name}"


def _price_phrases(state: DialogueState) -> tuple[str, ...]:
    chinese, price = state.language == "zh", state.price
    if price.about is not None:
        return ("[budget]左右" if chinese else "around [budget]",)
    if price.low is not None and price.high is not None:
        return ("[budget_low]到[budget]" if chinese else "between [budget_low] and [budget]",)
    if price.high is not None:
        return ("[budget]以内" if chinese else "under [budget]",)
    return (("[budget]以上" if chinese else "over [budget]"),) if price.low is not None else ()


def _budget(state: DialogueState) -> Decimal:
    price = state.price
    return price.about or price.high or price.low or Decimal(0)
