"""What a feed's addresses may reach: files of the public internet over https, so long and so large."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from botcore import web_files
from botcore.channels.values import MediaError
from botcore.web_files import PublicOnly, download_public, is_public, public_address

HOST = "pictures.example"


class Pages(BaseHTTPRequestHandler):
    """A shop's picture server: plain, away, gone, endless, and one that trickles."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "https://169.254.169.254/secret")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path == "/trickle":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            for _ in range(1000):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.1)
        else:
            body = b"\x89PNG\r\n\x1a\n" + b"\0" * (5000 if self.path == "/large" else 100)
            self.send_response(404 if self.path == "/gone" else 200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """The test's output is its own."""


class Nearby(httpcore.SyncBackend):
    """A network on which the test's server stands for every host."""

    def __init__(self, port: int) -> None:
        self.port, self.asked = port, list[str]()

    def connect_tcp(self, host, port, *options, **named):
        self.asked.append(host)
        return super().connect_tcp("127.0.0.1", self.port, *options, **named)


@pytest.fixture(scope="module")
def network(tmp_path_factory) -> Iterator[Nearby]:
    folder = tmp_path_factory.mktemp("tls")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(folder))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    patch = pytest.MonkeyPatch()
    trusting = ssl.create_default_context(cafile=str(folder / "own.pem"))
    patch.setattr(web_files.ssl, "create_default_context", lambda: trusting)
    yield Nearby(server.server_port)
    patch.undo()
    server.shutdown()
    server.server_close()


def _certificate(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "own.pem").write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return folder / "own.pem"


def test_a_file_comes_with_what_its_bytes_are(network):
    found = download_public(f"https://{HOST}/a.png#top", 1000, 5, network)
    assert (len(found.content), found.content_type) == (108, "image/png")


@pytest.mark.parametrize(
    ("path", "why"), [("/large", "more than 1000 bytes"), ("/gone", "answered 404"), ("/away", "answered 302")]
)
def test_what_is_too_large_gone_or_elsewhere_is_refused(network, path, why):
    network.asked.clear()
    with pytest.raises(MediaError, match=why):
        download_public(f"https://{HOST}{path}", 1000, 5, network)
    assert network.asked == [HOST]


def test_a_trickle_ends_in_time(network):
    begun = time.monotonic()
    with pytest.raises(MediaError, match="cannot be reached"):
        download_public(f"https://{HOST}/trickle", 10_000, 1, network)
    assert time.monotonic() - begun < 3


def test_a_certificate_for_another_host_is_refused(network):
    with pytest.raises(MediaError, match="cannot be reached") as refusal:
        download_public("https://other.example/secret-path", 1000, 5, network)
    assert "secret" not in str(refusal.value)
    assert "other" not in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        f"http://{HOST}/a.png",
        f"ftp://{HOST}/a.png",
        "file:///etc/passwd",
        f"https://user:secret@{HOST}/a.png",
        f"https://{HOST}:5432/a.png",
        "https:///a.png",
        "https://[::1/a.png",
        "",
    ],
)
def test_other_addresses_are_not_called(url):
    class Never(httpcore.SyncBackend):
        def connect_tcp(self, *_, **__):
            raise AssertionError

    with pytest.raises(MediaError):
        download_public(url, 1000, 5, Never())


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://localhost/", "https://2130706433/", "https://0x7f.1/", "https://0/",
        "https://10.0.0.8/", "https://169.254.169.254/latest/meta-data", "https://192.168.1.1/", "https://172.16.0.1/",
        "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[fd00::1]/", "https://[fe80::1]/",
        "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://100.64.0.1/", "https://224.0.0.1/",
        "https://255.255.255.255/", "https://" + "a" * 300 + ".example/", "https://exa mple/",
    ],
)  # fmt: skip
def test_no_private_address_is_reached_however_it_is_written(url):
    with pytest.raises(MediaError, match="ConnectError"):
        download_public(url, 1000, 5)


def test_a_name_with_a_private_address_among_others_is_refused(monkeypatch):
    answers = [(socket.AF_INET, 1, 6, "", (ip, 443)) for ip in ("93.184.215.14", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)
    with pytest.raises(httpcore.ConnectError):
        public_address(HOST, 443)
    answers.pop()
    assert public_address(HOST, 443) == "93.184.215.14"


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch):
    reached = []
    monkeypatch.setattr(web_files, "public_address", lambda host, port: "93.184.215.14")
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", lambda self, host, *_, **__: reached.append(host))
    PublicOnly().connect_tcp(HOST, 443)
    assert reached == ["93.184.215.14"]


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:4700::6810:84e5", "::ffff:93.184.215.14"])
def test_public_addresses_are_public(address):
    assert is_public(address)
