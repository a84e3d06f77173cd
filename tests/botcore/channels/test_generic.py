"""What is particular to a shop's own app: the published contract is kept both ways, and our own network stays ours."""

from __future__ import annotations

import datetime
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from botcore.channels import http
from botcore.channels.generic.channel import Generic
from botcore.channels.generic.views import contract
from botcore.channels.values import MediaError, MediaReference, OutboundMessage, Recipient
from botcore.models import ChannelAccount, Contact, InboundEvent, Turn
from botcore.security import seal
from tests.botcore.channels.conformance import CARDS, KEY, MESSAGE
from tests.botcore.channels.platform import PlatformServer, Told, as_json, platform_server, post, with_header
from tests.botcore.channels.test_generic_conformance import CONFIG, CONTACT, REPLY_SECRET, SECRET, signed, told
from tests.factories import AccountFactory

pytestmark = pytest.mark.django_db

PUBLIC, PRIVATE = "93.184.215.14", "10.0.0.7"


@pytest.fixture
def account() -> ChannelAccount:
    return AccountFactory(channel="generic", sealed_config=seal(Generic.prepare_config(CONFIG)))


@pytest.fixture
def url(account: ChannelAccount, settings: Any) -> str:
    return f"{settings.PUBLIC_URL}/webhooks/generic/{account.key}"


@pytest.fixture
def app() -> Iterator[PlatformServer]:
    with platform_server(Told(200, {})) as server:
        yield server


def replying_to(address: str, **more: str) -> Generic:
    config = {**CONFIG, "reply_url": address, "allow_private": "yes", **more}
    return Generic(Generic.prepare_config({name: value for name, value in config.items() if value}), "account-key")


def said(channel: Generic, message: OutboundMessage = MESSAGE) -> Any:
    return channel.send(Recipient("4711"), channel.render(message)[0], KEY)


# --- the contract


def resolve(schema: Any) -> Any:
    return contract()["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


KINDS = {"string": str, "integer": int, "array": list, "object": dict}


def faults(value: Any, schema: Any, at: str = "") -> list[str]:
    """Where a value is not what a schema of the contract says: the keywords that it uses, and no name it does not have."""
    schema = resolve(schema)
    known = {"type", "properties", "required", "items", "const", "enum", "minLength", "maxLength", "maxItems", "minimum",
             "pattern", "oneOf", "description", "format", "discriminator"}  # fmt: skip
    assert set(schema) <= known, f"{set(schema) - known} of {at} is not looked at"
    if "oneOf" in schema:
        return [] if sum(not faults(value, each, at) for each in schema["oneOf"]) == 1 else [f"{at}: none or several"]
    if "type" in schema and (not isinstance(value, KINDS[schema["type"]]) or isinstance(value, bool)):
        return [f"{at} is no {schema['type']}"]
    wrong = [
        "const" in schema and value != schema["const"],
        "enum" in schema and value not in schema["enum"],
        len(value) < schema.get("minLength", 0) if isinstance(value, str) else False,
        len(value) > schema.get("maxLength", 10**9) if isinstance(value, str) else False,
        len(value) > schema.get("maxItems", 10**9) if isinstance(value, list) else False,
        value < schema.get("minimum", 0) if isinstance(value, int) else False,
        "pattern" in schema and not re.search(schema["pattern"], value),
    ]
    found = [f"{at} = {value!r}"] if any(wrong) else []
    if isinstance(value, dict) and "properties" in schema:
        found += [f"{at}.{name} is missing" for name in schema.get("required", ()) if name not in value]
        found += [f"{at}.{name} is unknown" for name in value if name not in schema["properties"]]
        for name in set(value) & set(schema["properties"]):
            found += faults(value[name], schema["properties"][name], f"{at}.{name}")
    if isinstance(value, list) and "items" in schema:
        found += [
            fault for index, item in enumerate(value) for fault in faults(item, schema["items"], f"{at}[{index}]")
        ]
    return found


def content(operation: Any) -> Any:
    return operation["post"]["requestBody"]["content"]["application/json"]


INBOUND = content(contract()["paths"]["/webhooks/generic/{key}"])
OUTBOUND = {name: content(operation) for name, operation in contract()["webhooks"].items()}
STORED = {
    "message": "text", "photo": "media", "voice": "media", "edit": "edit", "choice": "button", "reaction": "reaction",
    "receipt": None, "reset": "reset", "stop": "stop", "start": "start",
}  # fmt: skip


def test_the_contract_is_public_and_names_this_server(client, settings):
    response = client.get("/webhooks/generic/openapi.json")
    assert (response.status_code, response["Access-Control-Allow-Origin"]) == (200, "*")
    described = response.json()
    assert described["openapi"].startswith("3.1")
    assert described["servers"] == [{"url": settings.PUBLIC_URL}]
    assert set(described["webhooks"]) == {"reply", "test"}
    assert client.post("/webhooks/generic/openapi.json").status_code == 405


def test_every_reference_in_the_contract_leads_somewhere():
    text = json.dumps(contract())
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', text)) | set(re.findall(r': "#/([^"]+)"', text)):
        place = contract()
        for name in reference.split("/"):
            place = place[name]


