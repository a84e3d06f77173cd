"""``make bench``: speed with quality beside it, on this machine, as one table. Takes about ten minutes.

``python -m benchmarks --quick`` measures less of everything, for a look while working.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.measures import Quantiles
    from benchmarks.stack import Stack

LOADING_SECONDS = 25
"""Until a reply worker has loaded its models."""
AT_ONCE = 16
"""Requests under way while we look how many events a second are taken."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the measurements")
    parser.add_argument("--only", choices=("web", "channels", "engines", "slates"), help="leave the rest out")
    options = parser.parse_args()
    from botcore.installation import scratch_installation

    rows: list[tuple[str, str, str]] = []
    with tempfile.TemporaryDirectory(prefix="daogou-bench-") as folder, scratch_installation(Path(folder)):
        if options.only in (None, "slates"):
            rows += _slates(options.quick)
        if options.only in (None, "web"):
            rows += _web(options.quick)
        if options.only == "channels":
            rows += _channels_alone(options.quick)
        if options.only in (None, "engines"):
            rows += _engines(options.quick)
    _print(rows)


def _slates(quick: bool) -> list[tuple[str, str, str]]:
    from benchmarks.shop import demo_shop
    from benchmarks.slates import slate_times

    _say("slates")
    times = slate_times(demo_shop(), 40 if quick else 400)
    measured = f"p50 {times.p50:7.1f} ms  p95 {times.p95:7.1f} ms"
    return [("60 candidates to a slate, explored place included", measured, f"target p50 15; {times.count} measured")]


def _web(quick: bool) -> list[tuple[str, str, str]]:
    from benchmarks.measures import acknowledgement, customers_posts, reply_times, web_chat_times
    from benchmarks.shop import demo_shop
    from benchmarks.stack import running

    _say("the demo shop and its embeddings")
    shop = demo_shop()
    rows = []
    with running(shop) as stack:
        _say("one customer")
        time.sleep(LOADING_SECONDS)
        reply_times(stack, 1, 2, 90_000)  # until the worker has loaded its models
        one, authors = reply_times(stack, 1, 5 if quick else 30, 100_000)
        rows.append(
            ("webhook to stored reply, one customer", _ms(one), f"target p50 1000, p95 2000; {_shares(authors)}")
        )
        page = web_chat_times(stack, 5 if quick else 20)
        rows.append(("web chat, from Enter to the reply with cards", _ms(page), "pictures come after"))
        _say("eight customers at once")
        eight, authors = reply_times(stack, 8, 3 if quick else 10, 200_000)
        rows.append(("webhook to stored reply, 8 at once", _ms(eight), _shares(authors)))
        memory = stack.memory()
        _say("50 webhooks a second, workers stopped")
        stack.pause_workers()
        telegram, count = stack.connect("telegram"), 250 if quick else 1500
        alone = acknowledgement(customers_posts("telegram", telegram, 300_000, count), 50)
        rows.append(("webhook acknowledged, 50/s, web alone", _ms(alone), f"target p95 50; {alone.failed} failed"))
        rows += _channels(stack, quick)
        _say("50 webhooks a second, workers at work")
        stack.resume_workers()
        time.sleep(LOADING_SECONDS)
        loaded = acknowledgement(customers_posts("telegram", telegram, 400_000, count), 50)
        rows.append(("webhook acknowledged, 50/s, workers saturated", _ms(loaded), f"{loaded.failed} failed"))
        rows += [(f"memory, {name}", f"{mib:.0f} MiB", "") for name, mib in memory.items()]
    return rows


def _channels_alone(quick: bool) -> list[tuple[str, str, str]]:
    from benchmarks.stack import running
    from catalog.models import Shop

    with running(Shop.objects.create(slug="bench", name="A shop that sells nothing")) as stack:
        stack.pause_workers()
        return _channels(stack, quick)


def _channels(stack: Stack, quick: bool) -> list[tuple[str, str, str]]:
    """What the web process alone takes in, by channel, beside Telegram's."""
    from benchmarks.measures import acknowledgement, customers_posts, sustained
    from benchmarks.platforms import PLATFORMS
    from botcore.channels.registry import channel_class

    rows = []
    telegrams = 0.0
    for place, channel in enumerate(PLATFORMS):
        _say(f"inbound: {channel}")
        at, first = stack.connect(channel), 500_000 + 10_000 * place
        sustained(customers_posts(channel, at, first, 50), AT_ONCE)  # imports and connections of the first requests
        full = sustained(customers_posts(channel, at, first + 100, 200 if quick else 2000), AT_ONCE)
        steady = acknowledgement(customers_posts(channel, at, first + 5000, 250 if quick else 1500), 50)
        telegrams = telegrams or full.per_second
        measured = f"{full.per_second:5.0f} events/s  p95 {steady.p95:7.1f} ms"
        told = f"x{full.per_second / telegrams:.2f} of Telegram's events/s with {AT_ONCE} at once; p95 at 50/s"
        failed = full.failed + steady.failed
        rows.append((f"inbound, {channel_class(channel).title}", measured, f"{told}; {failed} failed"))
    return rows


def _engines(quick: bool) -> list[tuple[str, str, str]]:
    from django.conf import settings

    from benchmarks.measures import engine_writing, plain_generate, plans
    from workers.engine import close_generators, load_generator
    from workers.engine.registry import current_artefact
    from workers.training.dialogues.build import build_examples, write

    _say("plans and model")
    write(build_examples(), settings.VAR_DIR / "dialogues")
    artefact = current_artefact()
    many = plans(settings.VAR_DIR / "dialogues" / "heldout.jsonl", 8 if quick else 64)
    few = many[: 2 if quick else 6]
    rows = []
    generator = load_generator()
    _say("our engine")
    engine_writing(generator, few, 4, 8)
    single = engine_writing(generator, many, 4, 1)
    batched = engine_writing(generator, many, 4, 8)
    close_generators()
    _say("generate() with bitsandbytes 8-bit")
    eight_bit = plain_generate(artefact.hf, few, 4, eight_bit=True)
    _say("generate() in fp32")
    full = plain_generate(artefact.hf, few, 4, eight_bit=False)
    for name, written in (
        ("our engine, one plan at a time", single),
        ("our engine, 8 plans at a time", batched),
        ("generate(), bitsandbytes 8-bit", eight_bit),
        ("generate(), fp32", full),
    ):
        ratio = written.replies_per_second / eight_bit.replies_per_second
        rows.append(
            (
                name,
                f"{written.tokens_per_second:6.1f} tokens/s {written.replies_per_second:6.2f} replies/s",
                f"x{ratio:.1f}; accepted {written.accepted} of {written.replies}",
            )
        )
    return rows


def _ms(quantiles: Quantiles) -> str:
    return f"p50 {quantiles.p50:7.0f} ms  p95 {quantiles.p95:7.0f} ms"


def _shares(authors: dict[str, int]) -> str:
    return "written by " + ", ".join(f"{name} {count}" for name, count in sorted(authors.items()))


def _say(step: str) -> None:
    print(f"... {step}", file=sys.stderr, flush=True)


def _print(rows: Sequence[tuple[str, str, str]]) -> None:
    widths = [max(len(row[i]) for row in rows) for i in range(2)]
    for row in rows:
        print(f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}".rstrip())


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    main()
