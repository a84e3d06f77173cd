"""Words for a scene: the reply a skeleton makes of it and the line the customer wrote before."""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random

from botcore.dialogue.state import Act
from workers.training.dialogues.contexts import World
from workers.training.dialogues.grammar import bare, listed, pairs, polish, said_by_shop, settle_articles, with_article
from workers.training.dialogues.scene import Scene, Unfit, reserved_part
from workers.training.dialogues.skeletons import LETTER_VARIABLES, PLACEHOLDER, Skeleton

_AFTER_IS = re.compile(r"(?:\bis|'s)(?: also)? $", re.IGNORECASE)
_DIFFERENCE = {"feature": "features", "skin": "skin type"}


def reply(skeleton: Skeleton, scene: Scene, world: World) -> str:
    """The skeleton with every placeholder filled; tags stay. Raises :class:`Unfit` where the scene lacks a fact."""
    text = skeleton.reply
    for name in LETTER_VARIABLES:
        letter = scene.variables.get(name, "")
        text = text.replace(f"{{{name}}}", letter).replace(f"{{{name}.", f"{{{letter}.")
    if scene.kind.plural and not skeleton.plural:
        text = pairs(text)

    def fill(match: re.Match[str]) -> str:
        subject, attribute = match[1], match[2]
        if attribute == "phrase" and _AFTER_IS.search(text[: match.start()]):
            return world.predicate(scene.phrase, scene.items[subject][scene.phrase])
        return _fact(scene, world, subject, attribute) if attribute else _word(scene, world, subject)

    return polish(PLACEHOLDER.sub(fill, text))


def wish_phrase(scene: Scene, world: World) -> str:
    """The wishes as a noun phrase, at most one word before and one phrase after: ``a green skirt in linen``."""
    adjective = next((v for a, v in scene.wished.items() if world.roles[a].adj), "")
    after = next((world.phrase(a, v) for a, v in scene.wished.items() if not world.roles[a].adj), "")
    noun = with_article(f"{adjective} {scene.kind.name}".strip(), plural=scene.kind.plural)
    return f"{noun} {after}".strip()


def _word(scene: Scene, world: World, subject: str) -> str:
    match subject:
        case "wish":
            return wish_phrase(scene, world)
        case "use":
            return said_by_shop(scene.use)
        case "match":
            return scene.wished[scene.match]
        case "not":
            return scene.unwanted
        case "gave_up":
            attribute, value = scene.gave_up
            return world.noun(attribute, value) if attribute else scene.budget
        case "ask":
            return scene.notes["ask"]
        case "options":
            return listed(scene.options, "or")
        case "differ":
            return listed([_DIFFERENCE.get(a, a) for a in scene.notes["differ"].split(", ")], "and")
        case "title":
            return scene.title
        case "because":
            return _reasons(scene)
        case "reason" | "reason2":
            return scene.reasons[subject == "reason2"]
        case "available" | "unavailable":
            return subject
    raise ValueError(f"{{{subject}}} is not a placeholder; see the list in docs/training.md")


def _fact(scene: Scene, world: World, letter: str, attribute: str) -> str:
    if attribute == "kind":
        return scene.kind.name
    row = scene.items[letter]
    match attribute:
        case "adj":
            return row[scene.adj]
        case "phrase":
            return world.phrase(scene.phrase, row[scene.phrase])
        case "any":
            return bare(row[scene.notes["attribute"]])
        case "any2":
            others = [value for name, value in row.items() if name != scene.notes["attribute"]]
            if not others:
                raise Unfit("no second attribute")
            return bare(others[0])
    return row[attribute]


def _reasons(scene: Scene) -> str:
    """All reasons after "it is": first what it is, then what it has."""
    is_ = [reason for reason in scene.reasons if not reason.startswith("has ")]
    has = [reason for reason in scene.reasons if reason.startswith("has ")]
    return listed([*is_, *has[:1], *(reason.removeprefix("has ") for reason in has[1:])], "and")


def customer_line(skeleton: Skeleton, scene: Scene, world: World, rng: Random, *, held_out: bool) -> str:
    """What the customer wrote, typos and all, numbers masked. Raises :class:`Unfit` where the line needs more."""
    template = rng.choice(reserved_part(_lines(skeleton, scene, world, rng), held_out=held_out))
    about = scene.notes.get("attribute", "")
    told = scene.items[scene.notes["about"]].get(about, "") if about else next(iter(scene.wished.values()), "")
    if scene.gave_up[1]:
        told = scene.gave_up[1]
    known: Mapping[str, str] = {
        "{wish}": wish_phrase(scene, world) if scene.says_kind or scene.letters else "",
        "{kind}": scene.kind.name,
        "{use}": scene.use,
        "{not}": scene.unwanted,
        "{value}": bare(told),
        "{attribute}": about,
        "[budget]": "[budget]" if scene.budget else "",
        "[asked]": scene.asked,
        "{a}": "the first",
        "{b}": "the second",
    }
    for name, text in known.items():
        if name in template and not text:
            raise Unfit(f"the customer's line needs {name}")
        template = template.replace(name, text)
    return settle_articles(template.lower() if rng.random() < 0.3 else template)


def _lines(skeleton: Skeleton, scene: Scene, world: World, rng: Random) -> list[str]:
    talk, notes = world.talk, scene.notes
    match skeleton.act:
        case Act.RECOMMEND:
            lines = talk["recommend"]
            return lines[notes["note"]] if "note" in notes else lines[rng.choice(_subjects(scene, world))]
        case Act.ASK:
            return talk["ask" if scene.says_kind else "ask_open"]
        case Act.ANSWER if scene.title:
            return talk["articles"][scene.title]
        case Act.ANSWER:
            lines = talk["answer"]
            return lines["stock"] if "stock" in notes else lines.get(notes["attribute"], lines["any"])
        case Act.COMPARE | Act.EXPLAIN:
            return talk[skeleton.act]
    return talk[skeleton.act][notes.get("unclear") or notes.get("topic") or notes["reason"]]


def _subjects(scene: Scene, world: World) -> list[str]:
    """What a first wish may have been about."""
    first = next(iter(scene.wished), "")
    there = {
        "use": scene.use,
        "budget": scene.budget,
        "not": scene.unwanted,
        "match": first and world.roles[first].adj and not scene.gave_up[0],
        "gave_up": scene.gave_up[0],
    }
    return ["kind", *(name for name, given in there.items() if given)]
