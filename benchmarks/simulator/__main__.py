"""``python -m benchmarks.simulator``: how many simulated shoppers find something within five turns, with whom.

Needs the demo shop in the installation's database (``VAR_DIR``), or makes one there. Replies are phrases without the
generator unless ``--with-model``: words are not judged here, what is shown is.
"""

from __future__ import annotations

import argparse
import os
import sys

from benchmarks.simulator.run import DIALOGUES, SEED


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dialogues", type=int, default=DIALOGUES, help="for each bot, over all languages")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--bot", choices=("ours", "popularity", "keyword", "all"), default="all")
    parser.add_argument("--language", choices=("en", "zh", "both"), default="both")
    parser.add_argument(
        "--failures", type=int, default=0, metavar="N", help="print N dialogues of the first bot without success"
    )
    parser.add_argument(
        "--breaks", type=int, default=0, metavar="N", help="print N dialogues with a hard wish broken in silence"
    )
    parser.add_argument("--with-model", action="store_true", help="let the generator write the replies")
    options = parser.parse_args()
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    from botcore.installation import installation

    with installation():
        run(options)


def run(options: argparse.Namespace) -> None:
    from django.core.management import call_command

    from benchmarks.pscon import table
    from benchmarks.shop import demo_shop
    from benchmarks.simulator.goods import market_of
    from benchmarks.simulator.hard_wishes import broken, needless
    from benchmarks.simulator.report import HEAD, rows, told
    from benchmarks.simulator.run import chosen_bots, languages_of, measure

    call_command("migrate", verbosity=0, interactive=False)
    shop = demo_shop()
    market = market_of(shop)
    bots = chosen_bots(options.bot, shop, market, with_model=options.with_model)
    measured = measure(bots, market, options.dialogues, options.seed, languages_of(options.language), _say)
    first = next(iter(measured.values()))
    for talk in [talk for talk in first if not talk.success][: options.failures]:
        print(told(talk, market), end="\n\n")
    for talk in [talk for talk in first if any((*broken(talk, market), *needless(talk, market)))][: options.breaks]:
        print(told(talk, market), end="\n\n")
    print(table(HEAD, rows(measured, market)))


def _say(step: str) -> None:
    print(f"... {step}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
