"""What every channel keeps, whatever its platform: inherit :class:`ChannelConformance` and say how the platform speaks.

Inbound requests go through the whole web application, signed as the platform signs them; outbound calls go to a real
server on this machine. A kind of event that a platform does not have is named in ``lacks``, and its test is skipped.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from botcore import buttons, delivery
from botcore.channels import http
from botcore.channels.base import Channel
from botcore.channels.chunking import size
from botcore.channels.registry import channel_class
from botcore.channels.values import (
    Card,
    Choice,
    MalformedBodyError,
    OutboundMessage,
    Recipient,
    SendResult,
    WebhookRequest,
)
from botcore.models import ChannelAccount, Contact, EarlyReceipt, Feedback, InboundEvent, Outbound, Turn
from botcore.recipients import recipient_of, stored_address
from botcore.security import seal
from tests.botcore.channels.platform import PlatformServer, Told, platform_server, post
from tests.factories import AccountFactory, ContactFactory, ConversationFactory, ShopFactory, TurnFactory

KEY = UUID("11111111-2222-5333-8444-555555555555")
CARDS = tuple(
    Card(
        f"SKU-{number}",
        title,
        f"${price}.00",
        "Waxed cotton, for men & women",
        f"https://cdn.example/{number}.jpg",
        f"https://shop.example/p/{number}?a=1&b=2",
        Choice(f"tok-{number}-abcdefg", number),
    )
    for number, (title, price) in enumerate(
        [("Moss jacket", 89), ("Rain shell <Pro> “Überzieher”", 129), ("港湾 大衣", 159)], start=1
    )
)
MESSAGE = OutboundMessage(
    "These keep the rain out.\nThe first is the lightest.",
    31,
    "en",
    CARDS,
    "Care guide",
    up=Choice("tok-up-abcdefg", 4),
    down=Choice("tok-down-abcdef", 5),
)


class ChannelConformance:
    """One platform. Everything in this first part is the subclass's to say."""

    name: str
    config: Mapping[str, Any]
    """What an operator gives, before ``prepare_config``."""
    secrets: tuple[str, ...]
    """What must never be seen in an error or a log."""
    contact = "4711"
    """The customer's id in the requests below, as ``ReceivedEvent.contact_id`` has it."""
    lacks: frozenset[str] = frozenset()
    """Of: button, reaction, media, edit, status, batch, window, retry_after."""
    success: Told
    """The platform's answer to a message it takes."""
    platform_id: str
    """The id in ``success``."""
    pages: Mapping[str, Told] = {}
    """Paths of the platform that always answer the same, whatever becomes of a message: where tokens come from."""
    address: Mapping[str, Any] = {}
    """``ReceivedEvent.address`` of the requests below, without which nothing can be sent."""

    signs_body = True
    """Whether the platform signs the body; a shared secret, or a token for the call, is the same for all."""

    def text(self, url: str, text: str = "a green jacket", number: int = 1) -> WebhookRequest:
        """A customer's message; another ``number`` is another message."""
        raise NotImplementedError

    def unknown(self, url: str) -> WebhookRequest:
        """Something genuine that we do not know or need."""
        raise NotImplementedError

    def forged(self, genuine: WebhookRequest) -> Mapping[str, WebhookRequest]:
        """Requests that the platform did not make: ``wrong``, ``missing``, and ``stale`` where it signs the time."""
        raise NotImplementedError

    def resigned(self, genuine: WebhookRequest, body: bytes) -> WebhookRequest:
        """Another body, as genuine as the first."""
        raise NotImplementedError

    def changed(self, genuine: WebhookRequest) -> WebhookRequest:
        """The same signature over another body; a platform that signs a part of it has that part changed."""
        return replace(genuine, body=genuine.body + b" ")

    def button(self, url: str, token: str) -> WebhookRequest:
        raise NotImplementedError

    def reaction(self, url: str, platform_id: str) -> WebhookRequest:
        """A thumb, or the platform's own feedback, for the better: ``up``."""
        raise NotImplementedError

    def media(self, url: str) -> WebhookRequest:
        """A photo without words."""
        raise NotImplementedError

    def edit(self, url: str, text: str) -> WebhookRequest:
        """The message of ``text(url)``, number 1, with other words."""
        raise NotImplementedError

    def status(self, url: str, platform_id: str) -> WebhookRequest:
        """The platform says that our message arrived."""
        raise NotImplementedError

    def batch(self, url: str, texts: list[str]) -> WebhookRequest:
        """Several messages in one request."""
        raise NotImplementedError

    def limited(self, seconds: int | None) -> Told:
        """Too many requests, with or without the seconds to wait."""
        return Told(429, {}, {} if seconds is None else {"Retry-After": str(seconds)})

    def broken(self) -> Told:
        return Told(500, {})

    def window_closed(self) -> Told:
        """The customer wrote too long ago."""
        raise NotImplementedError

    # --- the parts ----------------------------------------------------------------------------------------------------

    @pytest.fixture
    def account(self, db: None) -> ChannelAccount:
        config = channel_class(self.name).prepare_config(self.config)
        return AccountFactory(shop=ShopFactory(), channel=self.name, sealed_config=seal(config))

    @pytest.fixture
    def url(self, account: ChannelAccount) -> str:
        return f"{settings.PUBLIC_URL}/webhooks/{account.channel}/{account.key}"

    @pytest.fixture
    def client(self) -> Client:
        return Client(raise_request_exception=False)

    @pytest.fixture
    def channel(self) -> Channel:
        return channel_class(self.name)(channel_class(self.name).prepare_config(self.config), "account-key")

    @pytest.fixture
    def platform(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlatformServer]:
        quick = httpx.Client(timeout=0.7)
        monkeypatch.setattr(http, "client", lambda: quick)
        with quick, platform_server(self.success) as server:
            server.pages.update(self.pages)
            yield server

    def to(self, platform: PlatformServer) -> Channel:
        config = channel_class(self.name).prepare_config({**self.config, "api_base_url": platform.address})
        return channel_class(self.name)(config, "account-key")

    @property
    def recipient(self) -> Recipient:
        return Recipient(self.contact, self.address, timezone.now())

    def must_have(self, kind: str) -> None:
        if kind in self.lacks:
            pytest.skip(f"{self.name} has no {kind}")

    def reply(self, account: ChannelAccount) -> Outbound:
        """A reply that this contact was sent, with its buttons."""
        contact = ContactFactory(account=account, external_id=self.contact)
        turn = TurnFactory(conversation=ConversationFactory(shop=account.shop, contact=contact))
        outbound = Outbound.objects.create(
            conversation=turn.conversation, turn=turn, content={}, status="sent", platform_ids=[self.platform_id]
        )
        message = OutboundMessage("Here.", turn.pk, cards=CARDS)
        outbound.content = buttons.offer(message, outbound, channel_class(self.name).capabilities).to_json()
        outbound.save()
        return outbound

    def sent_as(self, outbound: Outbound) -> str:
        """The id by which the platform tells of a message's first part."""
        return self.platform_id

    def nothing_stored(self) -> bool:
        return not (InboundEvent.objects.exists() or Contact.objects.exists() or Turn.objects.exists())

    # --- in -----------------------------------------------------------------------------------------------------------

    def test_a_message_is_stored_once_with_its_turn(self, url, client, woken, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            first, again = (post(client, self.text(url)) for _ in range(2))
        event = InboundEvent.objects.get()
        assert (first.status_code, again.status_code) == (200, 200)
        assert (event.kind, event.text, event.contact.external_id) == ("text", "a green jacket", self.contact)
        assert (woken, event.contact.heard_at is not None) == ([event.turn_id], True)
        assert dict(recipient_of(event.contact).address) == dict(self.address)

    def test_what_lets_anybody_write_to_the_customer_is_stored_sealed(self, channel, url, client):
        assert channel.secret_address <= set(self.address), "the suite's address lacks a secret"
        post(client, self.text(url))
        stored = json.dumps(list(Contact.objects.values()) + list(InboundEvent.objects.values()), default=str)
        assert not any(str(self.address[name]) in stored for name in channel.secret_address)

    def test_a_press_of_a_product_asks_about_it(self, account, url, client):
        self.must_have("button")
        outbound = self.reply(account)
        token = outbound.buttons.get(number=2).token
        assert post(client, self.button(url, token)).status_code == 200
        event = InboundEvent.objects.get()
        assert (event.kind, event.text, event.data["sku"]) == ("button", CARDS[1].title, "SKU-2")
        assert event.turn is not None

    def test_a_press_of_a_thumb_judges_its_reply(self, account, url, client):
        self.must_have("button")
        outbound = self.reply(account)
        assert post(client, self.button(url, outbound.buttons.get(number=5).token)).status_code == 200
        assert [(row.turn, row.kind) for row in Feedback.objects.all()] == [(outbound.turn, "down")]

    def test_a_button_of_somebody_elses_message_does_nothing(self, account, url, client):
        self.must_have("button")
        outbound = self.reply(account)
        Contact.objects.update(external_id="somebody-else")
        for token in (outbound.buttons.get(number=1).token, outbound.buttons.get(number=4).token, "tok-of-nobody"):
            assert post(client, self.button(url, token)).status_code == 200
        assert not InboundEvent.objects.exclude(turn=None).exists()
        assert not Feedback.objects.exists()

    def test_a_reaction_judges_the_reply_it_is_on(self, account, url, client):
        self.must_have("reaction")
        outbound = self.reply(account)
        assert post(client, self.reaction(url, self.platform_id)).status_code == 200
        assert [(row.turn, row.kind) for row in Feedback.objects.all()] == [(outbound.turn, "up")]

    def test_a_bare_number_chooses_from_the_last_reply(self, account, url, client):
        self.reply(account)
        post(client, self.text(url, "2"))
        event = InboundEvent.objects.get()
        assert (event.kind, event.data.get("sku")) == ("button", "SKU-2")

    def test_a_photo_without_words_is_kept_and_gets_an_answer(self, url, client):
        self.must_have("media")
        assert post(client, self.media(url)).status_code == 200
        event = InboundEvent.objects.get()
        assert (event.kind, [media["kind"] for media in event.data["media"]]) == ("media", ["photo"])
        assert event.turn is not None

    def test_an_edit_takes_the_place_of_a_message_that_waits(self, url, client):
        self.must_have("edit")
        post(client, self.text(url))
        assert post(client, self.edit(url, "a blue jacket")).status_code == 200
        assert Turn.objects.get().events.get().text == "a blue jacket"

    def test_a_receipt_is_noted_and_never_goes_back(self, account, url, client):
        self.must_have("status")
        outbound = self.reply(account)
        assert post(client, self.status(url, self.platform_id)).status_code == 200
        outbound.refresh_from_db()
        assert outbound.receipt in ("delivered", "read")
        assert not InboundEvent.objects.exists()

    def test_a_receipt_that_comes_before_the_answer_to_our_call_is_not_lost(self, account, url, client, platform):
        self.must_have("status")
        outbound = self.reply(account)
        account.sealed_config = seal(dict(self.to(platform).config))
        account.save()
        Contact.objects.update(address=stored_address(self.name, self.address), heard_at=timezone.now())
        content = OutboundMessage("Hello.", outbound.turn_id).to_json()
        Outbound.objects.update(status="pending", platform_ids=[], content=content)
        platform_id = self.sent_as(outbound)
        assert post(client, self.status(url, platform_id)).status_code == 200
        delivery.deliver(outbound.pk)
        outbound.refresh_from_db()
        assert (outbound.status, outbound.platform_ids) == ("sent", [platform_id])
        assert outbound.receipt in ("delivered", "read")
        assert not EarlyReceipt.objects.exists()

    def test_what_we_do_not_know_is_taken_and_left_alone(self, url, client):
        assert post(client, self.unknown(url)).status_code == 200
        assert not Turn.objects.exists()

    def test_several_messages_in_one_request_are_all_stored(self, url, client):
        self.must_have("batch")
        assert post(client, self.batch(url, ["a green jacket", "size M"])).status_code == 200
        assert [event.text for event in InboundEvent.objects.order_by("pk")] == ["a green jacket", "size M"]
        assert Turn.objects.count() == 1

    def test_messages_out_of_order_are_all_stored(self, url, client):
        for number in (3, 1, 2):
            assert post(client, self.text(url, f"message {number}", number)).status_code == 200
        assert InboundEvent.objects.count() == 3

    @pytest.mark.parametrize("fault", ["wrong", "missing", "stale"])
    def test_what_the_platform_did_not_sign_is_refused(self, url, client, fault):
        forged = self.forged(self.text(url))
        if fault not in forged:
            pytest.skip(f"{self.name} signs no time")
        assert post(client, forged[fault]).status_code == 401
        assert self.nothing_stored()

    def test_a_changed_body_is_refused(self, url, client):
        if not self.signs_body:
            pytest.skip(f"{self.name} does not sign its bodies")
        assert post(client, self.changed(self.text(url))).status_code == 401
        assert self.nothing_stored()

    def test_a_repeat_of_an_old_delivery_stores_nothing_new(self, url, client):
        genuine = self.text(url)
        post(client, genuine)
        assert post(client, genuine).status_code in (200, 401)
        assert InboundEvent.objects.count() == 1

    def test_a_sender_whose_id_is_too_long_is_refused(self, url, client):
        """Nobody has such an id; whoever can sign can still write one."""
        genuine = self.text(url)
        spoiled = genuine.body.replace(self.contact.encode(), b"9" * 500)
        if spoiled == genuine.body:
            pytest.skip(f"{self.name} writes its customers' ids otherwise")
        assert post(client, self.resigned(genuine, spoiled)).status_code == 400
        assert self.nothing_stored()

    def test_two_megabytes_are_refused(self, url, client):
        genuine = self.text(url)
        assert post(client, self.resigned(genuine, b"x" * 2_000_000)).status_code == 413
        assert self.nothing_stored()

    def test_signed_garbage_is_never_our_failure(self, url, client):
        genuine = self.text(url)
        for body in (b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 50_000, b"{}", b"<xml>", b"a=1&b", b'"text"'):
            status = post(client, self.resigned(genuine, body)).status_code
            assert status < 500, body
        assert self.nothing_stored()

    def test_noise_that_is_signed_stores_nothing(self, url, client):
        """Through the whole application, signed by whoever has the secret and lost their mind."""
        genuine, rng = self.text(url), random.Random(20261130)
        for _ in range(NOISE):
            body = _noise(rng)
            assert post(client, self.resigned(genuine, body)).status_code < 500, body
        assert self.nothing_stored()

    def test_ten_thousand_bodies_never_break_the_reader(self, channel):
        """Garbage, and genuine bodies with a part put wrong: events that can be stored, or a clear refusal."""
        genuine = self.text(f"{settings.PUBLIC_URL}/webhooks/{self.name}/account-key")
        rng = random.Random(20261129)
        for _ in range(10_000):
            request = replace(genuine, body=_spoiled(genuine.body, rng))
            assert channel.verify(request) in (True, False)
            try:
                received = channel.parse(request)
            except MalformedBodyError:
                continue
            for event in received:
                assert event.event_key
                assert event.contact_id
                texts = (event.event_key, event.contact_id, event.text, event.contact_name, event.language)
                assert all(isinstance(text, str) and "\0" not in text for text in texts)
                json.dumps([dict(event.data), dict(event.address), [media.to_json() for media in event.media]])

    @hypothesis_settings(
        max_examples=150,
        deadline=None,
        # Every platform runs this one test, each as another executor: that is what inheriting it means.
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
    )
    @given(
        body=st.binary(max_size=300),
        headers=st.dictionaries(
            st.sampled_from(["x-signature", "authorization", "content-type", "x-hub-signature-256", "date"]),
            st.text(max_size=60),
        ),
        query=st.dictionaries(st.text(max_size=12), st.text(max_size=40), max_size=4),
        method=st.sampled_from(["GET", "POST"]),
    )
    def test_no_stranger_is_ever_taken_for_the_platform(self, channel, body, headers, query, method):
        url = f"{settings.PUBLIC_URL}/webhooks/{self.name}/account-key"
        request = WebhookRequest(method, url, headers, query, body, timezone.now().timestamp())
        assert channel.verify(request) is False
        answer = channel.handshake(request)
        assert answer is None or answer.status >= 400

    @pytest.mark.django_db(transaction=True)
    def test_one_message_delivered_eight_times_at_once_is_one(self, url):
        request = self.text(url)

        def deliver(_: int) -> int:
            try:
                return int(post(Client(raise_request_exception=False), request).status_code)
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(deliver, range(8)))
        assert set(statuses) == {200}
        assert (InboundEvent.objects.count(), Turn.objects.count()) == (1, 1)

    # --- out ----------------------------------------------------------------------------------------------------------

    def test_a_rendered_reply_holds_everything_and_nothing_changes_it(self, channel):
        payloads = channel.render(MESSAGE)
        assert payloads == channel.render(MESSAGE)
        shown = json.dumps(payloads, ensure_ascii=False)
        assert "These keep the rain out." in shown
        assert "Care guide" in shown
        for card in CARDS:
            plain = card.title.split(" ", maxsplit=1)[0]
            assert plain in shown, f"{card.title} is not shown"
            assert card.price in shown, f"the price of {card.title} is not shown"

    def test_every_choice_is_offered(self, channel):
        """As a button that gives its token back, or as a number that may be written."""
        shown = json.dumps(channel.render(MESSAGE), ensure_ascii=False)
        by_number = channel.capabilities.feedback == "numbers"
        for card in CARDS:
            assert (f"{card.choice.number}." if by_number else card.choice.token) in shown
        if by_number:
            assert "4 = " in shown
            assert "5 = " in shown
        elif channel.capabilities.feedback in ("buttons", "quick_replies"):
            assert MESSAGE.up.token in shown
            assert MESSAGE.down.token in shown

    def test_an_answer_without_products_can_be_judged_as_well(self, channel):
        answer = OutboundMessage(
            "Within 30 days.", 31, source="Returns", up=Choice("tok-up", 1), down=Choice("tok-down", 2)
        )
        shown = json.dumps(channel.render(answer), ensure_ascii=False)
        if channel.capabilities.feedback == "numbers":
            assert "1 = helpful" in shown
            assert "2 = not helpful" in shown
        elif channel.capabilities.feedback in ("buttons", "quick_replies"):
            assert "tok-up" in shown
            assert "tok-down" in shown
        else:
            assert shown != json.dumps(channel.render(replace(answer, up=None, down=None)), ensure_ascii=False)

    def test_a_reply_without_products_or_thumbs_is_its_text(self, channel):
        payloads = channel.render(OutboundMessage("Hello.", 0))
        assert len(payloads) == 1
        assert "Hello." in json.dumps(payloads)

    def test_a_long_reply_is_cut_within_the_limit_and_nothing_is_lost(self, channel):
        words = [f"word{number}" for number in range(4000)]
        payloads = channel.render(OutboundMessage(" ".join(words), 7))
        texts = [text for payload in payloads for text in _texts(payload) if "word" in text]
        can = channel.capabilities
        assert all(size(text, can.text_unit) <= can.text_limit for text in texts)
        said = {word for text in texts for word in text.split() if word.startswith("word")}
        assert said == set(words)

    def test_chinese_and_emoji_are_cut_by_the_platforms_own_measure(self, channel):
        payloads = channel.render(OutboundMessage("这件外套很轻🧥，下雨也不怕。" * 400, 7, "zh"))
        can = channel.capabilities
        texts = [text for payload in payloads for text in _texts(payload) if "外套" in text]
        assert texts
        assert all(size(text, can.text_unit) <= can.text_limit for text in texts)

    def test_a_taken_message_brings_its_id(self, platform):
        channel = self.to(platform)
        for payload in channel.render(MESSAGE):
            result = channel.send(self.recipient, payload, KEY)
            assert (result.ok, result.platform_id) == (True, self.platform_id)
        assert platform.calls

    def test_the_same_payload_goes_out_with_the_same_key(self, platform):
        channel = self.to(platform)
        if not channel.capabilities.idempotent:
            pytest.skip(f"{self.name} takes no idempotency key (docs/decisions/0004)")
        payload = channel.render(MESSAGE)[-1]
        for _ in range(2):
            channel.send(Recipient(self.contact, {}, None) if not self.address else self.recipient, payload, KEY)
        first, second = platform.calls[-2:]
        wire = f"{first.headers}{first.body!r}"
        assert str(KEY) in wire or KEY.hex in wire
        assert first.body == second.body

    def test_too_many_requests_wait_as_long_as_the_platform_says(self, platform):
        self.must_have("retry_after")
        platform.answers = [self.limited(17)]
        result = self.first(platform)
        assert (result.ok, result.retry_after, result.permanent) == (False, 17.0, False)

    def test_too_many_requests_without_a_time_are_repeated(self, platform):
        platform.answers = [self.limited(None)] * 3
        result = self.first(platform)
        assert (result.ok, result.permanent) == (False, False)

    def test_the_platforms_own_failure_is_repeated(self, platform):
        platform.answers = [self.broken()] * 3
        result = self.first(platform)
        assert (result.ok, result.permanent) == (False, False)
        self.tells_no_secret(result)

    @pytest.mark.parametrize("trouble", ["reset", "silence"])
    def test_no_answer_is_repeated(self, platform, trouble):
        platform.answers = [Told(trouble=trouble)] * 3
        result = self.first(platform)
        assert (result.ok, result.permanent) == (False, False)
        self.tells_no_secret(result)

    def test_a_closed_window_is_told_apart(self, platform):
        self.must_have("window")
        platform.answers = [self.window_closed()] * 3
        result = self.first(platform)
        assert (result.ok, result.window_closed) == (False, True)

    def test_an_answer_that_makes_no_sense_is_no_success(self, platform):
        if not self.success.value:
            pytest.skip(f"{self.name} says nothing but its status")
        platform.answers = [Told(200, b"<html>a proxy's page</html>")] * 3
        assert not self.first(platform).ok

    def test_typing_edits_and_streams_never_raise(self, platform):
        channel = self.to(platform)
        for told in (self.success, self.broken(), Told(trouble="reset")):
            platform.answers = [told] * 3
            channel.typing(self.recipient)
            channel.stream(self.recipient, 31, "These keep")
            channel.edit(self.recipient, self.platform_id, channel.render(MESSAGE)[0])
            platform.answers = []

    def test_the_credentials_are_tried_without_raising(self, platform):
        channel = self.to(platform)
        for told in (self.success, self.broken(), Told(401, {"error": "no"}), Told(trouble="reset")):
            platform.answers = [told] * 3
            check = channel.check()
            assert isinstance(check.ok, bool)
            assert check.detail
            assert not any(secret in check.detail for secret in self.secrets)
            platform.answers = []

    # --- setting up ---------------------------------------------------------------------------------------------------

    def test_a_missing_or_unknown_setting_is_named(self):
        platform = channel_class(self.name)
        for field in platform.fields:
            if field.required:
                config = {name: value for name, value in self.config.items() if name != field.name}
                with pytest.raises(ValueError, match=field.name):
                    platform.prepare_config(config)
        with pytest.raises(ValueError, match="colour"):
            platform.prepare_config({**self.config, "colour": "green"})

    def test_an_error_in_the_settings_tells_no_secret(self):
        platform = channel_class(self.name)
        for field in platform.fields:
            if field.secret and field.pattern != ".+":
                with pytest.raises(ValueError, match=field.name) as refusal:
                    platform.prepare_config({**self.config, field.name: "hunter2 hunter2 \n!"})
                assert "hunter2" not in str(refusal.value)

    def first(self, platform: PlatformServer) -> SendResult:
        channel = self.to(platform)
        return channel.send(self.recipient, channel.render(OutboundMessage("Hello.", 7))[0], KEY)

    def tells_no_secret(self, result: SendResult) -> None:
        assert result.error
        assert not any(secret in result.error for secret in self.secrets)


