"""What the domain says in English is known to the console, sentence by sentence, and has a Chinese one."""

import re

import pytest
from django.utils import translation

from admin_console.sentences import plainly
from botcore.dialogue.brief import Brief
from botcore.learning import corrections, datasets, gate, versions
from tests.admin_console.test_corrections import BRIEF
from tests.factories import ModelVersionFactory, ShopFactory


def _in_chinese(sentence: str, *kept: str) -> str:
    with translation.override("zh-hans"):
        told = plainly(sentence)
    bare = told
    for word in kept:
        bare = bare.replace(word, "")
    assert not re.search("[A-Za-z]{2,}", bare), f"not known: {sentence} -> {told}"
    return told


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Take the Canvas jacket for $39.00.", ("$39.00",)),
        ("Take the Velvet Moon for $49.00.", ("velvet", "moon")),
        ("The Canvas jacket is navy and costs $49.00.", ("navy",)),
        ("Nice weather today.", ()),
        ("The Canvas jacket is yours half price.", ("half price",)),
        ("The Canvas jacket is green and", ()),
        ("The Canvas jacket is <green>.", ()),
        ("The Canvas jacket is not green.", ("green",)),
        ("The Canvas jacket has a [A.stock] for [A.price].", ("A.stock",)),
        ("The Canvas jacket is leather.", ("leather",)),
        ("The Canvas jacket costs $60.", ()),
        ("Not all of these, I'm sorry to say. The Canvas jacket is green.", ("not all",)),
        ("The Canvas jacket is for the other.", ("is for the other",)),
    ],
)
def test_objections_to_a_correction_are_told_in_the_reader_s_language(text, kept):
    told = [_in_chinese(problem, *kept) for problem in corrections.objections(corrections.tagged(text, BRIEF), BRIEF)]
    assert told


def test_what_the_act_owes_is_told_in_the_reader_s_language():
    for act in ("ask", "handoff", "decline"):
        problems = corrections.objections("Here you are.", Brief(act, "hello"))
        assert [_in_chinese(problem) for problem in problems]


def test_every_finding_of_the_gate_is_told_in_the_reader_s_language():
    full = {
        "candidate": {"audited_after": 0.0, "seconds_per_reply": 0.3},
        "live": {"seconds_per_reply": 0.3},
        "differences": {"grounded": {"mean": 0.0, "low": -0.01, "high": 0.01, "n": 5}},
    }
    for report in ({}, full):
        for line in gate.judge(report).lines:
            assert _in_chinese(line.found)


@pytest.mark.django_db
def test_refusals_are_told_in_the_reader_s_language():
    shop = ShopFactory(name="松")
    failed = {"passed": False, "lines": [{"name": "wishes", "passed": False, "found": ""}]}
    for version, to in (
        (ModelVersionFactory(shop=shop, name="v1", gate=failed), "live"),
        (ModelVersionFactory(shop=shop, name="v1-b", gate={}), "canary"),
        (ModelVersionFactory(shop=shop, name="v1-c", state="retired"), "live"),
        (ModelVersionFactory(shop=shop, name="v1-d", report={"against": {"version": "v0"}}), "live"),
    ):
        with pytest.raises(versions.RefusedError) as refused:
            versions.move(version, to)
        assert _in_chinese(str(refused.value), version.name, "v0")
    with pytest.raises(versions.RefusedError) as refused:
        versions.rollback(shop)
    assert "自带模型" in _in_chinese(str(refused.value))
    with pytest.raises(datasets.NothingToLearnError) as nothing:
        datasets.build(shop, datasets.Filters())
    assert _in_chinese(str(nothing.value))


def test_what_was_left_out_is_told_with_its_reasons():
    sentence = datasets._empty({"rejected": 4, "vote repeated": 2})
    assert _in_chinese(sentence) == "还没有可学习的内容；未收入：4 已驳回且未给出其他写法, 2 重复评价。"


def test_a_sentence_that_is_not_known_is_shown_as_it_is():
    assert plainly("Something new.") == "Something new."
