"""Whom a request's key speaks for. Cookies do not work here, so no form of another site can use them."""

from __future__ import annotations

from flask import request

from app.errors import InvalidKey
from app.http.context import services
from app.http.key_uses import use_key
from app.services.accounts.api_keys import KeyHolder


def key_holder(scope: str) -> KeyHolder:
    """Give the holder of the key in the Authorization header, or raise InvalidKey or MissingScope."""
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not key:
        raise InvalidKey("Send an API key: Authorization: Bearer vtr_...")
    holder = services().api_keys.check(key.strip())
    use_key(holder.key_id)
    holder.require(scope)
    return holder
