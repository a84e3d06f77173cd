"""Questions about what is in sight, and for what is not there, over the small shop. No model writes here."""

import pytest
from django.utils import timezone

from botcore.dialogue.answer import _from_reviews, _of_another_kind, _of_others, as_return
from botcore.dialogue.evidence import Asked
from botcore.dialogue.lexicon.kept import lexicon_of
from botcore.dialogue.relevance import title_names
from botcore.dialogue.state import Act
from catalog.models import Customer, Interaction

pytestmark = pytest.mark.django_db


def test_which_of_several_is_meant_is_asked_by_their_names(talk):
    shown = talk("a kettle please").items
    asked = talk("how heavy is it?")
    assert (asked.act, asked.why) == (Act.CLARIFY, "item")
    assert all(item.slots["name"] in asked.text for item in shown)


def test_of_the_one_in_sight_it_is_said_that_its_weight_is_not_known(talk):
    talk("the Summit Kettle, is it in stock?")
    talk("a gray kettle")
    answer = talk("how heavy is it?")
    assert (answer.act, answer.why) == (Act.DECLINE, "no_information")
    assert "Summit Kettle" in answer.text


@pytest.mark.parametrize("question", ["is it made of steel?", "这个是钢的吗？"])
def test_a_value_is_told_of_each_that_is_in_sight(talk, question):
    shown = talk("a kettle please").items
    answer = talk(question)
    assert (answer.act, answer.answer.details["asked"]) == (Act.ANSWER, ("steel",))
    assert set(answer.answer.details["told_of"]) == {item.sku for item in shown} and not answer.items


@pytest.mark.parametrize("question", ["do you sell cameras?", "do you have laptops?", "有手机壳吗"])
def test_a_kind_that_is_not_sold_is_said_to_be_missing(talk, question):
    reply = talk(question)
    assert (reply.act, reply.why, reply.items) == (Act.DECLINE, "not_sold", ())


@pytest.mark.parametrize("question", ["do you have kites?", "do you sell carpets?", "有水壶吗"])
def test_a_kind_that_is_sold_is_shown_by_any_of_its_names(talk, question):
    assert talk(question).items


def test_a_title_names_what_it_ends_in():
    assert title_names("Tern Women's Rain Jacket, Navy", "jacket")
    assert not title_names("Dune Robot Vacuum, Camera Navigation", "camera")


@pytest.mark.parametrize("question", ["ok and if it doesn't fit?", "what if I don't like it?", "要是不合适呢？"])
def test_what_happens_if_it_does_not_please_is_a_question_about_returns(talk, question):
    talk("how long does delivery take?")
    assert talk(question).answer.id == "returns"


@pytest.mark.parametrize("text", ["if it doesn't fit, show me the next size", "is it too small for a family?"])
def test_other_questions_stand_as_they_are(text):
    assert as_return(text, "en") == text


@pytest.mark.parametrize(
    "message",
    ["my son loves dinosaurs", "my daughter is really into dinosaurs", "hi, my daughter is really into dinosaurs"],
)
def test_a_liking_that_nothing_is_about_is_not_a_thing_to_sell(talk, message):
    reply = talk(message)
    assert (reply.act, reply.why) == (Act.DECLINE, "theme")
    assert talk("a board game maybe").items


@pytest.mark.parametrize("critique", ["something more formal", "更正式一点的"])
def test_a_critique_that_no_data_tell_is_said_to_be_one(talk, critique):
    shown = talk("a kettle please").items
    reply = talk(critique)
    assert (reply.act, reply.why, reply.items) == (Act.DECLINE, "not_told", ())
    assert talk.state.slate == tuple(item.sku for item in shown)


@pytest.mark.parametrize("question", ["which of your rugs is the best?", "你们的地毯哪个最好"])
def test_the_best_of_a_kind_is_the_best_rated(talk, shop, question):
    shop.products.filter(sku="R2").update(rating=4.9, rating_count=20)
    shop.products.filter(sku="R3").update(rating=3.1, rating_count=20)
    assert talk(question).items[0].sku == "R2"


def test_an_article_about_other_materials_is_no_answer(shop):
    jute, wool = shop.products.get(sku="R2"), shop.products.get(sku="R1")

    def of_others(question, product):
        return _of_others("How do I clean wool?", question, [product], lexicon_of(shop))

    assert of_others("how is it cleaned?", jute)
    assert not of_others("how is it cleaned?", wool)
    assert not of_others("how would wool be cleaned?", jute)


def test_an_article_about_another_kind_is_no_answer(shop):
    kettle, rug = shop.products.get(sku="K1"), shop.products.get(sku="R1")

    def of_another_kind(question, *products):
        return _of_another_kind("How long are rugs guaranteed?", question, products, lexicon_of(shop))

    assert of_another_kind("and if it breaks?", kettle)
    assert not of_another_kind("and if it breaks?", rug)
    assert not of_another_kind("and if it breaks?", kettle, rug)
    assert not of_another_kind("and the rug, if it breaks?", kettle)
    assert not of_another_kind("and if it breaks?")


def test_a_remark_is_an_answer_only_where_it_says_what_was_asked(talk, shop):
    kettle, customer = shop.products.get(sku="K1"), Customer.objects.create(shop=shop, key="C1")
    for text in ("We use it every single day.", "Easy to clean, everything comes apart.", "It roars like an engine."):
        Interaction.objects.create(
            shop=shop, customer=customer, product=kettle, kind="review", at=timezone.now(), rating=4, text=text,
            language="en",
        )  # fmt: skip

    def remark(question):
        found = _from_reviews(kettle, Asked(question, "en"), talk.ports)
        return found and found.quote

    assert remark("is it noisy?") == "It roars like an engine."
    assert remark("and if it breaks?") is None and remark("how do i descale it?") is None
    assert remark("what do people say?")


@pytest.mark.parametrize("question", ["and if it breaks?", "how do I descale it?"])
def test_what_nothing_answers_is_for_a_person(talk, question):
    talk("a red kettle")
    reply = talk(question)
    assert (reply.act, reply.why) == (Act.DECLINE, "no_information")
