"""What can be had of a product, from its variants: sizes, colours, and what is asked for."""

import pytest

from botcore.dialogue.answer import stock_text
from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.meanings import Meaning
from botcore.dialogue.state import Constraint
from botcore.dialogue.stock import named_values, stock_of
from catalog.models import Product
from tests.factories import ProductFactory, VariantFactory

pytestmark = pytest.mark.django_db
STOCK = {("eu 37", "black"): 0, ("eu 38", "black"): 4, ("eu 39", "black"): 1, ("eu 38", "red"): 0, ("eu 39", "red"): 2}


@pytest.fixture
def lexicon() -> Lexicon:
    lexicon = Lexicon()
    lexicon.names[Meaning("color", "red")] = {"zh": ["红色"]}
    return lexicon


@pytest.fixture
def boots() -> Product:
    product = ProductFactory(variant=None, attributes={"color": ["black", "red"]})
    for (size, colour), stock in STOCK.items():
        VariantFactory(product=product, stock=stock, attributes={"size": [size], "color": [colour]})
    return product


def said(boots, lexicon, text, language="en", attribute="size", constraints=()):
    stock = stock_of(boots, attribute, named_values(boots, text, constraints, lexicon))
    return stock_text(stock, language, lexicon)


@pytest.mark.parametrize(
    ("asked", "language", "answer"),
    [
        ("have you got it in 38?", "en", "Yes, EU 38 is in stock."),
        ("有没有37码", "zh", "抱歉，EU 37已售罄。有货的是：EU 38和EU 39。"),
        ("which sizes are there?", "en", "In stock: EU 38 and EU 39. Sold out: EU 37."),
        ("size 38 in red?", "en", "Sorry, EU 38 is sold out. In stock: EU 39."),
        ("红色的38码有吗", "zh", "抱歉，EU 38已售罄。有货的是：EU 39。"),
    ],
)
def test_a_size_asked_for_is_looked_up_in_the_variants(boots, lexicon, asked, language, answer):
    assert said(boots, lexicon, asked, language) == answer


def test_a_colour_that_it_does_not_come_in_is_told_from_one_that_is_sold_out(boots, lexicon):
    green = (Constraint("color", "green"),)
    answer = said(boots, lexicon, "and in green?", attribute="color", constraints=green)
    assert answer == "It doesn't come in green. In stock: black and red."


def test_a_product_whose_variants_are_all_gone_is_said_to_be_gone(lexicon):
    product = ProductFactory(variant__stock=0)
    assert said(product, lexicon, "is it available?", attribute="") == "Sorry, it is sold out at the moment."