@pytest.mark.parametrize("name", STORED)
def test_every_example_keeps_the_schema_and_is_stored_as_what_it_says(url, name):
    example = INBOUND["examples"][name]["value"]
    assert faults(example, INBOUND["schema"]) == []
    assert post(Client(), signed(url, as_json(example))).status_code == 200
    kinds = list(InboundEvent.objects.values_list("kind", flat=True))
    assert kinds == ([STORED[name]] if STORED[name] else [])
    assert set(INBOUND["examples"]) == set(STORED)


@pytest.mark.parametrize("name", STORED)
def test_what_an_example_must_have_is_refused_without_it(url, name):
    """Schema and reader agree on what is a must."""
    example = INBOUND["examples"][name]["value"]
    schema = next(each for each in resolve(INBOUND["schema"])["oneOf"] if not faults(example, each))
    required = resolve(schema)["properties"]["data"]["required"]
    for missing in required:
        data = {field: value for field, value in example["data"].items() if field != missing}
        assert post(Client(), signed(url, as_json({**example, "data": data}))).status_code == 400
    assert post(Client(), signed(url, as_json({"type": example["type"]}))).status_code == 400
    assert not InboundEvent.objects.exists()


@pytest.mark.parametrize("name", ["reply", "test"])
def test_examples_of_what_we_send_keep_the_schema(name):
    for example in OUTBOUND[name]["examples"].values():
        assert faults(example["value"], OUTBOUND[name]["schema"]) == []


@pytest.mark.parametrize(
    "message",
    [
        MESSAGE,
        OutboundMessage("I have put one aside.", 0),
        OutboundMessage("", 7, "zh", CARDS),
        OutboundMessage("海" * 50_000, 7),
    ],
)
def test_what_we_send_keeps_the_schema_and_the_librarys_own_verifier_believes_it(app, message):
    channel = replying_to(f"{app.address}/replies")
    for payload in channel.render(message):
        assert channel.send(Recipient("4711"), payload, KEY).ok
    for call in app.calls:
        assert (call.method, call.path, call.headers["webhook-id"]) == ("POST", "/replies", str(KEY))
        assert faults(Webhook(REPLY_SECRET).verify(call.body, dict(call.headers)), OUTBOUND["reply"]["schema"]) == []
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(call.body, dict(call.headers))
    assert "".join(call.json["data"]["text"] for call in app.calls) == message.text


def test_a_reply_reads_like_this():
    card = {
        "sku": "SKU-1", "title": "Moss jacket", "price": "$89.00", "detail": "Waxed cotton, for men & women",
        "image_url": "https://cdn.example/1.jpg", "url": "https://shop.example/p/1?a=1&b=2",
        "token": "tok-1-abcdefg", "number": 1,
    }  # fmt: skip
    message = OutboundMessage("These keep the rain out.", 31, "en", CARDS[:1], "Care guide", MESSAGE.up, MESSAGE.down)
    assert replying_to("https://app.example/replies").render(message) == [
        {
            "text": "These keep the rain out.", "turn": 31, "by": "assistant", "language": "en", "source": "Care guide",
            "cards": [card],
            "verdicts": [{"verdict": "up", "token": "tok-up-abcdefg"}, {"verdict": "down", "token": "tok-down-abcdef"}],
        }
    ]  # fmt: skip


# --- in


def test_one_of_several_signatures_is_enough_as_when_a_secret_is_renewed(url):
    genuine = told(url, "message", text="hello")
    right, other = genuine.headers["webhook-signature"], signed(url, genuine.body, secret=REPLY_SECRET)
    both = f"v1a,xyz {other.headers['webhook-signature']} {right}"
    assert post(Client(), with_header(genuine, "webhook-signature", both)).status_code == 200


@pytest.mark.parametrize("at", ["", "x", "-5", "1e9", "9" * 40, "nan", "１７００００００００", "0"])
def test_a_time_that_is_none_is_refused(url, at):
    assert post(Client(), with_header(told(url, "message", text="hello"), "webhook-timestamp", at)).status_code == 401


def test_a_time_ahead_of_us_is_refused(url):
    assert post(Client(), signed(url, told(url, "message", text="x").body, at=time.time() + 400)).status_code == 401


