import pytest

from botcore.dialogue.understanding.spelling import sounds_alike


@pytest.mark.parametrize(("one", "other"), [("庄", "装"), ("探", "谈"), ("九", "久"), ("晶", "金"), ("涩", "色")])
def test_characters_of_one_syllable_sound_alike(one, other):
    assert sounds_alike(one, other)


@pytest.mark.parametrize(("one", "other"), [("那", "男"), ("底", "顶"), ("口", "红"), ("a", "b"), ("呒", "母")])
def test_others_do_not(one, other):
    assert not sounds_alike(one, other)
