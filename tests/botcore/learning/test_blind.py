"""Choosing between two versions' replies without knowing whose is whose."""

import pytest

from botcore.learning import blind
from tests.factories import ModelVersionFactory, UserFactory

pytestmark = pytest.mark.django_db

PAIRS = [
    {"customer": f"question {n}", "act": "recommend", "candidate": f"candidate {n}", "live": f"live {n}"}
    for n in range(24)
]


@pytest.fixture
def version():
    return ModelVersionFactory(report={"changed": PAIRS})


@pytest.fixture
def reader():
    return UserFactory()


def choose_all(version, reader, wanted: str) -> None:
    """Prefer whatever begins with ``wanted``."""
    while pair := blind.next_pair(version, reader):
        assert blind.choose(version, reader, pair.digest, 1 if pair.first.startswith(wanted) else 2)


def test_every_pair_is_shown_once_and_the_version_s_reply_now_first_now_second(version, reader):
    firsts, questions = [], []
    while pair := blind.next_pair(version, reader):
        assert pair == blind.next_pair(version, reader)
        firsts.append(pair.first.split()[0])
        questions.append(pair.customer)
        blind.choose(version, reader, pair.digest, 0)
    assert questions == [told["customer"] for told in PAIRS]
    assert set(firsts) == {"candidate", "live"}
    assert blind.left(version, reader) == (24, 24)


def test_a_choice_counts_for_whoever_wrote_the_reply_wherever_it_stood(version):
    choose_all(version, UserFactory(), "candidate")
    choose_all(version, UserFactory(), "live")
    found = blind.outcome(version)
    assert (found.version, found.live, found.neither) == (24, 24, 0)
    share, low, high = found.share
    assert share == 0.5 and low == pytest.approx(0.364, abs=0.001) and high == pytest.approx(0.636, abs=0.001)


def test_the_interval_of_a_unanimous_choice_stays_below_one(version, reader):
    choose_all(version, reader, "candidate")
    share, low, high = blind.outcome(version).share
    assert share == 1 and 0.8 < low < 0.9 and high == pytest.approx(1)


def test_no_choice_is_no_share(version):
    assert blind.outcome(version).share is None


def test_the_last_choice_is_taken_back(version, reader):
    first = blind.next_pair(version, reader)
    blind.choose(version, reader, first.digest, 1)
    assert blind.take_back(version, reader)
    assert blind.next_pair(version, reader) == first
    assert not blind.take_back(version, reader)


def test_a_new_report_starts_anew_and_its_old_pairs_are_gone(version, reader):
    old = blind.next_pair(version, reader)
    blind.choose(version, reader, old.digest, 1)
    version.report = {"changed": [{**PAIRS[0], "candidate": "another"}]}
    version.save()
    assert blind.outcome(version).decided == 0
    assert not blind.choose(version, reader, old.digest, 1)


def test_an_empty_reply_would_tell_whose_it_is_and_is_left_out(reader):
    version = ModelVersionFactory(report={"changed": [{**PAIRS[0], "live": ""}]})
    assert blind.next_pair(version, reader) is None
