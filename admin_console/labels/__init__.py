"""What the console calls the words that are stored: translated names of acts, channels, verdicts and stages, by room.

A word without a name here is shown as it is stored, so nothing new in the dialogue can break a page.
"""

from admin_console.labels import catalogue, conversations, learning, review, watching
from admin_console.labels.conversations import channel_name
from admin_console.labels.naming import Label, humanised, label

__all__ = [
    "Label", "catalogue", "channel_name", "conversations", "humanised", "label", "learning", "review", "watching",
]  # fmt: skip
