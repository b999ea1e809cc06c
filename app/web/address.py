"""Another e-mail address for one's account: asked for here, and made good with the link that is sent to it."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from wtforms import EmailField, SubmitField
from wtforms.validators import DataRequired

from app.errors import InvalidAccount, InvalidAddressLink
from app.http.context import page_owner, services
from app.http.logins import this_login
from app.http.sessions import ask_for_password, guard
from app.services.accounts.address_changes import AddressChange
from app.services.mail import Letter

blueprint = Blueprint("address", __name__)
guard(blueprint)


class AddressForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """The new address."""

    email = EmailField("New email address", validators=[DataRequired("Give an e-mail address.")])
    submit = SubmitField("Send the link")


@blueprint.route("/account/email", methods=["GET", "POST"])
def index() -> Response:
    """Send a link to the new address, and word to the old one; the same is said of every address."""
    here, form = services(), AddressForm()
    if not here.post.goes:
        abort(404)
    if request.method != "POST":
        return make_response(render_template("account/address.html", form=form))
    if (password := ask_for_password(url_for("address.index"))) is not None:
        return password
    if form.validate():
        here.attempts.begin_address_change(_account(), form.email.data, request.remote_addr or "")
        try:
            _send(here.address_changes.ask(_account(), form.email.data))
        except InvalidAccount as error:
            form.email.errors = [str(error)]
        else:
            flash("A letter is on its way to that address. Open the link in it, while logged in here, to go on.", "success")
            return make_response(redirect(url_for("account.index"), 303))
    return make_response(render_template("account/address.html", form=form), 422)


@blueprint.route("/account/email/<token>", methods=["GET", "POST"])
def use(token: str) -> Response:
    """Change the address; the link dies on use, and so do other logins."""
    here, login = services(), this_login()
    if request.method != "POST":
        change = here.address_changes.find(_account(), token)
        return make_response(render_template("account/address_change.html", change=change))
    if login is None:
        raise InvalidAddressLink("Log in first.")
    change = here.address_changes.use(_account(), token, here=login.id, address=request.remote_addr)
    _to(change.old, "account/letter_address_changed.txt", change)
    flash(f"Your address is {change.new} now. You are logged out everywhere else.", "success")
    return make_response(redirect(url_for("account.index"), 303))


def _send(change: AddressChange) -> None:
    _to(change.old, "account/letter_address_asked.txt", change)
    _to(change.new, "account/letter_address_taken.txt" if change.token is None else "account/letter_address.txt", change)


def _to(email: str, template: str, change: AddressChange) -> None:
    services().post.send(Letter(email, "Your address at Vitrine", render_template(template, change=change)))


def _account() -> int:
    return cast(int, page_owner().account)
