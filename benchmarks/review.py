"""The review queue under a reviewer's hands: 500 decisions by keys in a real browser, on a queue of 100,000 replies.

    python -m benchmarks.review                  # a scratch installation, about five minutes
    python -m benchmarks.review --queue 2000     # a shorter queue
    python -m benchmarks.review --explain        # with the plans of the queries that open the page

Prints the seconds from the first key until the last decision is stored, and how long the page takes to open.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.db.models import QuerySet

    from botcore.models import ReviewItem, Turn
    from catalog.models import Shop

KEYS = "aaa3ar"
"""What the reviewer presses, again and again: four approve, two reject."""
PASSWORD = "benchmark password"
AT_ONCE = 1_000
"""Replies that are written with one statement."""
FEATURES = {"dense": 0.7, "lexical": 0.4, "price_fit": 1.0, "popularity": 0.2, "stock": 1.0, "sequence": 0.3}
CANDIDATES = [{"sku": f"P{n}", "name": f"Jacket {n}", "score": 0.9, "features": FEATURES} for n in range(60)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--decisions", type=int, default=500)
    parser.add_argument("--queue", type=int, default=100_000, help="replies that wait")
    parser.add_argument("--explain", action="store_true", help="print the plans of the page's queries")
    options = parser.parse_args()
    from botcore.installation import scratch_installation

    with tempfile.TemporaryDirectory(prefix="daogou-bench-") as folder, scratch_installation(Path(folder)):
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright keeps an event loop in this thread
        shop, reviewer = seeded(options.queue)
        if options.explain:
            explain(shop, reviewer)
        with serving() as address:
            opened, seconds = measured(address, options.decisions)
    print(
        f"queue of {options.queue} replies, page opened: p50 {statistics.median(opened):.0f} ms, worst {max(opened):.0f} ms"
    )
    print(f"{options.decisions} decisions by keys, all stored: {seconds:.1f} s (target 90)")


def seeded(count: int) -> tuple[Shop, User]:
    """A shop with so many replies in its queue, one in four of them nearly another's, and somebody to review them."""
    from django.contrib.auth.models import User
    from django.db import connection

    from botcore.channels.webchat.channel import ensure_webchat
    from botcore.learning.review import queue
    from botcore.models import Contact, Conversation, ReviewItem, ShopMember, Turn
    from catalog.models import Shop

    shop = Shop.objects.create(slug="bench", name="Bench")
    reviewer = User.objects.create_user("ann", password=PASSWORD)
    ShopMember.objects.create(user=reviewer, shop=shop, role="reviewer")
    account = ensure_webchat(shop)
    talks = count // 4 or 1
    contacts = Contact.objects.bulk_create(Contact(account=account, external_id=f"v{n}") for n in range(talks))
    conversations = Conversation.objects.bulk_create(Conversation(contact=each, shop=shop) for each in contacts)
    for first in range(0, count, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, count))
        turns = Turn.objects.bulk_create(a_reply(conversations[n % talks], n) for n in numbers)
        ReviewItem.objects.bulk_create(an_item(turn, shop) for turn in turns)
    for turn in Turn.objects.order_by("-pk")[:50]:  # as they come in, for the grouping to have been at work
        ReviewItem.objects.filter(turn=turn).delete()
        queue.enqueue(turn.pk)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE botcore_reviewitem, botcore_turn")
    return shop, reviewer


def a_reply(conversation: Any, number: int) -> Turn:
    """A reply with all that explains it, as large as those of the demo shop: sixty candidates, four samples."""
    from django.utils import timezone

    from botcore.dialogue.brief import Brief, ItemFacts
    from botcore.dialogue.state import Constraint, DialogueState
    from botcore.models import Turn

    text = f"I need jacket number {number} for the rain in town {number * 7919 % 10_007}"
    items = (ItemFacts("A", "jacket", {"material": "canvas"}, {"name": "Canvas jacket", "price": "$49.00"}),)
    brief = Brief(act="recommend", customer=text, wishes=("green",), items=items)
    sample = {
        "text": "The [A.name] costs [A.price].",
        "filled": "The Canvas jacket costs $49.00.",
        "accepted": True,
        "problems": [],
        "scores": {"total": 1.0, "interest match": 0.8, "fluency": -0.2, "naturalness": 0.6},
    }
    return Turn(
        conversation=conversation,
        number=number + 1,
        status=Turn.Status.ANSWERED,
        answered_at=timezone.now(),
        text=text,
        reply="The Canvas jacket costs $49.00.",
        act="recommend",
        language="en",
        written_by=Turn.WrittenBy.MODEL,
        model_version="shipped",
        state_before=DialogueState().to_json(),
        state_after=DialogueState(
            turn=1, goal="jackets", constraints=(Constraint("color", "green", turn=1),)
        ).to_json(),
        understanding={"intent": "search"},
        candidates=CANDIDATES,
        slate=[{"letter": "A", "sku": "P1", "name": "Canvas jacket", "price": "$49.00", "image": ""}],
        brief=brief.to_json(),
        samples=[{**sample, "chosen": place == 0} for place in range(4)],
        timings_ms={"understand": 12.0, "find": 31.5, "rank": 9.0, "write": 420.0},
    )


