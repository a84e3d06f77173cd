"""The real product for a benchmark: its own database, the demo shop, web, workers and beat, started as ``up`` starts them.

Measures nothing itself.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import psutil

from botcore.channels.registry import channel_class, channel_for
from botcore.channels.telegram import Telegram
from botcore.channels.webchat.channel import ensure_webchat
from botcore.management.commands.connect import register
from botcore.management.commands.up import children
from botcore.models import ChannelAccount
from botcore.supervisor import Supervisor
from catalog.models import Shop


@dataclass
class Stack:
    """A running installation. ``webhook`` is the address that a platform would post to, with its ``headers``; ``chat`` is
    the web chat's page."""

    shop: Shop
    account: ChannelAccount
    webhook: str
    chat: str
    headers: dict[str, str]
    supervisor: Supervisor

    def pause_workers(self) -> None:
        """Stop everything but the web process."""
        for child in self.supervisor.children:
            if child.name != "web" and child.process:
                child.process.terminate()
                child.process.wait()

    def resume_workers(self) -> None:
        """Start again what was stopped."""
        for child in self.supervisor.children:
            if not child.running:
                self.supervisor.launch(child)

    def memory(self) -> dict[str, float]:
        """Mebibytes by process, each with its own children; shared pages are counted where they are shared (PSS)."""
        found = {}
        for child in self.supervisor.children:
            if child.process and child.running:
                root = psutil.Process(child.process.pid)
                found[child.name] = sum(_pss(process) for process in [root, *root.children(recursive=True)])
        return found


def _pss(process: psutil.Process) -> float:
    try:
        return process.memory_full_info().pss / 2**20
    except psutil.Error:
        return 0.0


class _Platform(BaseHTTPRequestHandler):
    """Stands for the messaging platform: takes every call and says that it is fine."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.dumps({"ok": True, "result": {"message_id": 1}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def running(shop: Shop) -> Iterator[Stack]:
    """Web, workers and beat on a free port, until the block ends."""
    platform = ThreadingHTTPServer(("127.0.0.1", 0), _Platform)
    threading.Thread(target=platform.serve_forever, daemon=True).start()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    os.environ["PORT"] = str(port)
    config = {"token": "12345:" + "a" * 35, "api_base_url": f"http://127.0.0.1:{platform.server_port}"}
    ensure_webchat(shop)
    account = register(shop, Telegram, channel_class("telegram").prepare_config(config))
    supervisor = Supervisor(colour=False)
    try:
        for child in children("127.0.0.1", port):
            supervisor.start(child)
        _wait(f"http://127.0.0.1:{port}/healthz")
        yield Stack(
            shop=shop,
            account=account,
            webhook=f"http://127.0.0.1:{port}/webhooks/telegram/{account.key}",
            chat=f"http://127.0.0.1:{port}/chat/{shop.slug}/",
            headers={"X-Telegram-Bot-Api-Secret-Token": channel_for(account).config["secret"]},
            supervisor=supervisor,
        )
    finally:
        supervisor.stop()
        platform.shutdown()


def update(number: int, person: int, text: str) -> dict[str, object]:
    """A text message as Telegram sends it."""
    who = {"id": person, "is_bot": False, "first_name": f"Person {person}", "language_code": "en"}
    chat = {"id": person, "type": "private", "first_name": who["first_name"]}
    message = {"message_id": number, "date": int(time.time()), "from": who, "chat": chat, "text": text}
    return {"update_id": number, "message": message}


def _wait(address: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if httpx.get(address, timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"{address} does not answer")
