"""Is the process alive, and can it answer?"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from app.errors import DatabaseUnavailable
from app.http.context import services
from app.storage.database import is_prepared

blueprint = Blueprint("health", __name__)


@blueprint.get("/livez")
def livez() -> Response:
    """Answer: whoever can is alive."""
    return jsonify(status="alive")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Say whether pictures can be answered, and if not, why."""
    here = services()
    problems = [f"{name}: {problem}" for name, problem in here.loader.problems().items()]
    if not here.repository.names():
        problems.append("No model is served here yet.")
    try:
        if not is_prepared(here.engine):
            problems.append("The database has no tables yet: start with `vitrine serve`.")
    except DatabaseUnavailable as error:
        problems.append(str(error))
    return jsonify(status="ready" if not problems else "not ready", problems=problems), 503 if problems else 200
