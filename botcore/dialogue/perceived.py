"""What a customer's pictures and recordings told, beside the words; ``botcore.media`` finds it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.pictures import Alike

PICTURED = "pictured"
"""Why products are shown that look like a picture."""

UNSEEN = "picture"
UNLIKE = "nothing like the picture"
UNHEARD = "voice message, not in writing"
MUMBLED = "unclear voice message, not in writing"
PARTLY = "part of what came"
"""What could not be made use of: a picture that was not looked at, one that nothing looks like, a recording that was not
listened to, one without clear words, some of several. To the verifier a note is a fact: phrases may use its words."""
SET_ASIDE = "picture set aside"
"""A picture that came with a question about the shop, which was answered first."""
ASKED_FOR_WORDS = frozenset({UNSEEN, UNLIKE, UNHEARD, MUMBLED, PARTLY})


@dataclass(frozen=True)
class Perceived:
    """``alike`` are the shop's pictures that look like the customer's, ``missed`` what came to nothing, most telling first.

    ``told`` explains both: one entry a file.
    """

    alike: Alike = field(default_factory=Alike)
    missed: tuple[str, ...] = ()
    told: tuple[Mapping[str, Any], ...] = ()


NOTHING = Perceived()
