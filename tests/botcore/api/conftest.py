from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.test import Client

from botcore.api import tokens
from botcore.api.tokens import OFFERED
from botcore.roles import Right
from catalog.models import Shop
from tests.factories import ShopFactory

PREFIX = "/api/v1/"


class Api:
    """A program with a token: ``call("POST", "products/batch", body, **headers)``."""

    def __init__(self, token: str) -> None:
        self.token = token

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        told = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        content = b"" if body is None else json.dumps(body).encode()
        return Client(raise_request_exception=False).generic(
            method, PREFIX + path, content, content_type="application/json", headers=told
        )

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()})

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        return self.call("PATCH", path, body, {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.fixture
def shop(db: None) -> Shop:
    return ShopFactory(slug="pine", name="Pine")


@pytest.fixture
def program(shop: Shop) -> Callable[..., Api]:
    """A program of ``shop`` (or of another) that has some rights."""

    def made(rights: Iterable[Right] = OFFERED, of: Shop = shop) -> Api:
        return Api(tokens.make([of], "a program", rights)[1])

    return made


@pytest.fixture
def api(program: Callable[..., Api]) -> Api:
    """A program of ``shop`` that may do everything a token can."""
    return program()
