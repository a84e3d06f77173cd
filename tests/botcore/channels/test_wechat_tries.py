"""WeChat's three tries against the real web process, in real time: an account that may only answer."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from botcore import delivery
from botcore.models import ChannelAccount, Conversation, InboundEvent, Outbound, Turn
from botcore.security import seal
from tests.botcore.channels.test_wechat_conformance import CONFIG, plain, xml
from tests.botcore.channels.web_server import reply_to, serving, waiting_turn
from tests.factories import AccountFactory

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


class WeChatServer:
    """WeChat's side: five seconds a try, three tries a message."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.tries = 0

    def once(self, body: bytes, seconds: float = 5) -> str | None:
        """One try's answer; None where it took too long."""
        asked = plain(self.url, body)
        self.tries += 1
        try:
            answer = httpx.post(asked.url, content=asked.body, headers=dict(asked.headers), timeout=seconds)
        except httpx.ReadTimeout:
            return None
        assert answer.status_code == 200
        return answer.text

    def sends(self, body: bytes) -> str | None:
        return next((answer for _ in range(3) if (answer := self.once(body)) is not None), None)


@pytest.fixture
def account(db: None) -> ChannelAccount:
    return AccountFactory(channel="wechat", sealed_config=seal({**CONFIG, "passive": "yes"}))


def replies(account: ChannelAccount, text: str, after: float) -> threading.Thread:
    """A worker that needs so long."""

    def work() -> None:
        turn = waiting_turn(account, text)
        time.sleep(after)
        delivery.deliver(reply_to(turn, "这件很轻。", language="zh").pk)

    worker = threading.Thread(target=work)
    worker.start()
    return worker


def test_a_reply_that_takes_seven_seconds_is_found_by_the_second_try(account, tmp_path: Path):
    with serving(tmp_path) as address:
        wechat = WeChatServer(f"{address}/webhooks/wechat/{account.key}")
        worker = replies(account, "外套", 7)
        answer = wechat.sends(xml(Content="外套"))
        worker.join()
    assert answer is not None
    assert "这件很轻。" in answer
    assert wechat.tries == 2
    assert (InboundEvent.objects.count(), Turn.objects.count(), Outbound.objects.get().status) == (1, 1, "sent")


def test_a_reply_that_takes_longer_is_asked_for(account, tmp_path: Path):
    with serving(tmp_path) as address:
        wechat = WeChatServer(f"{address}/webhooks/wechat/{account.key}")
        answer = wechat.sends(xml(Content="外套"))
        assert answer is not None
        assert "正在查找" in answer
        assert wechat.tries == 3
        worker = replies(account, "外套", 0)
        worker.join()
        assert "这件很轻。" in (wechat.sends(xml(2, Content="继续")) or "")
    assert Turn.objects.count() == 1


def test_a_crowd_that_waits_keeps_nobody_from_being_heard(account, tmp_path: Path):
    """Sixty customers wait for replies; another account's messages are still taken at once."""
    other = AccountFactory(channel="wechat", sealed_config=seal(CONFIG))
    with serving(tmp_path) as address, ThreadPoolExecutor(60) as pool:
        wechat = WeChatServer(f"{address}/webhooks/wechat/{account.key}")
        crowd = [
            pool.submit(wechat.once, xml(number, Content="外套", FromUserName=f"o{number}")) for number in range(60)
        ]
        time.sleep(1.5)
        quick = WeChatServer(f"{address}/webhooks/wechat/{other.key}")
        times = []
        for number in range(10):
            began = time.monotonic()
            assert quick.once(xml(number, Content="外套")) == "success"
            times.append(time.monotonic() - began)
        assert {one.result() for one in crowd} == {None}
    assert sorted(times)[5] < 1
    assert Conversation.objects.filter(contact__account=account).count() == 60
