"""What a request may ask for: the services of this process and whoever is asking."""

from __future__ import annotations

import secrets
from typing import cast

from flask import Flask, Request, current_app, g, request, session
from flask_login import current_user

from app.composition import Services
from app.services.audit_log import Actor
from app.services.recorder import Owner
from app.storage.tables import User

_KEY = "vitrine"
# Where the layer that writes the log leaves the identifier of a request.
REQUEST_ID = "vitrine.request_id"
# Where Prometheus asks; it has a key and no cookie, as programs have.
METRICS = "/metrics"


def attach(app: Flask, services: Services) -> None:
    """Let requests of an app find the services."""
    app.extensions[_KEY] = services


def services() -> Services:
    """Give the services of this process."""
    return cast(Services, current_app.extensions[_KEY])


def visitor() -> User | None:
    """Give the account that is logged in on this page, or None."""
    return cast(User, current_user) if current_user.is_authenticated else None


def administrator() -> User | None:
    """Give the account that is logged in on this page if it may administer the site, or None."""
    user = visitor()
    return user if user is not None and user.is_admin else None


def acting_administrator() -> Actor:
    """Give the administrator who asks, as the audit log names them; the guard lets nobody else come so far."""
    user = administrator()
    assert user is not None, "the guard lets only administrators in"  # noqa: S101
    return acting(user)


def acting_visitor() -> Actor:
    """Give the account that asks, as the audit log names it; the guard lets nobody else come so far."""
    user = visitor()
    assert user is not None, "the guard lets only accounts in"  # noqa: S101
    return acting(user)


def acting(user: User) -> Actor:
    """Give an account that does something by this request, as the audit log names it."""
    return Actor(user.email, user.id, request.remote_addr)


def acting_as(name: str, account: int | None = None) -> Actor:
    """Give whoever does something by this request under a name that nobody is logged in by yet."""
    return Actor(name, account, request.remote_addr)


def known_account() -> int | None:
    """Give the number of the account that is known to ask; an account that nobody has looked for yet is not looked for."""
    # Read past the database's session, which an error may have left in any state.
    number = vars(g.get("_login_user") or object).get("id")
    return number if isinstance(number, int) else None


def page_owner() -> Owner:
    """Give whom predictions made on a page belong to: the account, else the guest of this browser's session."""
    user = visitor()
    if user is not None:
        return Owner(account=user.id)
    if "guest" not in session:
        session["guest"] = secrets.token_hex(16)
    return Owner(guest=session["guest"])


def is_api(request: Request) -> bool:
    """Tell whether a request is for the API, where keys count and cookies do not."""
    return request.path.startswith("/api/v1/") or request.path == METRICS


def wants_json() -> bool:
    """Tell whether our own script asks: it sends photos one by one and reads the answer as JSON."""
    return request.accept_mimetypes.best == "application/json"


def request_id() -> str:
    """Give the identifier that this request bears in the log and in error answers."""
    return cast(str, request.environ.get(REQUEST_ID, ""))
