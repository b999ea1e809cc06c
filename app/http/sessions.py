"""Logging in on pages: the accounts library, its cookies, and who may see which page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

from flask import Blueprint, Flask, Request, abort, current_app, g, make_response, redirect, request
from flask import Response as FlaskResponse
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_security import LoginForm, Security, SQLAlchemySessionUserDatastore, url_for_security
from flask_security.utils import check_and_update_authn_fresh, validate_redirect_url
from flask_wtf import CSRFProtect
from werkzeug.wrappers import Response

from app.composition import Services
from app.config import Settings
from app.http.context import administrator, is_api, services, visitor, wants_json
from app.http.deeds import keep_deeds, write_attempt
from app.http.limits import bound_account_forms
from app.http.logins import keep_logins
from app.http.passwords import CheckedPasswords, CountedChangePasswordForm, CountedVerifyForm
from app.http.recovery import RECOVERY, CountedForgotPasswordForm, Letters, answer_evenly, let_links_die_at_login
from app.http.second_step import take_second_steps
from app.http.signing import sign_with_sha_256
from app.services.accounts.passwords import SHORTEST_PASSWORD
from app.storage.tables import Role, User

PLAIN_HTTP = "This page was reached over plain http, where a password could be read on its way; open it over https to log in."
_ACCOUNTS: dict[str, Any] = {
    "SECURITY_EMAIL_VALIDATOR_ARGS": {"check_deliverability": False},
    "SECURITY_PASSWORD_HASH": "argon2",
    # One hash, of the password as it was typed: the command line makes the same with argon2 alone.
    "SECURITY_PASSWORD_SINGLE_HASH": {"argon2"},
    "SECURITY_PASSWORD_SCHEMES": ["argon2"],
    "SECURITY_PASSWORD_NORMALIZE_FORM": None,
    "SECURITY_PASSWORD_LENGTH_MIN": SHORTEST_PASSWORD,
    "SECURITY_RETURN_GENERIC_RESPONSES": True,
    "SECURITY_CHANGEABLE": True,
    "SECURITY_CHANGE_URL": "/account/password",
    "SECURITY_POST_CHANGE_VIEW": "account.index",
    # A page that asks for less than an administrator's must not make an old login fresh for both.
    "SECURITY_FRESHNESS_GRACE_PERIOD": timedelta(0),
    # The library's own value comes out as "no-store=True", which no cache understands; every page says no-store anyway.
    "SECURITY_CACHE_CONTROL": None,
    # A form is good for as long as the session it was given to: a page may stay open over lunch.
    "WTF_CSRF_TIME_LIMIT": None,
    "SECURITY_POST_LOGIN_VIEW": "classify.index",
    "SECURITY_POST_LOGOUT_VIEW": "security.login",
    "SECURITY_STATIC_FOLDER": None,
    "SECURITY_MSG_LOGIN": ("", "info"),
    "SECURITY_MSG_GENERIC_AUTHN_FAILED": ("That e-mail address and password do not go together.", "error"),
    "SECURITY_MSG_PASSWORD_CHANGE": ("Your password is changed.", "success"),
    "SECURITY_MSG_UNAUTHENTICATED": ("Log in to see that page.", "info"),
    "SECURITY_MSG_REAUTHENTICATION_SUCCESSFUL": ("Your password is confirmed. Nothing was changed yet.", "success"),
}
# Of the library's pages those that lead a stranger to the login, whatever the form says.
_FOR_ACCOUNTS = ("security.verify", "security.change_password")
_FRESH = timedelta(minutes=15)
_csrf = CSRFProtect()


class CountedLoginForm(LoginForm):
    """The login form; failures are counted, and no password is taken where it could be read on its way."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.password.description = ""  # the library's link; the page has its own

    def validate(self, **arguments: Any) -> bool:
        """Tell whether the login is good."""
        here = services()
        if not here.settings.login_allowed(request.host):
            self.form_errors.append(PLAIN_HTTP)
            return False
        if self.next.data and not validate_redirect_url(self.next.data):
            self.next.data = ""  # a bad link must not cost an attempt: the login counts, and leads to the first page
        account, address = self.email.data or "", request.remote_addr or ""
        here.attempts.begin(account, address)
        good = bool(super().validate(**arguments))
        if good:
            here.attempts.succeed(account, address)
        else:
            write_attempt("login failed", account)
        return good


