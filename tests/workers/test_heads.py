"""Measures of calibration, and what the heads' training makes of logged talks."""

import numpy as np
import pytest

from benchmarks.nearest import Example, NearestExamples
from tests.fakes import HashEncoder
from workers.training.calibration import Judgement, accuracy, calibration_error, macro_f1, temperature_for
from workers.training.heads import _situations
from workers.training.pscon import LoggedAct


def test_an_overconfident_classifier_has_a_large_calibration_error():
    honest = [Judgement(0.75, "a", "a")] * 3 + [Judgement(0.75, "a", "b")]
    boastful = [Judgement(1.0, "a", "a")] * 3 + [Judgement(1.0, "a", "b")]
    assert calibration_error(honest) == pytest.approx(0)
    assert calibration_error(boastful) == pytest.approx(0.25)


def test_macro_f1_counts_rare_labels_as_much_as_common_ones():
    judged = [Judgement(1, "a", "a")] * 9 + [Judgement(1, "b", "a")]
    assert accuracy(judged) == 0.9
    assert macro_f1(judged) == pytest.approx((18 / 19 + 0) / 2)


def test_the_temperature_undoes_overconfidence():
    logits = [np.array([4.0, 0.0])] * 4
    right = [[0], [0], [0], [1]]
    share = 1 / (1 + np.exp(-4.0 / temperature_for(logits, right)))
    assert share == pytest.approx(0.75, abs=0.02)


def test_a_situation_counts_what_the_salesperson_did_before():
    talk = [
        (True, "Hello, a kettle?", LoggedAct.OTHER),
        (False, "which colour?", LoggedAct.ASK),
        (True, "red", LoggedAct.OTHER),
        (False, "this one", LoggedAct.RECOMMEND),
    ]
    first, second = _situations("t", talk)
    assert (first.text, first.shown, first.asked, first.question_open, first.act) == (
        "hello, a kettle?",
        0,
        0,
        False,
        "ask",
    )
    assert (second.shown, second.asked, second.question_open, second.act) == (0, 1, True, "recommend")


def test_the_nearest_examples_decide():
    known = [Example("thanks", text, "en") for text in ("thanks", "many thanks", "thank you")]
    known += [Example("find", text, "en") for text in ("a kettle", "show me a kettle", "kettle please")]
    assert NearestExamples(HashEncoder(), known).classify("a red kettle").name == "find"
