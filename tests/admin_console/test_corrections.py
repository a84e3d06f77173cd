"""A merchant's word on a reply, given on the page of the conversation."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from botcore.dialogue.brief import Brief, ItemFacts
from botcore.models import Annotation, HouseWord, Turn
from tests.admin_console.learned import annotated
from tests.factories import ConversationFactory, TurnFactory, UserFactory

pytestmark = pytest.mark.django_db

BRIEF = Brief(
    "recommend",
    "a green jacket under 60, no leather",
    wishes=("jacket", "under [budget]", "not leather"),
    items=(
        ItemFacts("A", "jacket", {"color": "green"}, {"name": "Canvas jacket", "price": "$49.00"}),
        ItemFacts("B", "jacket", {"color": "navy"}, {"name": "Sail jacket", "price": "$49.00"}),
    ),
    slots={"budget": "$60"},
)


@pytest.fixture
def turn(shop) -> Turn:
    return TurnFactory(conversation=ConversationFactory(shop=shop), brief=BRIEF.to_json())


def _address(name: str, turn: Turn) -> str:
    return reverse(f"console:{name}_reply", args=[turn.conversation.key, turn.number])


def _say(browser: Client, name: str, turn: Turn, **sent: str) -> str:
    response = browser.post(_address(name, turn), {"for_training": "on", **sent}, follow=True)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def _page(browser: Client, turn: Turn) -> str:
    address = reverse("console:conversation", args=[turn.conversation.key])
    return " ".join(browser.get(address, {"turn": turn.number}).content.decode().split())


def test_the_form_begins_with_the_model_s_own_words_as_the_customer_read_them(merchant, turn):
    page = _page(merchant, turn)
    assert "The Canvas jacket is green and costs $49.00.</textarea>" in page
    Turn.objects.filter(pk=turn.pk).update(samples=[], reply="From a phrase.\n\nAnything else?")
    assert "From a phrase.</textarea>" in _page(merchant, turn)


def test_a_correction_is_kept_in_tags_with_its_author_and_shown_to_all(merchant, staff, turn):
    text = "Go for the Canvas jacket: green, at $49.00."
    page = _say(merchant, "correct", turn, text=text, reason="shorter")
    row = Annotation.objects.get()
    assert (row.turn, row.verdict, row.reason, row.for_training) == (turn, "corrected", "shorter", True)
    assert row.wording == "Go for the [A.name]: green, at [A.price]."
    assert "The correction is kept." in page
    author = get_user_model().objects.get(memberships__shop=turn.conversation.shop)
    assert row.author == author
    for browser in (merchant, staff):
        seen = _page(browser, turn)
        assert f"Corrected by {author.username}" in seen and f'<q lang="en">{text}</q>' in seen and "shorter" in seen


def test_a_new_word_is_told_until_it_is_a_word_of_the_shop(merchant, turn):
    told = "“marvellously” is not a word of your shop&#x27;s replies yet"
    text = "The Canvas jacket is marvellously green, at $49.00."
    assert told in _say(merchant, "correct", turn, text=text)
    HouseWord.objects.create(shop=turn.conversation.shop, word="marvellously", stands_for="nicely")
    page = _say(merchant, "correct", turn, text=text)
    assert "The correction is kept." in page and "not a word" not in page


def test_a_refused_correction_keeps_the_text_and_says_plainly_what_is_wrong(merchant, turn):
    page = _say(merchant, "correct", turn, text="Take the Velvet Moon for $39.00.", reason="nicer")
    assert "“$39.00” is no price or figure of this reply&#x27;s products." in page
    assert "“velvet” is none of this reply&#x27;s products." in page
    assert "Take the Velvet Moon for $39.00.</textarea>" in page and 'value="nicer"' in page
    assert not Annotation.objects.exists()
    chinese = merchant.post(
        _address("correct", turn), {"text": "Nice weather today."}, headers={"Accept-Language": "zh-CN"}
    )
    assert "没有提到任何商品。" in chinese.content.decode()


def test_an_empty_correction_is_none(merchant, turn):
    assert "This field is required." in _say(merchant, "correct", turn, text=" ")
    assert not Annotation.objects.exists()


def test_replies_are_approved_and_rejected_and_the_last_word_counts(merchant, turn):
    assert "Approved by" in _say(merchant, "approve", turn)
    page = _say(merchant, "reject", turn, reason="too pushy", for_training="")
    row = Annotation.objects.get()
    assert (row.verdict, row.reason, row.for_training) == ("rejected", "too pushy", False)
    assert "Rejected by" in page and "too pushy" in page and "not for training" in page


def test_a_reason_that_is_too_long_is_said_and_nothing_kept(merchant, turn):
    for name in ("approve", "reject", "correct"):
        assert "at most 200 characters" in _say(merchant, name, turn, text="Fine.", reason="x" * 201)
    assert not Annotation.objects.exists()


def test_two_merchants_words_stand_side_by_side_and_a_lost_account_is_somebody(merchant, turn):
    annotated(turn, author=UserFactory(username="ann"))
    annotated(turn, author=None, verdict="rejected")
    page = _page(merchant, turn)
    assert "Approved by ann" in page and "Rejected by somebody" in page


@pytest.mark.parametrize(
    "fields", [{"language": "zh"}, {"brief": {}}, {"brief": {"facts": []}}, {"status": "waiting"}], ids=str
)
def test_what_no_model_could_have_written_takes_no_word(merchant, turn, fields):
    Turn.objects.filter(pk=turn.pk).update(answered_at=timezone.now(), **fields)
    for name in ("approve", "reject", "correct"):
        assert merchant.post(_address(name, turn), {"text": "The Canvas jacket."}).status_code == 404
    address = reverse("console:conversation", args=[turn.conversation.key])
    assert "<textarea" not in merchant.get(address).content.decode()


def test_another_shop_s_replies_take_no_word_and_reading_changes_nothing(merchant, turn):
    theirs = TurnFactory()
    for name in ("approve", "reject", "correct"):
        assert merchant.post(_address(name, theirs), {"text": "x"}).status_code == 404
        assert merchant.get(_address(name, turn)).status_code == 405
    assert not Annotation.objects.exists()


def test_a_form_of_another_site_says_nothing(turn, shop):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(UserFactory(shops=[shop]), backend="django.contrib.auth.backends.ModelBackend")
    assert browser.post(_address("approve", turn)).status_code == 403
