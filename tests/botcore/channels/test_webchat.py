"""The web chat's addresses: who may post what, and that visitors never meet."""

from __future__ import annotations

import json

import pytest
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from botcore.channels.webchat.channel import ensure_webchat
from botcore.channels.webchat.views import POSTS_A_MINUTE, TEXT_LIMIT, TURNS_WAITING
from botcore.models import ChannelAccount, Contact, Conversation, Feedback, InboundEvent, Turn
from botcore.security import seal
from tests.botcore.channels.conftest import Webhook
from tests.botcore.channels.visitors import Visitor
from tests.botcore.channels.web_server import reply_to
from tests.factories import CategoryFactory, ProductFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("webchat")]


def answered(visitor: Visitor) -> Turn:
    visitor.say("a green jacket")
    turn = Turn.objects.latest("pk")
    reply_to(turn, "Here you are.")
    return turn


# --- page


def test_the_page_is_found_by_slug_and_by_key_and_stores_nothing(client, webchat):
    for name in ("lantern", webchat.key):
        response = client.get(f"/chat/{name}/")
        assert response.status_code == 200
        assert "Lantern &amp; Loom" in response.content.decode()
    assert not Contact.objects.exists()


def test_there_is_no_page_for_a_shop_without_a_chat_or_with_a_closed_one(client, webchat):
    assert client.get("/chat/nobody/").status_code == 404
    ChannelAccount.objects.update(active=False)
    assert client.get("/chat/lantern/").status_code == 404


@pytest.mark.parametrize(
    ("accepted", "language", "word"), [("zh-CN,zh;q=0.9", "zh-Hans", "新对话"), ("fr", "en", "New conversation")]
)
def test_the_interface_speaks_the_browsers_language(client, accepted, language, word):
    text = client.get("/chat/lantern/", headers={"Accept-Language": accepted}).content.decode()
    assert f'<html lang="{language}">' in text
    assert word in text


def test_the_first_suggestion_is_the_shops_fullest_category(client, shop):
    bags = CategoryFactory(shop=shop, path="bags", name="Bags", translations={"zh": {"name": "包"}})
    ProductFactory.create_batch(2, shop=shop, category=bags)
    ProductFactory(shop=shop)
    assert "I’m looking for bags" in client.get("/chat/lantern/").content.decode()
    assert "我想找包" in client.get("/chat/lantern/", headers={"Accept-Language": "zh"}).content.decode()


def test_the_cookie_cannot_be_read_by_scripts_and_comes_back_unchanged(client):
    first, second = (client.get("/chat/lantern/").cookies.popitem()[1] for _ in range(2))
    assert (first["httponly"], first["samesite"], first["path"]) == (True, "Lax", "/chat/")
    assert first.value == second.value


def test_in_another_sites_frame_the_cookie_is_partitioned_and_the_page_may_be_framed(client):
    response = client.get("/chat/lantern/?embed=1", secure=True)
    cookie = response.cookies.popitem()[1].output()
    assert all(word in cookie for word in ("SameSite=None", "Secure", "HttpOnly", "Partitioned"))
    assert "X-Frame-Options" not in response
    assert response["Content-Security-Policy"].endswith("frame-ancestors *")


def test_the_page_itself_may_not_be_framed_and_a_configured_origin_alone_may_frame_the_widget(client, webchat):
    assert client.get("/chat/lantern/")["X-Frame-Options"] == "DENY"
    webchat.sealed_config = seal({"origin": "https://shop.example"})
    webchat.save()
    policy = client.get("/chat/lantern/?embed=1")["Content-Security-Policy"]
    assert policy.endswith("frame-ancestors https://shop.example")


def test_the_page_holds_no_inline_script_or_style(client):
    text = client.get("/chat/lantern/").content.decode()
    assert "style=" not in text
    assert all('src="' in tag or "application/json" in tag for tag in text.split("<script")[1:])


def test_the_widget_is_a_script(client):
    response = client.get("/chat/lantern/widget.js")
    assert response["Content-Type"].startswith("text/javascript")
    assert client.get("/chat/nobody/widget.js").status_code == 404


def test_a_shop_gets_one_web_chat(shop):
    assert ensure_webchat(shop) == ensure_webchat(shop)


# --- messages


def test_a_message_is_stored_in_the_visitors_language(webchat):
    assert Visitor("lantern").say("a green jacket").status_code == 202
    event = InboundEvent.objects.get()
    assert (event.text, event.kind, event.contact.language) == ("a green jacket", "text", "en")
    assert event.turn.status == "waiting"


def test_a_repeated_send_is_one_message_even_when_the_visitor_is_too_fast():
    visitor = Visitor()
    for number in range(POSTS_A_MINUTE):
        visitor.say("hello", f"message-{number}")
    assert visitor.say("hello", "message-3").status_code == 202
    assert InboundEvent.objects.count() == POSTS_A_MINUTE


def test_one_visitors_message_id_does_not_stop_anothers():
    for _ in range(2):
        Visitor().say("hello", "message-1")
    assert Contact.objects.count() == InboundEvent.objects.count() == 2


