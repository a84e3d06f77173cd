"""What an emoji under a reply says of it."""

from __future__ import annotations

UP = frozenset("👍❤🔥👏🎉🙏👌💯😍🤩🥰")
DOWN = frozenset("👎💩🤮🤬😡")


def verdict_of(emoji: str) -> str:
    """``up`` or ``down``; "" for an emoji that says neither. A heart may come with or without its variation selector."""
    bare = emoji.rstrip("\ufe0f")
    return "up" if bare in UP else "down" if bare in DOWN else ""
