"""What an emoji under a reply says of it."""

from __future__ import annotations

import re

UP = frozenset("👍❤🔥👏🎉🙏👌💯😍🤩🥰")
DOWN = frozenset("👎💩🤮🤬😡")
COLOURS = re.compile("[\U0001f3fb-\U0001f3ff\ufe0f]")
"""The tones of skin, and the selector that makes a sign a picture."""


def verdict_of(emoji: str) -> str:
    """``up`` or ``down``; "" for an emoji that says neither. A thumb may have any colour, a heart its selector."""
    bare = COLOURS.sub("", emoji)
    return "up" if bare in UP else "down" if bare in DOWN else ""
