"""Microsoft Teams keeps what every channel keeps; its tokens are made by PyJWT."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from botcore.channels.values import WebhookRequest
from tests.botcore.channels import microsoft
from tests.botcore.channels.conformance import ChannelConformance
from tests.botcore.channels.microsoft import activity, called, token, with_token
from tests.botcore.channels.platform import PlatformServer, Told, platform_server, without

PASSWORD = "a~client.secret-of-the-bot"
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def login() -> Iterator[PlatformServer]:
    """Where Microsoft's signing keys are, for as long as this module runs."""
    with platform_server(Told(404, {})) as server:
        microsoft.publish(server)
        yield server


class TestTeams(ChannelConformance):
    name = "teams"
    secrets = (PASSWORD, "granted-token")
    contact = microsoft.USER
    lacks = frozenset({"status", "batch", "window"})
    pages = {microsoft.TOKENS: microsoft.GRANTED}
    success = Told(201, {"id": "1:9xyz"})
    platform_id = "1:9xyz"
    address = {
        "service": microsoft.SERVICE,
        "conversation": microsoft.PERSONAL,
        "bot": microsoft.BOT,
        "user": microsoft.USER,
    }
    signs_body = False

    @pytest.fixture(autouse=True)
    def config_with_keys(self, login: PlatformServer) -> None:
        self.config = {
            "app_id": microsoft.APP,
            "app_password": PASSWORD,
            "tenant": microsoft.TENANT,
            "openid_url": login.address + microsoft.METADATA,
        }

    def text(self, url: str, text: str = "a green jacket", number: int = 1) -> WebhookRequest:
        return called(url, activity(number=number, text=text))

    def unknown(self, url: str) -> WebhookRequest:
        return called(url, activity("installationUpdate", 900, action="add"))

    def button(self, url: str, token: str) -> WebhookRequest:
        number = 200 + sum(token.encode())
        return called(url, activity(number=number, value={"token": token}, replyToId=self.platform_id))

    def reaction(self, url: str, platform_id: str) -> WebhookRequest:
        value = {"actionName": "feedback", "actionValue": {"reaction": "like", "feedback": '{"feedbackText": "neat"}'}}
        return called(url, activity("invoke", name="message/submitAction", value=value, replyToId=platform_id))

    def media(self, url: str) -> WebhookRequest:
        picture = {"contentType": "image/*", "contentUrl": f"{microsoft.SERVICE}v3/attachments/0/views/original"}
        return called(url, activity(attachments=[picture]))

    def edit(self, url: str, text: str) -> WebhookRequest:
        return called(url, activity("messageUpdate", text=text, channelData={"eventType": "editMessage"}))

    def forged(self, genuine: WebhookRequest) -> Mapping[str, WebhookRequest]:
        ended = token(genuine.at, ends=-301)
        another = token(genuine.at, key="key-of-a-stranger", headers={"kid": microsoft.KEY_ID})
        return {
            "wrong": with_token(genuine, another),
            "missing": without(genuine, "authorization"),
            "stale": with_token(genuine, ended),
        }

    def resigned(self, genuine: WebhookRequest, body: bytes) -> WebhookRequest:
        return replace(genuine, body=body)
