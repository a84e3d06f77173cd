"""Draws the situation behind one example: what is wished, what the items are like, which note the shop adds.

The facts a reply does not use are the point: from them the model learns to select.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from botcore.dialogue.brief import LETTERS
from botcore.dialogue.state import Act
from workers.training.dialogues.contexts import DEPARTMENTS, Kind, World
from workers.training.dialogues.grammar import bare, said_by_shop
from workers.training.dialogues.skeletons import Skeleton

ASKABLE = ("color", "material", "fit", "style", "finish", "texture", "scent", "tone", "format", "language", "taste")
"""Attributes whose name can follow "which"."""
SAID_AFTER_IN = ("color", "material", "format", "language")
BUDGETS, BUDGET_WEIGHTS = ("under [budget]", "around [budget]", "between [budget_low] and [budget]"), (8, 1, 1)
"""How a price range is told; replies that speak of [budget] are written for the first."""
ROLES = ("adj", "phrase", "any", "any2", "kind")
"""Names in placeholders that stand for an attribute yet to be chosen, or for none."""
MOST_ATTRIBUTES = {1: 4, 2: 3, 3: 2}
"""Attributes per item by number of items, so that a prompt stays short."""
MOST_REASONS = 3
HELD_OUT_EVERY = 6
"""Every sixth article, customer's line and unsold thing is kept for the held-out examples."""


class Unfit(Exception):  # noqa: N818  (a draw that did not work out, not an error)
    """This skeleton cannot be filled with this draw; another draw may do."""


@dataclass
class Scene:
    """One draw. Values still carry their articles; ``adj``, ``phrase`` and ``match`` name attributes."""

    kind: Kind
    letters: str
    adj: str = ""
    phrase: str = ""
    match: str = ""
    wished: dict[str, str] = field(default_factory=dict)
    gave_up: tuple[str, str] = ("", "")
    unwanted: str = ""
    use: str = ""
    budget: str = ""
    rated: bool = False
    says_kind: bool = True
    items: dict[str, dict[str, str]] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    title: str = ""
    asked: str = ""


def reserved_part(lines: Sequence[str], *, held_out: bool) -> Sequence[str]:
    """The share of ``lines`` that belongs to one side of the split; all of them where there are too few to share."""
    reserved = lines[HELD_OUT_EVERY - 1 :: HELD_OUT_EVERY]
    if held_out:
        return reserved or lines
    return [line for line in lines if line not in reserved]


