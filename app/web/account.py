"""One's account: the keys for programs, and the browsers one is logged in with."""

from __future__ import annotations

from flask import Blueprint, Response, flash, make_response, redirect, render_template, url_for
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField, SubmitField
from wtforms.validators import DataRequired, Length

from app.http.context import page_owner, services
from app.http.logins import end_other_logins, this_login
from app.http.sessions import ask_for_password, guard

blueprint = Blueprint("account", __name__)
guard(blueprint)

_LIVES = {"90": "90 days", "365": "one year", "": "no end"}


class KeyForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """What a new key is called and how long it lives."""

    name = StringField(
        "Name",
        validators=[DataRequired("Give the key a name."), Length(max=80)],
        description="What will use it.",
    )
    expires = SelectField("Valid for", choices=list(_LIVES.items()), default="365")
    submit = SubmitField("Make a key")


@blueprint.get("/account")
def index() -> str:
    """Show the account and its keys."""
    return _page(KeyForm())


@blueprint.post("/account/keys")
def create_key() -> Response:
    """Make a key and show it, this once."""
    form = KeyForm()
    if not form.validate():
        return make_response(_page(form), 422)
    days = int(form.expires.data) if form.expires.data else None
    key = services().api_keys.create(_account(), form.name.data, days=days)
    return make_response(_page(KeyForm(formdata=None), new_key=key))


@blueprint.post("/account/keys/<key_id>/revoke")
def revoke_key(key_id: str) -> Response:
    """End a key."""
    if services().api_keys.revoke(_account(), key_id):
        flash("The key is revoked.", "success")
    return make_response(redirect(url_for("account.index"), 303))


@blueprint.post("/account/logins/<int:number>/end")
def end_login(number: int) -> Response:
    """Log out in another browser."""
    if (asked := ask_for_password(url_for("account.index"))) is not None:
        return asked
    if services().logins.end_one(_account(), number):
        flash("That browser is logged out.", "success")
    return make_response(redirect(url_for("account.index"), 303))


@blueprint.post("/account/logins/end-others")
def end_logins() -> Response:
    """Log out everywhere but here."""
    if (asked := ask_for_password(url_for("account.index"))) is not None:
        return asked
    end_other_logins(_account())
    flash("You are logged out everywhere else.", "success")
    return make_response(redirect(url_for("account.index"), 303))


def _account() -> int:
    account = page_owner().account
    assert account is not None, "the guard lets only accounts in"  # noqa: S101
    return account


def _page(form: KeyForm, new_key: str | None = None) -> str:
    address = services().settings.address
    curl = f"curl -H 'Authorization: Bearer {new_key or 'YOUR_KEY'}' -F image=@cat.jpg {address}/api/v1/predict"
    here = this_login()
    logins = sorted(services().logins.list(_account()), key=lambda login: here is None or login.id != here.id)
    return render_template(
        "account/index.html",
        keys=services().api_keys.list(_account()),
        key_form=form,
        new_key=new_key,
        curl=curl,
        logins=logins,
        this_login=here,
    )
