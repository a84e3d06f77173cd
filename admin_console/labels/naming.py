"""How a stored word gets its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

Label: TypeAlias = "str | StrPromise"


def label(names: Mapping[str, Label], word: str) -> str:
    """The name of ``word`` in the reader's language."""
    return str(names.get(word) or humanised(word))


def humanised(word: str) -> str:
    """A stored name as words: ``price_fit`` is ``price fit``."""
    return word.replace("_", " ")
