"""What is particular to text messages: words that stop and start them, what they cost, pictures behind a redirect."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import pytest
from django.test import Client
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client as Library

from botcore import delivery, queues
from botcore.channels import gsm, http
from botcore.channels.twilio import Twilio
from botcore.channels.values import MediaError, MediaReference, OutboundMessage, Recipient
from botcore.models import ChannelAccount, Contact, InboundEvent, Outbound, Turn
from botcore.security import seal
from tests.botcore.channels.conformance import CARDS, KEY, MESSAGE
from tests.botcore.channels.platform import PlatformServer, Told, platform_server, post
from tests.botcore.channels.platform import delivery as delivered
from tests.botcore.channels.test_twilio_conformance import (
    ACCOUNT,
    CUSTOMER,
    SENT,
    SHOP,
    SIGNATURE,
    TOKEN,
    callback,
    incoming,
    signed,
)  # fmt: skip
from tests.factories import AccountFactory, ContactFactory, ConversationFactory, TurnFactory

pytestmark = pytest.mark.django_db

CONFIG = {"account_sid": ACCOUNT, "auth_token": TOKEN, "from_number": SHOP}
HELP = "Lantern & Loom: hello@lantern.example"


@pytest.fixture
def account() -> ChannelAccount:
    return AccountFactory(channel="twilio", sealed_config=seal(Twilio.prepare_config({**CONFIG, "help_text": HELP})))


@pytest.fixture
def url(account: ChannelAccount, settings: Any) -> str:
    return f"{settings.PUBLIC_URL}/webhooks/twilio/{account.key}"


@pytest.fixture
def platform() -> Any:
    with platform_server(Told(201, {"sid": SENT})) as server:
        yield server


def reached_at(address: str, **more: str) -> Twilio:
    return Twilio(Twilio.prepare_config({**CONFIG, "api_base_url": address, **more}), "account-key")


def hears(url: str, text: str, number: int = 1, **more: str) -> Any:
    response = post(Client(), signed(url, incoming(text, number, **more)))
    assert response.status_code == 200
    return response


# --- signatures


def test_twilios_own_signer_over_the_public_address_is_believed_whatever_proxies_call_us(url, settings):
    settings.PUBLIC_URL = "https://chat.shop.example"
    public = f"https://chat.shop.example/webhooks/{url.split('/webhooks/')[1]}"
    assert hears(public, "hello", Body="müde & 外套 + more").status_code == 200
    assert InboundEvent.objects.get().text == "müde & 外套 + more"


def test_a_signature_over_another_address_is_refused(url):
    other = signed(url.replace("/twilio/", "/twilio2/"), incoming())
    assert post(Client(), replace(other, url=url)).status_code == 401


def test_json_is_believed_by_the_hash_of_its_body_alone(url):
    body = json.dumps(incoming("as json")).encode()
    hashed = f"{url}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = {SIGNATURE: RequestValidator(TOKEN).compute_signature(hashed, {}), "content-type": "application/json"}
    assert post(Client(), delivered(hashed, body, headers)).status_code == 200
    assert InboundEvent.objects.get().text == "as json"
    assert post(Client(), delivered(hashed, body.replace(b"json", b"JSON"), headers)).status_code == 401
    plain = {**headers, SIGNATURE: RequestValidator(TOKEN).compute_signature(url, {})}
    assert post(Client(), delivered(url, body, plain)).status_code == 401


def test_a_form_whose_fields_come_twice_is_refused(url):
    genuine = signed(url, incoming())
    doubled = delivered(url, genuine.body + b"&Body=more", dict(genuine.headers))
    assert post(Client(), doubled).status_code == 401


# --- words of the platform's own


@pytest.mark.parametrize(
    "word", ["STOP", "stop", " Unsubscribe ", "CANCEL", "end", "QUIT", "StopAll", "OPTOUT", "revoke"]
)
def test_a_word_that_stops_silences_us_without_an_answer(url, word):
    hears(url, "a green jacket")
    hears(url, word, 2)
    contact = Contact.objects.get()
    assert contact.stopped_at is not None
    assert InboundEvent.objects.get(event_key__endswith="2").kind == "stop"
    hears(url, "hello?", 3)
    assert Turn.objects.get().events.count() == 1


@pytest.mark.parametrize("text", ["please stop", "stop it", "the end", "cancel my order", "a STOP sign"])
def test_a_sentence_with_such_a_word_is_a_sentence(url, text):
    hears(url, text)
    assert (Contact.objects.get().stopped_at, InboundEvent.objects.get().kind) == (None, "text")


@pytest.mark.parametrize("word", ["START", "yes", "Unstop"])
def test_a_word_that_starts_again_is_an_answer_to_those_who_never_stopped(url, word):
    hears(url, word)
    assert (InboundEvent.objects.get().kind, Turn.objects.count()) == ("text", 1)
    hears(url, "STOP", 2)
    hears(url, word, 3)
    assert Contact.objects.get().stopped_at is None
    assert (InboundEvent.objects.get(event_key__endswith="3").kind, Turn.objects.count()) == ("start", 1)


def test_in_an_advanced_opt_out_twilio_says_what_a_word_means(url):
    hears(url, "ARRET", OptOutType="STOP")
    assert Contact.objects.get().stopped_at is not None
    hears(url, "REPRENDRE", 2, OptOutType="START")
    assert Contact.objects.get().stopped_at is None
    assert HELP not in hears(url, "AIDE", 3, OptOutType="HELP").content.decode()
    assert not Turn.objects.exists()


@pytest.mark.parametrize("word", ["HELP", "info"])
def test_help_is_answered_at_once_in_twiml_and_asks_nobody(url, word):
    response = hears(url, word)
    root = ElementTree.fromstring(response.content)
    assert (response["Content-Type"], root.tag, [node.text for node in root]) == (
        "text/xml; charset=utf-8", "Response", [HELP],
    )  # fmt: skip
    assert not Turn.objects.exists()


def test_any_other_message_is_answered_with_empty_twiml(url):
    assert list(ElementTree.fromstring(hears(url, "hello").content)) == []


# --- what became of a message


def sent_to(account: ChannelAccount) -> Outbound:
    contact = ContactFactory(account=account, external_id=CUSTOMER)
    turn = TurnFactory(conversation=ConversationFactory(shop=account.shop, contact=contact))
    content = OutboundMessage("Here.", turn.pk).to_json()
    return Outbound.objects.create(
        conversation=turn.conversation, turn=turn, content=content, status="sent", platform_ids=[SENT]
    )


def test_a_message_that_the_carrier_filtered_is_a_failure_with_its_reason(account, url):
    outbound = sent_to(account)
    for status, more in (("queued", {}), ("sent", {}), ("undelivered", {"ErrorCode": "30007"})):
        assert post(Client(), signed(url, callback(status, **more))).status_code == 200
    outbound.refresh_from_db()
    assert (outbound.status, outbound.error) == ("failed", "30007 the carrier filtered the message")
    assert Contact.objects.get().stopped_at is None


def test_a_failure_that_comes_late_because_the_customer_stopped_stops_us(account, url):
    sent_to(account)
    post(Client(), signed(url, callback("failed", ErrorCode="21610")))
    assert Contact.objects.get().stopped_at is not None


def test_a_message_refused_because_the_customer_stopped_is_given_up_and_stops_us(account, platform, monkeypatch):
    monkeypatch.setattr(queues, "wake_delivery", lambda *args, **options: None)
    config = Twilio.prepare_config({**CONFIG, "api_base_url": platform.address})
    ChannelAccount.objects.update(sealed_config=seal(config))
    outbound = sent_to(account)
    Outbound.objects.update(status="pending", platform_ids=[])
    platform.answers = [
        Told(400, {"code": 21610, "message": "Attempt to send to unsubscribed recipient", "status": 400})
    ]
    delivery.deliver(outbound.pk)
    outbound.refresh_from_db()
    assert (outbound.status, Contact.objects.get().stopped_at is not None) == ("failed", True)
    assert outbound.error == "message: 400 21610 the customer asked for no more messages"


@pytest.mark.parametrize(
    ("status", "code", "permanent", "stopped"),
    [
        (400, 21211, True, False),
        (400, 21614, True, False),
        (400, 21610, True, True),
        (400, 21611, False, False),
        (400, 21606, False, False),
        (401, 20003, False, False),
        (403, 20003, False, False),
        (429, 20429, False, False),
        (503, 20503, False, False),
    ],
)
def test_refusals_are_told_apart(platform, status, code, permanent, stopped):
    platform.answers = [Told(status, {"code": code, "message": "no", "status": status})]
    result = reached_at(platform.address).send(Recipient(CUSTOMER), {"text": "Hello."}, KEY)
    assert (result.ok, result.permanent, result.stopped) == (False, permanent, stopped)


# --- out


class Recorded(HttpClient):
    """What Twilio's own library would send."""

    def __init__(self) -> None:
        super().__init__(logging.getLogger("twilio"), is_async=False)

    def request(self, method: str, url: str, params: Any = None, data: Any = None, headers: Any = None, auth: Any = None,
                timeout: Any = None, allow_redirects: bool = False) -> Response:  # fmt: skip
        self.called = (method.upper(), url, dict(data), auth)
        return Response(201, json.dumps({"sid": SENT}))


