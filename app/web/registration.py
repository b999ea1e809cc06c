"""The page on which anybody asks for an account, where registration is open: the rest is done with the link in the letter."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask_wtf import FlaskForm
from wtforms import EmailField, SubmitField
from wtforms.validators import DataRequired

from app.errors import InvalidAccount
from app.http.context import services
from app.http.sessions import protect_forms
from app.services.accounts.invitations import Registering
from app.services.mail import Letter

blueprint = Blueprint("registration", __name__)
protect_forms(blueprint)


class RegistrationForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """Who wants an account."""

    email = EmailField("Email address", validators=[DataRequired("Give an e-mail address.")])
    submit = SubmitField("Send the link")


@blueprint.route("/register", methods=["GET", "POST"])
def index() -> Response:
    """Send a link to whoever asks; the same is said of every address."""
    here, form = services(), RegistrationForm()
    here.invitations.check_registration()
    if request.method != "POST":
        return make_response(render_template("people/registration.html", form=form))
    if form.validate():
        here.attempts.begin_registration(form.email.data, request.remote_addr or "")
        try:
            here.post.send(_letter(here.invitations.register(form.email.data)))
        except InvalidAccount as error:
            form.email.errors = [str(error)]
        else:
            return make_response(render_template("people/registration.html", form=RegistrationForm(formdata=None), sent=True))
    return make_response(render_template("people/registration.html", form=form), 422)


def _letter(registering: Registering) -> Letter:
    if registering.token is None:
        return Letter(registering.email, "Your account at Vitrine", render_template("people/letter_known.txt"))
    link = services().settings.origin + url_for("invitation.index", token=registering.token)
    return Letter(registering.email, "Your account at Vitrine", render_template("people/letter_register.txt", link=link))
