"""Messenger keeps what every channel keeps."""

from __future__ import annotations

import pytest

from botcore.channels.values import WebhookRequest
from tests.botcore.channels.meta_platform import APP_SECRET, PAGE, TOKEN, VERIFY, MessagingConformance

pytestmark = pytest.mark.django_db


class TestMessenger(MessagingConformance):
    name = "messenger"
    config = {"page_id": PAGE, "token": TOKEN, "app_secret": APP_SECRET, "verify_token": VERIFY}

    def status(self, url: str, platform_id: str) -> WebhookRequest:
        return self.told(url, {"delivery": {"mids": [platform_id], "watermark": 1458668856253}})
