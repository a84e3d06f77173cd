"""The hand-set weights, and a learned ranker from its file."""

import hashlib
import json

import numpy as np
import pytest

from catalog.models import Shop
from catalog.ranking import model
from catalog.ranking.features import FEATURES
from catalog.ranking.model import HAND_SET, BoostedRanker, LinearRanker, RankerError, interest_share, ranker_of
from catalog.search import Weights

RATING, INTEREST = FEATURES.index("rating"), FEATURES.index("interest")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model that learned to like ratings."""
    lightgbm = model.load_lightgbm()
    rng = np.random.default_rng(0)
    rows = rng.random((600, len(FEATURES)))
    labels = (rows[:, RATING] > 0.7).astype(int)
    data = lightgbm.Dataset(rows, label=labels, group=[20] * 30)
    booster = lightgbm.train({"objective": "lambdarank", "verbosity": -1, "num_threads": 1}, data, num_boost_round=10)
    folder = tmp_path_factory.mktemp("rankers") / "shop"
    folder.mkdir()
    text = booster.model_to_string()
    (folder / "model.txt").write_text(text)
    meta = {"version": "shop-1", "features": FEATURES, "weights": dict(HAND_SET), "scale": 0.1,
            "model_sha256": hashlib.sha256(text.encode()).hexdigest()}  # fmt: skip
    (folder / "meta.json").write_text(json.dumps(meta))
    return folder


def test_without_a_model_the_scores_are_search_s_own_with_the_conversation_in_the_words_place():
    rows = np.random.default_rng(1).random((5, len(FEATURES)))
    ranker = LinearRanker()
    named = {"interest" if name == "vector" else name: weight for name, weight in vars(Weights()).items()}
    expected = sum(weight * rows[:, FEATURES.index(name)] for name, weight in named.items())
    without_sequence = ranker.scores(rows) - ranker.contributions(rows)[:, FEATURES.index("sequence")]
    assert without_sequence == pytest.approx(expected)


def test_contributions_add_up_to_the_scores_but_for_one_constant(folder):
    rows, ranker = np.random.default_rng(2).random((7, len(FEATURES))), BoostedRanker(folder)
    rest = ranker.scores(rows) - ranker.contributions(rows).sum(axis=1)
    assert rest == pytest.approx(np.full(7, rest[0]))


def test_the_learned_part_is_on_top_of_the_weights(folder):
    low, high = np.full(len(FEATURES), 0.5), np.full(len(FEATURES), 0.5)
    low[RATING], high[RATING] = 0.1, 0.9
    rows = np.array([low, high])
    learned, linear = BoostedRanker(folder).scores(rows), LinearRanker().scores(rows)
    assert learned[1] - learned[0] > linear[1] - linear[0] > 0


def test_no_candidates_no_scores(folder):
    for ranker in (LinearRanker(), BoostedRanker(folder)):
        assert ranker.scores(np.zeros((0, len(FEATURES)))).shape == (0,)
        assert ranker.contributions(np.zeros((0, len(FEATURES)))).shape == (0, len(FEATURES))


def test_the_share_of_the_interest_match():
    contributions = np.zeros((2, len(FEATURES)))
    contributions[0, [INTEREST, RATING]] = 0.3, -0.1
    assert interest_share(contributions).tolist() == pytest.approx([0.75, 0])


@pytest.mark.parametrize("damage", [{"features": ["vector"]}, {"model_sha256": "0"}])
def test_a_model_of_other_features_or_another_file_is_refused(folder, tmp_path, damage):
    other = tmp_path / "shop"
    other.mkdir()
    (other / "model.txt").write_text((folder / "model.txt").read_text())
    (other / "meta.json").write_text(json.dumps(json.loads((folder / "meta.json").read_text()) | damage))
    with pytest.raises(RankerError):
        BoostedRanker(other)


def test_a_shop_without_a_model_is_ranked_by_the_weights_and_one_with_a_model_by_it(folder, settings):
    settings.RANKER_DIR = folder.parent
    assert ranker_of(Shop(slug="shop")).version == "shop-1"
    assert ranker_of(Shop(slug="another")).version == "hand-set"


def test_a_damaged_model_leaves_the_weights(folder, settings, tmp_path):
    settings.RANKER_DIR = tmp_path
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "meta.json").write_text("{")
    assert ranker_of(Shop(slug="shop")).version == "hand-set"


def test_the_shipped_model_is_whole_and_small():
    for meta in model.SHIPPED.glob("*/meta.json"):
        assert BoostedRanker(meta.parent).version.startswith(meta.parent.name)
        assert (meta.parent / "model.txt").stat().st_size < 500_000
