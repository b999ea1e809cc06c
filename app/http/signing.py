"""How what is signed is signed: cookies, forms, and links that the accounts library sends."""

from __future__ import annotations

import hashlib

from flask.sessions import SecureCookieSessionInterface
from itsdangerous import Signer


def sign_with_sha_256() -> None:
    """Let the libraries sign with HMAC-SHA-256, and not with SHA-1, which they do as they come and nothing new should use.

    Most of them offer no choice where they sign, but all look here for what is usual.
    """
    Signer.default_digest_method = staticmethod(hashlib.sha256)
    SecureCookieSessionInterface.digest_method = staticmethod(hashlib.sha256)
