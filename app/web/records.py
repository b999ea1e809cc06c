"""What administrators look up: predictions, keys and the audit log; and the one thing they do there, revoke a key."""

from __future__ import annotations

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, url_for

from app.http.context import acting_administrator, services
from app.http.sessions import guard_administration
from app.web.listings import file_of, shown


def _back(**_: object) -> str:
    return url_for("records.keys")


blueprint = Blueprint("records", __name__)
guard_administration(blueprint, back=_back)


@blueprint.get("/administration/predictions")
def predictions() -> str:
    """List what everybody asked, and what was answered."""
    return render_template("administration/predictions.html", list=shown(services().lists.predictions, "records.predictions"))


@blueprint.get("/administration/keys")
def keys() -> str:
    """List everybody's keys."""
    return render_template("administration/keys.html", list=shown(services().lists.keys, "records.keys"))


@blueprint.post("/administration/keys/<key_id>/revoke")
def revoke_key(key_id: str) -> Response:
    """End a key, whoever's it is."""
    owner = services().recorded_keys.revoke_of_anybody(key_id, acting_administrator())
    if owner is None:
        abort(404)
    flash(f"The key of {owner} is revoked.", "success")
    return make_response(redirect(_back(), 303))


@blueprint.get("/administration/audit-log")
def audit_log() -> str:
    """List who did what."""
    return render_template("administration/audit_log.html", list=shown(services().lists.deeds, "records.audit_log"))


@blueprint.get("/administration/<name>.csv")
def download(name: str) -> Response:
    """Give a list as a file."""
    listing = services().lists.named(name)
    return abort(404) if listing is None else file_of(listing)
