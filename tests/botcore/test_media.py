"""What customers show and say: fetched, checked, turned into the shop's products and into words, or asked for in words."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from datetime import timedelta
from unittest import mock

import pytest
from django.utils import timezone

from botcore import answering, intake, media
from botcore.channels.values import MediaError, MediaReference, OutboundMessage, ReceivedEvent
from botcore.dialogue.ports import Heard, Ports, RecordingError
from botcore.dialogue.state import DialogueState
from botcore.learning.erasure import erase
from botcore.models import ChannelAccount, Contact, Conversation, InboundEvent, Outbound, Turn
from catalog.ingest.records import ArticleRecord
from catalog.ingest.write import upsert_articles
from catalog.models import PictureScale, Variant
from tests.factories import AccountFactory
from tests.fakes import ColourEncoder, FakeChannel, FakeGenerator, FakeRecogniser, HashEncoder
from tests.pictured_shop import BLUE, GREEN, GREY, RED, YELLOW, look_at, open_shop, painted
from workers import indexing, serving
from workers.engine import load_reader

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wakes")]

OGG = b"OggS" + bytes(60)
SAID = Heard("show me a mug", "en", 0.9, sure=True)
MUMBLE = Heard("mumble", "en", 0.2, sure=False)


@pytest.fixture
def account(settings, tmp_path) -> ChannelAccount:
    settings.MEDIA_ROOT = tmp_path / "media"
    shop = open_shop(settings.MEDIA_ROOT)
    look_at(shop)
    return AccountFactory(shop=shop)


@pytest.fixture
def platform(monkeypatch, account) -> FakeChannel:
    pictures = {"green": GREEN, "red": RED, "blue": BLUE, "yellow": YELLOW, "grey": GREY}
    files = {name: painted(colour, kind="JPEG") for name, colour in pictures.items()} | {"voice": OGG, "voice2": OGG}
    channel = FakeChannel(files=files)
    monkeypatch.setattr(media, "channel_for", lambda account: channel)
    return channel


@pytest.fixture
def ports() -> Ports:
    return Ports(HashEncoder(), load_reader(), None)


@pytest.fixture
def seeing(ports) -> Ports:
    return replace(ports, images=ColourEncoder())


@pytest.fixture
def hearing(ports) -> Ports:
    return replace(ports, speech=FakeRecogniser(SAID))


def photo(name: str) -> MediaReference:
    return MediaReference("photo", {"name": name})


def voice(name: str = "voice") -> MediaReference:
    return MediaReference("voice", {"name": name})


def send(account, *files: MediaReference, text: str = "", language: str = "") -> int:
    kind = "media" if files else "text"
    event = ReceivedEvent(uuid.uuid4().hex, kind, "ada", text, language=language, media=files)
    (turn_id,) = intake.accept(account, [event])
    return turn_id


def later() -> None:
    Turn.objects.update(created_at=timezone.now() - intake.BURST)


def answered(account, ports, *files, **said) -> Turn:
    later()
    turn = answering.answer_turn(send(account, *files, **said), ports)
    assert turn is not None
    return turn


def shown(turn) -> list[str]:
    return [item["sku"] for item in turn.slate]


# --- a picture that is seen


def test_a_photo_brings_what_looks_like_it_and_says_so_in_plain_words(account, platform, seeing):
    turn = answered(account, seeing, photo("red"))
    assert (turn.act, turn.text, turn.understanding["why"]) == ("recommend", "", "pictured")
    assert shown(turn) == ["M-1", "M-2", "M-3"]
    assert "closest to your picture" in turn.reply
    assert "Model 1 mug" in turn.reply
    assert not any(word in turn.reply.lower() for word in ("red", "clay", "your picture shows", "couldn't"))
    message = OutboundMessage.from_json(Outbound.objects.get().content)
    assert [card.sku for card in message.cards] == shown(turn)


def test_the_explanation_names_the_encoder_and_the_distances(account, platform, seeing):
    turn = answered(account, seeing, photo("red"))
    (told,) = turn.understanding["media"]
    assert (told["kind"], told["encoder"]) == ("photo", "colours-1")
    assert told["nearest"] == max(told["alike"].values()) >= told["near from"]
    nearest = max(told["alike"].values())
    assert turn.candidates[0]["picture"] == pytest.approx(nearest, abs=1e-3)
    assert [c["picture"] for c in turn.candidates] == sorted((c["picture"] for c in turn.candidates), reverse=True)


def test_the_model_may_write_what_follows(account, platform, seeing):
    turn = answered(account, replace(seeing, generator=FakeGenerator()), photo("red"))
    assert turn.written_by == "model"
    assert turn.reply.endswith("closest to your picture. I would take the Model 1 mug for $10.")


def test_the_caption_s_words_are_wishes(account, platform, seeing):
    turn = answered(account, seeing, photo("red"), text="something like this, but over $45")
    assert shown(turn) == ["M-5", "M-6", "M-7"]
    assert "closest to your picture" in turn.reply


def test_a_wish_that_nothing_alike_holds_is_given_up_and_named(account, platform, seeing):
    turn = answered(account, seeing, photo("red"), text="like this, under $5")
    assert set(shown(turn)) <= {f"M-{n}" for n in range(1, 8)}
    assert shown(turn)
    assert "$5" in turn.reply


def test_a_question_about_the_picture_is_a_wish_and_what_it_lacks_is_named_once(account, platform, seeing):
    for _ in range(2):
        turn = answered(account, seeing, photo("yellow"), text="do you have this in wool?")
        assert shown(turn) == ["B-7"]
        assert turn.brief["gave_up"] == ["wool"]
        assert "wool" in turn.reply


def test_where_nothing_alike_is_what_the_words_name_they_decide_and_it_is_said(account, platform, seeing):
    turn = answered(account, seeing, photo("green"), text="show me mugs, not like this")
    assert {sku[0] for sku in shown(turn)} == {"M"}
    assert "looks enough like your picture" in turn.reply


def test_what_looks_like_it_but_is_sold_out_is_not_offered(account, platform, seeing):
    Variant.objects.filter(product__sku__startswith="B").update(stock=0)
    turn = answered(account, seeing, photo("green"))
    assert (turn.brief["notes"], turn.slate) == ({"unclear": "nothing like the picture"}, [])
    assert "your words" not in turn.reply


@pytest.mark.parametrize("caption", ["do you have this?", "how much is this?", "hi", "what is this", "I want this one"])
def test_words_that_only_point_at_the_picture_leave_it_to_speak(account, platform, seeing, caption):
    turn = answered(account, seeing, photo("blue"), text=caption)
    assert shown(turn) == ["S-1", "S-2", "S-3"]


def test_this_is_the_picture_and_not_what_was_shown_before(account, platform, seeing):
    answered(account, seeing, text="show me backpacks")
    turn = answered(account, seeing, photo("red"), text="how much is this?")
    assert shown(turn) == ["M-1", "M-2", "M-3"]


def test_a_picture_in_the_middle_of_a_talk_keeps_to_it_where_it_can(account, platform, seeing):
    answered(account, seeing, text="show me backpacks under $25")
    turn = answered(account, seeing, photo("green"))
    assert shown(turn) == ["B-1", "B-2"]
    turn = answered(account, seeing, photo("red"))
    assert shown(turn) == ["M-1", "M-2", "M-3"]


def test_the_talk_goes_on_about_what_was_shown(account, platform, seeing):
    answered(account, seeing, photo("red"))
    assert DialogueState.from_json(Conversation.objects.get().state).goal == "kitchen/mugs"
    turn = answered(account, seeing, text="anything over $55?")
    assert {sku[0] for sku in shown(turn)} == {"M"}


def test_the_variant_on_the_picture_is_the_one_offered(account, platform, seeing):
    turn = answered(account, seeing, photo("yellow"))
    assert (shown(turn), turn.slate[0]["price"]) == (["B-7"], "99.00")
    assert "This " in turn.reply or "this " in turn.reply


def test_several_pictures_are_looked_at_together(account, platform, seeing):
    turn = answered(account, seeing, photo("yellow"), photo("red"))
    assert {sku[0] for sku in shown(turn)} == {"B", "M"}
    assert len(turn.understanding["media"]) == 2


def test_pictures_that_come_in_a_burst_with_words_are_one_turn(account, platform, seeing):
    send(account, photo("red"))
    send(account, text="over $45 please")
    turn = answering.answer_turn(send(account, photo("red")), seeing)
    assert shown(turn) == ["M-5", "M-6", "M-7"]
    assert Outbound.objects.count() == 1


def test_who_wants_a_person_gets_one_whatever_came_with_it(account, platform, seeing):
    assert answered(account, seeing, photo("red"), text="let me talk to a real person").act == "handoff"


@pytest.mark.parametrize(
    ("question", "act", "why"),
    [("do you take returns?", "answer", "policy"), ("what is your return policy?", "decline", "no_information")],
)
def test_a_question_about_the_shop_comes_first_and_the_picture_is_not_forgotten(
    account, platform, seeing, question, act, why
):
    upsert_articles(account.shop, [ArticleRecord("returns", "Returns", "You can send anything back within 30 days.")])
    with mock.patch.object(serving, "encoder", HashEncoder):
        indexing.embed_changed(account.shop.pk)
    turn = answered(account, seeing, photo("red"), text=question)
    assert (turn.act, turn.understanding["why"], turn.slate) == (act, why, [])
    assert turn.reply.endswith("show you what looks like it.")


def test_a_price_that_changes_while_the_reply_is_made_is_sent_as_it_is_now(account, platform, seeing):
    generator = FakeGenerator(meanwhile=lambda: Variant.objects.filter(sku="M-1").update(price="11.50"))
    turn = answered(account, replace(seeing, generator=generator), photo("red"))
    assert "$11.50" in turn.reply
    assert "closest to your picture" in turn.reply


# --- a picture that nothing looks like


def test_a_picture_unlike_anything_is_answered_by_asking_for_words(account, platform, seeing):
    turn = answered(account, seeing, photo("grey"))
    assert (turn.act, turn.slate) == ("clarify", [])
    assert turn.brief["notes"] == {"unclear": "nothing like the picture"}
    (told,) = turn.understanding["media"]
    assert told["nearest"] < told["near from"]
    assert told["alike"] == {}


def test_its_caption_is_answered_all_the_same(account, platform, seeing):
    turn = answered(account, seeing, photo("grey"), text="show me mugs")
    assert {sku[0] for sku in shown(turn)} == {"M"}
    assert "looks enough like your picture" in turn.reply


def test_without_a_scale_nothing_is_near(account, platform, seeing):
    PictureScale.objects.all().delete()
    assert answered(account, seeing, photo("red")).act == "clarify"


# --- a picture that nobody looks at


@pytest.mark.parametrize(("language", "words"), [("", "words"), ("en", "words"), ("zh-hans", "文字|几个字")])
def test_without_an_encoder_words_are_asked_for_in_the_customer_s_language(account, platform, ports, language, words):
    turn = answered(account, ports, photo("red"), language=language)
    assert (turn.act, turn.written_by, turn.language) == ("clarify", "template", "zh" if "zh" in language else "en")
    assert any(word in turn.reply for word in words.split("|"))
    assert platform.fetched == []


def test_the_language_of_the_talk_counts_more_than_the_platform_s(account, platform, ports):
    answered(account, ports, text="有背包吗？", language="en")
    assert answered(account, ports, photo("red")).language == "zh"


def test_the_model_is_not_asked_to_word_it(account, platform, ports):
    generator = FakeGenerator()
    answered(account, replace(ports, generator=generator), photo("red"))
    assert generator.prompts == []


def test_the_caption_of_a_picture_that_nobody_looked_at_is_answered_and_it_is_said(account, platform, ports):
    turn = answered(account, ports, photo("red"), text="show me backpacks")
    assert {sku[0] for sku in shown(turn)} == {"B"}
    assert "look at" in turn.reply
    assert "your picture" in turn.reply.lower()
    assert "closest" not in turn.reply


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (MediaError("gone"), "gone"),
        (painted(RED)[:100], "cannot be opened"),
        (b"<svg/>", "octet-stream is not read"),
        (OGG, "audio/ogg is not read"),
        (b"\x89PNG\r\n\x1a\n" + bytes(9_000_000), "more than 8000000 bytes"),
        (RuntimeError("token 12345"), r"failed \(RuntimeError\)"),
    ],
)
def test_a_file_that_is_no_picture_is_refused_and_words_are_asked_for(account, platform, seeing, content, why):
    platform.files["red"] = content
    turn = answered(account, seeing, photo("red"))
    assert turn.brief["notes"] == {"unclear": "picture"}
    assert why.replace("\\", "") in turn.understanding["media"][0]["not used"]
    assert "12345" not in str(turn.understanding)


def test_a_platform_that_is_slow_does_not_make_the_customer_wait(account, platform, seeing, settings, monkeypatch):
    settings.REPLY_SECONDS = 1
    monkeypatch.setattr(platform, "fetch_media", lambda media, limit: time.sleep(3))
    begun = time.monotonic()
    turn = answered(account, seeing, photo("red"))
    assert time.monotonic() - begun < 2
    assert turn.understanding["media"] == [{"kind": "photo", "not used": "not in time"}]
    assert turn.act == "clarify"


def test_an_encoder_that_fails_leaves_the_customer_with_a_question(account, platform, ports):
    class Broken(ColourEncoder):
        def encode(self, pictures):
            raise RuntimeError("out of memory")

    assert answered(account, replace(ports, images=Broken()), photo("red")).act == "clarify"


def test_one_picture_of_two_is_better_than_none_and_the_other_is_owned_up_to(account, platform, seeing):
    turn = answered(account, seeing, photo("gone"), photo("red"))
    assert shown(turn) == ["M-1", "M-2", "M-3"]
    assert "couldn't open" in turn.reply


def test_of_an_album_the_first_few_are_looked_at(account, platform, seeing):
    turn = answered(account, seeing, *[photo("red")] * 7)
    assert len(platform.fetched) == media.MOST_FILES
    assert [("not used" in told) for told in turn.understanding["media"]] == [False] * 4 + [True] * 3
    assert "couldn't open" in turn.reply


def test_three_pictures_in_a_row_that_help_nobody_bring_a_person(account, platform, ports):
    assert [answered(account, ports, photo("red")).act for _ in range(3)] == ["clarify", "clarify", "handoff"]


# --- voice


def test_what_was_said_is_the_turn_s_text_and_kept_with_the_event(account, platform, hearing):
    turn = answered(account, hearing, voice())
    assert turn.text == "show me a mug"
    assert {sku[0] for sku in shown(turn)} == {"M"}
    event = InboundEvent.objects.get()
    assert (event.text, event.data["media"][0]["heard"]) == (
        "show me a mug", {"text": "show me a mug", "language": "en", "confidence": 0.9},
    )  # fmt: skip
    assert turn.understanding["media"] == [{"kind": "voice", "language": "en", "confidence": 0.9, "sure": True}]


def test_voice_in_chinese_is_answered_in_chinese(account, platform, ports):
    heard = Heard("有没有背包", "zh", 0.8, sure=True)
    turn = answered(account, replace(ports, speech=FakeRecogniser(heard)), voice())
    assert (turn.text, turn.language) == ("有没有背包", "zh")


def test_a_turn_that_is_tried_again_does_not_listen_twice(account, platform, hearing):
    turn_id = send(account, voice())
    turn = Turn.objects.select_related("conversation__shop", "conversation__contact__account").get(pk=turn_id)
    for _ in range(2):
        media.perceive(turn, hearing, time.monotonic() + 3)
    assert InboundEvent.objects.get().text == "show me a mug"
    assert len(hearing.speech.heard) == 1


@pytest.mark.parametrize(
    ("said", "unclear"),
    [
        (MUMBLE, "unclear voice message, not in writing"),
        (RecordingError("longer than 120 seconds"), "voice message, not in writing"),
        (RuntimeError("no"), "voice message, not in writing"),
    ],
)
def test_what_cannot_be_made_out_is_asked_for_in_writing(account, platform, ports, said, unclear):
    turn = answered(account, replace(ports, speech=FakeRecogniser(said)), voice())
    assert (turn.act, turn.text, turn.brief["notes"]) == ("clarify", "", {"unclear": unclear})
    assert "heard" not in InboundEvent.objects.get().data["media"][0]
    assert "mumble" not in turn.reply


def test_without_a_recogniser_the_customer_is_asked_to_write(account, platform, ports):
    turn = answered(account, ports, voice())
    assert turn.brief["notes"] == {"unclear": "voice message, not in writing"}
    assert platform.fetched == []


def test_a_picture_is_not_listened_to(account, platform, hearing):
    platform.files["voice"] = painted(RED)
    assert answered(account, hearing, voice()).act == "clarify"
    assert hearing.speech.heard == []


def test_a_recogniser_that_is_slow_is_not_waited_for(account, platform, ports, settings):
    settings.REPLY_SECONDS = 1
    turn = answered(account, replace(ports, speech=FakeRecogniser(SAID, seconds=2)), voice())
    assert turn.brief["notes"] == {"unclear": "voice message, not in writing"}


def test_voice_and_words_and_a_picture_are_one_question(account, platform, ports):
    said = FakeRecogniser(Heard("but over $45", "en", 0.9, sure=True))
    seeing_and_hearing = replace(ports, images=ColourEncoder(), speech=said)
    send(account, photo("red"), text="like this")
    turn = answering.answer_turn(send(account, voice()), seeing_and_hearing)
    assert turn.text == "like this\nbut over $45"
    assert shown(turn) == ["M-5", "M-6", "M-7"]


def test_a_picture_and_a_voice_message_that_help_nobody_are_both_owned_up_to(account, platform, ports):
    reply = answered(account, ports, photo("red"), voice()).reply
    assert "picture" in reply
    assert "voice message" in reply


def test_one_recording_of_two_is_answered_and_the_other_owned_up_to(account, platform, hearing):
    platform.files["voice2"] = MediaError("gone")
    turn = answered(account, hearing, voice(), voice("voice2"))
    assert turn.text == "show me a mug"
    assert "couldn't open" in turn.reply


def test_an_endless_monologue_is_cut_like_any_message_and_stays_storable(account, platform, ports):
    heard = Heard("a mug \0 " * 2000, "en", 0.9, sure=True)
    turn = Turn.objects.get(pk=send(account, voice()))
    media.perceive(turn, replace(ports, speech=FakeRecogniser(heard)), time.monotonic() + 3)
    text = InboundEvent.objects.get().text
    assert len(text) == intake.TEXT_LIMIT
    assert "\0" not in text


# --- what stays


def test_no_byte_of_a_file_is_kept_and_erasure_takes_the_words(account, platform, ports):
    both = replace(ports, images=ColourEncoder(), speech=FakeRecogniser(SAID))
    answered(account, both, photo("red"), voice())
    stored = InboundEvent.objects.get().data["media"]
    assert [set(one) for one in stored] == [{"kind", "reference"}, {"kind", "reference", "heard"}]
    erase(Contact.objects.get())
    assert not InboundEvent.objects.exists()
    assert not Turn.objects.exists()


def test_a_message_without_files_costs_no_call(account, platform, seeing):
    answered(account, seeing, text="show me mugs")
    assert platform.fetched == []
    assert "media" not in Turn.objects.get().understanding


def test_while_a_person_holds_the_talk_a_photo_is_looked_at_for_what_is_suggested_to_them(account, platform, seeing):
    turn_id = send(account, photo("red"))
    Conversation.objects.update(waiting_for_person=True)
    turn = answering.answer_turn(turn_id, seeing)
    assert (turn.status, turn.reply, Outbound.objects.count()) == ("silent", "", 0)
    assert platform.fetched == ["red"]
    assert Turn.objects.get(pk=turn_id).suggestion


def test_a_lease_that_was_lost_meanwhile_stores_nothing(account, platform, seeing):
    turn_id = send(account, photo("red"))

    def taken() -> None:
        Turn.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
        intake.claim(turn_id)

    ports = replace(seeing, generator=FakeGenerator(meanwhile=taken))
    assert answering.answer_turn(turn_id, ports) is None
    assert not Outbound.objects.exists()
