import pytest

from botcore.dialogue.understanding.intention import compared_with


@pytest.mark.parametrize(
    ("asked", "relation"),
    [
        ("anything cheaper than the second?", "cheaper"),
        ("is there a cheaper one than that", "cheaper"),
        ("有比第二个便宜的吗", "cheaper"),
        ("something more expensive than the first", "dearer"),
        ("有没有比这款贵一点的", "dearer"),
        ("which is the cheapest?", ""),
        ("rather than the second", ""),
        ("便宜点的", ""),
    ],
)
def test_what_is_asked_for_beside_an_item(asked, relation):
    assert compared_with(asked) == relation
