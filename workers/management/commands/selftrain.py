"""``manage.py selftrain``: a shop's own messages, which nobody labelled, teach its layer of intents."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from workers.management.commands._report import add_json, tell
from workers.management.commands._shop import add_shop, shop_of


class Command(BaseCommand):
    help = (
        "Label the customers' messages where two heads agree, teach the shop's layer of intents, and keep it where it reads "
        "labelled messages better; takes effect with the next message. Three minutes on two cores."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--take-back", action="store_true", help="let the layer that ships read again")
        add_json(parser)  # type: ignore[arg-type]
        add_shop(parser)  # type: ignore[arg-type]

    def handle(self, *args: Any, **options: Any) -> None:
        from workers import serving
        from workers.engine import load_reader
        from workers.training import selftrain

        shop, say = shop_of(options["shop"]), self.stderr.write
        if options["take_back"]:
            outcome = selftrain.take_back(shop)
        else:
            reader, encoder = load_reader(), serving.encoder()
            outcome = selftrain.learn(shop, lambda: selftrain.lay(reader, encoder, say), reader, encoder, say)
        tell(self, asdict(outcome), options["json"], lambda _: as_text(outcome.sentence, outcome.numbers))


def as_text(sentence: str, numbers: Mapping[str, Any]) -> str:
    """The verdict and, of a round that was judged, its scores as a table."""
    lines = [sentence]
    if scores := numbers.get("scores"):
        lines += [f"{'':<24}{'accuracy':>10}{'macro-F1':>10}{'log loss':>10}"]
        lines += [f"{name:<24}" + "".join(f"{value:>10.4f}" for value in row.values()) for name, row in scores.items()]
        lines += [f"{numbers['pseudo-labelled']} of {numbers['messages']} messages pseudo-labelled"]
        lines += [f"  {name:<22}{count:>10}" for name, count in numbers["intents"].items()]
    return "\n".join(lines)
