"""What administrators do to versions: forms only, with a fresh login, each written down."""

from __future__ import annotations

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for

from app.errors import AnswersFlip, InvalidRequest
from app.http.context import acting_administrator, services
from app.http.sessions import ask_for_password, guard_administration
from app.http.signing import sign_figures, signed_figures
from app.services.shadows import share_in_words, share_of
from app.services.versions import Change


def _page(name: str, version: str) -> str:
    return url_for("models.version", name=name, version=version)


def _evidence(name: str, version: str) -> str:
    return url_for("administration.evidence", name=name, version=version)


def _back(name: str, version: str) -> str:
    return (_evidence if request.endpoint == "administration.activate" else _page)(name, version)


blueprint = Blueprint("administration", __name__)
guard_administration(blueprint, back=_back)


@blueprint.get("/models/<name>/versions/<version>/evidence")
def evidence(name: str, version: str) -> Response:
    """Show what a version would change, and ask whether it shall answer; the password comes before what takes a while."""
    from app.web.evidence import show_replay  # here, since few compare versions, and every start would read it

    asked = ask_for_password(_evidence(name, version))
    if asked is not None:
        return asked
    replay = services().versions.rehearse(name, version)
    if replay is None:
        return make_response(redirect(_page(name, version), 303))
    shown, seen = show_replay(name, replay), sign_figures(name, replay.figures)
    return make_response(render_template("models/evidence.html", evidence=shown, seen=seen))


@blueprint.post("/models/<name>/versions/<version>/activate")
def activate(name: str, version: str) -> Response:
    """Let a version answer from now on; what would change too much is to be confirmed on the page with the evidence."""
    figures, confirmed = signed_figures(name, request.form.get("seen", "")), request.form.get("confirmed") == "yes"
    try:
        change = services().versions.activate(name, version, acting_administrator(), figures=figures, confirmed=confirmed)
    except AnswersFlip as error:
        flash(str(error), "warning")
        return make_response(redirect(_evidence(name, version), 303))
    return _told(name, change)


@blueprint.post("/models/<name>/versions/<version>/rollback")
def roll_back(name: str, version: str) -> Response:
    """Let the version answer that was active before this one."""
    return _told(name, services().versions.roll_back(name, acting_administrator(), leave=version))


@blueprint.post("/models/<name>/versions/<version>/shadow")
def begin_shadow(name: str, version: str) -> Response:
    """Let a version run in the shadow of the active one, on a share of the pictures."""
    try:
        share = share_of(f"{request.form.get('share', '')}%")
    except InvalidRequest:
        flash("Give a share of more than 0 and at most 100 percent. Nothing was changed.", "danger")
        return make_response(redirect(_page(name, version), 303))
    recorded = services().shadows.begin(name, version, share, acting_administrator())
    return _done(name, version, f"Version {version} runs in the shadow, on {share_in_words(share)} of the pictures.", recorded)


@blueprint.post("/models/<name>/versions/<version>/shadow/end")
def end_shadow(name: str, version: str) -> Response:
    """Let a version run in the shadow no more."""
    recorded = services().shadows.end(name, acting_administrator(), version=version)
    return _done(name, version, f"Version {version} runs in the shadow no more.", recorded)


def _told(name: str, change: Change) -> Response:
    return _done(name, change.active, f"Version {change.active} answers from now on.", change.recorded)


def _done(name: str, version: str, sentence: str, recorded: bool) -> Response:
    flash(sentence, "success")
    if not recorded:
        flash("It could not be written down who did this: the database takes nothing at the moment.", "warning")
    return make_response(redirect(_page(name, version), 303))
