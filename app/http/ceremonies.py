"""What a browser was asked about a passkey, kept in its session until it answers: once, and within minutes."""

from __future__ import annotations

import time
from typing import Any, Literal

from flask import session

from app.errors import InvalidPasskey
from app.http.context import services
from app.services.accounts.passkeys import Ceremony

Purpose = Literal["adding", "login", "second step"]

_CEREMONY = "passkey"  # where it stands in the session
_WITHIN = 300


def begin(purpose: Purpose, ceremony: Ceremony) -> dict[str, Any]:
    """Keep what the answer is checked against, and give what the browser is asked."""
    session[_CEREMONY] = {"for": purpose, "at": time.time(), "state": ceremony.state}
    return ceremony.options


def begun(purpose: Purpose) -> dict[str, str]:
    """Give what the answer is checked against, this once, or raise InvalidPasskey."""
    kept = session.pop(_CEREMONY, None)
    late = InvalidPasskey("That took too long; try again.")
    if kept is None or kept["for"] != purpose or time.time() - kept["at"] > _WITHIN:
        raise late
    state: dict[str, str] = kept["state"]
    # A cookie can be kept and sent again with the same answer: that it was answered is known here.
    if not services().attempts.is_first(state["challenge"]):
        raise late
    return state
