"""The way back in for whoever forgot a password: a link by mail that lives for an hour and dies when it is no longer needed."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask, flash, g, redirect, request
from flask_security import ForgotPasswordForm, MailUtil, url_for_security
from flask_security.utils import hash_password
from itsdangerous import BadData
from werkzeug.wrappers import Response

from app.http.context import services
from app.http.deeds import write_attempt
from app.services.mail import Letter

_DEAD = "That link is used, too old or not whole. Ask for a new one here."
# Twice what the hash takes, and far more than the link and the letter, which are made behind it where there is an account.
_EVEN_SECONDS = 0.2
RECOVERY: dict[str, Any] = {
    "SECURITY_RESET_URL": "/recover",
    "SECURITY_RESET_PASSWORD_WITHIN": timedelta(hours=1),
    "SECURITY_POST_RESET_VIEW": "security.login",
    # Of the password's hash, which a link bears: the library's own choice takes a fifth of a second, and only where there is an
    # account. The second reads the links of before.
    "SECURITY_HASHING_SCHEMES": ["hex_sha256", "sha256_crypt"],
    "SECURITY_EMAIL_PLAINTEXT": True,
    "SECURITY_EMAIL_HTML": False,
    "SECURITY_EMAIL_SUBJECT_PASSWORD_RESET": "A new password for Vitrine",
    "SECURITY_EMAIL_SUBJECT_PASSWORD_NOTICE": "Your password for Vitrine was changed",
    "SECURITY_EMAIL_SUBJECT_PASSWORD_CHANGE_NOTICE": "Your password for Vitrine was changed",
    # The same words for every address, known or not.
    "SECURITY_MSG_PASSWORD_RESET_REQUEST": ("If there is an account for that address, a link is on its way to it.", "success"),
    "SECURITY_MSG_PASSWORD_RESET_EXPIRED": (_DEAD, "error"),
    "SECURITY_MSG_INVALID_RESET_PASSWORD_TOKEN": (_DEAD, "error"),
    "SECURITY_MSG_PASSWORD_RESET_NO_LOGIN": ("Your password is changed: log in with it.", "success"),
}


class Letters(MailUtil):
    """Hands the accounts library's letters to our post."""

    def send_mail(self, *given: Any, **_: Any) -> None:
        """Send a letter soon."""
        _template, subject, recipient, _sender, body, _html = given
        services().post.send(Letter(str(recipient), str(subject), body))


class CountedForgotPasswordForm(ForgotPasswordForm):
    """The form that asks for a link; it is counted, and takes as long for an address that nobody has."""

    def validate(self, **arguments: Any) -> bool:
        """Tell whether there is such an account."""
        services().attempts.begin_recovery(self.email.data or "", request.remote_addr or "")
        good = bool(super().validate(**arguments))
        if good:
            # The library makes a hash where there is no such account, which nothing else here takes as long as.
            hash_password("not-a-password")
        write_attempt("recovery asked", self.email.data or "")
        return good


def answer_evenly(app: Flask) -> None:
    """Let who asks for a link be answered at an even moment: what is done for an account alone does not show in the time."""

    def begin() -> None:
        g.recovery_began = time.monotonic()

    def wait(response: Response) -> Response:
        if request.endpoint == "security.forgot_password" and request.method == "POST" and response.status_code < 400:
            time.sleep(-(time.monotonic() - g.recovery_began) % _EVEN_SECONDS)
        return response

    app.before_request_funcs.setdefault("security", []).append(begin)
    app.after_request_funcs.setdefault("security", []).append(wait)


def let_links_die_at_login(app: Flask, security: Any) -> None:
    """Let a link be worth nothing once its account has logged in since: whoever can log in needs none."""

    def check() -> Response | None:
        if request.endpoint != "security.reset_password":
            return None
        try:
            data, issued = security.reset_serializer.loads((request.view_args or {})["token"], return_timestamp=True)
        except BadData:
            return None  # the library says so
        user = security.datastore.find_user(fs_uniquifier=str(data[0]))
        since = None if user is None else user.logged_in_at
        if since is None or since < _moment(issued):
            return None
        flash(_DEAD, "error")
        return redirect(url_for_security("forgot_password"), 303)

    app.before_request(check)


def _moment(issued: datetime) -> datetime:
    return issued if issued.tzinfo is not None else issued.replace(tzinfo=UTC)
