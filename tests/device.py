"""A device that holds a passkey, as tests need one: it signs what a browser would have it sign (ES256, no attestation)."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cbor
from fido2.utils import websafe_encode

_PRESENT, _RECOGNISED, _CREDENTIAL = 0x01, 0x04, 0x40


@dataclass
class Device:
    """One passkey for one site; what it says can be bent, to be refused."""

    origin: str
    domain: str
    recognises: bool = True
    count: int = 0
    handle: bytes = b""
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))

    def create(self, options: dict[str, Any], **bent: Any) -> str:
        """Answer to options for making a passkey."""
        asked = options["publicKey"]
        self.handle = self.handle or asked["user"]["id"].encode()
        public = cbor.encode(_cose(self.key))
        held = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + public
        attested = {"fmt": "none", "attStmt": {}, "authData": self._data(_CREDENTIAL) + held}
        client = self._client("webauthn.create", asked, bent)
        return self._answer(clientDataJSON=client, attestationObject=cbor.encode(attested))

    def get(self, options: dict[str, Any], **bent: Any) -> str:
        """Answer to options for using it."""
        self.count += 1 if self.count else 0
        client, data = self._client("webauthn.get", options["publicKey"], bent), self._data()
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ECDSA(SHA256()))
        parts = {"clientDataJSON": client, "authenticatorData": data, "signature": signature}
        return self._answer(**{**parts, **{name: value for name, value in bent.items() if name in (*parts, "userHandle")}})

    def _data(self, flags: int = 0) -> bytes:
        flags |= _PRESENT | (_RECOGNISED if self.recognises else 0)
        return hashlib.sha256(self.domain.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, asked: dict[str, Any], bent: dict[str, Any]) -> bytes:
        said = {"type": kind, "challenge": asked["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps({**said, **{name: value for name, value in bent.items() if name in said}}).encode()

    def _answer(self, **parts: bytes) -> str:
        response = {name: websafe_encode(part) for name, part in parts.items()}
        return json.dumps(
            {"id": websafe_encode(self.id), "rawId": websafe_encode(self.id), "type": "public-key", "response": response}
        )


def _cose(key: EllipticCurvePrivateKey) -> dict[int, int | bytes]:
    # RFC 9053: an elliptic curve's key (1: 2) for ES256 (3: -7) on P-256 (-1: 1), by its two coordinates.
    point = key.public_key().public_numbers()
    return {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
