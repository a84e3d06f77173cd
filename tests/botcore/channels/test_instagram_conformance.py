"""Instagram keeps what every channel keeps."""

from __future__ import annotations

import pytest

from botcore.channels.values import WebhookRequest
from tests.botcore.channels.meta_platform import (
    ACCOUNT,
    APP_SECRET,
    CUSTOMER,
    TOKEN,
    VERIFY,
    MessagingConformance,
    refusal,
)
from tests.botcore.channels.platform import Told

pytestmark = pytest.mark.django_db


class TestInstagram(MessagingConformance):
    name = "instagram"
    kind = "instagram"
    account_id = ACCOUNT
    config = {"account_id": ACCOUNT, "token": TOKEN, "app_secret": APP_SECRET, "verify_token": VERIFY}
    platform_id = "aWdfZAG1faXRlbToxOk1lc3NhZA2VJRDox" * 5
    success = Told(200, {"recipient_id": CUSTOMER, "message_id": platform_id, "user_id": ACCOUNT, "username": "shop"})

    def status(self, url: str, platform_id: str) -> WebhookRequest:
        return self.told(url, {"read": {"mid": platform_id}})

    def button(self, url: str, token: str) -> WebhookRequest:
        message = {"mid": f"m_q{token}", "text": "👍 Helpful", "quick_reply": {"payload": token}}
        return self.told(url, {"message": message})

    def window_closed(self) -> Told:
        return refusal(400, 10, "(#10) outside", error_subcode=2534022)