def test_a_chosen_product_comes_with_its_sku():
    Visitor().say("Moss jacket", sku="J-1")
    event = InboundEvent.objects.get()
    assert (event.kind, event.text, event.data) == ("button", "Moss jacket", {"sku": "J-1"})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": "message-1"},
        {"id": "short", "text": "x"},
        {"id": "message-1", "text": "  "},
        {"id": "message-1", "text": ["x"]},
        {"id": "message-1:x", "text": "x"},
        {"id": "message-1", "text": "x" * (TEXT_LIMIT + 1)},
        {"id": "message-1", "text": "x", "sku": 5},
        [],
        b"{",
    ],
)
def test_a_message_that_is_none_is_400(body):
    assert Visitor().post("messages", body).status_code == 400
    assert not InboundEvent.objects.exists()


def test_a_huge_body_is_413():
    assert Visitor().say("x" * settings.WEBHOOK_BODY_LIMIT).status_code == 413


def test_a_visitor_who_floods_is_told_to_wait():
    visitor = Visitor()
    statuses = [visitor.say("hello", f"message-{number}").status_code for number in range(POSTS_A_MINUTE + 2)]
    assert statuses == [202] * POSTS_A_MINUTE + [429, 429]
    assert "wait a moment" in visitor.say("hello", "message-99").json()["error"]
    turn = Turn.objects.latest("pk")
    reply_to(turn, "Hello.")
    assert visitor.post("feedback", {"turn": turn.pk, "verdict": "up"}).status_code == 429
    assert Visitor().say("hello").status_code == 202


def test_a_visitor_with_many_unanswered_questions_is_told_to_wait():
    visitor = Visitor()
    visitor.say("hello")
    conversation = Conversation.objects.get()
    for number in range(2, TURNS_WAITING + 1):
        conversation.turns.create(number=number)
    assert visitor.say("hello", "message-2").status_code == 429


# --- who may post


@pytest.mark.parametrize("action", ["messages", "feedback", "new"])
def test_a_post_needs_the_cookie_the_pages_token_and_our_origin(action):
    body = {"id": "message-1", "text": "x"}
    visitor = Visitor()
    assert visitor.post(action, body, **{"X-Chat-Token": "0" * 64}).status_code == 403
    assert visitor.post(action, body, **{"X-Chat-Token": Visitor().token}).status_code == 403
    assert visitor.post(action, body, Origin="https://evil.example").status_code == 403
    assert visitor.post(action, body, Origin="null").status_code == 403
    assert visitor.client.get(visitor.base + action).status_code == 405
    visitor.client.cookies.clear()
    assert visitor.post(action, body).status_code == 401
    assert not InboundEvent.objects.exists()


def test_a_forged_cookie_is_nobody():
    visitor = Visitor()
    for name, cookie in visitor.client.cookies.items():
        visitor.client.cookies[name] = f"somebody-else:{cookie.value.rpartition(':')[2]}"
    assert visitor.say("x").status_code == 401


def test_a_cookie_of_one_shop_is_nobody_at_another(shop):
    from tests.factories import ShopFactory

    ensure_webchat(ShopFactory(slug="other"))
    mine, other = Visitor("lantern"), Visitor("other")
    stolen = next(iter(mine.client.cookies.values())).value
    for name in other.client.cookies:
        other.client.cookies[name] = stolen
    assert other.say("x").status_code == 401


def test_the_configured_origin_may_post(webchat):
    webchat.sealed_config = seal({"origin": "https://shop.example"})
    webchat.save()
    assert (
        Visitor().post("messages", {"id": "message-1", "text": "x"}, Origin="https://shop.example").status_code == 202
    )


def test_the_web_chat_has_no_webhook(webchat):
    assert Webhook(webchat).post({"update_id": 1}).status_code == 401


# --- thumbs, new conversation


def test_a_thumb_is_stored_changed_and_taken_back():
    visitor = Visitor()
    turn = answered(visitor)
    kinds = []
    for verdict in ("up", "down", "not_meant", "none"):
        assert visitor.post("feedback", {"turn": turn.pk, "verdict": verdict}).status_code == 202
        kinds.append([row.kind for row in Feedback.objects.filter(turn=turn, source="button")])
    assert kinds == [["up"], ["down"], ["not_meant"], []]


def test_nobody_judges_a_reply_to_somebody_else():
    turn = answered(Visitor())
    stranger = Visitor()
    stranger.say("hello")
    assert stranger.post("feedback", {"turn": turn.pk, "verdict": "down"}).status_code == 404
    assert not Feedback.objects.exists()


@pytest.mark.parametrize("verdict", ["sideways", "", None, 1, ["up"], {}])
def test_a_verdict_that_is_none_is_400(verdict):
    assert Visitor().post("feedback", {"turn": 1, "verdict": verdict}).status_code == 400


def test_a_new_conversation_closes_the_old_one():
    visitor = Visitor()
    answered(visitor)
    assert visitor.post("new", {}).status_code == 202
    visitor.say("hello", "message-2")
    assert list(Conversation.objects.order_by("pk").values_list("closed", flat=True)) == [True, False]


VALUE = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2)
FIELDS = st.sampled_from(["id", "text", "sku", "turn", "verdict"])
ID = st.just("message-1")


@hypothesis_settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=(st.dictionaries(FIELDS, VALUE) | st.fixed_dictionaries({"id": ID, "text": st.text(), "sku": st.text()})).map(
        lambda value: json.dumps(value).encode()
    )
    | st.binary(max_size=50),
    action=st.sampled_from(["messages", "feedback", "new"]),
)
def test_no_garbage_makes_the_server_fail(body, action, shared_visitor):
    assert shared_visitor.post(action, body).status_code in (202, 400, 404, 429)


@pytest.fixture
def shared_visitor() -> Visitor:
    return Visitor()
