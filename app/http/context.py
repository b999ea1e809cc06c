"""What a request may ask for: the services of this process and whoever is asking."""

from __future__ import annotations

import secrets
from typing import cast

from flask import Flask, current_app, g, request, session
from flask_login import current_user

from app.composition import Services
from app.services.recorder import Owner
from app.storage.tables import User

_KEY = "vitrine"


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


def page_owner() -> Owner:
    """Give whom predictions made on a page belong to: the account, else the guest of this browser's session."""
    user = visitor()
    if user is not None:
        return Owner(account=user.id)
    if "guest" not in session:
        session["guest"] = secrets.token_hex(16)
    return Owner(guest=session["guest"])


def wants_json() -> bool:
    """Tell whether our own script asks: it sends photos one by one and reads the answer as JSON."""
    return request.accept_mimetypes.best == "application/json"


def request_id() -> str:
    """Give the identifier that this request bears in the log and in error answers."""
    if "request_id" not in g:
        g.request_id = secrets.token_hex(8)
    return cast(str, g.request_id)
