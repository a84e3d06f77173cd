"""What Meta's three platforms share: the trial of an address, signatures, errors by number, and files."""

from __future__ import annotations

import json
import random
from typing import Any

import httpx
import pytest
from pywa.utils import webhook_updates_validator

from botcore.channels import http
from botcore.channels.meta.common import cut, event_key, result_of
from botcore.channels.meta.messenger import Instagram, Messenger
from botcore.channels.meta.whatsapp import WhatsApp
from botcore.channels.reactions import verdict_of
from botcore.channels.registry import channel_class
from botcore.channels.values import MalformedBodyError, MediaError, MediaReference, SendResult, WebhookRequest
from botcore.security import seal
from tests.botcore.channels.conformance import _spoiled
from tests.botcore.channels.meta_platform import (
    ACCOUNT,
    APP_SECRET,
    NUMBER,
    PAGE,
    TOKEN,
    VERIFY,
    change,
    message,
    messaging,
    page,
    signed,
    status,
    whatsapp,
    with_body,
)
from tests.botcore.channels.platform import as_json
from tests.factories import AccountFactory, ShopFactory

URL = "https://shop.example/webhooks/whatsapp/key"
SECRETS = {"token": TOKEN, "app_secret": APP_SECRET, "verify_token": VERIFY}
WHATSAPP = WhatsApp({"phone_number_id": NUMBER, **SECRETS}, "key")
MESSENGER = Messenger({"page_id": PAGE, **SECRETS}, "key")
INSTAGRAM = Instagram({"account_id": ACCOUNT, **SECRETS}, "key")
ALL = pytest.mark.parametrize("channel", [WHATSAPP, MESSENGER, INSTAGRAM], ids=lambda channel: channel.name)


def trial(**query: str) -> WebhookRequest:
    return WebhookRequest("GET", URL, {}, {f"hub.{name}": value for name, value in query.items()}, b"", 0.0)


# --- in ---------------------------------------------------------------------------------------------------------------


@ALL
def test_a_trial_with_the_accounts_token_gets_its_challenge_back(channel):
    answer = channel.handshake(trial(mode="subscribe", verify_token=VERIFY, challenge="1158201444"))
    assert (answer.status, answer.body, answer.content_type) == (200, b"1158201444", "text/plain; charset=utf-8")


@ALL
@pytest.mark.parametrize("token", ["", VERIFY[:-1], f"{VERIFY}0", "\ud800", "é"])
def test_a_trial_with_another_token_is_forbidden(channel, token):
    assert channel.handshake(trial(mode="subscribe", verify_token=token, challenge="1")).status == 403


def test_a_trial_of_an_account_without_a_token_or_in_another_mode_is_forbidden():
    assert WhatsApp({}, "key").handshake(trial(mode="subscribe", verify_token="", challenge="1")).status == 403
    assert WHATSAPP.handshake(trial(mode="unsubscribe", verify_token=VERIFY, challenge="1")).status == 403
    assert WHATSAPP.handshake(trial()) is None


@pytest.mark.django_db
@ALL
def test_the_trial_goes_through_the_whole_application(channel, client):
    account = AccountFactory(shop=ShopFactory(), channel=channel.name, sealed_config=seal(channel.config))
    address = f"/webhooks/{channel.name}/{account.key}?hub.mode=subscribe&hub.challenge=77&hub.verify_token="
    assert (client.get(address + VERIFY).status_code, client.get(address + VERIFY).content) == (200, b"77")
    assert client.get(f"{address}wrong").status_code == 403


@pytest.mark.parametrize("body", [b"", b"{}", '{"text": "港湾 大衣 🧥"}'.encode(), b"\xff\x00"])
def test_pywas_verifier_and_ours_agree(body):
    genuine = with_body(signed(URL, {}), body)
    signature = genuine.headers["x-hub-signature-256"]
    assert WHATSAPP.verify(genuine)
    assert webhook_updates_validator(APP_SECRET, body, signature)
    other = with_body(genuine, body + b" ").headers["x-hub-signature-256"]
    assert not webhook_updates_validator(APP_SECRET, body, other)
    assert not WHATSAPP.verify(WebhookRequest("POST", URL, {"x-hub-signature-256": other}, {}, body, 0.0))


def test_nothing_is_genuine_without_a_secret():
    assert not WhatsApp({"app_secret": ""}, "key").verify(signed(URL, {}))


