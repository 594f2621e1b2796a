"""Signatures with a key that this process holds: for a laptop and for tests."""

import hashlib
import hmac


class LocalSigner:
    """Implements `Signer` with HMAC-SHA-256, as the KMS key does. The key never shows."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, message: bytes) -> bytes:
        """The message's MAC, 32 bytes."""
        return hmac.new(self._key, message, hashlib.sha256).digest()

    def verify(self, message: bytes, mac: bytes) -> bool:
        """Whether the MAC is the message's; takes as long for a wrong one."""
        return hmac.compare_digest(self.sign(message), mac)
