"""Which requests pass Django's middleware: pages do, a platform's deliveries do not and are checked all the same."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from botcore.asgi import application


def answer(method: str, path: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, content=b"{}" if method == "POST" else None)

    return asyncio.run(ask())


def test_a_webhook_goes_past_the_middleware_of_pages():
    refused = answer("DELETE", "/webhooks/telegram/nobody")
    assert refused.status_code == 405
    assert "content-security-policy" not in refused.headers


def test_a_page_has_the_headers_of_pages():
    assert "content-security-policy" in answer("GET", "/nowhere/").headers


@pytest.mark.parametrize("path", ["/webhooks/", "/webhooks/telegram", "/webhooks/telegram/a/b"])
def test_an_address_that_no_platform_has_is_not_found(path):
    assert answer("POST", path).status_code == 404
