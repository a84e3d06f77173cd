"""The list of conversations: its rows, filters, numbers and cost."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from admin_console import conversations
from admin_console.views import PAGE_SIZE
from botcore.models import Conversation, InboundEvent, Turn
from tests.factories import ConversationFactory, FeedbackFactory, ShopFactory, TurnFactory

pytestmark = pytest.mark.django_db


def _listed(client, **filters) -> list[str]:
    """The customers' words in the rows, in order."""
    rows = client.get(reverse("console:home"), filters).context["rows"]
    return [row.turn.words if row.turn else "" for row in rows]


def _said_at(conversation: Conversation, when) -> None:
    Conversation.objects.filter(pk=conversation.pk).update(last_message_at=when)
    conversation.turns.update(created_at=when)


def test_the_newest_conversation_comes_first_with_its_last_exchange(merchant, shop):
    old, new = (ConversationFactory(shop=shop) for _ in range(2))
    TurnFactory(conversation=old, text="old")
    TurnFactory(conversation=new, text="hello")
    TurnFactory(conversation=new, text="and a jacket", reply="Here is one.")
    _said_at(old, timezone.now() - timedelta(hours=3))
    assert _listed(merchant) == ["and a jacket", "old"]
    page = merchant.get(reverse("console:home")).content.decode()
    assert "Here is one." in page
    assert "3 hours ago" in page.replace("\xa0", " ")


def test_what_waits_for_an_answer_is_shown_in_the_customer_s_words(merchant, shop):
    turn = TurnFactory(conversation__shop=shop, waiting=True, text="")
    for number, text in enumerate(("hi", "in blue?")):
        InboundEvent.objects.create(
            account=turn.conversation.contact.account, contact=turn.conversation.contact, turn=turn,
            event_key=str(number), kind="text", text=text,
        )  # fmt: skip
    assert _listed(merchant) == ["hi\nin blue?"]
    assert "Not answered yet" in merchant.get(reverse("console:home")).content.decode()


def test_filters_narrow_rows_and_numbers_alike(merchant, shop):
    first = TurnFactory(conversation__shop=shop, text="a coat", reply="The parka.", act="recommend")
    second = TurnFactory(
        conversation__shop=shop, conversation__contact__account__channel="telegram", text="returns?",
        reply="30 days.", act="answer", written_by=Turn.WrittenBy.ARTICLE,
    )  # fmt: skip
    FeedbackFactory(turn=second, kind="down")
    Conversation.objects.filter(pk=first.conversation_id).update(waiting_for_person=True)
    assert _listed(merchant, channel="telegram") == ["returns?"]
    assert _listed(merchant, act="recommend") == ["a coat"]
    assert _listed(merchant, written_by="article") == ["returns?"]
    assert _listed(merchant, feedback="down") == ["returns?"]
    assert _listed(merchant, waiting="on") == ["a coat"]
    assert _listed(merchant, q="PARKA") == ["a coat"]
    assert _listed(merchant, q="100%_") == []
    numbers = merchant.get(reverse("console:home"), {"written_by": "article"}).context["numbers"]
    assert (numbers.replies, numbers.by_model, numbers.opinions) == (1, 0, {"down": 1})


def test_filters_of_one_address_must_hold_of_one_and_the_same_reply(merchant, shop):
    conversation = ConversationFactory(shop=shop)
    TurnFactory(conversation=conversation, act="ask", written_by=Turn.WrittenBy.TEMPLATE)
    TurnFactory(conversation=conversation, act="recommend", written_by=Turn.WrittenBy.MODEL)
    assert _listed(merchant, act="ask", written_by="model") == []


def test_a_row_shows_and_opens_the_reply_that_matches_not_the_last_one(merchant, shop):
    conversation = ConversationFactory(shop=shop)
    TurnFactory(conversation=conversation, text="the one we look for")
    TurnFactory(conversation=conversation, text="later")
    assert _listed(merchant, q="look for") == ["the one we look for"]
    page = merchant.get(reverse("console:home"), {"q": "look for"}).content.decode()
    assert f"{reverse('console:conversation', args=[conversation.key])}?turn=1#turn-1" in page


def test_a_period_leaves_out_what_is_older(merchant, shop):
    for text, days in (("yesterday", 1.5), ("now", 0), ("last month", 40)):
        turn = TurnFactory(conversation__shop=shop, text=text)
        _said_at(turn.conversation, timezone.now() - timedelta(days=days))
    assert _listed(merchant, period="1") == ["now"]
    assert _listed(merchant, period="7") == ["now", "yesterday"]
    assert _listed(merchant) == ["now", "yesterday", "last month"]


