"""How titles answer a talk: the features by hand, and what the shipped model makes of them."""

import numpy as np
import pytest

from botcore.dialogue.relevance import FEATURES, SEMANTIC, Collection, Relevance, Speech, Talk, features, shipped

TITLES = ("Harbour kettle, red steel", "Meadow kettle in green glass", "Cover for a kettle", "Wool rug 160 cm")


def table(*messages, titles=TITLES, speech=None):
    near = np.zeros((len(titles), len(SEMANTIC)))
    return features(Talk(messages), titles, near, Collection.of(TITLES), speech or Speech())


def column(name, *messages):
    return table(*messages)[:, FEATURES.index(name)].tolist()


def test_words_that_say_nothing_about_a_product_are_not_searched_for():
    assert Talk(("Hello, could you please show me some options?",)).all_wanted == ()


def test_what_is_ruled_out_is_not_wanted():
    talk = Talk(("a kettle", "no glass, but steel is fine", "I don't like the Harbour one"))
    assert set(talk.all_wanted) == {"kettl", "steel"}
    assert talk.ruled_out == {"glass", "harbour"}


@pytest.mark.parametrize("text", ["No, I want steel", "I don't mind steel", "not only steel"])
def test_a_no_to_something_else_rules_nothing_out(text):
    assert Talk((text,)).ruled_out == frozenset()
    assert Talk((text,)).all_wanted == ("steel",)


def test_what_was_wished_for_once_is_not_ruled_out_by_its_mention():
    talk = Talk(("hiking boots", "I am not so interested in the brand of the boots"))
    assert "boot" in talk.all_wanted
    assert "boot" not in talk.ruled_out


def test_coverage_is_the_told_share_of_a_wish():
    shares = column("coverage", "a green kettle")
    assert shares[1] == pytest.approx(1)
    assert 0 < shares[0] < 1
    assert shares[3] == 0


def test_a_thing_counts_as_a_title_s_head_only_before_with_for_and_commas():
    heads = column("head", "kettle")
    assert heads[0] > 0
    assert heads[2] == heads[3] == 0


def test_a_wish_said_twice_counts_once():
    assert column("words", "a rug", "a rug, please, a rug") == column("words", "a rug")


def test_the_encoder_reads_the_talk_as_written_and_by_its_content():
    assert Talk(("Do you sell kettles?", "Any price is fine, no glass")).queries() == (
        "Do you sell kettles? Any price is fine, no glass",
        "kettles",
        "kettles",
    )


def test_numbers_and_codes_are_words_too():
    assert column("words", "160 cm")[3] > 0


def test_words_everybody_says_weigh_less():
    talks = [Talk((f"the picture of a {thing}",)) for thing in ("kettle", "rug", "lamp", "tent")]
    speech = Speech.of(talks)
    assert speech.tells("lamp") > speech.tells("pictur")
    assert Speech().tells("pictur") == 1


def test_rare_words_weigh_more_whatever_the_size_of_the_shop():
    small, large = Collection({"kettl": 3}, 4), Collection({"kettl": 75_000}, 100_000)
    assert small.rarity("unheard") == large.rarity("unheard") == 1
    assert 0 < large.rarity("kettl") < small.rarity("kettl") < 1


def test_an_empty_talk_and_an_empty_shop_make_no_numbers_up():
    assert not table("").any()
    assert table("a kettle", titles=()).shape == (0, len(FEATURES))


def test_chinese_words_match_titles():
    titles = ("红色 水壶", "羊毛地毯")
    got = features(Talk(("我想要一个水壶",)), titles, np.zeros((2, 3)), Collection.of(titles), Speech())
    assert got[0, FEATURES.index("words")] > 0
    assert got[1, FEATURES.index("words")] == 0


def test_the_shipped_model_prefers_what_answers_the_talk():
    model = shipped()
    assert set(model.weights) == set(FEATURES)
    scores = model.scores(table("a kettle please", "in green", speech=model.speech))
    assert int(np.argmax(scores)) == 1


def test_a_model_without_a_feature_ignores_it():
    model = Relevance({"words": 2.0}, Speech())
    assert model.scores(np.ones((1, len(FEATURES)))).tolist() == [2.0]
