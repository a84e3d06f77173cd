"""The evaluation counts what it says it counts."""

from botcore.dialogue.brief import Brief, ItemFacts
from botcore.dialogue.ports import Sample
from botcore.dialogue.verify import verify
from workers.training.evaluate import Auditor, Written, distinct, report

BRIEF = Brief(
    "recommend",
    "a green rain jacket",
    wishes=("rain jacket", "green"),
    items=(ItemFacts("A", "rain jacket", {"color": "green"}, {"name": "", "price": ""}),),
)
TRUE = "I'd go for [A.name], in green, at [A.price]."
FALSE = "I'd go for [A.name], in burgundy, at [A.price]."


def written(*texts: str) -> Written:
    verdicts = tuple(verify(text, BRIEF) for text in texts)
    chosen = next((text for text, verdict in zip(texts, verdicts, strict=True) if verdict.accepted), "")
    return Written(BRIEF, tuple(Sample(text, 10) for text in texts), verdicts, chosen)


def test_the_auditor_finds_a_colour_that_no_fact_holds():
    auditor = Auditor()

    assert auditor.finds(FALSE, BRIEF) == ["burgundy"]
    assert auditor.finds(TRUE, BRIEF) == []


def test_the_auditor_finds_numbers_in_words_and_unknown_tags():
    assert Auditor().finds("Only twenty left of [A.stock].", BRIEF) == ["twenty", "A.stock"]


def test_a_brief_counts_as_accepted_when_one_sample_is():
    numbers = report("m", [written(FALSE, TRUE), written(FALSE)], Auditor(), 1.0)

    assert numbers.accepted == 0.5
    assert numbers.accepted_samples == 0.3333
    assert numbers.unsupported_before == 0.6667
    assert numbers.unsupported_after == 0.0
    assert numbers.audited_before == 0.6667
    assert (numbers.audited_after, numbers.found_false) == (0.0, [])


def test_what_is_sent_and_found_false_is_told_with_what_is_false_of_it():
    sent = Written(BRIEF, (Sample(FALSE, 10),), (verify(FALSE, BRIEF),), FALSE)
    numbers = report("m", [sent, written(TRUE)], Auditor(), 1.0)
    assert (numbers.audited_after, numbers.found_false) == (0.5, [f"{FALSE} (burgundy)"])


def test_distinct_counts_different_pairs_of_words():
    assert distinct(["a b a b"], 2) == 0.6667
    assert distinct(["a b", "a b"], 2) == 0.5
    assert distinct([], 2) == 0.0
