"""Chinese says of a thing what it is like ("头发很干") where catalogues put it in front ("干头发"). Pure."""

from __future__ import annotations

import re

from botcore.dialogue.lexicon.lexicon import Lexicon

SAID = re.compile(
    r"(?P<noun>[\u3400-\u9fff]{2})(?:总是|一直|老是|最近|已经)?(?:有[点些]|比较|特别|非常|容易|很|偏|太|超|挺|蛮|爱)+(?P<adjective>[\u3400-\u9fff]{1,2})"
)


def attributive(text: str, lexicon: Lexicon) -> str:
    """A normalised text with such predicates put in front, where the shop or the thesaurus has a name like that."""

    def put_in_front(match: re.Match[str]) -> str:
        for length in (2, 1):
            said, rest = match["adjective"][:length], match["adjective"][length:]
            for name in (said + match["noun"], f"{said}性{match['noun']}"):
                if name in lexicon.chinese:
                    return name + rest
        return match.group()

    return SAID.sub(put_in_front, text)
