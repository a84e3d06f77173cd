"""WeChat Official Accounts keep what every channel keeps, plain and sealed. wechatpy signs and seals."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import WeChatSigner

from botcore.channels.values import SendResult, WebhookRequest
from botcore.channels.wechat import passive
from tests.botcore.channels.conformance import KEY, MESSAGE, ChannelConformance
from tests.botcore.channels.platform import Told, delivery

APP = "wx0123456789abcdef"
SECRET = "0123456789abcdef0123456789abcdef"
TOKEN = "lanternandloom"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
ACCOUNT = "gh_7f083739789a"
NONCE = "1372623149"
GRANTED = Told(200, {"access_token": "granted-access-token", "expires_in": 7200})
CONFIG = {"app_id": APP, "app_secret": SECRET, "token": TOKEN}


def xml(number: int = 1, kind: str = "text", **parts: str | int) -> bytes:
    """A message as WeChat documents it."""
    values = {"ToUserName": ACCOUNT, "FromUserName": OPENID, "CreateTime": 1348831860, "MsgType": kind, **parts}
    if kind != "event":
        values["MsgId"] = 7000000000000000000 + number
    written = (
        f"<{name}>{v}</{name}>" if isinstance(v, int) else f"<{name}><![CDATA[{v}]]></{name}>"
        for name, v in values.items()
    )
    return f"<xml>{''.join(written)}</xml>".encode()


def signed_by(*parts: str) -> str:
    signer = WeChatSigner()
    signer.add_data(*parts)
    return str(signer.signature)


def at(url: str, **query: str) -> str:
    kept = {name: value for name, value in parse_qsl(urlsplit(url).query) if name not in query}
    return f"{url.partition('?')[0]}?{urlencode({**kept, **query})}"


def plain(url: str, body: bytes, when: float | None = None, token: str = TOKEN) -> WebhookRequest:
    moment = time.time() if when is None else when
    stamp = str(int(moment))
    signature = signed_by(token, stamp, NONCE)
    address = at(url, signature=signature, timestamp=stamp, nonce=NONCE, openid=OPENID)
    return delivery(address, body, {"content-type": "text/xml"}, moment)


def sealed(url: str, body: bytes, when: float | None = None, key: str = AES_KEY, app: str = APP) -> WebhookRequest:
    moment = time.time() if when is None else when
    stamp = str(int(moment))
    envelope = WeChatCrypto(TOKEN, key, app).encrypt_message(body, NONCE, stamp)
    encrypt = envelope.partition("<Encrypt><![CDATA[")[2].partition("]]>")[0]
    written = f"<xml><ToUserName><![CDATA[{ACCOUNT}]]></ToUserName><Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>"
    genuine = plain(url, written.encode(), moment)
    signature = signed_by(TOKEN, stamp, NONCE, encrypt)
    return delivery(at(genuine.url, encrypt_type="aes", msg_signature=signature), genuine.body, genuine.headers, moment)


def requeried(request: WebhookRequest, **query: str) -> WebhookRequest:
    return delivery(at(request.url, **query), request.body, request.headers, request.at)


class TestWeChat(ChannelConformance):
    name = "wechat"
    config = CONFIG
    secrets = (SECRET, TOKEN, AES_KEY, "granted-access-token")
    contact = OPENID
    lacks = frozenset({"button", "reaction", "edit", "status", "batch"})
    pages = {"/cgi-bin/stable_token": GRANTED}
    success = Told(200, {"errcode": 0, "errmsg": "ok"})
    platform_id = ""
    signs_body = False
    pytestmark = pytest.mark.django_db

    def delivered(self, url: str, body: bytes) -> WebhookRequest:
        return plain(url, body)

    def text(self, url: str, text: str = "a green jacket", number: int = 1) -> WebhookRequest:
        return self.delivered(url, xml(number, Content=text))

    def unknown(self, url: str) -> WebhookRequest:
        return self.delivered(url, xml(kind="event", Event="VIEW", EventKey="https://shop.example"))

    def media(self, url: str) -> WebhookRequest:
        picture = {"PicUrl": "http://mmbiz.qpic.cn/mmbiz_jpg/a/0", "MediaId": "media_id"}
        return self.delivered(url, xml(7, "image", **picture))

    def forged(self, genuine: WebhookRequest) -> Mapping[str, WebhookRequest]:
        return {
            "wrong": plain(genuine.url, genuine.body, token="another"),
            "missing": requeried(genuine, signature=""),
            "stale": replace(plain(genuine.url, genuine.body, time.time() - 301), at=time.time()),
        }

    def resigned(self, genuine: WebhookRequest, body: bytes) -> WebhookRequest:
        return replace(genuine, body=body)

    def limited(self, seconds: int | None) -> Told:
        """Its own way is an error in an answer of status 200; a proxy's is 429."""
        value = {"errcode": 45009, "errmsg": "reach max api daily quota limit"}
        return Told(200, value) if seconds is None else Told(429, value, {"Retry-After": str(seconds)})

    def window_closed(self) -> Told:
        return Told(200, {"errcode": 45015, "errmsg": "response out of time limit or subscription is canceled"})


class TestWeChatSealed(TestWeChat):
    config = {**CONFIG, "encoding_aes_key": AES_KEY}
    signs_body = True

    def delivered(self, url: str, body: bytes) -> WebhookRequest:
        return sealed(url, body)

    def forged(self, genuine: WebhookRequest) -> Mapping[str, WebhookRequest]:
        stale = sealed(genuine.url, xml(Content="a green jacket"), time.time() - 301)
        return {
            "wrong": requeried(genuine, msg_signature=signed_by(TOKEN, "1", NONCE, "another")),
            "missing": plain(genuine.url.partition("?")[0], xml(Content="a green jacket")),
            "stale": replace(stale, at=time.time()),
        }

    def resigned(self, genuine: WebhookRequest, body: bytes) -> WebhookRequest:
        return sealed(genuine.url, body)

    def changed(self, genuine: WebhookRequest) -> WebhookRequest:
        return replace(genuine, body=genuine.body.replace(b"<Encrypt><![CDATA[", b"<Encrypt><![CDATA[AAAA"))


class TestWeChatPassive(TestWeChat):
    """An account that only answers: what it sends is kept, so the platform never refuses any of it."""

    config = {**CONFIG, "passive": "yes"}
    lacks = TestWeChat.lacks | {"retry_after", "window"}
    address = {"account": ACCOUNT}
    test_the_platforms_own_failure_is_repeated = test_no_answer_is_repeated = None

    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """No worker replies here."""
        monkeypatch.setattr(passive, "TRY_SECONDS", 0)
        monkeypatch.setattr(passive, "SILENT_SECONDS", 0)

    def test_a_taken_message_brings_its_id(self, platform):
        channel = self.to(platform)
        for payload in channel.render(MESSAGE):
            assert channel.send(self.recipient, payload, KEY) == SendResult(ok=False, held=True)
        assert platform.calls == []
