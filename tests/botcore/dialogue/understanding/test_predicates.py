import pytest

from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.understanding.predicates import attributive

KNOWN = Lexicon(chinese={"干头发", "油性皮肤", "大房间"})


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("头发很干", "干头发"),
        ("我头发有点干，怎么办", "我干头发，怎么办"),
        ("皮肤偏油", "油性皮肤"),
        ("皮肤容易偏油，想要面霜", "油性皮肤，想要面霜"),
        ("房间挺大的", "大房间的"),
        ("头发很多", "头发很多"),
        ("价格太高", "价格太高"),
        ("a very dry day", "a very dry day"),
    ],
)
def test_what_is_said_of_a_thing_stands_in_front_where_it_has_such_a_name(said, read):
    assert attributive(said, KNOWN) == read
