"""The second step of a login, and the login by a passkey alone."""

from __future__ import annotations

from flask import Blueprint, Response, flash, jsonify, make_response, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as AnyResponse
from wtforms import HiddenField, StringField
from wtforms.validators import Length

from app.errors import InvalidPasskey
from app.http.ceremonies import begin, begun
from app.http.context import services
from app.http.deeds import write_attempt
from app.http.second_step import HalfLogin, account_of, finish, half_login
from app.http.sessions import PLAIN_HTTP, protect_forms

blueprint = Blueprint("second_step", __name__)
protect_forms(blueprint)

_WRONG = "That code is not good: it is mistyped, too old, or used already."


class SecondStepForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """A code of the app, or one of those on paper."""

    code = StringField("Code", description="The six digits that your app shows now.", validators=[Length(max=20)])
    recovery = StringField(
        "Recovery code", description="One of those that you kept; it is good once.", validators=[Length(max=80)]
    )


class PasskeyForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """What a browser answers for a passkey."""

    credential = HiddenField(validators=[Length(min=1, max=20_000)])
    remember = HiddenField()
    next = HiddenField()


@blueprint.route("/login/second-step", methods=["GET", "POST"])
def index() -> AnyResponse:
    """Ask for a code, and log in with it."""
    half, form = half_login(), SecondStepForm()
    if half is None:
        return _to_the_first_step()
    if request.method != "POST":
        return _page(half, form)
    here, address = services(), request.remote_addr or ""
    if form.validate():
        here.attempts.begin_step(half.user.email, address)
        if _is_good(half, form):
            here.attempts.succeed_step(half.user.email, address)
            return finish(half.user, remember=half.remember, next_page=half.next, via="code")
        write_attempt("login failed", half.user.email)
        (form.recovery if form.recovery.data else form.code).errors = [_WRONG]
    return _page(half, form, 422)


@blueprint.get("/login/second-step/passkey")
def ask() -> AnyResponse:
    """Say what the browser is asked about the passkeys of this account."""
    half = half_login()
    if half is None:
        return _to_the_first_step()
    return jsonify(begin("second step", services().passkeys.begin_login(half.user.id)))


@blueprint.post("/login/second-step/passkey")
def take() -> AnyResponse:
    """Log in with a passkey after the password."""
    half, form = half_login(), PasskeyForm()
    if half is None:
        return _to_the_first_step()
    here, address = services(), request.remote_addr or ""
    here.attempts.begin_step(half.user.email, address)
    try:
        here.passkeys.check(begun("second step"), _answer(form), half.user.id)
    except InvalidPasskey as error:
        write_attempt("login failed", half.user.email)
        flash(str(error), "danger")
        return redirect(url_for("second_step.index"), 303)
    here.attempts.succeed_step(half.user.email, address)
    return finish(half.user, remember=half.remember, next_page=half.next, via="passkey")


@blueprint.get("/login/passkey")
def ask_alone() -> Response:
    """Say what the browser is asked for a passkey that knows its owner."""
    return jsonify(begin("login", services().passkeys.begin_login()))


@blueprint.post("/login/passkey")
def take_alone() -> AnyResponse:
    """Log in with a passkey alone: it is something that one has, and the device has recognised its owner."""
    here, form, address = services(), PasskeyForm(), request.remote_addr or ""
    here.attempts.begin_step("", address)
    try:
        if not here.settings.login_allowed(request.host):
            raise InvalidPasskey(PLAIN_HTTP)
        user = account_of(here.passkeys.check(begun("login"), _answer(form)))
        if user is None:
            raise InvalidPasskey("That passkey does not let you in.")
    except InvalidPasskey as error:
        write_attempt("login failed", "")
        flash(str(error), "danger")
        return redirect(url_for("security.login", next=form.next.data or None), 303)
    here.attempts.succeed_step("", address)
    return finish(user, remember=bool(form.remember.data), next_page=form.next.data or "", via="passkey")


def _is_good(half: HalfLogin, form: SecondStepForm) -> bool:
    here = services()
    if not form.recovery.data:
        return here.authenticators.check(half.user.id, form.code.data or "")
    if not here.recovery_codes.use(half.actor, form.recovery.data):
        return False
    left = here.recovery_codes.left(half.user.id)
    flash(f"That recovery code is used up; {left or 'none'} {'is' if left == 1 else 'are'} left.", "warning")
    return True


def _answer(form: PasskeyForm) -> str:
    if not form.validate():
        raise InvalidPasskey("The browser's answer does not fit; try again.")
    return str(form.credential.data)


def _to_the_first_step() -> AnyResponse:
    flash("Log in to see that page.", "info")
    return redirect(url_for("security.login"), 303)


def _page(half: HalfLogin, form: SecondStepForm, status: int = 200) -> Response:
    page = render_template("second_factor/step.html", form=form, kinds=half.kinds, email=half.user.email)
    return make_response(page, status)