def _texts(value: Any) -> Iterator[str]:
    """Every string in a payload."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


WRONG: list[Any] = [None, True, -1, 10**30, 1.5, "", "\0", "\ud800", "x" * 500, [], [[]], {}, {"a": {}}, "9" * 40]


NOISE = int(os.environ.get("DAOGOU_NOISE", "40"))
"""Bodies of noise that each channel is sent."""


def _noise(rng: random.Random, depth: int = 0) -> bytes:
    """Bytes, or JSON of no meaning."""
    if depth == 0 and rng.random() < 0.4:
        return rng.randbytes(rng.randrange(400))
    kind = rng.randrange(6 if depth < 4 else 4)
    if kind < 4:
        return (b"null", b"true", b"-1.5e9", json.dumps(rng.randbytes(9).decode("latin-1")).encode())[kind]
    parts = [_noise(rng, depth + 1) for _ in range(rng.randrange(5))]
    if kind == 4:
        return b"[" + b",".join(parts) + b"]"
    named = (json.dumps(rng.choice(NAMES)).encode() + b":" + part for part in parts)
    return b"{" + b",".join(named) + b"}"


NAMES = (
    "type",
    "event",
    "events",
    "entry",
    "message",
    "messages",
    "text",
    "id",
    "from",
    "challenge",
    "token",
    "data",
    "",
)


def _spoiled(body: bytes, rng: random.Random) -> bytes:
    """Bytes of no sense, or a genuine JSON body with one to three of its parts replaced or left out."""
    if rng.random() < 0.2:
        return rng.randbytes(rng.randrange(80))
    try:
        value = json.loads(body)
    except ValueError:
        spoiled = bytearray(body)
        for _ in range(rng.randrange(1, 4)):
            place = rng.randrange(len(spoiled) or 1)
            spoiled[place : place + rng.randrange(6)] = rng.randbytes(rng.randrange(4))
        return bytes(spoiled)
    for _ in range(rng.randrange(1, 4)):
        value = _one_part_wrong(value, rng)
    return json.dumps(value).encode("utf-8", "replace")


def _one_part_wrong(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict) and value and rng.random() < 0.9:
        name = rng.choice(list(value))
        if rng.random() < 0.2:
            return {key: item for key, item in value.items() if key != name}
        return {**value, name: _one_part_wrong(value[name], rng)}
    if isinstance(value, list) and value and rng.random() < 0.8:
        place = rng.randrange(len(value))
        return [*value[:place], _one_part_wrong(value[place], rng), *value[place + 1 :]]
    return rng.choice(WRONG)
