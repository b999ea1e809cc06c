"""What administrators do to versions: forms only, with a fresh login, each written down."""

from __future__ import annotations

from flask import Blueprint, Response, flash, make_response, redirect, url_for

from app.http.context import acting_administrator, services
from app.http.sessions import guard_administration
from app.services.versions import Change


def _page(name: str, version: str) -> str:
    return url_for("models.version", name=name, version=version)


blueprint = Blueprint("administration", __name__)
guard_administration(blueprint, back=_page)


@blueprint.post("/models/<name>/versions/<version>/activate")
def activate(name: str, version: str) -> Response:
    """Let a version answer from now on."""
    return _told(name, services().versions.activate(name, version, acting_administrator()))


@blueprint.post("/models/<name>/versions/<version>/rollback")
def roll_back(name: str, version: str) -> Response:
    """Let the version answer that was active before this one."""
    return _told(name, services().versions.roll_back(name, acting_administrator(), leave=version))


def _told(name: str, change: Change) -> Response:
    flash(f"Version {change.active} answers from now on.", "success")
    if not change.recorded:
        flash("It could not be written down who did this: the database takes nothing at the moment.", "warning")
    return make_response(redirect(_page(name, change.active), 303))
