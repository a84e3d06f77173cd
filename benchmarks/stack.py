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
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import psutil

from benchmarks.platforms import PLATFORMS, Connected, pages
from botcore.channels.registry import channel_class, channel_for
from botcore.channels.webchat.channel import ensure_webchat
from botcore.management.commands.connect import register
from botcore.management.commands.up import children
from botcore.supervisor import Supervisor
from catalog.models import Shop


@dataclass
class Stack:
    """A running installation at ``address``, its platforms at ``api``. ``chat`` is the web chat's page."""

    shop: Shop
    address: str
    api: str
    supervisor: Supervisor
    accounts: dict[str, Connected] = field(default_factory=dict)

    @property
    def chat(self) -> str:
        return f"{self.address}/chat/{self.shop.slug}/"

    def connect(self, channel: str) -> Connected:
        """The shop's account on a platform, made when it is first asked for."""
        if channel not in self.accounts:
            self.accounts[channel] = self._connected(channel)
        return self.accounts[channel]

    def _connected(self, channel: str) -> Connected:
        if channel == "webchat":
            return Connected(ensure_webchat(self.shop), self.chat, {})
        given = {name: value.format(api=self.api) for name, value in PLATFORMS[channel].config.items()}
        platform = channel_class(channel)
        account = register(self.shop, platform, platform.prepare_config(given))
        return Connected(account, f"{self.address}/webhooks/{channel}/{account.key}", channel_for(account).config)

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
        self._tell({"ok": True, "result": {"message_id": 1}})

    def do_GET(self) -> None:
        self._tell(pages(f"http://{self.headers['Host']}").get(self.path, {}))

    def _tell(self, value: object) -> None:
        body = json.dumps(value).encode()
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
    ensure_webchat(shop)
    supervisor = Supervisor(colour=False)
    try:
        for child in children("127.0.0.1", port):
            supervisor.start(child)
        wait_until_up(f"http://127.0.0.1:{port}/healthz")
        yield Stack(shop, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{platform.server_port}", supervisor)
    finally:
        supervisor.stop()
        platform.shutdown()


def wait_until_up(address: str, seconds: float = 60) -> None:
    """Return once the address answers; raises ``RuntimeError`` where it does not."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if httpx.get(address, timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"{address} does not answer")
