"""What customers wrote: which reviews are counted, how they speak, what is quoted."""

import pytest
from django.utils import timezone

from botcore.dialogue.evidence import Asked
from botcore.dialogue.opinions import asks_others, opinion_on, remarks_of, subject_of
from catalog.models import Customer, Interaction, Product
from tests.factories import ProductFactory

pytestmark = pytest.mark.django_db
REVIEWS = [
    (1, "It roars like an engine. The lid is fine."),
    (2, "Far too loud for an open kitchen."),
    (5, "Whisper quiet, my cat sleeps next to it."),
    (5, "Came on time and nicely packed."),
]


@pytest.fixture
def mixer() -> Product:
    product = ProductFactory()
    customer = Customer.objects.create(shop=product.shop, key="C1")
    for rating, text in REVIEWS:
        Interaction.objects.create(
            shop=product.shop, customer=customer, product=product, kind="review", at=timezone.now(), rating=rating,
            text=text, language="en",
        )  # fmt: skip
    return product


def test_the_reviews_that_mention_the_aspect_are_counted_and_one_is_quoted(mixer, encoder):
    opinion = opinion_on(Asked("is it noisy?", "en"), "en", remarks_of(mixer), encoder)
    assert opinion is not None
    texts = set(Interaction.objects.filter(pk__in=opinion.reviews).values_list("rating", flat=True))
    assert (len(opinion.reviews), opinion.positive, texts) == (3, 1, {1, 2, 5})
    assert opinion.quote in {"It roars like an engine.", "Far too loud for an open kitchen."}


def test_an_aspect_that_no_review_mentions_has_no_opinion(mixer, encoder):
    assert opinion_on(Asked("does it smell nice?", "en"), "en", remarks_of(mixer), encoder) is None


def test_a_question_about_nothing_in_particular_is_about_all_reviews(mixer, encoder):
    asked = subject_of(Asked("what do people say?", "en"))
    opinion = opinion_on(asked, "en", remarks_of(mixer), encoder)
    assert opinion is not None and len(opinion.reviews) == len(REVIEWS)


@pytest.mark.parametrize(
    ("text", "others"),
    [("do customers find it quiet?", True), ("is it quiet?", False), ("大家觉得吵吗", True), ("吵不吵", False)],
)
def test_questions_for_other_people_s_opinions_are_told_apart(text, others):
    assert asks_others(Asked(text, "zh" if not text.isascii() else "en")) is others
