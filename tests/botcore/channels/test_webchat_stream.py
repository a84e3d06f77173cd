"""Server-sent events: what a page is told, in which order, and that nothing is told twice or to the wrong page."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db import connection

from botcore.channels.values import Card
from botcore.channels.webchat.stream import Seen, read_news
from botcore.models import Contact, Conversation, Turn
from tests.botcore.channels.visitors import Visitor
from tests.botcore.channels.web_server import reply_to, serving, waiting_turn, written_by_a_person

Event = tuple[str, str, Any]
"""(event, id, data)"""


def decoded(text: str) -> list[Event]:
    events = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "event" in fields:
            events.append((fields["event"], fields.get("id", ""), json.loads(fields["data"])))
    return events


# --- what is new


@pytest.fixture
def visitor(webchat) -> Visitor:
    return Visitor("lantern")


def told(webchat, seen: Seen) -> list[Event]:
    contact = Contact.objects.get()
    return decoded(b"".join(seen.frames(read_news(webchat.pk, contact.external_id, seen.after))).decode())


@pytest.mark.django_db
def test_a_page_hears_question_typing_and_reply_once_each(webchat, visitor):
    visitor.say("a green jacket")
    seen = Seen(0)
    asked = ("asked", "", {"id": "message-1", "text": "a green jacket"})
    begun = ("conversation", "", {"id": Conversation.objects.get().pk})
    assert told(webchat, seen) == [begun, asked, ("ready", "", {}), ("typing", "", {"on": True})]
    outbound = reply_to(waiting_turn(webchat, "a green jacket"), "Here.", source="Care guide")
    reply, typing = told(webchat, seen)
    assert reply[:2] == ("reply", str(outbound.pk))
    assert (reply[2]["text"], reply[2]["source"], reply[2]["verdict"]) == ("Here.", "Care guide", "")
    assert typing == ("typing", "", {"on": False})
    assert told(webchat, seen) == []


@pytest.mark.django_db
def test_a_page_that_comes_back_hears_only_what_it_missed(webchat, visitor):
    visitor.say("first", "message-1")
    first = reply_to(waiting_turn(webchat, "first"), "One.")
    visitor.say("second", "message-2")
    reply_to(waiting_turn(webchat, "second"), "Two.")
    names = [(name, data.get("text")) for name, _, data in told(webchat, Seen(first.pk))[1:]]
    assert names == [("asked", "second"), ("reply", "Two."), ("ready", None)]
    names = [(name, data.get("text")) for name, _, data in told(webchat, Seen(0))[1:]]
    assert names == [("asked", "first"), ("reply", "One."), ("asked", "second"), ("reply", "Two."), ("ready", None)]


@pytest.mark.django_db
def test_a_reply_comes_with_the_thumb_it_was_given(webchat, visitor):
    visitor.say("hello")
    turn = waiting_turn(webchat, "hello")
    reply_to(turn, "Hi.")
    visitor.post("feedback", {"turn": turn.pk, "verdict": "down"})
    assert told(webchat, Seen(0))[2][2]["verdict"] == "down"


@pytest.mark.django_db
def test_our_own_pictures_are_named_by_path(webchat, visitor, settings):
    visitor.say("hello")
    cards = (
        Card("1", "Jacket", "$1", image_url=f"{settings.PUBLIC_URL}/media/demo/1.jpg"),
        Card("2", "Jacket", "$1", image_url="https://cdn.example/2.jpg"),
    )
    reply_to(waiting_turn(webchat, "hello"), "Hi.", cards)
    shown = told(webchat, Seen(0))[2][2]["cards"]
    assert [card["image_url"] for card in shown] == ["/media/demo/1.jpg", "https://cdn.example/2.jpg"]


@pytest.mark.django_db
def test_other_pages_are_emptied_when_a_new_conversation_begins(webchat, visitor):
    visitor.say("first", "message-1")
    seen = Seen(0)
    told(webchat, seen)
    visitor.post("new", {})
    assert told(webchat, seen) == [("conversation", "", {"id": None}), ("typing", "", {"on": False})]
    visitor.say("second", "message-2")
    assert [name for name, _, _ in told(webchat, seen)] == ["conversation", "asked", "typing"]


def lines(events: list[Event]) -> list[tuple[str, str]]:
    return [(name, data["text"]) for name, _, data in events if name in ("asked", "reply")]


@pytest.mark.django_db
def test_what_a_person_writes_is_told_as_theirs_once_and_in_its_place(webchat, visitor):
    visitor.say("first", "message-1")
    seen = Seen(0)
    told(webchat, seen)
    conversation = Conversation.objects.get()
    written_by_a_person(conversation, "I am looking.")
    (reply,) = told(webchat, seen)
    assert (reply[0], reply[2]["text"], reply[2]["person"], reply[2]["turn"]) == ("reply", "I am looking.", True, 0)
    assert told(webchat, seen) == []

    turn = waiting_turn(webchat, "first")
    Turn.objects.filter(pk=turn.pk).update(created_at=turn.created_at - timedelta(seconds=9))
    reply_to(turn, "One.")
    written_by_a_person(conversation, "Here is one.")
    visitor.say("second", "message-2")
    written_by_a_person(conversation, "Gladly.")
    assert lines(told(webchat, seen)) == [
        ("reply", "One."), ("reply", "Here is one."), ("asked", "second"), ("reply", "Gladly."),
    ]  # fmt: skip
    opened = told(webchat, Seen(0))
    assert lines(opened) == [
        ("asked", "first"), ("reply", "I am looking."), ("reply", "One."), ("reply", "Here is one."),
        ("asked", "second"), ("reply", "Gladly."),
    ]  # fmt: skip
    ids = [int(number) for _, number, _ in opened if number]
    assert ids == sorted(ids)
    assert [data["person"] for name, _, data in opened if name == "reply"] == [True, False, True, True]


@pytest.mark.django_db
@pytest.mark.parametrize("person_first", [True, False])
@pytest.mark.parametrize("statement", range(6))
def test_what_is_stored_while_we_read_is_told_once_and_in_order(webchat, visitor, statement, person_first):
    """Whichever of our statements it comes after."""
    visitor.say("first", "message-1")
    turn, conversation = waiting_turn(webchat, "first"), Conversation.objects.get()
    steps = [lambda: reply_to(turn, "One."), lambda: written_by_a_person(conversation, "Here.")]
    left, storing = [statement], [False]

    def meanwhile(execute: Any, *statement: Any) -> Any:
        result = execute(*statement)
        left[0] -= not storing[0]
        if left[0] == -1 and not storing[0]:
            storing[0] = True
            for step in reversed(steps) if person_first else steps:
                step()
        return result

    seen = Seen(0)
    with connection.execute_wrapper(meanwhile):
        heard = told(webchat, seen)
    if not storing[0]:
        pytest.skip("fewer statements than that")
    heard += told(webchat, seen)
    assert sorted(lines(heard)) == [("asked", "first"), ("reply", "Here."), ("reply", "One.")]
    ids = [int(number) for _, number, _ in heard if number]
    assert ids == sorted(ids)


@pytest.mark.django_db
def test_a_page_that_comes_back_hears_what_a_person_wrote_meanwhile(webchat, visitor):
    visitor.say("first", "message-1")
    last = reply_to(waiting_turn(webchat, "first"), "One.")
    written_by_a_person(Conversation.objects.get(), "Here is one.")
    assert lines(told(webchat, Seen(last.pk))) == [("reply", "Here is one.")]


@pytest.mark.django_db
def test_nobody_hears_what_a_person_writes_to_somebody_else(webchat, visitor):
    visitor.say("first", "message-1")
    mine = Contact.objects.get()
    stranger = Visitor("lantern")
    stranger.say("hello", "message-2")
    written_by_a_person(Conversation.objects.exclude(contact=mine).get(), "For somebody else.")
    frames = b"".join(Seen(0).frames(read_news(webchat.pk, mine.external_id, 0))).decode()
    assert "somebody else" not in frames


# --- the real server


class Page:
    """A visitor of a running server whose events arrive in a thread."""

    def __init__(self, address: str, jar: httpx.Cookies | None = None, last_event_id: str = "") -> None:
        self.http = httpx.Client(base_url=f"{address}/chat/lantern/", cookies=jar, timeout=15)
        text = self.http.get("").text
        self.token = json.loads(text.split('<script id="settings" type="application/json">')[1].split("</script>")[0])[
            "token"
        ]
        self.events: list[Event] = []
        self.arrived: list[float] = []
        self._headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        threading.Thread(target=self._listen, daemon=True).start()

    def say(self, text: str, message_id: str) -> None:
        headers = {"X-Chat-Token": self.token}
        assert self.http.post("messages", json={"id": message_id, "text": text}, headers=headers).status_code == 202

    def wait_for(self, name: str, count: int = 1, seconds: float = 10) -> list[Any]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = [data for event, _, data in self.events if event == name]
            if len(found) >= count:
                return found
            time.sleep(0.005)
        raise AssertionError(f"no {name} among {self.events}")

    def _listen(self) -> None:
        buffer = ""
        stream = self.http.stream("GET", "events", headers=self._headers)
        with contextlib.suppress(httpx.TransportError), stream as response:  # until the server is stopped
            for text in response.iter_text():
                *blocks, buffer = (buffer + text).split("\n\n")
                found = decoded("\n\n".join(blocks))
                self.events += found
                self.arrived += [time.monotonic()] * len(found)


@pytest.fixture
def address(transactional_db, webchat, tmp_path) -> Iterator[str]:
    with serving(tmp_path) as url:
        yield url


def test_replies_reach_their_page_at_once_resume_where_it_left_and_no_other_page(address, webchat):
    page, stranger = Page(address), Page(address)
    page.wait_for("ready")
    stranger.wait_for("ready")
    page.say("first", "message-1")
    page.wait_for("typing")
    outbound = reply_to(waiting_turn(webchat, "first"), "One.")
    stored = time.monotonic()
    page.wait_for("reply")
    assert page.arrived[[name for name, _, _ in page.events].index("reply")] - stored < 1.0

    page.say("second", "message-2")
    reply_to(waiting_turn(webchat, "second"), "Two.")
    page.wait_for("reply", 2)
    returned = Page(address, page.http.cookies, str(outbound.pk))
    returned.wait_for("ready")
    assert [data["text"] for data in returned.wait_for("reply")] == ["Two."]

    assert [name for name, _, _ in stranger.events] == ["conversation", "ready"]


def test_a_page_stays_connected_while_the_database_restarts(address, webchat):
    page = Page(address)
    page.wait_for("ready")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    page.say("still there?", "message-1")
    reply_to(waiting_turn(webchat, "still there?"), "Yes.")
    assert page.wait_for("reply", seconds=12)[0]["text"] == "Yes."


def test_the_stream_is_not_for_those_who_never_loaded_the_page(address):
    events = f"{address}/chat/lantern/events"
    assert httpx.get(events).status_code == 401
    ((name, value),) = httpx.get(f"{address}/chat/lantern/").cookies.items()
    assert httpx.get(events, cookies={name: f"somebody-else:{value.rpartition(':')[2]}"}).status_code == 401
    assert httpx.get(f"{address}/chat/nobody/events").status_code == 404
