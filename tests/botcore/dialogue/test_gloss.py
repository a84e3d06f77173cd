"""Chinese in English words: what the encoder is given of a Chinese text."""

from botcore.dialogue.gloss import named, readings, senses


def test_english_is_read_as_it_is():
    assert readings("who pays the duty?") == ("who pays the duty?",)


def test_words_are_read_by_their_first_sense_and_particles_are_left_out():
    assert senses("那关税谁出？") == "customs duty who go out"


def test_a_common_word_comes_before_a_name_that_is_written_the_same():
    assert "high" in senses("高不高")


def test_what_the_dictionary_lacks_is_read_by_its_characters():
    assert senses("退热贴膜") == " ".join(senses(part) for part in ("退热", "贴膜")) != ""


def test_a_word_has_the_senses_of_all_entries_that_are_written_so():
    assert "soup" in named("汤")
    assert named("毛衣") == ("sweater",)  # the entry says "(wool) sweater"
    assert named("吉它") == ("guitar",)


def test_names_joined_by_or_are_names_of_their_own():
    assert "pocket watch" in named("表")