@pytest.mark.parametrize("service", ["", "MG" + "a" * 32])
def test_we_send_what_twilios_own_library_sends(platform, settings, service):
    settings.PUBLIC_URL = "https://chat.shop.example"
    recorded = Recorded()
    back = "https://chat.shop.example/webhooks/twilio/account-key"
    sender = {"messaging_service_sid": service} if service else {"from_": SHOP}
    Library(ACCOUNT, TOKEN, http_client=recorded).messages.create(
        to=CUSTOMER, body="港湾 & 大衣", status_callback=back, **sender
    )
    ours = reached_at(platform.address, **({"messaging_service_sid": service} if service else {}))
    assert ours.send(Recipient(CUSTOMER), {"text": "港湾 & 大衣"}, KEY).platform_id == SENT
    method, address, form, credentials = recorded.called
    (call,) = platform.calls
    assert (call.method, f"https://api.twilio.com{call.path}") == (method, address)
    assert dict(parse_qsl(call.body.decode())) == form
    assert http.httpx.BasicAuth(*credentials)._auth_header == call.headers["authorization"]


def test_a_server_that_twilio_cannot_reach_is_not_named_to_it(platform):
    reached_at(platform.address).send(Recipient(CUSTOMER), {"text": "Hello."}, KEY)
    assert b"StatusCallback" not in platform.calls[0].body