SHAPES: list[tuple[Any, dict[str, Any]]] = [
    (
        WHATSAPP,
        whatsapp(change(message("order", {"catalog_id": "1", "product_items": [{"product_retailer_id": "A"}]}))),
    ),
    (WHATSAPP, whatsapp(change(message("interactive", {"type": "button_reply", "button_reply": {"id": "t"}})))),
    (WHATSAPP, whatsapp(change(message("reaction", {"message_id": "wamid.o", "emoji": "👍"})))),
    (WHATSAPP, whatsapp(change(message("audio", {"id": "1", "voice": True})))),
    (
        WHATSAPP,
        whatsapp(change(message("edit", {"original_message_id": "a", "message": message("text", {"body": "b"})}))),
    ),
    (WHATSAPP, whatsapp(change(statuses=[status("wamid.o", "failed", errors=[{"code": 131026, "title": "no"}])]))),
    (MESSENGER, page(PAGE, messaging(PAGE, reaction={"mid": "m", "action": "react", "reaction": "like"}))),
    (MESSENGER, page(PAGE, messaging(PAGE, postback={"mid": "m", "payload": "t"}))),
    (MESSENGER, page(PAGE, messaging(PAGE, delivery={"mids": ["m"], "watermark": 1}))),
    (MESSENGER, page(PAGE, messaging(PAGE, message_edit={"mid": "m", "text": "a", "num_edit": 1}))),
    (INSTAGRAM, page(ACCOUNT, messaging(ACCOUNT, read={"mid": "m"}), kind="instagram")),
    (
        INSTAGRAM,
        page(
            ACCOUNT,
            messaging(
                ACCOUNT, message={"mid": "m", "attachments": [{"type": "audio", "payload": {"url": "https://a"}}]}
            ),
            kind="instagram",
        ),
    ),
]


@pytest.mark.parametrize(("channel", "value"), SHAPES)
def test_no_shape_put_wrong_breaks_the_reader(channel, value):
    assert channel.parse(signed(URL, value)), "the shape itself says nothing"
    rng = random.Random(20261129)
    for _ in range(1500):
        try:
            received = channel.parse(with_body(signed(URL, {}), _spoiled(as_json(value), rng)))
        except MalformedBodyError:
            continue
        for event in received:
            assert event.event_key
            assert len(event.event_key) <= 190
            json.dumps([dict(event.data), dict(event.address), [media.to_json() for media in event.media]])


def test_long_ids_that_begin_alike_have_keys_of_their_own():
    first, second = (event_key("aWdf" * 50 + end) for end in "ab")
    assert first != second
    assert len(first) == len(second) == 64


@pytest.mark.parametrize(
    ("emoji", "verdict"),
    [("👍", "up"), ("👍🏿", "up"), ("❤️", "up"), ("❤", "up"), ("👎🏻", "down"), ("😂", "")],
)
def test_a_reaction_is_a_verdict_whatever_its_colour(emoji, verdict):
    assert verdict_of(emoji) == verdict


# --- out --------------------------------------------------------------------------------------------------------------


def answered(status_code: int, code: int, words: str = "no", **more: Any) -> SendResult:
    error = {"error": {"message": words, "code": code, **more}}
    return result_of("text", httpx.Response(status_code, json=error), TOKEN)


@pytest.mark.parametrize(
    ("status_code", "code", "subcode", "meaning"),
    [
        (400, 131047, None, "closed"),
        (400, 10, 2018278, "closed"),
        (403, 10, 2534022, "closed"),
        (400, 10, None, "again"),  # a permission that is missing, which is the account's
        (400, 131026, None, "never"),
        (400, 551, 1545041, "never"),
        (403, 200, 1545041, "never"),
        (403, 200, None, "again"),
        (429, 130429, None, "again"),
        (400, 131056, None, "crowded"),
        (400, 80007, None, "again"),
        (400, 613, None, "again"),
        (401, 190, 463, "again"),
        (400, 190, None, "again"),
        (500, 1, None, "again"),
        (503, 2, None, "again"),
        (400, 100, None, "never"),
        (400, 131009, None, "never"),
        (404, 132001, None, "never"),
    ],
)
def test_an_errors_number_says_what_it_means(status_code, code, subcode, meaning):
    result = answered(status_code, code, error_subcode=subcode)
    assert not result.ok
    told = (
        "closed" if result.window_closed
        else "never" if result.permanent
        else "crowded" if result.crowded
        else "again"
    )  # fmt: skip
    assert told == meaning
    assert str(code) in result.error


