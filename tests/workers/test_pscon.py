"""Reading logged dialogues, and keeping what a model is judged on out of what it learns from."""

import json

import numpy as np
import pytest

from botcore.dialogue.relevance import FEATURES
from tests.fakes import HashEncoder
from workers.training.next_act import classify, fit_softmax
from workers.training.pscon import LoggedAct, folds_of, read_pscon, splits
from workers.training.relevance import Learner, fit_listwise, quality


def user(text):
    return {"role": "user", "content": text}


def system(text, action, *products):
    recommended = {"recommended_products": [{"product_id": p} for p in products]} if products else {}
    return {"role": "system", "content": text, "action": action, **recommended}


TALKS = [
    [
        user("a kettle please"),
        system("which colour?", "Clarify"),
        user("red"),
        system("this?", "Recommend", "K1", "GONE"),
    ],
    [user("hello"), system("hi", "Chitchat"), user("a wool rug"), system("these?", "Recommend", "R1", "R2")],
    [user("any lamp"), system("look", "Recommend", "GONE"), user("a tent"), system("ah", "Recommend", "T1")],
    [system("welcome", "Chitchat"), user("a red kettle"), system("here", "Recommend", "K1")],
]
TITLES = {"K1": "Red kettle", "K2": "Green kettle", "R1": "Wool rug", "R2": "Wool rug, large", "T1": "Tent for two"}


@pytest.fixture
def pscon(tmp_path):
    talks = [{"conv_id": number, "conversation": talk} for number, talk in enumerate(TALKS)]
    (tmp_path / "products.json").write_text(json.dumps(TITLES))
    (tmp_path / "train.json").write_text(json.dumps(talks[:3]))
    (tmp_path / "valid.json").write_text(json.dumps(talks[3:]))
    return read_pscon(tmp_path)


def test_a_point_is_a_recommendation_of_known_products(pscon):
    found = [(p.conversation, p.messages, p.relevant) for p in pscon.points()]
    assert found == [
        ("0", ("a kettle please", "red"), ("K1",)),
        ("1", ("hello", "a wool rug"), ("R1", "R2")),
        ("2", ("any lamp", "a tent"), ("T1",)),
        ("3", ("a red kettle",), ("K1",)),
    ]


def test_every_reply_to_a_customer_is_a_next_act(pscon):
    assert [(a.conversation, a.act) for a in pscon.next_acts()] == [
        ("0", LoggedAct.ASK),
        ("0", LoggedAct.RECOMMEND),
        ("1", LoggedAct.OTHER),
        ("1", LoggedAct.RECOMMEND),
        ("2", LoggedAct.RECOMMEND),
        ("2", LoggedAct.RECOMMEND),
        ("3", LoggedAct.RECOMMEND),
    ]


def test_the_order_of_titles_is_not_the_file_s(tmp_path):
    titles = {f"P{i:02}": f"Product {i}" for i in range(20)}
    (tmp_path / "products.json").write_text(json.dumps(titles))
    for part in ("train", "valid"):
        (tmp_path / f"{part}.json").write_text("[]")
    read = read_pscon(tmp_path)
    assert read.titles == titles
    assert list(read.titles) != list(titles)


def test_no_conversation_is_in_its_own_training_fold():
    rows = [f"c{i // 3}" for i in range(90)]
    judged_once = []
    for training, judged in splits(rows, 7, seed=3):
        assert not {rows[i] for i in training} & {rows[i] for i in judged}
        assert sorted([*training, *judged]) == list(range(90))
        judged_once += judged
    assert sorted(judged_once) == list(range(90))


def test_folds_hold_whole_conversations_and_are_of_one_size():
    sizes = np.bincount(list(folds_of([f"c{i}" for i in range(23)], 5, seed=0).values()))
    assert sorted(sizes) == [4, 4, 5, 5, 5]


def test_a_fold_s_model_knows_no_word_of_the_talks_it_judges(pscon):
    learner = Learner.of(pscon, HashEncoder())
    model = learner.fit([i for i, p in enumerate(learner.points) if p.conversation != "2"])
    assert model.speech.talks == 3
    assert "tent" not in model.speech.frequency
    assert "kettl" in model.speech.frequency


def test_the_learned_ranking_finds_what_was_recommended(pscon):
    learner = Learner.of(pscon, HashEncoder())
    model = learner.fit(range(len(learner.points)))
    ranked = [learner.ranked(i, model) for i in range(len(learner.points))]
    assert quality(learner, ranked) == (1.0, 1.0)
    assert set(model.weights) == set(FEATURES)


def test_a_listwise_fit_follows_the_column_that_tells():
    rng = np.random.default_rng(0)
    tables = rng.normal(size=(30, 8, 3))
    targets = np.zeros((30, 8))
    targets[np.arange(30), tables[:, :, 1].argmax(axis=1)] = 1
    weights = fit_listwise(tables, targets, penalty=1.0)
    assert weights[1] > 1
    assert abs(weights[0]) < 0.5 and abs(weights[2]) < 0.5


def test_a_softmax_fit_separates_classes():
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    inputs = np.eye(3)[labels] * 3 + rng.normal(size=(60, 3))
    weights = fit_softmax(inputs, labels, 4, penalty=1.0)
    assert weights.shape == (4, 4)
    assert (classify(inputs, weights) == labels).mean() > 0.9
