"""What may follow a reply as sentences of their own: the question, the second goal, how to order. Approved phrases only.

Every one is a :class:`Brief` for ``phrases.phrase_for``; ``data/followups.yaml`` holds the words.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from botcore.dialogue.ask import PRICE, option_names, price_band
from botcore.dialogue.brief import Brief
from botcore.dialogue.decide import NO_INFORMATION, POLICY
from botcore.dialogue.facts import Item, format_price
from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.names import attribute_name
from botcore.dialogue.perceived import PICTURED, SET_ASIDE, UNLIKE, Perceived
from botcore.dialogue.state import Act, DialogueState, LaterGoal, Question
from botcore.dialogue.words import CHINESE, sentences

QUESTION_ENDS = ("?", "？")


def question_brief(question: Question, state: DialogueState, lexicon: Lexicon, currency: str) -> Brief:
    """The question with its options, in the reply's language."""
    chinese = state.language == "zh"
    told = options_told(question, state.language, lexicon, currency)
    notes = {
        "ask": attribute_name(question.attribute, state.language),
        "options": ("、" if chinese else ", ").join(told),
    }
    if chinese and not CHINESE.search(notes["ask"]):
        del notes["ask"]
    return Brief("question", notes=notes)


def reading_brief(question: Question, word: str, state: DialogueState, lexicon: Lexicon) -> Brief:
    """Which of a word's meanings was meant."""
    told = options_told(question, state.language, lexicon, "")
    return Brief(
        "reading", notes={"options": ("、" if state.language == "zh" else ", ").join(told)}, slots={"asked": word}
    )


def options_told(question: Question, language: str, lexicon: Lexicon, currency: str) -> tuple[str, ...]:
    if question.attribute == PRICE:
        return tuple(_band(option, language, currency) for option in question.options)
    return tuple(name for _, name in option_names(question, language, lexicon))


def _band(option: str, language: str, currency: str) -> str:
    band = price_band(option)
    low, high = (format_price(p, currency) if isinstance(p, Decimal) else "" for p in (band.low, band.high))
    if language == "zh":
        return f"{low}到{high}" if low and high else f"{high}以内" if high else f"{low}以上"
    return f"{low} to {high}" if low and high else f"under {high}" if high else f"over {low}"


def pictured_brief(brief: Brief) -> Brief:
    """That the products of a reply look like the customer's picture."""
    return Brief(PICTURED, items=brief.items)


def missed_briefs(act: Act, why: str, perceived: Perceived) -> list[Brief]:
    """What of the customer's pictures and recordings the reply does not rest on, but for what it asks for by itself."""
    missed = list(perceived.missed)
    if perceived.alike and why != PICTURED and act is not Act.HANDOFF:
        missed.append(SET_ASIDE if why in (POLICY, NO_INFORMATION) else UNLIKE)
    return [Brief("missed", notes={"reason": each}) for each in missed if each != why]


def asks_already(text: str, question: Question, language: str, lexicon: Lexicon) -> bool:
    """Whether a reply ends with the question: its last sentence asks, and names the attribute or two of the options."""
    last = (sentences(text) or [""])[-1].lower()
    if not last.endswith(QUESTION_ENDS):
        return False
    if attribute_name(question.attribute, language) in last:
        return True
    names = [name.lower() for _, name in option_names(question, language, lexicon)]
    return sum(name in last for name in names) >= min(2, len(names)) > 0


def second_brief(goal: LaterGoal, item: Item | None, gave_up: Sequence[str], language: str, lexicon: Lexicon) -> Brief:
    """The best product for the other goal of a message, or that there is none."""
    notes = {"title": goal_name(goal, language, lexicon)}
    if item is None:
        return Brief("second_missing", notes=notes)
    slots = {"name": item.title, "price": item.slots["price"]}
    return Brief("second", gave_up=tuple(gave_up), notes=notes, slots=slots)


def waiting_brief(act: str, goal: LaterGoal, language: str, lexicon: Lexicon) -> Brief:
    """That a goal comes later (``act`` "later"), or whether it shall come now ("next")."""
    return Brief(act, notes={"title": goal_name(goal, language, lexicon)})


def goal_name(goal: LaterGoal, language: str, lexicon: Lexicon) -> str:
    category = lexicon.categories.get(goal.category)
    if category is None:
        return goal.category.rpartition("/")[2]
    return category.chinese if language == "zh" else category.name.lower()


def order_brief(item: Item, article_quote: str) -> Brief | None:
    """How to order what was chosen: its page, else what the shop's article says; None where the shop says nothing."""
    if item.url:
        return Brief("order_link", slots={"name": item.title, "link": item.url})
    return Brief("order_article", slots={"quote": article_quote}) if article_quote else None
