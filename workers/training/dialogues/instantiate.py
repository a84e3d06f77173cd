"""Fills one skeleton: draws a scene that meets its needs and turns it into a brief and a reply.

Everything random comes from the ``Random`` handed in, so a seed gives the same example.
"""

from __future__ import annotations

from random import Random

from botcore.dialogue.brief import Brief, ItemFacts
from botcore.dialogue.state import Act
from workers.training.dialogues.contexts import World
from workers.training.dialogues.grammar import bare, said_by_shop
from workers.training.dialogues.scene import Scene, SceneDraw
from workers.training.dialogues.skeletons import Skeleton
from workers.training.dialogues.wording import customer_line, reply


class Instantiator:
    """Makes briefs and replies from skeletons. ``held_out`` draws reserved kinds (mostly) and reserved lines."""

    def __init__(self, world: World, rng: Random, *, held_out: bool) -> None:
        self._world, self._rng, self._held_out = world, rng, held_out

    def __call__(self, skeleton: Skeleton) -> tuple[Brief, str, str]:
        """Brief, reply and department. Raises ``scene.Unfit`` when this draw does not work out."""
        scene = SceneDraw(self._world, self._rng, skeleton, held_out=self._held_out).draw()
        return self._brief(skeleton, scene), reply(skeleton, scene, self._world), scene.kind.department

    def _brief(self, skeleton: Skeleton, scene: Scene) -> Brief:
        given_up = scene.budget if skeleton.gave_up == "budget" else bare(scene.gave_up[1])
        return Brief(
            act=skeleton.act.value,
            customer=customer_line(skeleton, scene, self._world, self._rng, held_out=self._held_out),
            wishes=self._wishes(skeleton, scene),
            gave_up=(given_up,) if given_up else (),
            items=tuple(self._item(skeleton, scene, letter) for letter in scene.letters),
            notes=scene.notes,
            slots=self._conversation_slots(skeleton, scene),
        )

    def _wishes(self, skeleton: Skeleton, scene: Scene) -> tuple[str, ...]:
        wishes = [scene.kind.name] if scene.says_kind else []
        wishes += [bare(value) for value in scene.wished.values()]
        if scene.use:
            wishes.append(self._rng.choice(("for {}", "{}", "{}")).format(said_by_shop(scene.use)))
        if scene.unwanted:
            wishes.append(f"not {scene.unwanted}")
        if scene.budget and skeleton.gave_up != "budget":
            wishes.append(scene.budget)
        return tuple(wishes)

    def _item(self, skeleton: Skeleton, scene: Scene, letter: str) -> ItemFacts:
        """Slots are those the reply's tags need and now and then others; their values never reach the prompt."""
        count = len(scene.letters)
        needed = skeleton.slots() | {skeleton.notes.get("attribute", "")}
        rated = scene.rated or needed & {"rating", "reviews"} or "rated [A.rating]" in scene.reasons
        if rated or (skeleton.act is not Act.COMPARE and self._rng.random() < (0.6, 0.5, 0.3)[count - 1]):
            needed |= {"rating", "reviews"}
        own = [s for s in scene.kind.slots if s in needed or (count == 1 and self._rng.random() < 0.3)]
        slots = [*(s for s in ("rating", "reviews") if s in needed), *own]
        attributes = {name: bare(value) for name, value in scene.items[letter].items()}
        return ItemFacts(letter, scene.kind.name, attributes, dict.fromkeys(["name", "price", *slots], ""))

    def _conversation_slots(self, skeleton: Skeleton, scene: Scene) -> dict[str, str]:
        given = {
            "budget": bool(scene.budget),
            "budget_low": "[budget_low]" in scene.budget,
            "quote": "quote" in skeleton.tags,
            "asked": bool(scene.asked),
            "shop": "shop" in skeleton.tags or skeleton.act in (Act.CHITCHAT, Act.HANDOFF),
        }
        return {name: "" for name, there in given.items() if there}
