"""One's own predictions: the showcase of one, and the list of all."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain
from types import SimpleNamespace

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for

from app.http.context import page_owner, services
from app.http.sessions import guard
from app.web.shown import show, show_all

blueprint = Blueprint("history", __name__)
guard(blueprint, guests=True)


@blueprint.get("/history")
def index() -> str:
    """List the visitor's predictions, newest first."""
    page = services().history.page(page_owner(), request.args.get("page", 1, type=int))
    shown = SimpleNamespace(
        items=show_all(page.items),
        number=page.number,
        pages=page.pages,
        total=page.total,
        previous=page.number - 1 if page.number > 1 else None,
        next=page.number + 1 if page.number < page.pages else None,
    )
    return render_template("history/index.html", page=shown)


@blueprint.get("/history.csv")
def download() -> Response:
    """Give all of the visitor's predictions as a file for spreadsheets, made while it is sent."""
    here, owner = services(), page_owner()
    here.attempts.begin_history(f"account/{owner.account}" if owner.account else f"guest/{owner.guest}")
    pieces = here.history.file(owner)
    # The first one before the answer begins, so that it can still be an error.
    response = Response(chain([next(pieces)], pieces), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="history-{datetime.now(UTC):%Y-%m-%d}.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/predictions/<prediction_id>", endpoint="show")
def show_one(prediction_id: str) -> str:
    """Show one prediction to its owner."""
    item = services().history.get(page_owner(), prediction_id)
    return render_template("history/show.html", shown=show(item))


@blueprint.get("/predictions/<prediction_id>/picture")
def picture(prediction_id: str) -> Response:
    """Give the kept picture of a prediction to its owner: re-encoded by us, and nothing in it may run."""
    size = request.args.get("size")
    content = services().history.picture(page_owner(), prediction_id, "thumbnail" if size == "thumbnail" else "picture")
    response = make_response(content)
    response.mimetype = "image/jpeg"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, max-age=86400, immutable"
    return response


@blueprint.post("/predictions/<prediction_id>/delete")
def delete(prediction_id: str) -> Response:
    """Delete one prediction and its picture."""
    services().history.delete(page_owner(), prediction_id)
    flash("The prediction and its picture are deleted.", "success")
    return make_response(redirect(url_for("history.index"), 303))
