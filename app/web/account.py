"""One's account: the keys for programs, and the browsers one is logged in with."""

from __future__ import annotations

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for

from app.errors import InvalidAccount
from app.http.context import acting_visitor, administrator, page_owner, services
from app.http.logins import end_other_logins, this_login
from app.http.sessions import ask_for_password, guard
from app.services.accounts.api_keys import ADMINISTRATORS_SCOPES
from app.services.audit_log import subject_of_account
from app.web.keys import KeyForm, chart_of

blueprint = Blueprint("account", __name__)
guard(blueprint)


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
    # Such a key outlives the login that made it, and does without a password what a page asks one for.
    if ADMINISTRATORS_SCOPES & set(form.scopes) and (asked := ask_for_password(url_for("account.index"))):
        return make_response(asked)
    days = int(form.expires.data) if form.expires.data else None
    key = services().recorded_keys.create(
        _account(), form.name.data, acting_visitor(), scopes=form.scopes, days=days, daily=form.daily.data
    )
    return make_response(_page(KeyForm(formdata=None), new_key=key))


@blueprint.get("/account/keys/<key_id>")
def show_key(key_id: str) -> str:
    """Show how much a key is used to its owner."""
    here = services()
    key = here.api_keys.get(_account(), key_id)
    used = None if key.daily is None else here.request_limits.used_today(key.id)
    return render_template(
        "account/key.html",
        key=key,
        chart=chart_of(here.key_usage.days(key.id)),
        left=None if used is None or key.daily is None else max(0, key.daily - used),
        idle=[] if administrator() else [scope for scope in key.scopes if scope in ADMINISTRATORS_SCOPES],
    )


@blueprint.post("/account/keys/<key_id>/revoke")
def revoke_key(key_id: str) -> Response:
    """End a key."""
    if services().recorded_keys.revoke(_account(), key_id, acting_visitor()):
        flash("The key is revoked.", "success")
    return make_response(redirect(url_for("account.index"), 303))


@blueprint.post("/account/logins/<int:number>/end")
def end_login(number: int) -> Response:
    """Log out in another browser."""
    if (asked := ask_for_password(url_for("account.index"))) is not None:
        return asked
    if services().logins.end_one(_account(), number):
        _write("one other browser")
        flash("That browser is logged out.", "success")
    return make_response(redirect(url_for("account.index"), 303))


@blueprint.post("/account/identities/<int:number>/unlink")
def unlink(number: int) -> Response:
    """Let a provider's identity let one in no more."""
    try:
        if services().identities.unlink(_account(), number, address=request.remote_addr):
            flash("It is unlinked.", "success")
    except InvalidAccount as error:
        flash(str(error), "danger")
    return make_response(redirect(url_for("account.index"), 303))


@blueprint.post("/account/logins/end-others")
def end_logins() -> Response:
    """Log out everywhere but here."""
    if (asked := ask_for_password(url_for("account.index"))) is not None:
        return asked
    end_other_logins(_account())
    _write("everywhere else")
    flash("You are logged out everywhere else.", "success")
    return make_response(redirect(url_for("account.index"), 303))


def _write(where: str) -> None:
    actor = acting_visitor()
    services().audit_log.record(actor, "logged out", subject_of_account(actor.name), where)


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
        identities=services().identities.list(_account()),
        this_login=here,
        factors=services().second_factors.of(_account()),
        codes_left=services().recovery_codes.left(_account()),
    )
