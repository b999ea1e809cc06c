"""The one-time page on which the first administrator is made."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request
from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField, SubmitField
from wtforms.validators import DataRequired, EqualTo, Length

from app.errors import InvalidAccount, InvalidPassword
from app.http.context import acting_as, services
from app.http.second_step import welcome
from app.http.sessions import PLAIN_HTTP, protect_forms
from app.services.accounts.accounts import checked_email
from app.services.accounts.passwords import LONGEST_PASSWORD, SHORTEST_PASSWORD
from app.services.audit_log import subject_of_account

blueprint = Blueprint("setup", __name__)
protect_forms(blueprint)


class NewPasswordForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """A password for a new account."""

    password = PasswordField(
        "Password",
        validators=[Length(SHORTEST_PASSWORD, LONGEST_PASSWORD, f"Choose at least {SHORTEST_PASSWORD} characters.")],
        description=f"At least {SHORTEST_PASSWORD} characters; a few words are easiest to keep in mind.",
        render_kw={"autocomplete": "new-password"},
    )
    password_confirm = PasswordField(
        "Password again",
        validators=[EqualTo("password", "The two passwords differ.")],
        render_kw={"autocomplete": "new-password"},
    )
    submit = SubmitField("Make the account")


class SetupForm(NewPasswordForm):
    """The first account."""

    email = EmailField("E-mail", validators=[DataRequired("Give an e-mail address.")], render_kw={"autocomplete": "username"})


@blueprint.route("/setup/<token>", methods=["GET", "POST"])
def index(token: str) -> Response:
    """Make the first administrator; the link dies on use."""
    here, form = services(), SetupForm()
    here.accounts.check_setup_token(token)
    if request.method != "POST":
        return make_response(render_template("setup/index.html", form=form))
    if not here.settings.login_allowed(request.host):
        form.form_errors.append(PLAIN_HTTP)
    elif form.validate():
        try:
            account = here.accounts.set_up(token, form.email.data, form.password.data)
        except InvalidPassword as error:
            form.password.errors = [str(error)]
        except InvalidAccount as error:
            form.email.errors = [str(error)]
        else:
            email = checked_email(form.email.data)
            here.audit_log.record(acting_as(email, account), "joined", subject_of_account(email), "as first administrator")
            return make_response(welcome(account))
    return make_response(render_template("setup/index.html", form=form), 422)
