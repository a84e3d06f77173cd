"""The system's Chromium for tests: windows of the real web process, and whatever their pages complained about."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from tests.factories import PASSWORD

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
IN_A_BROWSER = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this system: apt-get install chromium"),
    pytest.mark.usefixtures("database_calls_allowed"),
]
"""The marks of a module whose tests open pages."""
AXE = Path(__file__).parent / "vendor" / "axe-4.14.1.min.js"
TIMEOUT_MS = 30_000
HEIGHT = 900


def breaches(line: str) -> bool:
    """What a page may never write into the console."""
    return "Content Security" in line


def anything_but(*expected: str) -> Callable[[str], bool]:
    """Every line in the console is one too many, but for those that hold one of these."""
    return lambda line: not any(words in line for words in expected)


@dataclass
class Windows:
    """Opens windows at ``address``; ``minded`` says which lines in the console are complaints. Errors of scripts always are."""

    browser: Any
    address: str
    minded: Callable[[str], bool]
    complaints: list[str] = field(default_factory=list)

    def open(self, **options: Any) -> Any:
        """A window with nothing in it, in a browser that knows nobody."""
        page = self.browser.new_context(base_url=self.address, **options).new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("console", lambda line: self._heard(line.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def logged_in(self, name: str, language: str = "en", width: int = 1280, **options: Any) -> Any:
        """A window of a language and width in which somebody has come through the console's door."""
        page = self.open(locale=language, viewport={"width": width, "height": HEIGHT}, **options)
        log_in(page, name)
        return page

    def _heard(self, line: str) -> None:
        if self.minded(line):
            self.complaints.append(line)


@contextmanager
def windows_of(address: str, minded: Callable[[str], bool] = breaches) -> Iterator[Windows]:
    """A browser before the web process at ``address``. Any complaint fails the test at the end."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = launched(playwright)
        windows = Windows(browser, address, minded)
        yield windows
        browser.close()
        connection.close()  # Django keeps one for Playwright's event loop, which no test would close
    assert windows.complaints == []


def launched(playwright: Any) -> Any:
    return playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


def log_in(page: Any, name: str) -> None:
    page.goto(reverse("console:login"))
    page.fill("#id_username", name)
    page.fill("#id_password", PASSWORD)
    page.click("button.main")
