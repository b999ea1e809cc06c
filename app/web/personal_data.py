"""Everything that the site has of somebody: to take along, or to delete."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, flash, make_response, redirect, url_for

from app.http.context import acting_visitor, services
from app.http.logins import forget_login
from app.http.sessions import ask_for_password, guard

blueprint = Blueprint("personal_data", __name__)
guard(blueprint)


@blueprint.get("/account/download")
def download() -> Response:
    """Give everything as a ZIP file, sent while it is made."""
    here, account = services(), acting_visitor()
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
    actor = acting_visitor()
    services().personal_data.delete(actor.account or 0, actor)
    forget_login()
    flash("Your account is deleted, with everything that was kept of it.", "success")
    return make_response(redirect(url_for("security.login"), 303))
