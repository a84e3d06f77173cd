"""The model's texts are judged one by one; whatever goes wrong with them, a true reply goes out."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from botcore.dialogue.brief import Brief, ItemFacts
from botcore.dialogue.compose import UNSURE, UNSURE_OF_IT, fill, word
from botcore.dialogue.ports import EngineInfo, Ports, Sample
from tests.fakes import HashEncoder

TRUE = "Under [budget] I'd take [A.name], a kettle in steel, at [A.price]."
FALSE = "[A.name] is a copper kettle with a lifetime guarantee."


@dataclass
class Says:
    """A generator that returns the given texts, or does what ``instead`` does."""

    texts: tuple[str, ...] = ()
    instead: Callable[[], object] = lambda: None
    likelihood: float = 0.0

    @property
    def info(self) -> EngineInfo:
        return EngineInfo("fake", "fake-7", "none", "cpu", 8, 0.0)

    def write(self, prompt, *, samples, seed, deadline):
        self.instead()
        return [Sample(text, len(text.split()), likelihood=self.likelihood) for text in self.texts]


BRIEF = Brief(
    "recommend",
    wishes=("kettle", "under [budget]"),
    items=(ItemFacts("A", "kettle", {"material": "steel"}, {"name": "Harbour Kettle", "price": "€39"}),),
    slots={"budget": "€50"},
)


def worded(generator, language="en", brief=BRIEF, deadline=None, discriminator=None):
    deadline = time.monotonic() + 5 if deadline is None else deadline
    ports = Ports(HashEncoder(), None, generator, discriminator=discriminator)  # nothing is read here
    return word(brief, language, ports, samples=4, seed=1, deadline=deadline)


@pytest.mark.parametrize("texts", [(TRUE, FALSE), (FALSE, TRUE), (FALSE, FALSE + " ", TRUE)])
def test_a_false_text_is_never_chosen_over_a_true_one(texts):
    wording = worded(Says(texts))
    assert (wording.text, wording.written_by) == (TRUE, "model")
    assert [d.text for d in wording.drafts if d.chosen] == [TRUE]


def test_words_that_the_model_is_not_sure_of_are_not_said():
    unsure = Says((TRUE,), likelihood=UNSURE - 0.01)
    assert worded(unsure).written_by == "template"
    assert UNSURE_OF_IT in worded(unsure).drafts[0].verdict.problems
    assert worded(Says((TRUE,), likelihood=UNSURE)).text == TRUE


def test_where_every_text_is_false_a_phrase_takes_their_place():
    wording = worded(Says((FALSE, "[A.name] for $3!")))
    assert (wording.written_by, wording.error) == ("template", "every sample was refused")
    assert not any(d.chosen for d in wording.drafts)
    assert "[A.name]" in wording.text


@dataclass(frozen=True)
class Prefers:
    """A discriminator that takes one text for a person's."""

    text: str

    def naturalness(self, brief, texts):
        return [99.0 if text == self.text else -99.0 for text in texts]


ALSO_TRUE = "I'd take [A.name], a kettle in steel, under [budget], at [A.price]."


@pytest.mark.parametrize("natural", [TRUE, ALSO_TRUE])
def test_of_two_true_texts_the_one_that_a_person_may_have_written_is_sent(natural):
    wording = worded(Says((TRUE, ALSO_TRUE)), discriminator=Prefers(natural))
    assert wording.text == natural
    assert wording.drafts[0].to_json({})["scores"]["naturalness"] == 99.0


def test_no_naturalness_makes_a_false_text_true():
    assert worded(Says((FALSE, TRUE)), discriminator=Prefers(FALSE)).text == TRUE


def raising():
    raise RuntimeError("out of memory")


@pytest.mark.parametrize(
    ("generator", "deadline", "error"),
    [
        (Says(instead=raising), None, "the generator failed: RuntimeError"),
        (Says(), 0.0, "the generator was late"),
        (Says(), None, "the generator wrote nothing"),
        (None, None, ""),
    ],
)
def test_a_generator_that_fails_is_late_or_missing_costs_no_reply(generator, deadline, error):
    wording = worded(generator, deadline=deadline)
    assert (wording.written_by, wording.error) == ("template", error)
    assert "[A.name]" in wording.text


def test_what_the_model_cannot_write_is_not_asked_of_it():
    brief = Brief("chitchat", notes={"topic": "greeting"}, slots={"shop": "s"})
    assert worded(Says(instead=raising), language="zh", brief=brief).error == ""


def test_values_come_into_the_text_only_through_tags():
    assert fill(TRUE, BRIEF.tags()) == "Under €50 I'd take Harbour Kettle, a kettle in steel, at €39."
    assert fill("[A.weight]", BRIEF.tags()) == "[A.weight]"


@pytest.mark.django_db
def test_a_conversation_sends_the_true_text_with_its_values(talk_with):
    talk = talk_with(Says((FALSE, TRUE)))
    reply = talk("a steel kettle under 50 euros", deadline=time.monotonic() + 5)
    assert (reply.written_by, reply.model_version) == ("model", "fake-7")
    assert reply.text == "Under €50 I'd take Harbour Kettle, a kettle in steel, at €39."


@pytest.mark.parametrize(
    ("text", "quote", "filled"),
    [
        ("We say: [quote]. Anything else?", "Returns are free.", "We say: Returns are free. Anything else?"),
        ("[quote]。", "退货免费。", "退货免费。"),
        ("As [quote]", "Returns are free.", "As Returns are free."),
        ("[quote].", "", "."),
    ],
)
def test_a_quoted_sentence_ends_once(text, quote, filled):
    assert fill(text, {"quote": quote}) == filled
