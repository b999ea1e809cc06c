"""One's second factors: an app that tells codes, passkeys, and recovery codes; all with a fresh login."""

from __future__ import annotations

from flask import Blueprint, Response, flash, jsonify, make_response, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField
from wtforms.validators import DataRequired, Length

from app.errors import InvalidCode, InvalidPasskey
from app.http.ceremonies import begin, begun
from app.http.context import acting_visitor, administrator, services
from app.http.logins import end_other_logins
from app.http.sessions import ask_for_fresh_login, guard
from app.web.qr import qr_code


def _back(**_: object) -> str:
    return url_for("second_factor.index")


blueprint = Blueprint("second_factor", __name__)
guard(blueprint)
ask_for_fresh_login(blueprint, back=_back)


class AppForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """The secret that is offered, sealed, and a code that shows that the app has it."""

    sealed = HiddenField()
    code = StringField(
        "Code", validators=[DataRequired("Type the code that the app shows."), Length(max=20)], description="Six digits."
    )


class NewPasskeyForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """What a new passkey is called, and what the browser answers for it."""

    name = StringField(
        "Name",
        validators=[DataRequired("Give the passkey a name."), Length(max=80)],
        description="What holds it: this laptop, the phone, a key on a ring.",
    )
    credential = HiddenField(validators=[Length(max=20_000)])


@blueprint.get("/account/second-factor")
def index() -> str:
    """Show which second factors the account has."""
    return _page(NewPasskeyForm())


@blueprint.route("/account/second-factor/app", methods=["GET", "POST"])
def set_up_app() -> Response:
    """Show a secret for an app, and ask for its codes from then on once one was typed."""
    here, form, actor = services(), AppForm(), acting_visitor()
    if request.method != "POST":
        return make_response(_offer(form))
    if form.validate():
        first = not here.second_factors.of(_account())
        try:
            here.authenticators.turn_on(actor, form.sealed.data, form.code.data)
        except InvalidCode as error:
            form.code.errors = [str(error)]
        else:
            flash("Your app's codes are asked for from now on.", "success")
            return _added(first=first)
    return make_response(_offer(form), 422)


@blueprint.post("/account/second-factor/app/remove")
def remove_app() -> Response:
    """Ask for the app's codes no more."""
    if services().authenticators.turn_off(acting_visitor()):
        flash("The app's codes are asked for no more.", "success")
    return make_response(redirect(_back(), 303))


@blueprint.post("/account/second-factor/codes")
def make_codes() -> Response:
    """Make new recovery codes and show them, this once."""
    if not services().second_factors.of(_account()):
        flash("Set up an app or a passkey first.", "warning")
        return make_response(redirect(_back(), 303))
    return _codes()


@blueprint.get("/account/second-factor/passkeys/options")
def ask_for_passkey() -> Response:
    """Say what the browser is asked to make a passkey."""
    return jsonify(begin("adding", services().passkeys.begin_adding(acting_visitor())))


@blueprint.post("/account/second-factor/passkeys")
def add_passkey() -> Response:
    """Keep a passkey that the browser has made."""
    here, form = services(), NewPasskeyForm()
    if not form.validate():
        return make_response(_page(form), 422)
    first = not here.second_factors.of(_account())
    try:
        here.passkeys.add(acting_visitor(), form.name.data, begun("adding"), form.credential.data)
    except InvalidPasskey as error:
        form.form_errors.append(str(error))
        return make_response(_page(form), 422)
    flash(f"The passkey “{form.name.data}” is added.", "success")
    return _added(first=first)


@blueprint.post("/account/second-factor/passkeys/<int:number>/remove")
def remove_passkey(number: int) -> Response:
    """Forget a passkey."""
    name = services().passkeys.remove(acting_visitor(), number)
    if name is not None:
        flash(f"The passkey “{name}” lets nobody in any more.", "success")
    return make_response(redirect(_back(), 303))


def _added(*, first: bool) -> Response:
    if not first:
        return make_response(redirect(_back(), 303))
    # Whoever logged in elsewhere did so with less than is asked for now.
    end_other_logins(_account())
    return _codes()


def _codes() -> Response:
    return make_response(render_template("second_factor/codes.html", codes=services().recovery_codes.make(acting_visitor())))


def _offer(form: AppForm) -> str:
    here, actor = services(), acting_visitor()
    offer = here.authenticators.offered(actor, form.sealed.data) if form.sealed.data else here.authenticators.offer(actor)
    form.sealed.data = offer.sealed
    return render_template("second_factor/app.html", form=form, offer=offer, qr_code=qr_code(offer.address))


def _account() -> int:
    account = acting_visitor().account
    assert account is not None, "the guard lets only accounts in"  # noqa: S101
    return account


def _page(form: NewPasskeyForm) -> str:
    here, account = services(), _account()
    return render_template(
        "second_factor/index.html",
        form=form,
        app_since=here.authenticators.added_at(account),
        passkeys=here.passkeys.list(account),
        possible=here.passkeys.possible,
        codes_left=here.recovery_codes.left(account),
        required=here.second_factors.required_of(admin=administrator() is not None),
    )
