"""docs/channels.md says what the code says. Where it does not, the failure shows the table anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from botcore.channels.registry import CHANNELS, channel_class
from botcore.channels.values import Capabilities

DOCS = Path(__file__).parents[3] / "docs"
SHOWN = sorted(set(CHANNELS) - {"terminal"}, key=lambda name: channel_class(name).title.lower())
HEADS = ("channel", "text", "products", "judged by", "edit", "typing", "window", "quota", "our rate", "sent once")


def row(name: str) -> str:
    """One channel's line of the table."""
    channel = channel_class(name)
    can = channel.capabilities
    cells = (
        f"[{channel.title}](channels/{name}.md)",
        f"{can.text_limit:,} {can.text_unit}",
        _products(can),
        can.feedback.replace("_", " "),
        _yes(can.edit),
        _yes(can.typing),
        _hours(can.window),
        "" if can.quota is None else str(can.quota),
        "" if can.rate is None else f"{can.rate:g}/s",
        _yes(can.idempotent),
    )
    return f"| {' | '.join(cells)} |"


def table() -> str:
    lines = (f"| {' | '.join(HEADS)} |", "|---" * len(HEADS) + "|", *(row(name) for name in SHOWN))
    return "\n".join(lines)


def _products(can: Capabilities) -> str:
    if can.carousel:
        return f"carousel of {can.carousel}"
    if can.pictures and can.buttons:
        return "picture and buttons each" + (f"; list of {can.list_rows} above {can.apart}" if can.list_rows else "")
    if can.list_rows:
        return f"list of {can.list_rows}"
    return f"{can.quick_replies} quick replies" if can.quick_replies else "numbered text"


def _yes(value: bool) -> str:
    return "yes" if value else ""


def _hours(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds / 3600:g} h" if seconds >= 3600 else f"{seconds / 60:g} min"


def test_the_table_is_the_codes():
    assert table() in (DOCS / "channels.md").read_text(encoding="utf-8"), f"\n{table()}"


@pytest.mark.parametrize("name", SHOWN)
def test_every_channel_has_a_page(name):
    page = (DOCS / "channels" / f"{name}.md").read_text(encoding="utf-8")
    assert channel_class(name).title in page.splitlines()[0]
    assert "http" in page, "the page names no source"
