"""The second step of a login: until it is taken, whoever typed the right password is nobody."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, cast

from flask import Flask, abort, current_app, flash, redirect, request, session, url_for
from flask_security import UserMixin
from flask_security.tf_plugin import TfPlugin
from flask_security.utils import login_user, validate_redirect_url
from werkzeug.wrappers import Response

from app.http.context import acting, is_api, services, visitor, wants_json
from app.services.accounts.second_factors import Kind
from app.services.audit_log import Actor
from app.storage.tables import User

_HALF = "half_login"  # where it stands in the session
_WITHIN = 600
_LONGEST_PAGE = 1000  # the cookie that it goes into must stay small enough for browsers
_EXTENSION = "vitrine.second_step"
# What remains open to whoever must set up a second factor first.
_OPEN_ROOMS = {"second_factor", "health", "api_docs"}
_OPEN = {"security.verify", "security.logout", "static"}


@dataclass(frozen=True, slots=True)
class HalfLogin:
    """A login of which the first step is taken."""

    user: User
    remember: bool
    next: str
    kinds: frozenset[Kind]

    @property
    def actor(self) -> Actor:
        """Whose login it will be."""
        return acting(self.user)


class SecondStep(TfPlugin):
    """Stands where the accounts library asks whether a login needs more than was given, and leads to our page then."""

    def __init__(self, datastore: Any) -> None:
        super().__init__()
        self.datastore = datastore

    def tf_enter(
        self, user: UserMixin, remember_me: bool | None, primary_authn_via: str, next_loc: str | None
    ) -> Response | None:
        """Begin the second step where the account has one; None lets the library log in."""
        session.pop(_HALF, None)
        if not services().second_factors.of(cast(User, user).id):
            return None
        # Where a form has no next page, the library gives that of the form itself.
        next_page = request.values.get("next", "") if primary_authn_via == "password" else next_loc or ""
        # The identifier changes with the password and with rights: half a login from before is worth nothing then.
        session[_HALF] = {
            "user": user.fs_uniquifier,
            "at": time.time(),
            "remember": bool(remember_me),
            "next": next_page if len(next_page) <= _LONGEST_PAGE else "",
        }
        return redirect(url_for("second_step.index"), 303)


def take_second_steps(app: Flask, security: Any) -> None:
    """Let logins of accounts that have a second factor take a second step, and those that must have one set it up first."""
    step = SecondStep(security.datastore)
    app.extensions[_EXTENSION] = step
    security.two_factor_plugins = step
    app.before_request(_lead_to_set_up)


def half_login() -> HalfLogin | None:
    """Give the login of this browser that waits for its second step, or None."""
    kept = session.get(_HALF)
    if kept is None or visitor() is not None:
        return None
    user = _datastore().find_user(fs_uniquifier=kept["user"]) if time.time() - kept["at"] < _WITHIN else None
    kinds = services().second_factors.of(user.id) if user is not None and user.is_active else None
    if user is None or not kinds:
        session.pop(_HALF, None)
        return None
    return HalfLogin(user, kept["remember"], kept["next"], kinds)


def finish(user: User, *, remember: bool, next_page: str, via: str) -> Response:
    """Log in, with a token that is new in this browser, and lead on."""
    session.pop(_HALF, None)
    login_user(user, remember=remember, authn_via=[via])
    return redirect(next_page if next_page and validate_redirect_url(next_page) else url_for("classify.index"), 303)


def welcome(number: int) -> Response:
    """Log in whoever has just made the account of that number and chosen its password, and lead on."""
    flash("The account is made, and you are logged in.", "success")
    return finish(_datastore().find_user(id=number), remember=False, next_page="", via="password")


def account_of(number: int) -> User | None:
    """Give the account of that number, if it may log in."""
    user = _datastore().find_user(id=number)
    return cast(User, user) if user is not None and user.is_active else None


def _datastore() -> Any:
    return current_app.extensions[_EXTENSION].datastore


def _lead_to_set_up() -> Response | None:
    here = services()
    if here.settings.second_factor == "offered" or is_api(request) or request.endpoint is None:
        return None
    if request.blueprint in _OPEN_ROOMS or request.endpoint in _OPEN:
        return None
    user = visitor()
    if user is None or not here.second_factors.missing(user.id, admin=user.is_admin):
        return None
    if wants_json():
        abort(403)
    return redirect(url_for("second_factor.index"), 303)
