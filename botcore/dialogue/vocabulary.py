"""The closed vocabulary: all that a reply to a brief may say.

A word is either one of the brief's (a fact) or one of the act's *neutral words*, those that our own hand-written
replies use around facts (``data/neutral_words.yaml``); any other would be a claim that nothing supports. The model
writes in this vocabulary (``prompt_of``), and the verifier checks against it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

import yaml

from botcore.dialogue.brief import TAG, Brief, ItemFacts, messages
from botcore.dialogue.ports import Prompt
from botcore.dialogue.words import DATA, singular

WORD = re.compile(r"[a-z][a-z'-]*|[\u3400-\u9fff]", re.IGNORECASE)
NAMES_ASPECTS = ("answer", "compare", "ask", "clarify")
"""Acts that speak of attributes by name ("material"); elsewhere "with noise" would be a claim."""
STOCK = {"yes": "available", "no": "unavailable"}
BUDGETS = ("budget", "budget_low")
BUDGET_LEADS = "under within inside below over above past around between and of to was your".split()
"""A budget is the customer's limit, never a product's price: it stands after one of these."""
RULED_OUT = "not "
DENIALS = ("no", "not", "without", "without any", "none with", "not have", "not want")
"""What the customer ruled out stands after one of these."""
COMPARISONS = {
    "cheaper": (
        "[{}.name] is the cheaper",
        "[{}.name] is cheaper",
        "[{}.name] is the cheapest",
        "[{}.name] the cheaper",
        "[{}.name], the cheaper",
        "Cheaper is [{}.name]",
        "The cheaper is [{}.name]",
        "The cheapest is [{}.name]",
        "[{}.name] costs less",
        "[{}.name] is lower",
        "[{}.name] comes out lower",
        "for a lower price take [{}.name]",
        "pay less and go with [{}.name]",
    ),
    "rated": (
        "[{}.name] is better rated",
        "Better rated is [{}.name]",
        "Better rated than the others is [{}.name]",
        "people rate [{}.name] higher",
    ),
}
"""What a comparison says of the item that a note names, and of no other; a capital is for a sentence's first word."""
COMPARED = frozenset("cheaper cheapest less lower better higher".split())
"""Words of a comparison that stand in those phrases only."""
LETTERS = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")


def prompt_of(brief: Brief) -> Prompt:
    """What the model is told for a brief, and the words, tags and phrases it may answer with."""
    facts = {word for text in _fact_texts(brief) for word in _forms(text)}
    compared = COMPARED if brief.act == "compare" else frozenset()
    words = (neutral_words(brief.act) | facts) - compared
    own = {word for word, stands_for in brief.house_words.items() if not stands_for or stands_for in words}
    tags = tuple(tag for tag in brief.tags() if tag not in BUDGETS)
    return Prompt(messages(brief), words | own, tags, tuple(_phrases(brief)))


def plainly(text: str, brief: Brief) -> str:
    """A reply with the shop's own words put back into those that they stand for: it claims what these claim."""
    if not brief.house_words:
        return text
    own = rf"{TAG.pattern}|\b(?P<own>{'|'.join(map(re.escape, brief.house_words))})\b"
    return re.sub(
        own,
        lambda found: brief.house_words[found["own"].lower()] if found["own"] else found.group(),
        text,
        flags=re.IGNORECASE,
    )


@lru_cache(maxsize=16)
def neutral_words(act: str) -> frozenset[str]:
    """The words that claim nothing in a reply of this act, as they are written: "line" does not let in "lining"."""
    by_act = yaml.safe_load((DATA / "neutral_words.yaml").read_text(encoding="utf-8"))
    return frozenset(part for word in by_act.get(act, "").split() for part in parts(word))


def shared_texts(brief: Brief) -> Iterable[str]:
    """Facts that are of no item: the act itself, what was given up, the act's notes and what they say of the stock."""
    yield from certain_texts(brief)
    yield brief.notes.get("options", "")


def certain_texts(brief: Brief) -> Iterable[str]:
    """Those of them that any sentence may hold. An answer to choose from is true of some products only."""
    yield brief.act
    yield from brief.gave_up
    yield from (note for name, note in brief.notes.items() if name != "options")
    yield STOCK.get(brief.notes.get("stock", ""), "")


def item_texts(item: ItemFacts, brief: Brief) -> Iterable[str]:
    """Facts of one item."""
    yield item.kind
    yield from item.attributes.values()
    if brief.act in NAMES_ASPECTS:
        yield from item.attributes


def parts(word: str) -> list[str]:
    """Words joined by hyphens one by one, possessives without their ending, in lower case."""
    return [part.removesuffix("'s").strip("'") for part in word.lower().split("-") if part.strip("'")]


def _fact_texts(brief: Brief) -> Iterable[str]:
    """Every text of a brief whose words are facts; the customer's own words prove nothing."""
    yield from (wish for wish in brief.wishes if not wish.startswith(RULED_OUT))
    yield from shared_texts(brief)
    for item in brief.items:
        yield from item_texts(item, brief)


def _phrases(brief: Brief) -> Iterable[str]:
    for budget in brief.slots.keys() & set(BUDGETS):
        for lead in BUDGET_LEADS:
            yield from (f"{lead} [{budget}]", f"{lead} your [{budget}]")
    for unwanted in (wish[len(RULED_OUT) :].lower() for wish in brief.wishes if wish.startswith(RULED_OUT)):
        for denial in DENIALS:
            yield from (f"{denial} {unwanted}", f"{denial} {re.sub('^an? ', '', unwanted)}")
    if brief.act != "compare":
        return
    yield "like better"
    for note, said in COMPARISONS.items():
        yield from (phrase.format(brief.notes[note]) for phrase in said if note in brief.notes)
    if "cheaper" in brief.notes and brief.notes["cheaper"] == brief.notes.get("rated"):
        yield f"both cheaper and better rated: [{brief.notes['cheaper']}.name]"


def _forms(text: str) -> Iterable[str]:
    """The words of a fact as they are, in the singular and in the plural."""
    for word in LETTERS.findall(TAG.sub(" ", text.lower()).replace("’", "'").replace("_", " ")):
        yield from (word, singular(word), word if word.endswith("s") else f"{word}s")