def test_another_id_or_time_than_the_signed_one_is_refused(url):
    genuine = told(url, "message", text="hello")
    later = str(int(genuine.headers["webhook-timestamp"]) + 1)
    assert post(Client(), with_header(genuine, "webhook-id", "msg-2")).status_code == 401
    assert post(Client(), with_header(genuine, "webhook-timestamp", later)).status_code == 401


@pytest.mark.parametrize(
    "data",
    [
        {"text": "x", "contact": {"id": ""}},
        {"text": "x", "contact": {"id": "x" * 151}},
        {"text": "x", "contact": {"id": 5}},
        {"text": "  "},
        {"media": [{"kind": "video", "url": "https://cdn.app.example/1"}]},
        {"media": [{"kind": "photo", "url": "https://evil.example/1"}]},
        {"media": [{"kind": "photo", "url": "http://cdn.app.example/1"}]},
        {"media": [{"kind": "photo", "url": "https://cdn.app.example@evil.example/1"}]},
        {"media": [{"kind": "photo", "url": "https://u:p@cdn.app.example/1"}]},
        {"media": [{"kind": "photo", "url": "https://[cdn.app.example/1"}]},
        {"media": [{"kind": "photo", "url": "https://cdn.app.example/1"}] * 11},
        {"text": "x", "id": "x" * 151},
    ],
)
def test_a_message_that_is_none_is_refused_with_a_reason(url, data):
    response = post(Client(), told(url, "message", **data))
    assert response.status_code == 400
    assert response.json()["error"]
    assert not Contact.objects.exists()


def test_an_id_of_150_characters_can_be_stored(url):
    message = told(url, "message", "m" * 150, text="x", id="i" * 150, contact={"id": "c" * 150})
    assert post(Client(), message).status_code == 200
    assert len(InboundEvent.objects.get().event_key) == len(Contact.objects.get().external_id) == 150
    assert post(Client(), told(url, "message", "m" * 151, text="x")).status_code == 400


def test_without_media_hosts_no_media_is_taken(account, url):
    account.sealed_config = seal(Generic.prepare_config({**CONFIG, "media_hosts": ""}))
    account.save()
    item = {"kind": "photo", "url": "https://cdn.app.example/1"}
    assert post(Client(), told(url, "message", media=[item])).status_code == 400


def test_stop_and_start_are_kept(url):
    for number, (kind, turns) in enumerate([("stop", 0), ("message", 0), ("start", 0), ("message", 1)]):
        assert post(Client(), told(url, kind, f"msg-{number}", text="hello")).status_code == 200
        assert Turn.objects.count() == turns
    assert CONTACT["id"] == Contact.objects.get().external_id


# --- out


def test_the_apps_own_id_of_a_message_is_what_judgements_of_it_name(app):
    app.answers = [Told(201, {"id": "app-81"}), Told(200, {"id": 5}), Told(204, b"")]
    channel = replying_to(app.address)
    assert [said(channel).platform_id for _ in range(3)] == ["app-81", str(KEY), str(KEY)]


@pytest.mark.parametrize(
    ("status", "permanent"), [(410, True), (404, True), (400, True), (401, False), (302, False), (500, False)]
)
def test_refusals_are_told_apart_and_redirects_are_not_followed(app, status, permanent):
    app.answers = [Told(status, {}, {"Location": f"{app.address}/elsewhere"})]
    result = said(replying_to(app.address))
    assert (result.ok, result.permanent, result.retry_after) == (False, permanent, None)
    assert len(app.calls) == 1


def test_a_date_in_retry_after_is_seconds_from_now(app):
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=90)
    app.answers = [Told(503, {}, {"Retry-After": later.strftime("%a, %d %b %Y %H:%M:%S GMT")})]
    assert 80 < said(replying_to(app.address)).retry_after <= 90


def test_the_set_up_is_tried_with_a_signed_message_that_says_so(app):
    check = replying_to(f"{app.address}/in").check()
    assert vars(check) == {"ok": True, "detail": "127.0.0.1 answered 200"}
    (call,) = app.calls
    assert faults(Webhook(REPLY_SECRET).verify(call.body, dict(call.headers)), OUTBOUND["test"]["schema"]) == []
    app.answers = [Told(401, {})]
    assert not replying_to(app.address).check().ok


def test_secrets_are_made_for_an_operator_who_brings_none_and_told_once():
    config = Generic.prepare_config({"reply_url": "https://app.example/in"})
    assert config["secret"] != config["reply_secret"]
    assert all(len(Webhook(config[name])._whsecret) == 32 for name in ("secret", "reply_secret"))
    lines = "\n".join(Generic(config, "key").connect("https://chat.example/webhooks/generic/key"))
    assert config["secret"] in lines
    assert config["reply_secret"] in lines
    with pytest.raises(ValueError, match="not base64"):
        Generic.prepare_config({"reply_url": "https://app.example/in", "secret": "whsec_" + "a" * 33})


