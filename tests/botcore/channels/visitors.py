"""A browser as far as the web chat's addresses are concerned."""

from __future__ import annotations

import json
import re
from typing import Any

from django.test import Client


class Visitor:
    """Loads the page once and posts as its script does."""

    def __init__(self, name: str = "lantern", **headers: str) -> None:
        self.client = Client(raise_request_exception=False)
        self.base = f"/chat/{name}/"
        self.page = self.client.get(self.base, headers=headers).content.decode()
        self.token = re.search(r'"token": "(\w+)"', self.page)[1]

    def post(self, action: str, body: Any, **headers: str) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"X-Chat-Token": self.token, "Origin": "http://testserver", **headers}
        return self.client.post(self.base + action, raw, content_type="application/json", headers=sent)

    def say(self, text: str, message_id: str = "message-1", **more: Any) -> Any:
        return self.post("messages", {"id": message_id, "text": text, **more})
