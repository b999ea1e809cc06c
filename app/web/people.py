"""The people of the site, for administrators: who has an account, who is invited, and who may do what."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, flash, make_response, redirect, render_template, url_for
from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, SubmitField
from wtforms.validators import DataRequired

from app.errors import InvalidAccount
from app.http.context import acting_administrator, services
from app.http.sessions import guard_administration
from app.services.audit_log import Actor
from app.services.mail import Letter
from app.web.listings import shown


def _back(**_: object) -> str:
    return url_for("people.index")


blueprint = Blueprint("people", __name__)
guard_administration(blueprint, back=_back)


class InviteForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """Whom to invite, and to be what."""

    email = EmailField("Email address", validators=[DataRequired("Give an e-mail address.")])
    admin = BooleanField("May administer the site")
    submit = SubmitField("Invite")


@blueprint.get("/people")
def index() -> str:
    """Show who has an account, and who is invited."""
    return _page(InviteForm())


@blueprint.post("/people/invite")
def invite() -> Response:
    """Invite somebody, and show the link, this once."""
    form, here = InviteForm(), services()
    if not form.validate():
        return make_response(_page(form), 422)
    try:
        token = here.invitations.invite(form.email.data, acting_administrator(), admin=form.admin.data)
    except InvalidAccount as error:
        form.email.errors = [str(error)]
        return make_response(_page(form), 422)
    link = here.settings.origin + url_for("invitation.index", token=token)
    here.post.send(Letter(form.email.data.strip(), "An invitation to Vitrine", render_template("people/letter.txt", link=link)))
    return make_response(_page(InviteForm(formdata=None), invited=form.email.data.strip(), link=link))


@blueprint.post("/people/invitations/<int:number>/withdraw")
def withdraw(number: int) -> Response:
    """Let an invitation be worth nothing."""
    if services().invitations.withdraw(number, acting_administrator()):
        flash("The invitation is withdrawn.", "success")
    return make_response(redirect(_back(), 303))


@blueprint.post("/people/<int:number>/disable")
def disable(number: int) -> Response:
    """Let an account in no more."""
    return _told(services().people.disable, number, "{} is let in no more.")


@blueprint.post("/people/<int:number>/enable")
def enable(number: int) -> Response:
    """Let a disabled account in again."""
    return _told(services().people.enable, number, "{} may log in again.")


@blueprint.post("/people/<int:number>/promote")
def promote(number: int) -> Response:
    """Let an account administer the site."""
    return _told(services().people.promote, number, "{} may administer the site, after logging in again.")


@blueprint.post("/people/<int:number>/demote")
def demote(number: int) -> Response:
    """Let an account administer the site no more."""
    return _told(services().people.demote, number, "{} may administer the site no more.")


@blueprint.post("/people/<int:number>/log-out")
def log_out(number: int) -> Response:
    """End all logins of an account."""
    return _told(services().people.log_out, number, "{} is logged out everywhere.")


@blueprint.post("/people/<int:number>/second-factor-off")
def take_second_factor_off(number: int) -> Response:
    """Let an account in by its password alone."""
    return _told(services().people.take_second_factor_off, number, "{} needs no second factor any more, and is logged out.")


def _told(change: Callable[[int, Actor], str], number: int, sentence: str) -> Response:
    flash(sentence.format(change(number, acting_administrator())), "success")
    return make_response(redirect(_back(), 303))


def _page(form: InviteForm, invited: str = "", link: str = "") -> str:
    here = services()
    return render_template(
        "people/index.html",
        list=shown(here.lists.people, "people.index"),
        invitations=here.invitations.list(),
        form=form,
        invited=invited,
        link=link,
        sent=here.post.goes,
        myself=acting_administrator().account,
    )
