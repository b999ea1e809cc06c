"""Writes down who logged in, failed to, logged out and changed a password, and from where."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Flask, request
from flask_login import user_logged_in, user_logged_out
from flask_security import password_changed, password_reset

from app.http.context import acting, acting_as, services
from app.services.audit_log import Action, subject_of_account
from app.storage.tables import User

SOMEBODY = "somebody"
_DEEDS: dict[Any, Action] = {
    user_logged_in: "logged in",
    user_logged_out: "logged out",
    password_changed: "password changed",
    password_reset: "password reset",
}


def keep_deeds(app: Flask, *, commit: Callable[[], None]) -> None:
    """Write down what the accounts library tells of; `commit` ends its own transaction, for SQLite lets one write at a time."""
    receivers = []
    for signal, action in _DEEDS.items():
        receiver = partial(_write, action, commit)
        signal.connect(receiver, app)
        receivers.append(receiver)
    app.extensions["vitrine.deeds"] = receivers  # signals hold their receivers weakly


def write_attempt(action: Action, typed: str) -> None:
    """Write down what somebody who is not logged in tried with an address.

    What was typed is kept only where it is an account's address: now and then it is a password in the wrong field. One entry is
    made either way, so that neither takes longer; how many there can be is bounded by the limit of attempts.
    """
    here = services()
    if action == "login failed":
        here.metrics.login_failed()
    subject = subject_of_account(here.accounts.known_address(typed) or SOMEBODY)
    here.audit_log.record(acting_as(SOMEBODY), action, subject)


def _write(action: Action, commit: Callable[[], None], _app: Flask, user: User | None = None, **_: Any) -> None:
    if action == "logged in" and request.endpoint == "security.change_password":
        return  # the library logs in anew whoever has just changed the password, which is written down by itself
    if action == "logged in":
        services().metrics.logged_in()
    email = getattr(user, "email", None)
    if user is not None and email is not None:  # whose login has ended elsewhere is nobody by now
        commit()
        services().audit_log.record(acting(user), action, subject_of_account(email))
