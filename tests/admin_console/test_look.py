"""What can be measured of the console's looks: contrast of the colours, and no page left untranslated."""

import gettext
import re
from pathlib import Path

import pytest

from admin_console import labels
from botcore.models import AlertNotice, AlertRule, Annotation, DatasetRow, ModelVersion, Outbound, TrainingRun

CONSOLE = Path(__file__).parents[2] / "admin_console"
CSS = (CONSOLE / "static/console/console.css").read_text()
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", part))
    for part in CSS.split("@media (prefers-color-scheme: dark)", 1)[:2]
)
ON_SHEETS = [(ink, ground) for ink in ("ink", "soft", "accent") for ground in ("paper", "sheet", "sunk")]
ON_WASHES = [(ink, f"{name}-wash") for name in ("accent", "good", "warn", "bad") for ink in (name, "ink")]
TEXT = [*ON_SHEETS, *ON_WASHES, ("soft", "good-wash"), ("on-accent", "accent"), ("sheet", "good")]
TEXT += [("good", "sheet"), ("warn", "sheet"), ("bad", "sheet")]


def _luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_is_readable_and_controls_are_visible(theme):
    faint = {pair: round(ratio, 2) for pair in TEXT if (ratio := _contrast(*(theme[name] for name in pair))) < 4.5}
    assert faint == {}
    assert min(_contrast(theme["edge"], theme[ground]) for ground in ("paper", "sheet")) >= 3


def test_both_themes_define_the_same_colours():
    assert LIGHT.keys() == DARK.keys()


def _counted_or_filled_in() -> set[str]:
    """The texts of ``blocktranslate`` as gettext knows them, the first of each where there is a plural."""
    found = set()
    for page in (CONSOLE / "templates").rglob("*.html"):
        for text in re.findall(
            r"{% blocktranslate.*?%}(.+?)(?:{% plural %}.+?)?{% endblocktranslate %}", page.read_text()
        ):
            found.add(re.sub(r"{{ (\w+) }}", r"%(\1)s", text.replace("%", "%%")))
    return found


def test_every_text_of_the_pages_has_a_chinese_one():
    with (CONSOLE / "locale/zh_Hans/LC_MESSAGES/django.mo").open("rb") as file:
        chinese = gettext.GNUTranslations(file)
    used = _counted_or_filled_in()
    for page in (CONSOLE / "templates").rglob("*.html"):
        used.update(re.findall(r"{% translate (?:\"(.+?)\"|'(?:.+?)') ", page.read_text()))
    for module in CONSOLE.rglob("*.py"):
        used.update(re.findall(r"\b_\(\"(.+?)\"\)", module.read_text()))
    same_in_both = {"Telegram", "API", "Webhook"}
    assert {text for text in used - same_in_both - {""} if chinese.gettext(text) == text} == set()


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (Outbound.Status, labels.conversations.DELIVERY),
        (Annotation.Verdict, labels.review.VERDICTS),
        (DatasetRow.Use, labels.learning.USES),
        (DatasetRow.Part, labels.learning.PARTS),
        (TrainingRun.Recipe, labels.learning.RECIPES),
        (TrainingRun.Status, labels.learning.RUN_STATES),
        (ModelVersion.State, labels.learning.VERSION_STATES),
        (ModelVersion.State, labels.learning.STEPS),
        (AlertRule.State, labels.watching.ALERT_RULE_STATES),
        (AlertNotice.Route, labels.watching.ALERT_ROUTES),
    ],
)
def test_every_word_that_is_stored_has_a_name(words, names):
    assert set(words.values) == {str(word) for word in names}