@pytest.mark.parametrize("body", [{"success": False}, {}, {"error": "odd"}, {"error": {"code": "odd"}}])
def test_an_answer_that_says_no_is_none_whatever_its_status(body):
    result = result_of("webhook", httpx.Response(200, json=body), TOKEN)
    assert (result.ok, result.permanent) == (False, False)


def test_a_closed_window_without_a_known_number_is_told_by_its_words():
    assert answered(400, 10, "(#10) This message is sent outside of allowed window. Learn more").window_closed


def test_a_limit_waits_as_long_as_meta_says():
    usage = {"106": [{"type": "messenger", "call_count": 100, "estimated_time_to_regain_access": 3}]}
    response = httpx.Response(
        400, json={"error": {"code": 80006}}, headers={"X-Business-Use-Case-Usage": json.dumps(usage)}
    )
    assert result_of("text", response, TOKEN).retry_after == 180
    for nonsense in ("", "{", "[]", '{"a": 1}', '{"a": [{}]}', '{"a": [{"estimated_time_to_regain_access": "x"}]}'):
        response = httpx.Response(400, json={"error": {"code": 80006}}, headers={"X-Business-Use-Case-Usage": nonsense})
        assert result_of("text", response, TOKEN).retry_after is None


def test_a_token_that_meta_repeats_is_not_shown():
    token = "EAAG" + "x1Y" * 40
    for shown in (token, token[:50]):
        response = httpx.Response(401, json={"error": {"code": 190, "message": f"Malformed access token {shown}"}})
        error = result_of("text", response, token).error
        assert shown not in error
        assert "Malformed access token ***" in error


def test_what_is_cut_says_so():
    assert cut("Moss jacket", 11) == "Moss jacket"
    assert cut("Moss jacket for rain", 12) == "Moss jacket…"
    assert len(cut("港湾大衣" * 20, 24)) == 24


# --- files ------------------------------------------------------------------------------------------------------------

PHOTO = b"\xff\xd8\xff" + b"0" * 200


@pytest.fixture
def network(monkeypatch):
    """Answers by address, and what was asked with which token."""
    pages: dict[str, httpx.Response] = {}
    asked: list[tuple[str, str]] = []

    def handle(request: httpx.Request) -> httpx.Response:
        address = str(request.url).partition("?")[0]
        asked.append((address, request.headers.get("Authorization", "")))
        return pages.get(address, httpx.Response(404))

    client = httpx.Client(transport=httpx.MockTransport(handle))
    monkeypatch.setattr(http, "client", lambda: client)
    return pages, asked


def photo(url: str, **more: Any) -> httpx.Response:
    return httpx.Response(200, json={"url": url, "mime_type": "image/jpeg", "id": "77", **more})


FILE = "https://lookaside.fbsbx.com/whatsapp_business/attachments/"
NAMED = f"{WhatsApp.api}/77"


def test_a_whatsapp_file_is_found_by_its_id_and_fetched_with_the_token(network):
    pages, asked = network
    pages |= {NAMED: photo(f"{FILE}?mid=77"), FILE: httpx.Response(200, content=PHOTO)}
    media = WHATSAPP.fetch_media(MediaReference("photo", {"id": "77"}), 1000)
    assert (media.content, media.content_type) == (PHOTO, "image/jpeg")
    assert asked == [(NAMED, f"Bearer {TOKEN}"), (FILE, f"Bearer {TOKEN}")]


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/a",
        "http://lookaside.fbsbx.com/a",
        "https://fbsbx.com.evil.example/a",
        "https://evilfbsbx.com/a",
        "https://a@evil.example/fbsbx.com",
        "https://lookaside.fbsbx.com\\@evil.example/a",
        "http://169.254.169.254/latest",
        "",
    ],
)
def test_the_token_travels_to_metas_hosts_alone(network, url):
    pages, asked = network
    pages[NAMED] = photo(url)
    with pytest.raises(MediaError, match="not an address of Meta's"):
        WHATSAPP.fetch_media(MediaReference("photo", {"id": "77"}), 1000)
    with pytest.raises(MediaError, match="not an address of Meta's"):
        MESSENGER.fetch_media(MediaReference("photo", {"url": url}), 1000)
    assert [address for address, _ in asked] == [NAMED]