def test_a_reply_with_products_reads_like_this():
    message = OutboundMessage(
        "These keep the rain out — the first is the lightest.", 31, "en", CARDS[:1], "", MESSAGE.up, MESSAGE.down
    )
    assert reached_at("https://api.example").render(message) == [
        {
            "text": "These keep the rain out - the first is the lightest.\n\n"
            "1. Moss jacket - $89.00\nhttps://shop.example/p/1?a=1&b=2\n\n"
            "Reply with a number to hear more; 4 = helpful, 5 = not helpful"
        }
    ]


def test_marks_outside_the_alphabet_are_told_within_it_only_where_that_halves_the_price():
    assert gsm.plain("“Moss” – 20 × 30 cm… £5 · €6") == '"Moss" - 20 x 30 cm... £5 - €6'
    assert gsm.plain("“港湾” – 20 × 30 cm") == "“港湾” – 20 × 30 cm"
    assert [gsm.segments(text) for text in ("a" * 160, "a" * 161, "€" * 80, "€" * 81, "海" * 70, "海" * 71, "a" * 307)] == [
        1, 2, 1, 2, 1, 2, 3,
    ]  # fmt: skip


def test_every_character_of_the_alphabet_stays_what_it_is():
    assert all(gsm.plain(character) == character for character in gsm.BASIC | gsm.EXTENDED)
    assert len(gsm.BASIC) == 127  # 128 places, of which one is the escape


# --- pictures

JPEG = b"\xff\xd8\xff" + b"0" * 100


def picture(address: str) -> MediaReference:
    return MediaReference("photo", {"url": f"{address}/2010-04-01/Accounts/{ACCOUNT}/Messages/MM1/Media/ME1"})