@pytest.mark.parametrize("address", ["act=dance", "period=x", "page=x", "page=99", "q=%00", "q=" + "x" * 500])
def test_a_wrong_value_in_the_address_is_survived(merchant, shop, address):
    TurnFactory(conversation__shop=shop)
    response = merchant.get(f"{reverse('console:home')}?{address}")
    assert response.status_code == 200
    assert len(response.context["rows"]) == 1


def test_the_numbers_say_who_wrote_how_fast_and_how_it_was_liked(merchant, shop):
    for seconds, writer in ((1, "model"), (2, "model"), (9, "template")):
        turn = TurnFactory(conversation__shop=shop, written_by=writer)
        Turn.objects.filter(pk=turn.pk).update(answered_at=turn.created_at + timedelta(seconds=seconds))
    TurnFactory(conversation__shop=shop, waiting=True)
    for source in ("button", "reaction"):
        FeedbackFactory(turn=turn, kind="up", source=source)
    page = merchant.get(reverse("console:home"))
    numbers = page.context["numbers"]
    assert page.context["page"].paginator.count == 4
    assert (numbers.replies, numbers.by_model, numbers.opinions) == (3, 67, {"up": 2})
    assert numbers.answer_time == timedelta(seconds=2)


def test_pages_keep_the_filters_and_show_every_conversation_once(merchant, shop):
    for number in range(PAGE_SIZE + 3):
        TurnFactory(conversation__shop=shop, text=f"coat {number}")
    first, second = _listed(merchant, q="coat"), _listed(merchant, q="coat", page="2")
    assert (len(first), len(second), len({*first, *second})) == (PAGE_SIZE, 3, PAGE_SIZE + 3)
    page = merchant.get(reverse("console:home"), {"q": "coat"}).content.decode()
    assert 'href="?q=coat&amp;page=2"' in page


def test_the_list_costs_the_same_queries_however_long_it_is(merchant, shop):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            merchant.get(reverse("console:home"))
        return len(captured)

    FeedbackFactory(turn__conversation__shop=shop)
    few = queries()
    for _ in range(20):
        FeedbackFactory(turn__conversation__shop=shop)
    assert queries() == few
    assert few <= 19  # seven of them are the menu's: what waits in it, and the rights of its reader


def test_an_empty_list_leads_to_the_shop_s_web_chat(merchant, shop):
    page = merchant.get(reverse("console:home")).content.decode()
    assert 'href="/chat/pine/"' in page
    assert "Nobody has written yet" in page


def test_filters_that_match_nothing_can_be_cleared(merchant, shop):
    TurnFactory(conversation__shop=shop)
    page = merchant.get(reverse("console:home"), {"q": "nothing like it"}).content.decode()
    assert "No conversation matches" in page
    assert "/chat/pine/" not in page


def test_the_shop_filter_is_there_for_those_who_have_several(merchant, staff, shop):
    ShopFactory()
    assert "shop" not in merchant.get(reverse("console:home")).context["form"].fields
    assert "shop" in staff.get(reverse("console:home")).context["form"].fields


def test_a_browser_that_asks_for_chinese_gets_chinese(merchant, shop):
    TurnFactory(conversation__shop=shop)
    page = merchant.get(reverse("console:home"), headers={"Accept-Language": "zh-CN,zh;q=0.9"}).content.decode()
    assert 'lang="zh-hans"' in page
    assert "模型撰写占比" in page
    assert "推荐" in page


def test_the_figures_of_a_large_shop_are_of_its_newest_replies(merchant, shop, monkeypatch):
    monkeypatch.setattr(conversations, "MOST_COUNTED", 2)
    for written_by in ("article", "model", "model"):
        TurnFactory(conversation__shop=shop, written_by=written_by)
    page = merchant.get(reverse("console:home"))
    numbers = page.context["numbers"]
    assert (numbers.replies, numbers.more, numbers.by_model) == (2, True, 100)
    assert "The figures are of the newest 2 replies" in page.content.decode()


def test_a_product_costs_what_the_customer_read_and_an_older_slate_is_shown_as_it_is():
    slate = [{"price": "489.00", "currency": "USD"}, {"price": "12.50", "currency": "EUR"}, {"price": "$49.00"}, {}]
    assert [card.price for card in conversations.shown_cards(slate)] == ["$489", "€12.50", "$49.00", ""]
