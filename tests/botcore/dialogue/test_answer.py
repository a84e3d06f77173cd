"""Which source answers a question, in whole conversations over the small shop; no model writes here."""

import pytest
from django.utils import timezone

from botcore.dialogue.answer import _of_topic as of_topic
from botcore.dialogue.answer import _say_the_same as say_the_same
from botcore.dialogue.evidence import Asked, Evidence, Kind, article_evidence, article_passages
from botcore.dialogue.state import Act, DialogueState
from catalog.models import Customer, Interaction, Product

pytestmark = pytest.mark.django_db


def test_a_policy_is_quoted_word_for_word_with_its_source(talk):
    reply = talk("how many days do I have to send something back?")
    source = reply.explanation()["source"]
    assert (source["kind"], source["id"], source["title"]) == ("article", "returns", "Returns")
    assert source["quote"] in reply.text and "45 days" in reply.text


def test_what_nothing_answers_gets_a_person_offered(talk):
    reply = talk("is your warehouse powered by wind?")
    assert (reply.answer, reply.act, reply.why) == (None, Act.DECLINE, "no_information")


def test_the_description_answers_a_question_about_the_product(talk):
    talk("a rug in gray")
    reply = talk("is it thick and warm?")
    assert (reply.answer.kind, reply.answer.id, reply.answer.quote) == ("description", "R1", "Thick and warm.")


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("is the first one made of steel?", "Yes. Harbour Kettle: material steel."),
        ("does the first one come in wool?", "Its data doesn't mention wool. Harbour Kettle: material steel."),
        ("第一个是钢制的吗", "有的。Harbour Kettle：材质钢制。"),
    ],
)
def test_whether_a_shown_product_has_something_is_answered_and_no_wish(talk, question, told):
    place = [item.sku for item in talk("kettles please").items].index("K1")
    words = question.replace("first", ("first", "second", "third")[place]).replace("第一", f"第{'一二三'[place]}")
    before = talk.state.constraints
    reply = talk(words)
    assert reply.act is Act.ANSWER
    assert told in reply.text
    assert talk.state.constraints == before


def test_a_sold_out_product_is_said_to_be_and_similar_ones_are_shown(talk, shop):
    talk("a rug in gray")
    Product.objects.get(sku="R1").variants.update(stock=0)
    reply = talk("is it still in stock?")
    assert reply.answer.kind == "stock" and "sold out" in reply.text
    assert reply.items and {item.sku for item in reply.items} <= {"R2", "R3"}
    assert {card.sku for card in reply.cards} == {item.sku for item in reply.items}


def test_customers_words_are_said_to_be_theirs(talk, shop):
    product = Product.objects.get(sku="K3")
    customer = Customer.objects.create(shop=shop, key="C1")
    review = Interaction.objects.create(
        shop=shop, customer=customer, product=product, kind="review", at=timezone.now(), rating=2, language="en",
        text="It is so loud that the dog runs away.",
    )  # fmt: skip
    talk("a gray kettle")
    reply = talk("is it loud?")
    assert (reply.answer.kind, reply.answer.rows) == ("review", (review.pk,))
    assert "A customer wrote: “It is so loud that the dog runs away.”" in reply.text


def test_after_two_replies_that_could_not_help_a_person_is_brought_in(talk):
    talk("a red kettle")
    assert talk("is it dishwasher safe?").act is Act.DECLINE
    assert talk("is it made by hand in Italy?").act is Act.DECLINE
    reply = talk("does it come with a lifetime guarantee from the maker?")
    assert (reply.act, reply.why) == (Act.HANDOFF, "stuck")


def test_given_back_by_a_person_the_bot_says_so_once(talk):
    talk("a red kettle")
    talk.state = talk.state.with_(returned=True)
    assert talk("thanks").text.startswith("I'm the shop's assistant, a bot, and I'm back")
    assert "I'm back" not in talk("show me rugs").text


def test_what_a_question_goes_on_from_speaks_for_its_article_and_against_nothing_else(talk):
    told = DialogueState(last_article="returns", last_quote="Send goods back within 45 days.")
    repeated, next_to_it, other, stock = (
        of_topic(Evidence(kind, id_, "", quote, ""), told)
        for kind, id_, quote in (
            (Kind.ARTICLE, "returns", "Send goods back within 45 days."),
            (Kind.ARTICLE, "returns", "We pay the postage."),
            (Kind.ARTICLE, "delivery", "It costs 3.90 euros."),
            (Kind.STOCK, "returns", ""),
        )
    )
    assert next_to_it > repeated > other == stock == 0


def test_a_description_that_tells_the_value_is_the_same_answer():
    value = Evidence(Kind.ATTRIBUTE, "K1", "material", "recycled steel", "")
    assert say_the_same(value, Evidence(Kind.DESCRIPTION, "K1", "description", "Made of recycled steel.", ""))
    assert not say_the_same(value, Evidence(Kind.DESCRIPTION, "K1", "description", "Made of steel.", ""))
    assert not say_the_same(value, Evidence(Kind.DESCRIPTION, "K2", "description", "Made of recycled steel.", ""))
    assert not say_the_same(value, Evidence(Kind.ATTRIBUTE, "K1", "brand", "recycled steel", ""))


def test_what_is_read_ahead_is_what_is_read_when_somebody_asks(talk):
    ahead = article_passages(talk.shop, 400)
    asked = article_evidence(
        talk.shop, Asked("how much is delivery?", "en"), "how much is delivery?", talk.ports.reader
    )
    assert {evidence.passage for evidence in asked} <= set(ahead)
    assert len(article_passages(talk.shop, 2)) == 2 and article_passages(talk.shop, 0) == []