def test_a_picture_is_fetched_with_our_credentials_and_its_store_is_not_told_them(platform):
    platform.answers = [Told(307, b"", {"Location": f"{platform.address}/stored/1"}), Told(200, JPEG)]
    media = reached_at(platform.address).fetch_media(picture(platform.address), 1000)
    assert (media.content, media.content_type) == (JPEG, "image/jpeg")
    assert ["authorization" in call.headers for call in platform.calls] == [True, False]


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/x", "http://api.twilio.com/x", "https://api.twilio.com.evil.example/x",
        "https://api.twilio.com@evil.example/x", "https://api.twilio.com\\@evil.example/x", "https://eviltwilio.com/x", "/x", "",
    ],
)  # fmt: skip
def test_nothing_is_fetched_elsewhere(platform, elsewhere):
    channel = reached_at(platform.address)
    with pytest.raises(MediaError, match="not at Twilio"):
        channel.fetch_media(MediaReference("photo", {"url": elsewhere}), 1000)
    assert not platform.calls
    platform.answers = [Told(302, b"", {"Location": elsewhere})]
    with pytest.raises(MediaError) as refusal:
        channel.fetch_media(picture(platform.address), 1000)
    assert TOKEN not in str(refusal.value)
    assert len(platform.calls) == 1


def test_a_picture_that_is_too_large_is_not_read_to_its_end(platform):
    platform.answers = [Told(200, JPEG)]
    with pytest.raises(MediaError, match="more than 50 bytes"):
        reached_at(platform.address).fetch_media(picture(platform.address), 50)


# --- setting up


@pytest.mark.parametrize("text", ["bad \x01 mark", "x" * 321])
def test_a_help_text_that_cannot_be_sent_is_not_taken(text):
    with pytest.raises(ValueError, match="help_text"):
        Twilio.prepare_config({**CONFIG, "help_text": text})


def test_an_account_needs_a_number_or_a_service():
    with pytest.raises(ValueError, match="messaging_service_sid"):
        Twilio.prepare_config({"account_sid": ACCOUNT, "auth_token": TOKEN})


def test_the_number_is_told_our_address(platform):
    sid = "PN" + "b" * 32
    platform.answers = [Told(200, {"incoming_phone_numbers": [{"sid": sid}]}), Told(200, {"sid": sid})]
    lines = reached_at(platform.address).connect("https://chat.shop.example/webhooks/twilio/k")
    assert "knows this address" in lines[-1]
    found, told = platform.calls
    assert found.path.endswith("IncomingPhoneNumbers.json?PhoneNumber=%2B15550006789")
    assert dict(parse_qsl(told.body.decode())) == {
        "SmsUrl": "https://chat.shop.example/webhooks/twilio/k", "SmsMethod": "POST",
    }  # fmt: skip


def test_the_service_is_told_our_address(platform):
    service = "MG" + "a" * 32
    lines = reached_at(platform.address, messaging_service_sid=service).connect("https://chat.shop.example/w")
    assert "knows this address" in lines[-1]
    assert platform.calls[0].path == f"/v1/Services/{service}"


@pytest.mark.parametrize(
    "told", [Told(401, {"code": 20003, "message": "Authenticate"}), Told(200, {}), Told(trouble="reset")]
)
def test_an_operator_is_told_what_is_left_to_do(platform: PlatformServer, told):
    platform.answers = [told, told]
    lines = reached_at(platform.address).connect("https://chat.shop.example/w")
    assert "by hand" in lines[-1]
    assert TOKEN not in "".join(lines)


def test_credentials_are_checked_by_the_accounts_own_name(platform):
    platform.answers = [Told(200, {"friendly_name": "Lantern", "status": "active"}), Told(200, {"status": "suspended"})]
    channel = reached_at(platform.address)
    assert vars(channel.check()) == {"ok": True, "detail": "Lantern (active)"}
    assert not channel.check().ok


def test_our_own_number_and_other_services_contacts_are_left_alone(url):
    for contact in (SHOP, "whatsapp:+15551234711", "rcs:brand", ""):
        hears(url, "hello", From=contact)
    assert not InboundEvent.objects.exists()
