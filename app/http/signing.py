"""How what is signed is signed: cookies, forms, links that the accounts library sends, and what was shown of a replay."""

from __future__ import annotations

import hashlib
from dataclasses import asdict

from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadData, Signer, URLSafeTimedSerializer

from app.composition import signing_key
from app.http.context import services
from app.services.replay import Figures

_SHOWN_SECONDS = 3600


def sign_with_sha_256() -> None:
    """Let the libraries sign with HMAC-SHA-256, and not with SHA-1, which they do as they come and nothing new should use.

    Most of them offer no choice where they sign, but all look here for what is usual.
    """
    Signer.default_digest_method = staticmethod(hashlib.sha256)
    SecureCookieSessionInterface.digest_method = staticmethod(hashlib.sha256)


def sign_figures(name: str, figures: Figures) -> str:
    """Give the figures of a model's replay as a text for a form, which need not replay everything again; good for an hour."""
    return str(_of_replays().dumps([name, asdict(figures)]))


def signed_figures(name: str, text: str) -> Figures | None:
    """Give the figures that were signed for this model, or None where the text is too old or was not signed here."""
    try:
        of, told = _of_replays().loads(text, max_age=_SHOWN_SECONDS)
    except BadData:
        return None
    return Figures(**told) if of == name else None


def _of_replays() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(signing_key(services().settings), salt="figures of a replay")
