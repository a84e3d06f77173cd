"""The sealed messages of WeChat and DingTalk: AES-256-CBC, an SHA-1 signature, and inside the receiver's name.

https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/Before_Develop/Technical_Plan.html
"""

from __future__ import annotations

import base64
import binascii
import secrets
from hashlib import sha1

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from django.utils.crypto import constant_time_compare

BLOCK = 32
"""What the content is padded to, in bytes (PKCS#7)."""
PREFIX, LENGTH = 16, 4
"""Random bytes before the content, and its length in network order."""


def signature(*parts: str) -> str:
    """SHA-1 over the parts in order of their characters, as both platforms sign."""
    return sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def is_signature(given: str, *parts: str) -> bool:
    return constant_time_compare(given, signature(*parts))


class Envelope:
    """Seals and opens with one account's key, of 43 base64 characters; ``receiver`` is whom it is for: the app's id."""

    def __init__(self, aes_key: str, receiver: str) -> None:
        key = base64.b64decode(f"{aes_key}=")
        self._cipher = Cipher(AES(key), CBC(key[:16]))
        self._receiver = receiver.encode()

    def open(self, sealed: str) -> bytes:
        """The content. Raises ``ValueError`` for what was sealed with another key, for another receiver, or not at all."""
        try:
            content = base64.b64decode(sealed, validate=True)
        except binascii.Error as error:
            raise ValueError("not base64") from error
        decryptor = self._cipher.decryptor()
        padded = decryptor.update(content) + decryptor.finalize()
        pad = padded[-1] if padded else 0
        if not 1 <= pad <= BLOCK or padded[-pad:] != bytes([pad]) * pad:
            raise ValueError("wrong padding")
        plain = padded[PREFIX:-pad]
        end = LENGTH + int.from_bytes(plain[:LENGTH], "big")
        if not secrets.compare_digest(plain[end:], self._receiver):
            raise ValueError("for another receiver")
        return plain[LENGTH:end]

    def seal(self, content: bytes) -> str:
        plain = secrets.token_bytes(PREFIX) + len(content).to_bytes(LENGTH, "big") + content + self._receiver
        pad = BLOCK - len(plain) % BLOCK
        encryptor = self._cipher.encryptor()
        return base64.b64encode(encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()).decode()