class SceneDraw:
    """Draws one :class:`Scene` for one skeleton, or raises :class:`Unfit`. Use it once."""

    def __init__(self, world: World, rng: Random, skeleton: Skeleton, *, held_out: bool) -> None:
        self._world, self._rng, self._skeleton, self._held_out = world, rng, skeleton, held_out
        self._named = set(skeleton.attributes()) - set(ROLES)
        self._scene = Scene(self._kind(), LETTERS[: self._item_count()])

    def draw(self) -> Scene:
        self._choose_roles()
        self._choose_gave_up()
        self._choose_wishes()
        self._choose_circumstances()
        self._furnish()
        self._choose_unwanted()
        self._note()
        return self._scene

    # What is on the counter

    def _item_count(self) -> int:
        skeleton = self._skeleton
        count = skeleton.letters()
        if "about" in skeleton.notes:
            count = max(count, LETTERS.index(skeleton.notes["about"]) + 1)
        if skeleton.act in (Act.COMPARE, Act.EXPLAIN):
            count = max(count, 2 if skeleton.act is Act.COMPARE else 1)
        if skeleton.notes.get("unclear") == "item" and self._rng.random() < 0.5:
            count = max(count, 2)
        room = {Act.RECOMMEND: 3, Act.EXPLAIN: 2, Act.ANSWER: 2}.get(skeleton.act, 0)
        return count + (0 < count < room and self._rng.random() < 0.3)

    def _kind(self) -> Kind:
        reserved = self._held_out and self._rng.random() < 0.6
        fit = [kind for kind in self._world.kinds if kind.held_out == reserved and self._suits(kind)]
        if not fit:
            raise Unfit(f"{self._skeleton.id}: no product kind has {sorted(self._named | self._skeleton.slots())}")
        department = self._rng.choice([d for d in DEPARTMENTS if any(kind.department == d for kind in fit)])
        return self._rng.choice([kind for kind in fit if kind.department == department])

    def _suits(self, kind: Kind) -> bool:
        skeleton = self._skeleton
        asked = skeleton.notes.get("ask") or skeleton.notes.get("attribute", "")
        attributes = {asked, skeleton.gave_up, *skeleton.because} & self._world.roles.keys() | self._named
        slots = (skeleton.slots() | {asked} & {"size", "capacity"}) - {"rating", "reviews"}
        return attributes <= kind.values.keys() and slots <= set(kind.slots) and (kind.plural or not skeleton.plural)

    def _choose_roles(self) -> None:
        """Settles which attribute ``{A.adj}`` and ``{A.phrase}`` mean and which wish ``{match}`` is."""
        skeleton, scene, roles = self._skeleton, self._scene, self._world.roles
        taken = self._named | set(skeleton.because)
        free = [a for a, values in scene.kind.values.items() if a not in taken and len(values) >= len(scene.letters)]
        self._rng.shuffle(free)
        if "adj" in skeleton.attributes():
            scene.adj = _take(free, [a for a in free if roles[a].adj])
        if skeleton.uses("match"):
            scene.match = _take(free, [a for a in free if roles[a].adj])
        if "phrase" in skeleton.attributes():
            clash = "color" if skeleton.gave_up in ("adj", "color") else ""
            scene.phrase = _take(free, [a for a in free if roles[a].phrase and a != clash])
        if skeleton.act is Act.COMPARE:
            cheaper, other = self._rng.sample(scene.letters, 2)
            together = skeleton.same or (not skeleton.uses("cheaper") and self._rng.random() < 0.5)
            rated = cheaper if together else other
            unrated = next(letter for letter in scene.letters if letter != rated)
            scene.variables = {"cheaper": cheaper, "dearer": other, "rated": rated, "unrated": unrated}
            scene.rated = "{rated" in skeleton.reply or skeleton.same or self._rng.random() < 0.4

    # What the customer wants

    def _choose_gave_up(self) -> None:
        sort, scene, roles = self._skeleton.gave_up, self._scene, self._world.roles
        if sort in ("", "budget"):
            return
        possible = [a for a, v in scene.kind.values.items() if len(v) > len(scene.letters) and a != scene.match]
        if sort == "any":
            possible = [a for a in possible if roles[a].noun]
        elif sort == "in":
            possible = [a for a in possible if a in SAID_AFTER_IN]
        elif sort == "adj":
            possible = [a for a in possible if (a == scene.adj if scene.adj else roles[a].adj)]
        else:
            possible = [a for a in possible if a == sort]
        if not possible:
            raise Unfit("nothing to give up")
        attribute = self._rng.choice(possible)
        scene.gave_up = (attribute, self._rng.choice(scene.kind.values[attribute]))

    def _choose_wishes(self) -> None:
        skeleton, scene, rng, roles = self._skeleton, self._scene, self._rng, self._world.roles
        if not self._speaks_of_wishes():
            scene.says_kind = False
            return
        said = (self._named | {scene.adj, scene.phrase}) & set(scene.kind.values)
        shut = said | {scene.gave_up[0], skeleton.notes.get("ask", ""), skeleton.notes.get("attribute", "")}
        open_ = [a for a in scene.kind.values if (roles[a].adj or roles[a].phrase) and a not in shut]
        needed = skeleton.uses("because") or skeleton.uses("reason") or skeleton.gave_up
        count = 2 if skeleton.uses("reason2") else rng.choice((1, 1, 2) if needed else (0, 1, 1, 2))
        wished = [reason for reason in skeleton.because if reason in roles] + [scene.match] * bool(scene.match)
        if not wished and skeleton.act is Act.RECOMMEND:
            wished = self._wishes_said(said - {scene.gave_up[0]})
        if skeleton.act is not Act.COMPARE:
            wished += rng.sample(open_, min(len(open_), max(0, count - len(wished))))
        scene.wished = {attribute: rng.choice(scene.kind.values[attribute]) for attribute in wished}
        scene.says_kind = not scene.letters or rng.random() < 0.7

    def _speaks_of_wishes(self) -> bool:
        """Small talk and policy questions mostly come without wishes, but a running conversation has some."""
        notes = self._skeleton.notes
        if notes.get("ask") == "category":
            return False
        talk = self._skeleton.act in (Act.CHITCHAT, Act.HANDOFF, Act.CLARIFY, Act.ANSWER, Act.DECLINE)
        needed = self._skeleton.uses("wish") or notes.get("reason") == "nothing_fits"
        return needed or not talk or self._rng.random() < 0.35

    def _wishes_said(self, said: set[str]) -> list[str]:
        """Facts the reply states that the customer had asked for: those are what a salesperson names first."""
        if len(self._skeleton.subjects()) > 1 or self._skeleton.uses("wish"):
            return []
        roles = self._world.roles
        fit = sorted(a for a in said if roles[a].adj or roles[a].phrase)
        return [a for a in fit if a == "skin" or self._rng.random() < 0.5][:2]

    def _choose_circumstances(self) -> None:
        skeleton, scene, rng = self._skeleton, self._scene, self._rng
        asked = skeleton.notes.get("ask")
        busy = scene.says_kind or skeleton.act in (Act.ASK, Act.RECOMMEND, Act.COMPARE, Act.EXPLAIN)
        if skeleton.uses("use") or (busy and asked not in ("use", "category") and rng.random() < 0.3):
            scene.use = rng.choice(scene.kind.uses)
        if "budget" in skeleton.tags or "budget" in skeleton.because:
            scene.budget = BUDGETS[0]
        elif skeleton.gave_up == "budget" or (busy and asked != "budget" and rng.random() < 0.25):
            scene.budget = rng.choices(BUDGETS, BUDGET_WEIGHTS)[0]

    def _choose_unwanted(self) -> None:
        skeleton, scene = self._skeleton, self._scene
        needed = skeleton.uses("not") or "not" in skeleton.because
        if not needed and (not scene.says_kind or self._rng.random() > 0.08):
            return
        shown = {w for row in (*scene.items.values(), scene.wished) for value in row.values() for w in value.split()}
        nouns = [v for a in ("color", "material", "ingredient") for v in scene.kind.values.get(a, ())]
        possible = [
            value
            for value in (*scene.kind.unwanted, *nouns)
            if not set(value.split()) & shown and value != scene.gave_up[1] and value.rstrip("s") not in scene.kind.name
        ]
        if not possible:
            raise Unfit("nothing is unwanted")
        scene.unwanted = self._rng.choice(possible)

    # What the items are like

    def _furnish(self) -> None:
        """Gives every item its attributes: the wished ones alike, those the reply tells apart all different."""
        skeleton, scene, rng = self._skeleton, self._scene, self._rng
        if not scene.letters:
            return
        values, about = scene.kind.values, skeleton.notes.get("attribute", "")
        said = ((self._named | {scene.adj, scene.phrase, about}) & set(values)) - set(scene.wished)
        if skeleton.act is Act.COMPARE and not said:
            said.add(rng.choice([a for a in values if a in ASKABLE and len(values[a]) >= len(scene.letters)]))
        room = max(0, MOST_ATTRIBUTES[len(scene.letters)] - len(said) - len(scene.wished))
        spare = [a for a in values if a not in said and a not in scene.wished]
        least = 1 if about == "any" and not said else 0
        extra = rng.sample(spare, min(len(spare), rng.randint(least, max(least, room))))
        scene.items = {letter: {} for letter in scene.letters}
        for attribute in values:
            if attribute in scene.wished or attribute in said or attribute in extra:
                column = self._column(attribute, apart=attribute in said)
                if attribute in extra and len(values[attribute]) > 1 and skeleton.act is not Act.COMPARE:
                    column = [self._several(attribute, value) for value in column]
                for row, value in zip(scene.items.values(), column, strict=True):
                    row[attribute] = value

    def _column(self, attribute: str, *, apart: bool) -> list[str]:
        """One attribute's value for every item."""
        scene, rng, act = self._scene, self._rng, self._skeleton.act
        count, wished = len(scene.letters), scene.wished.get(attribute)
        possible = [v for v in scene.kind.values[attribute] if (attribute, v) != scene.gave_up]
        if wished and act is Act.DECLINE and attribute == next(iter(scene.wished)):
            return [rng.choice([v for v in possible if v != wished]) for _ in scene.letters]
        if wished and act is Act.EXPLAIN:
            return [wished, *(rng.choice(possible) for _ in scene.letters[1:])]
        if wished:
            return [wished] * count
        if apart and len(self._skeleton.subjects()) > 1 and len(possible) < count:
            raise Unfit(f"too few values of {attribute} to tell the items apart")
        if apart and len(possible) >= count:
            return rng.sample(possible, count)
        if act is Act.COMPARE:
            return [rng.choice(possible)] * count
        return [rng.choice(possible) for _ in scene.letters]

    def _several(self, attribute: str, value: str) -> str:
        """Catalogues list more than one value now and then: ``cotton, linen``. Only where the reply names none."""
        scene = self._scene
        others = [v for v in scene.kind.values[attribute] if v != value and (attribute, v) != scene.gave_up]
        if not others or self._skeleton.act is Act.ANSWER or self._rng.random() > 0.15:
            return value
        return f"{value}, {bare(self._rng.choice(others))}"

    # What the shop notes

    def _note(self) -> None:
        skeleton, scene = self._skeleton, self._scene
        scene.notes = dict(skeleton.notes)
        if scene.notes.get("attribute") == "any":
            scene.notes["attribute"] = self._rng.choice(list(scene.items[scene.notes["about"]]))
        if skeleton.act in (Act.RECOMMEND, Act.ASK):
            self._note_question()
        elif skeleton.act is Act.COMPARE:
            self._note_differences()
        elif skeleton.act is Act.EXPLAIN:
            self._note_reasons()
        elif skeleton.act is Act.CLARIFY and skeleton.uses("options"):
            self._note_readings()
        elif skeleton.act is Act.ANSWER and "about" not in scene.notes:
            scene.title = self._pick(list(self._world.talk["articles"]))
            scene.notes = {"title": scene.title, **scene.notes}
        elif scene.notes.get("reason") == "not_sold":
            scene.asked = self._pick(self._world.talk["asked"])

    def _note_question(self) -> None:
        skeleton, scene, rng = self._skeleton, self._scene, self._rng
        if not (skeleton.uses("ask") or skeleton.uses("options") or "ask" in scene.notes):
            return
        if "ask" not in scene.notes:
            shut = {*scene.wished, scene.gave_up[0], scene.adj, scene.phrase}
            allowed = set(SAID_AFTER_IN if skeleton.options == "in" else ASKABLE) - shut
            open_ = [a for a, values in scene.kind.values.items() if a in allowed and len(values) > 1]
            if not open_:
                raise Unfit("nothing left to ask about")
            scene.notes["ask"] = rng.choice(open_)
        if skeleton.uses("options") or (scene.notes["ask"] != "budget" and rng.random() < 0.4):
            scene.options = self._choices(scene.notes["ask"])
            if skeleton.uses("options") and not scene.options:
                raise Unfit("no options")
            self._note_options()

    def _choices(self, asked: str) -> list[str]:
        common = self._world.talk["options"]
        if asked in common:
            return list(self._rng.choice(common[asked]))
        values = [v for v in self._scene.kind.values.get(asked, ()) if v != self._scene.unwanted]
        return self._rng.sample(values, min(len(values), self._rng.choice((2, 3)))) if len(values) > 1 else []

    def _note_options(self) -> None:
        if self._scene.options:
            self._scene.notes["options"] = ", ".join(bare(option) for option in self._scene.options)

    def _note_readings(self) -> None:
        scene = self._scene
        if scene.notes["unclear"] == "item":
            told_by = next((a for a in ("color", "style", "tone") if a in scene.kind.values), "")
            if not told_by:
                raise Unfit("items cannot be told apart by a word")
            scene.options = [f"the {word} one" for word in self._rng.sample(scene.kind.values[told_by], 2)]
        else:
            scene.options = list(self._rng.choice(self._world.talk["clarify"]["options"]))
        self._note_options()

    def _note_differences(self) -> None:
        skeleton, scene = self._skeleton, self._scene
        rows = list(scene.items.values())
        differ = [a for a in rows[0] if len({row[a] for row in rows}) > 1]
        differ += sorted(skeleton.slots() - {"rating", "reviews"})
        scene.notes |= {"differ": ", ".join(differ), "cheaper": scene.variables["cheaper"]}
        if scene.rated:
            scene.notes["rated"] = scene.variables["rated"]

    def _note_reasons(self) -> None:
        skeleton, scene = self._skeleton, self._scene
        noted = [bare(value) for value in scene.wished.values()]
        scene.reasons = [self._world.predicate(a, v) for a, v in scene.wished.items()]
        rated = len(noted) < 2 and self._rng.random() < 0.5
        purpose = "" if skeleton.uses("use") or self._rng.random() > 0.4 else said_by_shop(scene.use)
        further = {
            "use": (purpose, f"for {purpose}", purpose),
            "budget": (scene.budget, scene.budget, scene.budget),
            "rating": ("rated [A.rating]", "rated [A.rating]", rated),
            "not": (f"not {scene.unwanted}", f"without {scene.unwanted}", scene.unwanted),
        }
        for name, (note, said, there) in further.items():
            spare = skeleton.uses("because") and len(noted) < MOST_REASONS
            if name in skeleton.because or (there and spare):
                noted.append(note)
                scene.reasons.append(said)
        scene.notes["because"] = "; ".join(noted)

    def _pick(self, lines: Sequence[str]) -> str:
        return self._rng.choice(reserved_part(lines, held_out=self._held_out))


def _take(free: list[str], candidates: Sequence[str]) -> str:
    if not candidates:
        raise Unfit("no attribute left for this role")
    free.remove(candidates[0])
    return candidates[0]