def test_a_file_above_the_limit_is_not_read(network):
    pages, asked = network
    pages |= {NAMED: photo(FILE, file_size=5000), FILE: httpx.Response(200, content=PHOTO * 20)}
    with pytest.raises(MediaError, match="more than 1000 bytes"):
        WHATSAPP.fetch_media(MediaReference("photo", {"id": "77"}), 1000)
    assert len(asked) == 1
    pages[NAMED] = photo(FILE, file_size=10)  # a lie
    with pytest.raises(MediaError, match="more than 1000 bytes"):
        WHATSAPP.fetch_media(MediaReference("photo", {"id": "77"}), 1000)


@pytest.mark.parametrize("media_id", ["", "../me", "77?fields=a", "77/x"])
def test_an_id_that_is_none_asks_nothing(network, media_id):
    with pytest.raises(MediaError):
        WHATSAPP.fetch_media(MediaReference("photo", {"id": media_id}), 1000)
    assert network[1] == []


def test_a_messenger_file_is_fetched_without_the_token(network):
    pages, asked = network
    url = "https://scontent.xx.fbcdn.net/v/1.jpg"
    pages[url] = httpx.Response(200, content=PHOTO)
    assert MESSENGER.fetch_media(MediaReference("photo", {"url": url}), 1000).content == PHOTO
    assert asked == [(url, "")]


# --- setting up -------------------------------------------------------------------------------------------------------


def test_a_verify_token_is_made_where_none_is_given():
    config = {"phone_number_id": NUMBER, "token": TOKEN, "app_secret": APP_SECRET}
    first, second = (channel_class("whatsapp").prepare_config(config)["verify_token"] for _ in range(2))
    assert len(first) == 40
    assert first != second


@ALL
@pytest.mark.parametrize("answer", ["own", "other", "refused"])
def test_a_check_tells_whether_the_token_is_the_accounts(network, channel, answer):
    pages, _ = network
    path = NUMBER if channel is WHATSAPP else "me"
    field = "user_id" if channel is INSTAGRAM else "id"
    told = {
        "own": httpx.Response(200, json={field: channel.account_id}),
        "other": httpx.Response(200, json={field: "999"}),
        "refused": httpx.Response(401, json={"error": {"code": 190, "message": "expired"}}),
    }
    pages[f"{channel.api}/{path}"] = told[answer]
    check = channel.check()
    assert check.ok == (answer == "own")
    assert {"own": channel.account_id, "other": "not that of", "refused": "190 expired"}[answer] in check.detail


@ALL
def test_connecting_says_what_is_to_be_pasted_where(network, channel):
    lines = "\n".join(channel.connect("https://shop.example/webhooks/x"))
    assert "https://shop.example/webhooks/x" in lines
    assert VERIFY in lines, "it could not be registered, so it is to be pasted"
    assert TOKEN not in lines
    assert APP_SECRET not in lines


@pytest.mark.parametrize("channel", [MESSENGER, INSTAGRAM], ids=lambda channel: channel.name)
def test_connecting_subscribes_the_account_to_the_app(network, channel):
    pages, asked = network
    address = f"{channel.api}/me/subscribed_apps"
    assert "do not go to the app yet" in channel.connect("https://shop.example/webhooks/x")[-1]
    pages[address] = httpx.Response(200, json={"success": True})
    assert channel.connect("https://shop.example/webhooks/x")[-1].endswith("the account's messages go to the app")
    assert asked == [(address, f"Bearer {TOKEN}")] * 2


def test_whatsapp_is_told_the_address_of_this_number(network):
    pages, asked = network
    config = {**WHATSAPP.config, "business_account_id": "102290129340398"}
    subscribed, number = f"{WhatsApp.api}/102290129340398/subscribed_apps", f"{WhatsApp.api}/{NUMBER}"
    pages |= {address: httpx.Response(200, json={"success": True}) for address in (subscribed, number)}
    lines = WhatsApp(config, "key").connect("https://shop.example/webhooks/x")
    assert [address for address, _ in asked] == [subscribed, number]
    assert "knows this address" in lines[-1]
    asked.clear()
    assert "https addresses only" in WhatsApp(config, "key").connect("http://localhost/webhooks/x")[-1]
    assert asked == []


def test_a_template_needs_its_language():
    config = {"phone_number_id": NUMBER, "token": TOKEN, "app_secret": APP_SECRET, "template_name": "come_back"}
    with pytest.raises(ValueError, match="both"):
        WhatsApp.prepare_config(config)
    assert WhatsApp.prepare_config({**config, "template_language": "en_US"})["template_language"] == "en_US"
