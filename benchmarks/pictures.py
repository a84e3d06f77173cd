"""The pictures of ``docs/``, made again: ``python -m benchmarks.pictures`` (the system's Chromium; about five minutes).

A real installation of its own, or one that ``benchmarks.loop --keep`` has left: the demo shop, customers who write into the
web chat and are answered by the workers, and the console as the shop's owner sees it then. Nothing in a picture is drawn by hand.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.stack import Stack
    from catalog.models import Shop

DOCS = Path(__file__).resolve().parents[1] / "docs"
WIDE: Any = {"width": 1280, "height": 860}
CHAT: Any = {"width": 760, "height": 1760}
LOADING_SECONDS = 300
"""In so many a reply worker has built and loaded its models."""
ANSWER_SECONDS = 60
SETTLING_MS = 1_000
"""Until charts are drawn and what comes after the page is there."""
COUNTING_SECONDS = 45
"""Until what was said is counted, read for its mood and queued for review."""

SHOWN = ("a waterproof jacket for hiking under $150", "something cheaper?", "how long do I have to return it?")
TALKS: Sequence[tuple[str, Sequence[str]]] = (
    ("en", SHOWN),
    (
        "en",
        ("hi, a quiet robot vacuum for a flat with a dog", "which one is better rated?", "ok what about the warranty"),
    ),
    ("zh-CN", ("有没有适合干性皮肤的面霜", "有便宜一点的吗", "多久能到？")),
    ("en", ("a novel for my mother, she likes the sea", "not too long please", "can I talk to a person?")),
    ("zh-CN", ("想买双跑步鞋，不要黑色", "第二双有42码吗")),
    ("en", ("your last parcel came broken, this is really annoying",)),
)
ROOMS = {
    "review": "console-review",
    "home": "console-conversations",
    "products": "console-products",
    "overview": "console-overview",
    "streams": "console-streams",
    "learning": "console-learning",
    "people": "console-people",
}
"""Pictures of rooms of the console, by the name of their address."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=DOCS, help="a folder that is there")
    parser.add_argument(
        "--kept", type=Path, help="an installation that benchmarks.loop kept: what it learned is in the pictures"
    )
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("There is no Chromium on this system: apt-get install chromium")
    from botcore.installation import scratch_installation

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright keeps an event loop in this thread
    with (
        tempfile.TemporaryDirectory(prefix="daogou-pictures-") as folder,
        scratch_installation(options.kept or Path(folder)),
    ):
        from benchmarks.shop import demo_shop
        from benchmarks.stack import running

        shop = demo_shop()
        name, password = _owner(shop)
        with running(shop) as stack:
            _wait_for_the_model()
            _photograph(stack, chromium, options.out, (name, password))


def _photograph(stack: Stack, chromium: str, out: Path, login: tuple[str, str]) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for place, (language, messages) in enumerate(TALKS):
            page = browser.new_context(locale=language, viewport=CHAT).new_page()
            _talk(page, stack.chat, messages)
            if place == 0:
                page.screenshot(path=out / "chat.png")
        time.sleep(COUNTING_SECONDS)
        page = browser.new_context(base_url=stack.address, viewport=WIDE).new_page()
        _log_in(page, *login)
        for room, file in ROOMS.items():
            page.goto(_address(room))
            page.wait_for_timeout(SETTLING_MS)
            page.screenshot(path=out / f"{file}.png")
        page.goto(_address("home"))
        page.locator(".list tbody th a").last.click()
        page.screenshot(path=out / "console-conversation.png")
        page.goto(_address("learning"))
        versions = page.locator("a[href*='/versions/']")
        if versions.count():
            versions.first.click()
            page.wait_for_timeout(SETTLING_MS)
            page.screenshot(path=out / "console-version.png")
        browser.close()


def _talk(page: Any, chat: str, messages: Sequence[str]) -> None:
    page.goto(chat)
    for number, text in enumerate(messages):
        page.fill("#text", text)
        page.keyboard.press("Enter")
        page.locator(".theirs").nth(number).wait_for(timeout=1000 * ANSWER_SECONDS)
    page.wait_for_function("[...document.images].every((image) => image.complete)")
    page.wait_for_timeout(SETTLING_MS)


def _wait_for_the_model() -> None:
    from django.conf import settings

    deadline = time.monotonic() + LOADING_SECONDS
    while not settings.REPLY_READY.exists():
        if time.monotonic() > deadline:
            sys.exit("No reply worker is ready: see what it printed above.")
        time.sleep(1)


def _owner(shop: Shop) -> tuple[str, str]:
    """Somebody who may see everything in the shop: name and password."""
    from django.contrib.auth import get_user_model

    from botcore.models import ShopMember, make_public_key
    from botcore.roles import Role

    name, password = "mei", make_public_key()
    owner = get_user_model().objects.create_user(name, password=password, first_name="Mei")
    ShopMember.objects.create(user=owner, shop=shop, role=Role.OWNER)
    return name, password


def _log_in(page: Any, name: str, password: str) -> None:
    page.goto(_address("login"))
    page.fill("#id_username", name)
    page.fill("#id_password", password)
    page.click("button.main")


def _address(room: str) -> str:
    from django.urls import reverse

    return reverse(f"console:{room}")


if __name__ == "__main__":
    main()
