"""The page on which somebody who was invited, or who registers, makes an account."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request

from app.errors import InvalidAccount, InvalidPassword
from app.http.context import services
from app.http.second_step import welcome
from app.http.sessions import PLAIN_HTTP, protect_forms
from app.web.setup import NewPasswordForm

blueprint = Blueprint("invitation", __name__)
protect_forms(blueprint)


@blueprint.route("/invitation/<token>", methods=["GET", "POST"])
def index(token: str) -> Response:
    """Make the account; the link dies on use."""
    here, form = services(), NewPasswordForm()
    invitation = here.invitations.find(token)
    if request.method != "POST":
        return make_response(render_template("people/invitation.html", form=form, invitation=invitation))
    if not here.settings.login_allowed(request.host):
        form.form_errors.append(PLAIN_HTTP)
    elif form.validate():
        try:
            account = here.invitations.accept(token, form.password.data, address=request.remote_addr)
        except InvalidPassword as error:
            form.password.errors = [str(error)]
        except InvalidAccount as error:
            form.form_errors.append(str(error))
        else:
            return make_response(welcome(account))
    return make_response(render_template("people/invitation.html", form=form, invitation=invitation), 422)
