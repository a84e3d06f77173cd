"""How long the console's pages take, and how often each asks the database: ``python -m benchmarks.pages``.

Makes an installation of its own with a shop of 100,000 conversations and 1,000,000 interactions (``manage.py seed_load``),
which takes some minutes; ``--var DIR`` uses one that is there. "busy" is the processor time of web process and database, at
the median, which other processes on the machine do not change. Every page of the menu and of its rows is opened through
Django's middleware, without a network.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.test import Client

    from catalog.models import Shop

SLUG = "load"
TARGET_MS = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--var", type=Path, help="an installation's folder, kept for the next time")
    parser.add_argument("--conversations", type=int, default=100_000)
    parser.add_argument("--interactions", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=20, help="that each page is opened")
    options = parser.parse_args()
    from botcore.installation import scratch_installation

    with tempfile.TemporaryDirectory(prefix="daogou-pages-") as folder:
        place = (options.var or Path(folder)).resolve()
        place.mkdir(parents=True, exist_ok=True)
        with scratch_installation(place):
            measure(_shop(options.conversations, options.interactions), options.times)


def measure(shop: Shop, times: int) -> None:
    """Print a line for each page, the slowest first."""
    import_module("botcore.asgi")  # as the web process is when it serves
    rows = sorted((_opened(address, times) for address in _addresses(shop)), key=lambda row: -row[2])
    print(f"{'page':<64} {'p50 ms':>8} {'p95 ms':>8} {'busy ms':>8} {'queries':>8}")
    for address, p50, p95, busy, queries in rows:
        mark = "  above the target" if p95 > TARGET_MS else ""
        print(f"{address:<64} {p50:8.0f} {p95:8.0f} {busy:8.0f} {queries:8}{mark}")


def _shop(conversations: int, interactions: int) -> Shop:
    from django.core.management import call_command

    from botcore.models import Conversation
    from catalog.models import Shop

    if not Conversation.objects.filter(shop__slug=SLUG).exists():
        call_command("seed_load", shop=SLUG, conversations=conversations, interactions=interactions)
    return Shop.objects.get(slug=SLUG)


def _addresses(shop: Shop) -> Iterator[str]:
    """The rooms of the menu, their usual filters, and a page of a row of each kind."""
    from django.urls import reverse

    from admin_console.navigation import WINGS
    from admin_console.watching import PERIODS
    from botcore.models import AlertRule, Conversation

    for wing in WINGS:
        for room in wing.rooms:
            yield reverse(f"console:{room.address}")
    home, overview, behind = (reverse(f"console:{name}") for name in ("home", "overview", "behind"))
    for asked in ("period=1", "period=30", "channel=telegram", "act=handoff", "feedback=down", "page=400"):
        yield f"{home}?{asked}"
    for period in PERIODS:
        yield f"{overview}?period={period}&metric=answer_p95&split=channel"
    for metric in ("replies", "answer_p95", "compose_p95", "errors", "fallbacks", "grounded", "thumbs_down", "orders"):
        yield f"{behind}?period=90d&metric={metric}"
    review, products = (reverse(f"console:{name}") for name in ("review", "products"))
    yield from (f"{review}?q=thing", f"{review}?view=decided", f"{products}?stock=out", f"{products}?order=stock")
    product = shop.products.order_by("pk").first()
    if product:
        yield from (reverse(f"console:{name}", args=[product.pk]) for name in ("product", "neighbourhood"))
    talk = Conversation.objects.filter(shop=shop).order_by("-pk").first()
    if talk:
        yield reverse("console:conversation", args=[talk.key])
        yield reverse("console:customer", args=[talk.contact_id])
    rule, _ = AlertRule.objects.get_or_create(
        shop=shop, name="Errors", defaults={"metric": "errors", "threshold": 0.05}
    )
    yield from (reverse("console:alert_rules"), reverse("console:alert_rule", args=[rule.pk]))


def _opened(address: str, times: int) -> tuple[str, float, float, float, int]:
    from django.db import connection

    browser, asked = _browser(), 0

    def count(execute: Callable[..., Any], *query: Any) -> Any:
        nonlocal asked
        asked += 1
        return execute(*query)

    with connection.execute_wrapper(count):
        _open(browser, address)
    took, busy = [], []
    for _ in range(times):
        begun, worked = time.perf_counter(), _processor_ms()
        _open(browser, address)
        took.append(1_000 * (time.perf_counter() - begun))
        busy.append(_processor_ms() - worked)
    return address, _quantile(took, 0.5), _quantile(took, 0.95), _quantile(busy, 0.5), asked


def _processor_ms() -> float:
    """What this process and its database connection's have used so far; Linux counts the latter in hundredths."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    user, system = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()[11:13]
    return 1_000 * time.process_time() + 10 * (int(user) + int(system))


def _open(browser: Client, address: str) -> None:
    response: Any = browser.get(address, HTTP_HOST="localhost")
    if response.status_code != 200:
        raise SystemExit(f"{address} answers {response.status_code}")


def _browser() -> Client:
    """Somebody of the staff, logged in."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    user, _ = get_user_model().objects.get_or_create(username="benchmark", defaults={"is_staff": True})
    browser = Client()
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    main()
