"""Tells the log who logged in, who failed to, and who was refused: what an operator looks through after an incident.

Each line bears its request's identifier and address. Accounts are told by their numbers and never by what was typed: a password
ends up in the wrong field now and then.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from flask import Flask, request
from flask_login import user_logged_out
from flask_security import (
    password_changed,
    password_reset,
    reset_password_instructions_sent,
    user_authenticated,
    user_failed_authn,
)

from app.http.context import known_account

# What the accounts library sends, and what it is called in the log.
_EVENTS: dict[Any, str] = {
    user_authenticated: "logged_in",
    user_failed_authn: "login_failed",
    user_logged_out: "logged_out",
    password_changed: "password_changed",
    password_reset: "password_reset",
    reset_password_instructions_sent: "recovery_asked",
}
# Of a key only its public part, and only where it looks like one of ours: what stands in a header may be anything.
_KEY = re.compile(r"vtr_([0-9a-f]{12})_")
# What others answer with these statuses is a mistake; these may be an attack. An address that is not there is every scanner's.
_TOLD = frozenset({400, 401, 403, 413, 421, 422, 429})

log = structlog.get_logger(__name__)


def tell_security_events(app: Flask) -> None:
    """Write a line whenever somebody logs in or out, fails to, or changes what they log in with."""
    receivers: list[Callable[..., None]] = []
    for signal, name in _EVENTS.items():
        receiver = partial(_tell, name)
        signal.connect(receiver, app)
        receivers.append(receiver)
    app.extensions["vitrine.security_events"] = receivers  # signals hold their receivers weakly


def tell_failed_login(account: int | None, how: str) -> None:
    """Write that a login failed; of wrong passwords for accounts that there are the accounts library tells by itself."""
    log.warning("login_failed", account=account, how=[how])


def tell_refusal(status: int, code: str) -> None:
    """Write that a request was refused, where that may be more than a mistake."""
    if status in _TOLD:
        named = _KEY.search(request.headers.get("Authorization", ""))
        key = {"key": named.group(1)} if named else {}
        log.warning("refused", status=status, code=code, account=known_account(), **key)


def _tell(name: str, _app: Flask, user: Any = None, authn_via: Any = None, auth_type: str = "", **_: Any) -> None:
    how = {"how": list(authn_via)} if authn_via else {"how": [auth_type]} if auth_type else {}
    write = log.warning if name == "login_failed" else log.info
    write(name, account=getattr(user, "id", None), **how)
