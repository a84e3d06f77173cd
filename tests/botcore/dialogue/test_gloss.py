"""Chinese in English words: what the encoder is given of a Chinese text."""

from botcore.dialogue.gloss import readings, senses


def test_english_is_read_as_it_is():
    assert readings("who pays the duty?") == ("who pays the duty?",)


def test_words_are_read_by_their_first_sense_and_particles_are_left_out():
    assert senses("那关税谁出？") == "customs duty who go out"


def test_a_common_word_comes_before_a_name_that_is_written_the_same():
    assert "high" in senses("高不高")


def test_what_the_dictionary_lacks_is_read_by_its_characters():
    assert senses("退热贴膜") == " ".join(senses(part) for part in ("退热", "贴膜")) != ""