# --- our own network


@pytest.mark.parametrize(
    "address",
    [
        "http://app.example/in", "ftp://app.example/in", "https://localhost/in", "http://127.0.0.1:8000/in",
        "https://10.0.0.7/in", "https://169.254.169.254/latest", "https://[::1]/in", "https://[::ffff:10.0.0.7]/in",
        "https://[fd00::1]/in", "https://0.0.0.0/in", "https://100.64.0.1/", "https://[64:ff9b::a00:7]/",
        "https://[2002:a00:7::]/", "https://user:pass@app.example/in", "https:///in", "https://224.0.0.1/",
    ],
)  # fmt: skip
def test_an_address_of_our_own_network_or_without_tls_is_not_taken(address):
    with pytest.raises(ValueError, match="reply_url"):
        Generic.prepare_config({**CONFIG, "reply_url": address})


@pytest.mark.parametrize("address", ["http://localhost:8000/in", "https://10.0.0.7/in", "http://[::1]/in"])
def test_an_operator_may_allow_private_addresses_but_plain_http_to_localhost_alone(address):
    assert Generic.prepare_config({**CONFIG, "reply_url": address, "allow_private": "yes"})
    with pytest.raises(ValueError, match="https://"):
        Generic.prepare_config({**CONFIG, "reply_url": "http://10.0.0.7/in", "allow_private": "yes"})


def named(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Names resolve to these addresses, the last ones for ever; the names asked for."""
    asked: list[str] = []
    left = list(answers)
    genuine = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if not str(host).endswith(".example"):
            return genuine(host, port, *args, **options)
        asked.append(host)
        found = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize("found", [[PRIVATE], ["127.0.0.1"], [PUBLIC, PRIVATE], []])
def test_a_name_that_leads_into_our_network_is_not_called(monkeypatch, found):
    named(monkeypatch, found)
    monkeypatch.setattr(http, "client", lambda: pytest.fail("called"))
    result = said(Generic(Generic.prepare_config(CONFIG), "account-key"))
    assert (result.ok, result.permanent) == (False, False)
    why = "the host's address is not public" if found else "the host has no address"
    assert result.error == f"reply: {why}"


def test_a_name_is_resolved_once_and_the_call_goes_where_was_looked(monkeypatch):
    """A name that leads to a public address when looked at and into our network when called gains nothing."""
    asked = named(monkeypatch, [PUBLIC], [PRIVATE])
    called: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        called.append(request)
        return httpx.Response(200, json={})

    monkeypatch.setattr(http, "client", lambda: httpx.Client(transport=httpx.MockTransport(answer)))
    assert said(Generic(Generic.prepare_config(CONFIG), "account-key")).ok
    (request,) = called
    assert (asked, request.url.host, request.headers["Host"]) == (["app.example"], PUBLIC, "app.example")
    assert request.extensions["sni_hostname"] == "app.example"


def test_a_picture_at_a_name_that_leads_into_our_network_is_not_fetched(monkeypatch):
    named(monkeypatch, [PRIVATE])
    channel = Generic(Generic.prepare_config(CONFIG), "account-key")
    with pytest.raises(MediaError, match="not public"):
        channel.fetch_media(MediaReference("photo", {"url": "https://cdn.app.example/1.jpg"}), 1000)
    with pytest.raises(MediaError, match="media_hosts"):
        channel.fetch_media(MediaReference("photo", {"url": "https://evil.example/1.jpg"}), 1000)


@pytest.fixture
def secure_app(tmp_path: Any) -> Iterator[tuple[int, ssl.SSLContext]]:
    """An app with a certificate for app.example: its port, and a context that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "app.example")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("app.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = certificate.public_bytes(serialization.Encoding.PEM), tmp_path / "key.pem"
    secret.write_bytes(
        pem
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(secret)
    server.socket = ours.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, ssl.create_default_context(cadata=pem.decode())
    server.shutdown()


def test_the_certificate_must_be_the_names_though_the_call_goes_to_its_address(monkeypatch, secure_app):
    port, context = secure_app
    named(monkeypatch, ["127.0.0.1"])
    with httpx.Client(verify=context) as trusting:
        monkeypatch.setattr(http, "client", lambda: trusting)
        assert said(replying_to(f"https://app.example:{port}/in")).ok
        result = said(replying_to(f"https://other.example:{port}/in"))
    assert (result.ok, result.error) == (False, "reply: ConnectError")