def an_item(turn: Turn, shop: Shop) -> ReviewItem:
    """Its place in the queue, made without looking at the others, which would take an hour for all."""
    from botcore.learning.review import value
    from botcore.models import ReviewItem

    opinion = "down" if turn.pk % 20 == 0 else ""
    confidence, at = (turn.pk * 37 % 100) / 100, turn.created_at - timedelta(minutes=turn.number)
    return ReviewItem(
        turn=turn,
        shop=shop,
        value=value.value(opinion, confidence, 0.05, at),
        opinion=opinion,
        confidence=confidence,
        novelty=0.05,
        topic="jackets · search",
        act=turn.act,
        written_by=turn.written_by,
        channel="webchat",
        text=f"{turn.text}\n{turn.reply}".lower(),
        letters=f"{turn.text}{turn.reply}",
        group=turn.pk - 1 if turn.pk % 4 == 3 else turn.pk,
        for_second=value.for_second(turn.pk),
        created_at=at,
    )


def explain(shop: Shop, reviewer: User) -> None:
    """Print how PostgreSQL finds the first rows, searched ones, and the menu's count; and what the page costs."""
    from django.urls import reverse

    from botcore.learning.review import queue
    from botcore.models import ReviewItem

    items = ReviewItem.objects.filter(shop=shop)
    asked: dict[str, QuerySet[ReviewItem]] = {
        "the first fifty": queue.select(items, queue.Filters(), reviewer)[:50],
        "the first fifty of a search": queue.select(items, queue.Filters(words="town 4711"), reviewer)[:50],
        "the menu's count": queue.awaiting(items, reviewer)[:1_000],
    }
    for title, found in asked.items():
        print(f"--- {title}\n{found.explain(analyze=True)}\n")
    for name in ("review", "view_counts"):
        _in_process(reviewer, f"{reverse(f'console:{name}')}?shop={shop.slug}")


def _in_process(reviewer: User, address: str) -> None:
    """Print what one request costs without a server: queries, and time beside the processor time of this process alone."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    browser = Client(headers={"host": "127.0.0.1"})
    browser.force_login(reviewer, backend="django.contrib.auth.backends.ModelBackend")
    browser.get(address)
    with CaptureQueriesContext(connection) as queries:
        wall, own = time.perf_counter(), time.process_time()
        assert browser.get(address).status_code == 200
        wall, own = time.perf_counter() - wall, time.process_time() - own
    print(f"{address}: {len(queries)} queries, {1000 * wall:.0f} ms, of which {1000 * own:.0f} ms are this process's")


@contextmanager
def serving() -> Iterator[str]:
    """The web process alone, as ``manage.py up`` runs it; yields its address."""
    from benchmarks.stack import wait_until_up
    from botcore.management.commands.up import children
    from botcore.supervisor import Supervisor

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    os.environ |= {"PORT": str(port), "PUBLIC_URL": address}
    supervisor = Supervisor(colour=False)
    try:
        supervisor.start(next(child for child in children("127.0.0.1", port) if child.name == "web"))
        wait_until_up(f"{address}/healthz")
        yield address
    finally:
        supervisor.stop()


def measured(address: str, decisions: int) -> tuple[list[float], float]:
    """Milliseconds that the page took to open, five times; seconds of the decisions, until the last is stored."""
    from playwright.sync_api import sync_playwright

    from botcore.models import ReviewDecision

    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_context(base_url=address, viewport={"width": 1440, "height": 900}).new_page()
        page.goto("/console/login/")
        page.fill("#id_username", "ann")
        page.fill("#id_password", PASSWORD)
        page.click("button.main")
        opened = [_opened(page) for _ in range(6)][1:]
        began = time.monotonic()
        for number in range(decisions):
            page.keyboard.press(KEYS[number % len(KEYS)])
        while len(set(ReviewDecision.objects.values_list("token", flat=True))) < decisions:
            if time.monotonic() - began > 600:
                raise RuntimeError("the decisions were not stored in ten minutes")
            time.sleep(0.05)
        seconds = time.monotonic() - began
        browser.close()
    return opened, seconds


def _opened(page: Any) -> float:
    """Milliseconds from the request until the queue's page has come, as the browser measured them."""
    page.goto("/console/review/")
    page.locator("#talk .chosen").wait_for()
    return page.evaluate(
        "(([page]) => page.responseEnd - page.requestStart)(performance.getEntriesByType('navigation'))"
    )


if __name__ == "__main__":
    main()
