"""Everything that the site has of somebody: to take along, or to delete."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, flash, make_response, redirect, url_for

from app.http.context import services, visitor
from app.http.logins import forget_login
from app.http.sessions import ask_for_password, guard
from app.services.audit_log import Actor

blueprint = Blueprint("personal_data", __name__)
guard(blueprint)


@blueprint.get("/account/download")
def download() -> Response:
    """Give everything as a ZIP file, sent while it is made."""
    here, account = services(), _actor()
    here.attempts.begin_download(account.account or 0)
    response = Response(here.personal_data.archive(account.account or 0), mimetype="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="vitrine-{datetime.now(UTC):%Y-%m-%d}.zip"'
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/account/delete")
def delete() -> Response:
    """Delete the account with everything, and log out."""
    if (password := ask_for_password(url_for("account.index"))) is not None:
        return password
    actor = _actor()
    services().personal_data.delete(actor.account or 0, actor)
    forget_login()
    flash("Your account is deleted, with everything that was kept of it.", "success")
    return make_response(redirect(url_for("security.login"), 303))


def _actor() -> Actor:
    user = visitor()
    assert user is not None, "the guard lets only accounts in"  # noqa: S101
    return Actor(user.email, user.id)
