"""The supervised set keeps its promises: only supported words, no leaks between splits, no worn-out openings."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from botcore.dialogue.brief import TAG, Brief, render
from botcore.dialogue.state import Act
from botcore.dialogue.verify import verify
from botcore.dialogue.vocabulary import prompt_of
from workers.engine.constraint import pattern
from workers.training.dialogues.build import MIX, OPENING_SHARE, Example, Split, build_examples, opening, write
from workers.training.dialogues.contexts import DEPARTMENTS, load_world
from workers.training.dialogues.grammar import pairs, polish
from workers.training.dialogues.skeletons import load_skeletons
from workers.training.dialogues.vocabulary import NEUTRAL_FILE, as_yaml, collect


@pytest.fixture(scope="module")
def split() -> Split:
    return build_examples()


@pytest.fixture(scope="module")
def examples(split: Split) -> list[Example]:
    return [*split.train, *split.validation, *split.heldout]


def test_the_set_has_its_sizes_and_mix_of_acts(split: Split) -> None:
    assert (len(split.train), len(split.validation), len(split.heldout)) == (6000, 200, 300)
    for part in (split.train, split.validation, split.heldout):
        counts = Counter(example.brief.act for example in part)
        assert counts.keys() == {act.value for act in Act}
        assert all(abs(counts[act.value] - share * len(part)) <= 2 for act, share in MIX.items())


def test_every_department_takes_part(split: Split) -> None:
    assert {e.department for e in split.train} == {e.department for e in split.heldout} == set(DEPARTMENTS)


def test_enough_replies_are_written_by_hand_and_none_twice() -> None:
    skeletons = load_skeletons()
    assert len(skeletons[Act.RECOMMEND]) >= 280
    assert sum(bool(s.gave_up) for s in skeletons[Act.RECOMMEND]) >= 45
    assert len(skeletons[Act.COMPARE]) >= 80
    assert len(skeletons[Act.EXPLAIN]) >= 80
    for rows in skeletons.values():
        assert not [reply for reply, n in Counter(s.reply for s in rows).items() if n > 1]


def test_every_skeleton_is_used(split: Split) -> None:
    used = {example.skeleton for example in split.train}
    assert {s.id for rows in load_skeletons().values() for s in rows} <= used


def test_no_opening_stands_in_more_than_two_percent(split: Split) -> None:
    for part in (split.train, split.validation, split.heldout):
        start, count = Counter(opening(example.reply) for example in part).most_common(1)[0]
        assert count <= OPENING_SHARE * len(part), start


def test_the_same_seed_builds_the_same_set(split: Split) -> None:
    anew = build_examples.__wrapped__
    assert anew() == split
    assert anew(2).heldout != split.heldout


def test_neither_prompts_nor_replies_hold_digits_or_currency(examples: list[Example]) -> None:
    assert not [e.id for e in examples if re.search(r"[\d$€£¥]", render(e.brief) + e.reply)]


def test_replies_use_only_tags_their_brief_offers(examples: list[Example]) -> None:
    for example in examples:
        assert {m[1] for m in TAG.finditer(example.reply)} <= example.brief.tags().keys(), example.reply


def test_replies_leave_no_placeholder_open(examples: list[Example]) -> None:
    assert not [e.reply for e in examples if re.search(r"[{}]|  | ,", e.reply)]


def test_every_reply_is_in_the_language_that_decoding_keeps_to(examples: list[Example]) -> None:
    for example in {e.skeleton: e for e in examples}.values():  # an expression a brief takes long to compile
        assert re.fullmatch(pattern(prompt_of(example.brief)), example.reply), example.reply


def test_the_verifier_of_serving_accepts_every_reply(examples: list[Example]) -> None:
    assert not [(e.reply, v.problems) for e in examples if not (v := verify(e.reply, e.brief)).accepted]


def test_the_neutral_words_on_file_are_those_of_the_skeletons() -> None:
    assert NEUTRAL_FILE.read_text("utf-8") == as_yaml(collect())


def test_neutral_words_claim_nothing_about_a_product() -> None:
    claims = """available black cotton discount durable fast free gentle guarantee guaranteed leather light lightweight
    new last popular bestseller sale shipping ships soft stock sturdy three four vegan warm warranty waterproof"""
    assert not set(claims.split()) & {word for words in collect().values() for word in words}


def test_heldout_shares_no_brief_and_no_skeleton_with_the_same_facts(split: Split) -> None:
    seen = {render(e.brief) for e in (*split.train, *split.validation)}
    facts = {(e.skeleton, e.facts) for e in (*split.train, *split.validation)}
    assert not [e.id for e in split.heldout if render(e.brief) in seen or (e.skeleton, e.facts) in facts]
    assert not {render(e.brief) for e in split.train} & {render(e.brief) for e in split.validation}


def test_reserved_product_kinds_are_seen_in_heldout_alone(split: Split) -> None:
    reserved = {kind.name for kind in load_world().kinds if kind.held_out}
    assert len(reserved) >= 4

    def kinds(part: tuple[Example, ...]) -> set[str]:
        return {item.kind for e in part for item in e.brief.items} | {w for e in part for w in e.brief.wishes}

    assert not reserved & (kinds(split.train) | kinds(split.validation))
    assert reserved <= kinds(split.heldout)


def test_a_wish_that_was_given_up_is_named(examples: list[Example]) -> None:
    gave_up = [e for e in examples if e.brief.gave_up]
    assert len(gave_up) > 150
    for example in gave_up:
        wish = example.brief.gave_up[0].removeprefix("under ")
        assert wish.lower() in example.reply.lower(), example.reply


def test_articles_quoted_exactly_once(examples: list[Example]) -> None:
    policies = [e for e in examples if "title" in e.brief.notes]
    assert policies
    assert all(e.reply.count("[quote]") == 1 for e in policies)


def test_briefs_hold_facts_the_reply_leaves_out(split: Split) -> None:
    shown = [e for e in split.train if e.brief.act == "recommend"]
    spare = [
        e for e in shown if any(v.lower() not in e.reply.lower() for i in e.brief.items for v in i.attributes.values())
    ]
    assert len(spare) > 0.5 * len(shown)


def test_briefs_and_replies_stay_short(examples: list[Example]) -> None:
    lengths = sorted(len(example.reply.split()) for example in examples)
    assert lengths[-1] <= 45
    assert 8 <= lengths[len(lengths) // 2] <= 25


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("a olive shirt", "An olive shirt"),
        ("take an hourglass or a hour", "Take an hourglass or an hour"),
        ("a unisex coat. no a hood", "A unisex coat. No hood"),
        ("it's has a hood and [A.name] is has one", "It has a hood and [A.name] has one"),
    ],
)
def test_articles_and_verbs_agree(raw: str, said: str) -> None:
    assert polish(raw) == said


def test_plural_kinds_are_sold_as_pairs() -> None:
    assert pairs("Take a {A.adj} {A.kind} or another {A.kind}.") == (
        "Take a pair of {A.adj} {A.kind} or another pair of {A.kind}."
    )


def test_the_files_hold_what_was_built(tmp_path: Path, split: Split) -> None:
    write(split, tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "heldout.jsonl").read_text("utf-8").splitlines()]
    assert [row["id"] for row in rows] == [example.id for example in split.heldout]
    assert set(rows[0]) == {"id", "department", "act", "brief", "reply"}
    assert Brief.from_json(rows[0]["brief"]) == split.heldout[0].brief
