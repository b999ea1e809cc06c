"""Keeps the logins of pages on the server: the cookie holds a token, and one whose login has ended is worth nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Flask, Response, after_this_request, request, session
from flask_login import user_logged_in, user_logged_out
from flask_security import password_changed, password_reset

from app.http.context import services
from app.services.accounts.logins import Login
from app.storage.tables import User

_TOKEN = "login"  # noqa: S105 - where the token stands in the session
# What a page asks for by itself, again and again: that does not say that somebody is there.
_ASKED_BY_SCRIPTS = frozenset({"dashboard.live"})


def keep_logins(app: Flask, *, commit: Callable[[], None]) -> None:
    """Let an account of this app be logged in only where the server says so too; call it after the accounts library's set-up.

    `commit` ends the library's own transaction: it is called before a login begins or ends, since SQLite lets nobody else write
    until then.
    """
    manager: Any = app.login_manager  # type: ignore[attr-defined]
    load = manager._user_callback  # it can be set, but not asked for
    manager.user_loader(lambda user_id: _logged_in(load(user_id)))
    begin, end, end_others = (partial(receive, commit) for receive in (_begin, _end, _end_others))
    app.extensions["vitrine.logins"] = (begin, end, end_others)  # signals hold their receivers weakly
    user_logged_in.connect(begin, app)
    user_logged_out.connect(end, app)
    password_changed.connect(end_others, app)
    password_reset.connect(end_others, app)


def this_login() -> Login | None:
    """Give the login of the browser that asks."""
    token = session.get(_TOKEN)
    seen = request.endpoint not in _ASKED_BY_SCRIPTS
    return services().logins.check(token, seen=seen) if isinstance(token, str) else None


def end_other_logins(account: int) -> int:
    """End all logins of an account but that of the browser that asks, and give how many there were."""
    return services().logins.end_others(account, session.get(_TOKEN, ""))


def forget_login() -> None:
    """Let the browser that asks be nobody's; whatever login it had has ended on the server."""
    session.clear()


def _logged_in(user: User | None) -> User | None:
    login = None if user is None else this_login()
    return user if user is not None and login is not None and login.account == user.id else None


def _begin(commit: Callable[[], None], _app: Flask, user: User) -> None:
    commit()
    here, before = services(), session.pop(_TOKEN, None)
    # The library would have a second cookie remember the account, which nobody could end.
    stays = session.pop("_remember", None) == "set"
    if before is None:
        session.permanent = stays
    else:
        here.logins.end(before)
    browser, address = request.headers.get("User-Agent", ""), request.remote_addr or ""
    session[_TOKEN] = here.logins.begin(user.id, browser=browser, address=address)


def _end(commit: Callable[[], None], _app: Flask, **_: Any) -> None:
    after_this_request(_clear_browser)
    token = session.pop(_TOKEN, None)
    if token is not None:
        commit()
        services().logins.end(token)


def _clear_browser(response: Response) -> Response:
    # What the back button would show. Not the cookies: one is just being set.
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _end_others(commit: Callable[[], None], _app: Flask, user: User, **_: Any) -> None:
    commit()
    end_other_logins(user.id)
