"""Passwords on the accounts library's pages: our rules, and every guess counted, also of whoever is logged in already."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request
from flask_security import ChangePasswordForm, PasswordUtil, VerifyForm

from app.errors import InvalidPassword
from app.http.context import services, visitor
from app.http.deeds import write_attempt
from app.services.accounts.passwords import check_password


class CheckedPasswords(PasswordUtil):
    """What may be chosen on the accounts library's pages is what may be chosen elsewhere."""

    def validate(self, password: str, is_register: bool, **given: Any) -> tuple[list[str] | None, str]:  # noqa: ARG002
        """Give what is wrong with a password, if anything, and the password as it was typed."""
        try:
            check_password(password, given["user"].email)
        except InvalidPassword as error:
            return [str(error)], password
        return None, password


class CountedVerifyForm(VerifyForm):
    """The form that asks for the password again, before something is changed."""

    def validate(self, **arguments: Any) -> bool:
        """Tell whether it is the password."""
        return _counted(self, super().validate, arguments)


class CountedChangePasswordForm(ChangePasswordForm):
    """The form that asks for the password and for a new one."""

    def validate(self, **arguments: Any) -> bool:
        """Tell whether it is the password, and the new one may be chosen."""
        return _counted(self, super().validate, arguments)


def _counted(form: VerifyForm | ChangePasswordForm, validate: Callable[..., bool], arguments: dict[str, Any]) -> bool:
    # Whoever came by a browser that is logged in must not try passwords there as often as they like.
    user, attempts, address = visitor(), services().attempts, request.remote_addr or ""
    account = "" if user is None else user.email
    attempts.begin(account, address)
    good = bool(validate(**arguments))
    if not form.password.errors:
        attempts.succeed(account, address)
    elif account:
        write_attempt("login failed", account)
    return good
