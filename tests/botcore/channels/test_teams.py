"""Microsoft Teams: whom we believe, what activities mean, what a reply looks like there, and what becomes of a call."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import jwt
import pytest
from django.test import Client

from botcore.channels import http
from botcore.channels.teams import tokens
from botcore.channels.teams.channel import Teams
from botcore.channels.values import (
    Card,
    Choice,
    MalformedBodyError,
    MediaError,
    MediaReference,
    OutboundMessage,
    ReceivedEvent,
    Recipient,
)
from botcore.models import Feedback
from botcore.security import seal
from tests.botcore.channels import microsoft
from tests.botcore.channels.conformance import CARDS, KEY, MESSAGE
from tests.botcore.channels.microsoft import (
    APP,
    BOT,
    GRANTED,
    KEYS,
    METADATA,
    PERSONAL,
    SERVICE,
    TENANT,
    TOKENS,
    USER,
    activity,
    called,
    public_key,
    publish,
    token,
    with_token,
)
from tests.botcore.channels.platform import PlatformServer, Told, as_json, delivery, platform_server, post
from tests.factories import AccountFactory, ContactFactory, ConversationFactory, TurnFactory

PASSWORD = "a~client.secret-of-the-bot"
CONFIG = {"app_id": APP, "app_password": PASSWORD, "tenant": TENANT}
TEAMS = Teams(CONFIG, "key")
URL = "https://shop.example/webhooks/teams/key"
ADDRESS = {"service": SERVICE, "conversation": PERSONAL, "bot": BOT, "user": USER}
HERE = Recipient(USER, ADDRESS, None)
GROUP = "19:group@thread.tacv2"


def parsed(kind: str = "message", **fields: Any) -> list[ReceivedEvent]:
    return TEAMS.parse(delivery(URL, as_json(activity(kind, **fields)), {}))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PlatformServer]:
    """Microsoft: its signing keys, our tokens, and its connector."""
    quick = httpx.Client(timeout=2)
    monkeypatch.setattr(http, "client", lambda: quick)
    monkeypatch.setattr(tokens, "_granted", {})
    tokens.keys_at.cache_clear()  # a port may be another test's, whose keys were no good
    with quick, platform_server(Told(201, {"id": "1:9"})) as running:
        publish(running)
        running.pages[TOKENS] = GRANTED
        yield running


def believing(server: PlatformServer) -> Teams:
    return Teams({**CONFIG, "openid_url": server.address + METADATA}, "key")


def at(server: PlatformServer) -> Teams:
    return Teams({**CONFIG, "api_base_url": server.address}, "key")


def asks(server: PlatformServer, path: str) -> int:
    """How often an address was asked."""
    return [call.path for call in server.calls].count(path)


# --- whom we believe


def test_a_genuine_call_is_believed(server):
    assert believing(server).verify(called(URL, activity(text="hi")))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://sts.windows.net/72f988bf/"},
        {"iss": None},
        {"aud": "another-bot"},
        {"aud": None},
        {"exp": None},
        {"ends": -301},
        {"begins": 302},
        {"exp": "soon"},
        {"exp": {}},
        {"nbf": []},
        {"serviceurl": "https://evil.example/"},
        {"serviceurl": None},
        {"serviceurl": 7},
        {"serviceurl": SERVICE.rstrip("/")},
        {"key": "key-of-a-stranger"},
        {"key": "key-of-a-stranger", "headers": {"kid": microsoft.KEY_ID}},
        {"headers": {"kid": ["key-1"]}},
    ],
)
def test_a_token_that_is_not_for_this_call_is_refused(server, claims):
    request = delivery(URL, as_json(activity(text="hi")), {})
    try:
        bearer = token(request.at, **claims)
    except (TypeError, jwt.PyJWTError):  # PyJWT makes no such token: it is put together by hand
        bearer = _by_hand(request.at, claims)
    assert not believing(server).verify(with_token(request, bearer))


@pytest.mark.parametrize(
    ("right", "claims"),
    [
        (True, {}),
        (True, {"ends": -200}),
        (False, {"ends": -320}),
        (True, {"begins": 280}),
        (False, {"begins": 900}),
        (False, {"aud": "another-bot"}),
        (False, {"iss": "https://evil.example"}),
        (False, {"key": "key-of-a-stranger", "headers": {"kid": microsoft.KEY_ID}}),
    ],
)
def test_microsofts_own_validator_judges_a_token_as_we_do(server, monkeypatch, right, claims):
    authorization = pytest.importorskip("microsoft_agents.hosting.core.authorization")
    module = pytest.importorskip("microsoft_agents.hosting.core.authorization.jwt.jwt_token_validator")
    monkeypatch.setattr(module, "_build_jwks_uri", lambda *_: server.address + KEYS)
    configuration = authorization.AgentAuthConfiguration(client_id=APP, tenant_id=TENANT, validate_issuer=True)
    request = called(URL, activity(text="hi"), **claims)
    bearer = request.headers["authorization"].removeprefix("Bearer ")
    try:
        asyncio.run(module.JwtTokenValidator(configuration).validate_token(bearer))
        theirs = True
    except (jwt.PyJWTError, ValueError):
        theirs = False
    assert (believing(server).verify(request), theirs) == (right, right)


def test_a_clock_may_be_five_minutes_off(server):
    assert believing(server).verify(called(URL, activity(text="hi"), ends=-290))
    assert believing(server).verify(called(URL, activity(text="hi"), begins=290))


def test_only_rs256_is_taken(server):
    request = delivery(URL, as_json(activity(text="hi")), {})
    secret = public_key()["n"]
    claims = {"serviceurl": SERVICE, "iss": "https://api.botframework.com", "aud": APP, "exp": int(request.at) + 600}
    header = {"kid": microsoft.KEY_ID}
    for bearer in (
        jwt.encode(claims, None, algorithm="none", headers=header),
        jwt.encode(claims, secret, algorithm="HS256", headers=header),
        jwt.encode(claims, microsoft.signing_key(microsoft.KEY_ID), algorithm="RS512", headers=header),
        jwt.encode(claims, microsoft.signing_key(microsoft.KEY_ID), algorithm="PS256", headers=header),
    ):
        assert not believing(server).verify(with_token(request, bearer))
    assert believing(server).verify(
        with_token(request, jwt.encode(claims, microsoft.signing_key(microsoft.KEY_ID), "RS256", header))
    )


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic abc", "Bearer a.b.c", "Bearer é.é.é", "Bearer ..", "\0"]
)
def test_a_header_of_no_sense_is_refused_and_fetches_nothing(server, header):
    request = called(URL, activity(text="hi"))
    assert not believing(server).verify(replace(request, headers={**request.headers, "authorization": header}))
    assert server.calls == []


def test_a_body_that_names_another_service_or_channel_is_refused(server):
    genuine = called(URL, activity(text="hi"))
    for body in (
        activity(serviceUrl="https://evil.example/"),
        activity(channelId="webchat"),
        activity(channelId=None),
        7,
    ):
        assert not believing(server).verify(replace(genuine, body=as_json(body)))


def test_a_key_signs_for_the_channels_it_is_endorsed_for(server):
    server.pages[KEYS] = Told(200, {"keys": [public_key(endorsements=["webchat"])]})
    assert not believing(server).verify(called(URL, activity(text="hi")))


def test_another_channel_of_the_bot_framework_is_no_teams():
    assert parsed(text="hi", channelId="directline") == []


def test_keys_are_fetched_once_and_again_for_a_new_one_but_not_for_every_stranger(server):
    teams, now = believing(server), time.time()
    for number in range(5):
        assert teams.verify(called(URL, activity(text="hi", number=number)))
    assert asks(server, KEYS) == 1
    stranger = delivery(URL, as_json(activity(text="hi")), {}, now)
    for _ in range(5):
        assert not teams.verify(with_token(stranger, token(now, key="key-2")))
    assert asks(server, KEYS) == 1
    server.pages[KEYS] = Told(200, {"keys": [public_key("key-2")]})
    later = delivery(URL, stranger.body, {}, now + 61)
    assert teams.verify(with_token(later, token(now + 61, key="key-2")))
    assert not teams.verify(with_token(later, token(now + 61)))
    assert asks(server, KEYS) == 2


def test_who_comes_while_the_keys_are_fetched_waits_for_them(server, monkeypatch):
    call, body, now = http.call, as_json(activity(text="hi")), time.time()

    def slow(*args: Any, **options: Any) -> Any:
        time.sleep(0.1)
        return call(*args, **options)

    monkeypatch.setattr(http, "call", slow)
    teams, request = believing(server), with_token(delivery(URL, body, {}, now), token(now))
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda _: teams.verify(request), range(8)))
    assert asks(server, KEYS) == 1


@pytest.mark.parametrize(
    "broken",
    [
        {METADATA: Told(500, {})},
        {METADATA: Told(200, b"<html>")},
        {METADATA: Told(200, {"jwks_uri": 7})},
        {METADATA: Told(trouble="reset")},
        {KEYS: Told(500, {})},
        {KEYS: Told(200, {"keys": "none"})},
        {
            KEYS: Told(
                200, {"keys": [None, 7, {}, {"kty": "RSA"}, {"kty": "RSA", "kid": "key-1", "n": "!", "e": "AQAB"}]}
            )
        },
        {KEYS: Told(200, {"keys": [{"kty": "oct", "kid": "key-1", "k": "c2VjcmV0", "endorsements": ["msteams"]}]})},
        {KEYS: Told(200, {"keys": [{**public_key(), "endorsements": None}]})},
    ],
)
def test_without_keys_nobody_is_believed(server, broken):
    kept = dict(server.pages)
    server.pages.update(broken)
    teams, now, body = believing(server), time.time(), as_json(activity(text="hi"))

    def believed(at_time: float) -> bool:
        return teams.verify(with_token(delivery(URL, body, {}, at_time), token(at_time)))

    assert not believed(now)
    server.pages.update(kept)
    assert not believed(now + 4)
    assert believed(now + 6)


def test_old_keys_are_renewed_and_serve_no_longer_than_a_day(server):
    teams, now = believing(server), time.time()
    body = as_json(activity(text="hi"))

    def believed(at_time: float) -> bool:
        return teams.verify(with_token(delivery(URL, body, {}, at_time), token(at_time)))

    assert believed(now)
    assert believed(now + 13 * 3600)
    assert asks(server, KEYS) == 2
    server.pages[KEYS] = Told(500, {})
    assert believed(now + 26 * 3600)
    assert not believed(now + 38 * 3600)


def test_the_sovereign_cloud_has_its_own_issuer(server):
    american = Teams({**CONFIG, "cloud": "us", "openid_url": server.address + METADATA}, "key")
    assert american.verify(called(URL, activity(text="hi"), iss="https://api.botframework.us"))
    assert not american.verify(called(URL, activity(text="hi")))


# --- in


def test_a_message_brings_where_it_is_to_be_answered():
    (found,) = parsed(text="a green jacket")
    assert (found.kind, found.text, found.contact_id) == ("text", "a green jacket", USER)
    assert (found.contact_name, found.language, found.address) == ("Ada Byron", "en", ADDRESS)


def test_the_bots_name_is_not_part_of_what_is_said():
    mention = {"type": "mention", "mentioned": {"id": BOT, "name": "Lantern"}, "text": "<at>Lantern</at>"}
    other = {"type": "mention", "mentioned": {"id": "29:2", "name": "Grace"}, "text": "<at>Grace</at>"}
    text = "<at>Lantern</at>&nbsp;a coat for <at>Grace</at> &amp; me &lt;3"
    (found,) = parsed(text=text, entities=[mention, other, {"type": "clientInfo", "locale": "en-GB"}])
    assert found.text == "a coat for Grace & me <3"


def test_in_a_group_only_what_is_said_to_the_bot_counts_and_the_same_person_is_another_contact():
    group = {"id": f"{GROUP};messageid=1616990032035", "conversationType": "channel", "isGroup": True}
    mention = {"type": "mention", "mentioned": {"id": BOT}, "text": "<at>Lantern</at>"}
    assert parsed(text="lunch?", conversation=group) == []
    (found,) = parsed(text="<at>Lantern</at> a coat", entities=[mention], conversation=group)
    assert (found.text, found.address["conversation"]) == ("a coat", group["id"])
    assert found.contact_id != USER
    thread = {**group, "id": f"{GROUP};messageid=2"}
    assert parsed(text="<at>Lantern</at>", entities=[mention], conversation=thread)[0].contact_id == found.contact_id
    untyped = {"id": GROUP, "isGroup": True}
    assert parsed(text="lunch?", conversation=untyped) == []


def test_our_own_messages_and_notes_of_the_conversation_are_left_alone():
    assert parsed(text="hi", **{"from": {"id": BOT, "name": "Lantern"}}) == []
    assert parsed(text="hi", **{"from": {"id": "28:x", "role": "bot"}}) == []
    for kind in ("conversationUpdate", "installationUpdate", "typing", "messageDelete", "event"):
        assert parsed(kind, membersAdded=[{"id": USER}]) == []


def test_an_edit_is_told_from_its_message_and_from_another_edit():
    data = {"eventType": "editMessage"}
    first, second = (
        parsed("messageUpdate", text=text, channelData=data)[0] for text in ("a blue jacket", "a red jacket")
    )
    message = parsed(text="a green jacket")[0]
    assert (first.kind, first.text, first.data) == ("edit", "a blue jacket", message.data)
    assert len({first.event_key, second.event_key, message.event_key}) == 3
    assert parsed("messageUpdate", text="back", channelData={"eventType": "undeleteMessage"}) == []


@pytest.mark.parametrize(
    ("added", "removed", "verdict"),
    [
        (["like"], [], "up"), (["heart"], [], "up"), (["angry"], [], "down"), ([], ["like"], "none"),
        (["surprised"], [], None), (["laugh"], ["like"], "none"), ([], ["sad"], None),
    ],
)  # fmt: skip
def test_a_reaction_is_an_opinion_of_one_message(added, removed, verdict):
    lists = {
        "reactionsAdded": [{"type": kind} for kind in added],
        "reactionsRemoved": [{"type": kind} for kind in removed],
    }
    found = parsed("messageReaction", replyToId="1:9", **lists)
    assert [dict(one.data) for one in found] == ([{"verdict": verdict, "platform_id": "1:9"}] if verdict else [])


@pytest.mark.parametrize(
    ("feedback", "text"),
    [
        ('{"feedbackText": "too dear"}', "too dear"),
        ({"feedbackText": "dear"}, "dear"),
        ("[[", ""),
        (None, ""),
        ("7", ""),
    ],
)
def test_teams_own_thumbs_bring_what_was_written_beside_them(feedback, text):
    value = {"actionName": "feedback", "actionValue": {"reaction": "dislike", "feedback": feedback}}
    (found,) = parsed("invoke", name="message/submitAction", value=value, replyToId="1:9")
    assert (found.kind, found.text, found.data["verdict"]) == ("reaction", text, "down")
    assert parsed("invoke", name="task/fetch", value=value, replyToId="1:9") == []


@pytest.mark.django_db
def test_an_invoke_is_answered_with_a_body_and_its_words_are_kept(server, shop):
    config = {**CONFIG, "openid_url": server.address + METADATA}
    account = AccountFactory(shop=shop, channel="teams", sealed_config=seal(config))
    contact = ContactFactory(account=account, external_id=USER)
    turn = TurnFactory(conversation=ConversationFactory(shop=shop, contact=contact))
    turn.conversation.outbound.create(turn=turn, content={}, platform_ids=["1:9"])
    value = {
        "actionName": "feedback",
        "actionValue": {"reaction": "dislike", "feedback": '{"feedbackText": "too dear"}'},
    }
    said = activity("invoke", name="message/submitAction", value=value, replyToId="1:9")
    response = post(Client(), called(f"https://x.example/webhooks/teams/{account.key}", said))
    assert (response.status_code, response.json()) == (200, {})
    assert [(row.turn, row.kind, row.text) for row in Feedback.objects.all()] == [(turn, "down", "too dear")]


def test_pictures_and_files_are_kept_and_the_words_again_as_html_are_not():
    attachments = [
        {"contentType": "image/*", "contentUrl": f"{SERVICE}v3/attachments/0/views/original"},
        {
            "contentType": "application/vnd.microsoft.teams.file.download.info",
            "content": {"downloadUrl": "https://lantern.sharepoint.com/a?tempauth=x", "fileType": "PNG"},
        },
        {
            "contentType": "application/vnd.microsoft.teams.file.download.info",
            "content": {"downloadUrl": "https://lantern.sharepoint.com/b", "fileType": "pdf"},
        },
        {"contentType": "text/html", "content": "<p>like this?</p>"},
    ]
    (found,) = parsed(text="like this?", attachments=attachments)
    assert (found.kind, [media.kind for media in found.media]) == ("media", ["photo", "photo"])
    assert found.media[1].reference["url"] == "https://lantern.sharepoint.com/a?tempauth=x"


@pytest.mark.parametrize("fields", [{"from": {}}, {"conversation": None}, {"recipient": {"id": 7}}, {"id": None}])
def test_an_activity_without_its_parts_is_refused(fields):
    with pytest.raises(MalformedBodyError):
        parsed(text="hi", **fields)


# --- out


def test_a_reply_is_a_text_with_a_carousel_of_cards_and_teams_own_thumbs():
    card = Card("J-1", "Moss *jacket*", "$89.00", "Waxed", "https://cdn.example/j.jpg", "https://shop.example/j",
                Choice("tok-1", 1))  # fmt: skip
    shown = OutboundMessage("Light.", 31, "en", (card,), up=Choice("tok-up", 2), down=Choice("tok-down", 3))

    def line(text: str, **style: Any) -> dict[str, Any]:
        return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}

    assert TEAMS.render(shown) == [
        {
            "type": "message",
            "textFormat": "plain",
            "text": "Light.",
            "attachmentLayout": "carousel",
            "attachments": [
                {
                    "contentType": "application/vnd.microsoft.card.adaptive",
                    "content": {
                        "type": "AdaptiveCard",
                        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                        "version": "1.5",
                        "body": [
                            {
                                "type": "Image",
                                "url": "https://cdn.example/j.jpg",
                                "altText": "Moss *jacket*",
                                "size": "Stretch",
                            },
                            line("Moss *jacket*", weight="Bolder", size="Medium"),
                            line("$89.00", weight="Bolder"),
                            line("Waxed", isSubtle=True),
                        ],
                        "actions": [
                            {"type": "Action.Submit", "title": "Tell me more", "data": {"token": "tok-1"}},
                            {"type": "Action.OpenUrl", "title": "Open in shop", "url": "https://shop.example/j"},
                        ],
                    },
                }
            ],
            "channelData": {"feedbackLoopEnabled": True},
        }
    ]


def test_what_no_person_may_judge_has_no_thumbs():
    assert all("channelData" not in payload for payload in TEAMS.render(OutboundMessage("Hello.", 0, "en", CARDS)))


def test_more_cards_than_a_carousel_takes_follow_in_another():
    payloads = TEAMS.render(replace(MESSAGE, cards=CARDS * 5))
    assert [len(payload["attachments"]) for payload in payloads] == [10, 5]
    assert ["channelData" in payload for payload in payloads] == [False, True]


def test_microsofts_own_models_read_what_we_send():
    models = pytest.importorskip("microsoft_agents.activity")
    for payload in TEAMS.render(replace(MESSAGE, cards=CARDS * 5)):
        read = models.Activity.model_validate(payload)
        assert (read.type, read.attachment_layout) == ("message", "carousel")
        assert all(one.content_type == "application/vnd.microsoft.card.adaptive" for one in read.attachments)


def test_microsofts_own_models_read_what_we_are_sent_as_we_do():
    models = pytest.importorskip("microsoft_agents.activity")
    read = models.Activity.model_validate(activity(text="a green jacket"))
    (found,) = parsed(text="a green jacket")
    assert (read.from_property.id, read.text, read.service_url) == (
        found.contact_id,
        found.text,
        found.address["service"],
    )


def test_a_message_goes_to_its_conversation_with_a_token_of_ours(server):
    teams = at(server)
    conversation = f"{GROUP};messageid=16"
    place = Recipient("x", {**ADDRESS, "conversation": conversation}, None)
    assert teams.send(place, TEAMS.render(OutboundMessage("Hello.", 7))[0], KEY).platform_id == "1:9"
    assert teams.send(place, TEAMS.render(OutboundMessage("Again.", 7))[0], KEY).ok
    granted, sent, again = server.calls
    assert granted.path == TOKENS
    assert sorted(granted.body.decode().split("&")) == [
        f"client_id={APP}",
        "client_secret=a~client.secret-of-the-bot",
        "grant_type=client_credentials",
        "scope=https%3A%2F%2Fapi.botframework.com%2F.default",
    ]
    assert (sent.method, sent.path) == (
        "POST",
        "/v3/conversations/19%3Agroup%40thread.tacv2%3Bmessageid%3D16/activities",
    )
    assert sent.headers["authorization"] == again.headers["authorization"] == "Bearer granted-token"
    assert sent.json == {
        "type": "message",
        "textFormat": "plain",
        "text": "Hello.",
        "from": {"id": BOT},
        "recipient": {"id": USER},
        "conversation": {"id": conversation},
    }


def test_a_refused_token_is_asked_for_anew(server):
    teams = at(server)
    server.answers = [Told(401, {})]
    result = teams.send(HERE, {"type": "message", "text": "Hello."}, KEY)
    assert (result.ok, result.permanent) == (False, False)
    assert teams.send(HERE, {"type": "message", "text": "Hello."}, KEY).ok
    assert asks(server, TOKENS) == 2


@pytest.mark.parametrize("seconds", [0, 300, "299", None, "soon"])
def test_a_token_about_to_end_is_not_kept(server, seconds):
    server.pages[TOKENS] = Told(200, {"access_token": "granted-token", "expires_in": seconds})
    for _ in range(2):
        assert at(server).send(HERE, {"type": "message", "text": "Hello."}, KEY).ok
    assert asks(server, TOKENS) == 2


@pytest.mark.parametrize(
    "told",
    [
        Told(401, {"error": "invalid_client", "error_description": f"AADSTS7000215: Invalid secret {PASSWORD}"}),
        Told(400, {"error": "unauthorized_client"}),
        Told(200, {"access_token": ""}),
        Told(500, b"oops"),
        Told(trouble="reset"),
    ],
)
def test_an_account_without_a_token_gives_up_no_message(server, told):
    server.pages[TOKENS] = told
    result = at(server).send(HERE, {"type": "message", "text": "Hello."}, KEY)
    assert (result.ok, result.permanent, PASSWORD in result.error) == (False, False, False)
    check = at(server).check()
    assert (check.ok, PASSWORD in check.detail) == (False, False)


@pytest.mark.parametrize(
    ("told", "permanent", "waits"),
    [
        (Told(403, {"error": {"code": "ConversationBlockedByUser"}}), True, None),
        (Told(403, {"error": {"code": "BotNotInConversationRoster"}}), True, None),
        (Told(404, {"error": {"code": "ConversationNotFound"}}), True, None),
        (Told(413, {"error": {"code": "MessageSizeTooBig"}}), True, None),
        (Told(412, {}), False, None),
        (Told(502, b"gone"), False, None),
        (Told(429, {}, {"Retry-After": "9"}), False, 9),
    ],
)
def test_what_an_error_means(server, told, permanent, waits):
    server.answers = [told]
    result = at(server).send(HERE, {"type": "message", "text": "Hello."}, KEY)
    assert (result.ok, result.permanent, result.retry_after) == (False, permanent, waits)


@pytest.mark.parametrize("service", ["", "http://smba.trafficmanager.net/emea/", "ftp://x", "https://", "smba"])
def test_nothing_is_said_but_where_microsoft_called_from_and_by_https(service):
    result = TEAMS.send(Recipient(USER, {**ADDRESS, "service": service}, None), {"type": "message"}, KEY)
    assert (result.ok, result.permanent) == (False, True)


def test_typing_and_edits_have_their_own_calls(server):
    at(server).typing(HERE)
    at(server).edit(HERE, "1:9", {"type": "message", "text": "Hello."})
    _, typing, edit = server.calls
    assert (typing.method, typing.json) == ("POST", {"type": "typing"})
    assert (edit.method, edit.path) == ("PUT", "/v3/conversations/a%3A1personal-conversation/activities/1%3A9")


def test_a_picture_of_the_service_is_fetched_with_our_token(server):
    server.success = Told(200, b"\x89PNG\r\n\x1a\n....")
    picture = MediaReference("photo", {"url": f"{server.address}/v3/attachments/0/views/original", "service": SERVICE})
    assert at(server).fetch_media(picture, 100).content_type == "image/png"
    assert server.calls[-1].headers["authorization"] == "Bearer granted-token"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/a.png",
        "http://smba.trafficmanager.net/a.png",
        "https://smba.trafficmanager.net.evil.example/a.png",
        "https://evilsharepoint.com/a",
        "https://evil.example\\.sharepoint.com/a",
        "http://169.254.169.254/latest/meta-data",
        "https://[",
        "",
    ],
)
def test_the_token_travels_nowhere_else_and_we_fetch_nothing_there(url, server):
    with pytest.raises(MediaError, match="not an address of Teams"):
        TEAMS.fetch_media(MediaReference("photo", {"url": url, "service": SERVICE}), 100)
    assert server.calls == []


def _by_hand(at_time: float, claims: dict[str, Any]) -> str:
    """A token with claims or headers that PyJWT refuses to write, signed all the same."""
    import base64

    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    def part(value: Any) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    given = {name: value for name, value in claims.items() if name != "headers"}
    named = {
        "serviceurl": SERVICE,
        "iss": "https://api.botframework.com",
        "aud": APP,
        "exp": int(at_time) + 600,
        **given,
    }
    signed = part({"alg": "RS256", "kid": microsoft.KEY_ID, **claims.get("headers", {})}) + b"." + part(named)
    signature = microsoft.signing_key(microsoft.KEY_ID).sign(signed, PKCS1v15(), SHA256())
    return (signed + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def test_a_token_made_by_hand_is_believed_where_it_is_right(server):
    request = delivery(URL, as_json(activity(text="hi")), {})
    assert believing(server).verify(with_token(request, _by_hand(request.at, {})))
