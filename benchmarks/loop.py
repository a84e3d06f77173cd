"""``python -m benchmarks.loop``: one whole circle of learning, from corrections and thumbs to a live version and back.

In an installation of its own, in a temporary folder: simulated shoppers talk with the demo shop, a simulated merchant
corrects sixty replies to the house's wording, customers cast three hundred votes, and then everything goes the way it
goes in a shop: snapshot, training, gate, canary, live, rollback. Prints what changed in the replies.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from botcore.dialogue.ports import Ports
    from botcore.models import ModelVersion, Turn
    from catalog.models import Shop

CORRECTIONS, VOTES = 60, 300
SHOPPERS, SEED = 320, 5
AT_ONCE, ROUND = 4, 20
PATIENCE = "15"
"""Seconds for a reply: words are compared here, on whatever machine, not speed."""
UNSEEN = 40
"""Replies by which the wording is counted before and after: to shoppers that nobody has met."""
SHOWN = 6
OPENINGS = [
    f"{greeting} a {thing} {people}"
    for greeting in ("hello, I need", "do you have", "I'm looking for")
    for thing in ("kettle", "raincoat", "lipstick", "cookbook")
    for people in ("for my sister", "for myself")
]
"""What new customers say first while the canary answers some of them."""
LONG = 33
"""Words of a reply from which the simulated customers find it too long: what their thumbs teach."""
HOUSE = {"like": "fancy", "look": "peek", "try": "sample"}
"""What the simulated merchant says in place of what the model says, word for word; "like" only where people do it."""
PLACES = {"like": r"(?<=\byou )like", "look": "look", "try": "try"}


@dataclass
class Circle:
    """What a step needs of the steps before it."""

    shop: Shop
    console: Console
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        self.console.rule(name)
        begun = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - begun

    def say(self, text: str) -> None:
        self.console.print(f"  {text}", highlight=False, markup=False)


def house_worded(text: str) -> str:
    """A reply as the simulated merchant wants it; the same where there is nothing to say differently."""

    def own(match: re.Match[str]) -> str:
        word = HOUSE[match.group().lower()]
        return word.capitalize() if match.group()[0].isupper() else word

    return re.sub(rf"\b(?:{'|'.join(PLACES.values())})\b", own, text, flags=re.IGNORECASE)


def run(circle: Circle, options: argparse.Namespace) -> bool:
    """The whole circle; False where the gate ends it."""
    from botcore.learning import datasets, runs, versions
    from botcore.learning.progress import Lines
    from botcore.models import ModelVersion, TrainingRun
    from workers import serving, trainer

    shop = circle.shop
    with circle.step("conversations"), serving.writing_by(None) as ports:
        turns = replies(shop)  # of a folder that was kept
        turns = turns if len(turns) >= options.votes else conversations(shop, ports, options.votes, SEED, circle.say)
    with circle.step("corrections and votes"):
        corrected = correct(turns, options.corrections)
        liked = vote(turns, options.votes)
        circle.say(f"{corrected} replies corrected, {liked} of {min(len(turns), options.votes)} thumbs up")
    with circle.step("snapshot"):
        dataset = datasets.approve(datasets.build(shop, datasets.Filters()), None)
        circle.say(f"{dataset}: {dataset.counts['rows']}, left out {dataset.counts['left_out']}")
        circle.say(f"house words: {dict(shop.house_words.values_list('word', 'stands_for'))}")
    with circle.step("training and gate"):
        asked = runs.ask_for(
            dataset, TrainingRun.Recipe.PREFERENCE, {"epochs": options.epochs, "briefs": options.briefs}
        )
        version = trainer.carry_out(asked.pk, Lines(circle.say))
        assert version is not None
        version = ModelVersion.objects.get(pk=version.pk)
        told(circle, version)
    if not version.gate["passed"]:
        circle.say("The gate does not let it to the customers: the circle ends here.")
        return False
    with circle.step("wording before"):
        before = unseen(shop, None, circle.say)
    with circle.step("canary"):
        versions.move(version, "canary", share=30, reason="the loop")
        with serving.writing_by(version):
            serving.generators.settle()
        answered = [served(shop, text) for text in OPENINGS]
        circle.say(
            f"of {len(answered)} conversations {sum(turn.asked_version == version for turn in answered)} were answered by it"
        )
        for turn in answered[:SHOWN]:
            circle.say(answer(turn))
    with circle.step("live"):
        versions.move(version, "live", reason="the loop")
        after = unseen(shop, version, circle.say)
        show(circle, before, after)
    with circle.step("rollback"):
        begun = time.monotonic()
        now = versions.rollback(shop, reason="the loop")
        turn = served(shop, OPENINGS[0])
        circle.say(answer(turn))
        circle.say(f"answered by {now or versions.SHIPPED} again after {time.monotonic() - begun:.2f} s")
    return True


# --- people ---------------------------------------------------------------------------------------------------------


def replies(shop: Shop, after: int = 0) -> list[Turn]:
    """The model's replies so far, oldest first."""
    from botcore.models import Turn

    written = Turn.objects.filter(conversation__shop=shop, written_by=Turn.WrittenBy.MODEL, pk__gt=after)
    return list(written.select_related("conversation__contact").order_by("pk"))