def set_up_sessions(app: Flask, here: Services, secret_key: str) -> None:
    """Give the app its cookies, its login pages and its protection against forged forms."""
    app.config.update(_cookies(here.settings), SECRET_KEY=secret_key, WTF_CSRF_CHECK_DEFAULT=False, **_ACCOUNTS, **RECOVERY)
    app.config.update(SECURITY_RECOVERABLE=here.post.goes, SECURITY_SEND_PASSWORD_CHANGE_EMAIL=here.post.goes)
    sign_with_sha_256()
    before, after = (len(hooks.setdefault(None, [])) for hooks in (app.before_request_funcs, app.after_request_funcs))
    _csrf.init_app(app)
    session = here.session_of(lambda: id(g._get_current_object()))
    security = Security(
        app,
        SQLAlchemySessionUserDatastore(session, User, Role),
        login_form=CountedLoginForm,
        verify_form=CountedVerifyForm,
        change_password_form=CountedChangePasswordForm,
        forgot_password_form=CountedForgotPasswordForm,
        mail_util_cls=Letters,
        password_util_cls=CheckedPasswords,
    )
    # Its hashes are made and checked where ours are, of which there are two at once.
    security.pwd_context = cast(Any, here.passwords)
    security.want_json(lambda _request: False)
    # The session's cookie is the only way to be somebody on a page: no token in a header or a query.
    app.before_request(_protect_accounts)
    bound_account_forms(app)
    answer_evenly(app)
    let_links_die_at_login(app, security)
    keep_logins(app, commit=session.commit)
    take_second_steps(app, security)
    keep_deeds(app, commit=session.commit)
    _keep_to_pages(app, before, after)
    app.login_manager.request_loader(lambda _request: None)  # type: ignore[attr-defined]
    app.teardown_appcontext(lambda _error: session.remove())


def guard(pages: Blueprint, *, guests: bool = False) -> None:
    """Let nobody in without a login (guests where the settings let them), and no form that another site sent."""

    def check() -> Response | None:
        welcome = guests and services().settings.access == "guests"
        if visitor() is None and not welcome:
            if wants_json():
                abort(401)
            return cast(Response, current_app.login_manager.unauthorized())  # type: ignore[attr-defined]
        _csrf.protect()
        return None

    pages.before_request(check)


def ask_for_fresh_login(pages: Blueprint, *, back: Callable[..., str]) -> None:
    """Let nobody see or change anything with an old login: it leads to the password, and from there to `back`."""

    def check() -> Response | None:
        return ask_for_password(back(**(request.view_args or {})))

    pages.before_request(check)


def guard_administration(pages: Blueprint, *, back: Callable[..., str]) -> None:
    """Let in administrators alone, and to change something only with a fresh login; an older one leads to the password.

    From there it goes to `back`, which gets the parts of the address and gives the page of the form, to be sent again there.
    """
    guard(pages)

    def check() -> Response | None:
        if administrator() is None:
            abort(403)
        if request.method in ("GET", "HEAD"):
            return None
        return ask_for_password(back(**(request.view_args or {})))

    pages.before_request(check)


def ask_for_password(back: str) -> FlaskResponse | None:
    """Give the way to the password, and from there to the page `back`, where the login is no fresh one; None where it is."""
    # No grace: whoever takes over a browser that was left open is asked for the password.
    if check_and_update_authn_fresh(_FRESH, timedelta(0)):
        return None
    return make_response(redirect(url_for_security("verify", next=back), 303))


def protect_forms(pages: Blueprint) -> None:
    """Let everybody in, but no form that another site sent."""
    pages.before_request(_csrf.protect)


def _keep_to_pages(app: Flask, before: int, after: int) -> None:
    """Let the hooks that the libraries have just registered run for pages alone, and the API have no session at all.

    They open the session and look for an account, which a request by key never needs.
    """
    asked, answered = app.before_request_funcs[None], app.after_request_funcs[None]
    on_asking, on_answering = asked[before:], answered[after:]

    def ask() -> Any:
        if is_api(request):
            return None
        answers = (hook() for hook in on_asking)
        return next((answer for answer in answers if answer is not None), None)

    def answer(response: Any) -> Any:
        if is_api(request):
            return response
        for hook in reversed(on_answering):  # as the framework runs them
            response = hook(response)
        return response

    asked[before:] = [ask]
    answered[after:] = [answer]
    app.session_interface = _PageSessions()


class _PageSessions(SecureCookieSessionInterface):
    """Sessions of pages; an address of the API has none, whatever cookie comes with the request."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Give the session of a request to a page."""
        return None if is_api(request) else super().open_session(app, request)


def _protect_accounts() -> None:
    # The library lets some forms through, strangers' among them, and looks at no Referer.
    if request.blueprint == "security" and not (visitor() is None and request.endpoint in _FOR_ACCOUNTS):
        _csrf.protect()


def _cookies(settings: Settings) -> dict[str, Any]:
    # The stricter one is for a site that has the whole name to itself: its cookie may have no path.
    prefix = ("__Secure-" if settings.prefix else "__Host-") if settings.https else ""
    return {
        "SESSION_COOKIE_NAME": f"{prefix}{settings.cookie}",
        "SESSION_COOKIE_SECURE": settings.https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_PATH": settings.prefix or "/",
        # Of those who stay logged in; of others it ends with the browser.
        "PERMANENT_SESSION_LIFETIME": timedelta(days=settings.login_days),
    }