def conversations(shop: Shop, ports: Ports, wanted: int, seed: int, say: Callable[[str], None]) -> list[Turn]:
    """Model-written replies to simulated shoppers, at least ``wanted`` of them, oldest first."""
    from django.db import connection

    from benchmarks.simulator.bots import Ours
    from benchmarks.simulator.goods import market_of
    from benchmarks.simulator.shopper import converse, shopper_of

    market = market_of(shop)
    Ours(shop, ports).begin()  # makes the channel's account, once
    last = max((turn.pk for turn in replies(shop)), default=0)

    def talk(number: int) -> None:
        department = market.departments[number % len(market.departments)]
        try:
            converse(shopper_of(market, "en", department, f"{seed}/{number}"), Ours(shop, ports))
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for start in range(0, SHOPPERS, ROUND):
            list(pool.map(talk, range(start, start + ROUND)))
            found = replies(shop, last)
            say(f"{start + ROUND} shoppers, {len(found)} replies by the model")
            if len(found) >= wanted:
                break
    return replies(shop, last)


def correct(turns: Sequence[Turn], wanted: int) -> int:
    """The merchant corrects replies that do not speak as the house does, the oldest first; how many were."""
    from botcore.learning.corrections import CorrectionRefusedError, original
    from botcore.learning.corrections import correct as keep

    done = 0
    for turn in turns:
        before = original(turn)
        after = house_worded(before)
        if done < wanted and after != before:
            try:
                keep(turn, after, None, "the house says it so")
                done += 1
            except CorrectionRefusedError:
                continue
    return done


def vote(turns: Sequence[Turn], wanted: int) -> int:
    """Customers like what is short; how many thumbs went up."""
    from botcore import feedback
    from botcore.models import Feedback

    ups = 0
    for turn in turns[:wanted]:
        up = len(turn.reply.split()) < LONG
        kind = Feedback.Kind.UP if up else Feedback.Kind.DOWN
        feedback.opinion(turn, turn.conversation.contact, kind, Feedback.Source.BUTTON)
        ups += up
    return ups


def served(shop: Shop, text: str) -> Turn:
    """A new customer's message, answered by the version that serves the conversation."""
    from botcore import answering
    from botcore.conversing import accepted
    from botcore.learning import rollout
    from botcore.models import ChannelAccount, Turn
    from workers import serving

    account = ChannelAccount.objects.get(shop=shop, channel="terminal")
    (turn_id,) = accepted(account, f"served-{uuid.uuid4().hex[:12]}", text)
    with serving.writing_by(rollout.served(Turn.objects.get(pk=turn_id).conversation).writes) as ports:
        answering.answer_turn(turn_id, ports)
    return Turn.objects.select_related("asked_version").get(pk=turn_id)


def unseen(shop: Shop, version: ModelVersion | None, say: Callable[[str], None]) -> list[Turn]:
    """Replies of a version to shoppers that were never met before, the same ones each time."""
    from workers import serving

    with serving.writing_by(version):
        serving.generators.settle()
    with serving.writing_by(version) as ports:
        assert (ports.version_id, ports.load_error) == (version.pk if version else None, "")
        return conversations(shop, ports, UNSEEN, SEED + 1, say)[:UNSEEN]


# --- telling --------------------------------------------------------------------------------------------------------


def answer(turn: Turn) -> str:
    """A reply behind the name of the version that wrote it."""
    from botcore.learning import versions

    return f"{turn.asked_version or versions.SHIPPED!s:<12} {turn.reply}"


def told(circle: Circle, version: ModelVersion) -> None:
    for line in version.gate["lines"]:
        circle.say(f"{'passed' if line['passed'] else 'FAILED'}  {line['name']}: {line['found']}")
    for text in version.report["candidate"]["found_false"]:
        circle.say(f"false:  {text}")


def show(circle: Circle, before: Sequence[Turn], after: Sequence[Turn]) -> None:
    """How often the house's words and the others are said, replies' lengths, and pairs to look at."""
    counts: Mapping[str, Callable[[str], float]] = {
        "in the house's words": lambda text: bool(_says(HOUSE.values(), text)),
        "in the words it replaced": lambda text: bool(_says(PLACES.values(), text)),
        "words a reply": lambda text: float(len(text.split())),
    }
    for name, count in counts.items():
        old, new = (sum(count(turn.reply) for turn in turns) / len(turns) for turns in (before, after))
        circle.say(f"{name:<28}{old:>8.2f}{new:>8.2f}")
    same = {turn.text: turn for turn in before}
    pairs = [(same[turn.text], turn) for turn in after if turn.text in same and turn.reply != same[turn.text].reply]
    for first, then in pairs[:SHOWN]:
        circle.say(f"\n  customer  {then.text}\n    before  {first.reply}\n    after   {then.reply}")


def _says(words: Iterable[str], text: str) -> bool:
    return bool(re.search(rf"\b(?:{'|'.join(words)})\b", text.lower()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corrections", type=int, default=CORRECTIONS)
    parser.add_argument("--votes", type=int, default=VOTES)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--briefs", type=int, default=300, help="held-out briefs in the evaluation")
    parser.add_argument("--keep", type=Path, help="do it in this folder and keep it")
    options = parser.parse_args()
    os.environ |= {"REPLY_SECONDS": PATIENCE, "TQDM_DISABLE": "1"}
    from botcore.installation import scratch_installation

    with tempfile.TemporaryDirectory() as temporary, scratch_installation(options.keep or Path(temporary)):
        from benchmarks.shop import demo_shop
        from workers import serving
        from workers.engine import close_generators

        circle = Circle(demo_shop(), Console())
        begun = time.monotonic()
        try:
            passed = run(circle, options)
        finally:
            close_generators()
            serving.generators.close()
        for name, seconds in circle.seconds.items():
            circle.say(f"{name:<24}{seconds / 60:>6.1f} min")
        circle.say(f"{'the whole circle':<24}{(time.monotonic() - begun) / 60:>6.1f} min")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
