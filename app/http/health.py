"""Is the process alive, and can it answer?"""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response, jsonify

from app.composition import Services
from app.errors import DatabaseUnavailable
from app.http.context import services
from app.storage.database import is_prepared, why_unwritable

blueprint = Blueprint("health", __name__)


@blueprint.get("/livez")
def livez() -> Response:
    """Answer: whoever can is alive."""
    return jsonify(status="alive")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Say whether pictures can be answered, and if not, why."""
    here = services()
    found = here.loader.problems()
    problems = [f"{name}: {problem}" for name, problem in found.items()]
    # A model that answers from memory, or with its version of before, answers: to turn its visitors away would be the outage.
    ready = all(here.loader.answers(name) for name in found)
    for problem in _problems_beside(here):
        problems.append(problem)
        ready = False
    if behind := here.repository.problem():
        problems.append(behind)  # pictures are answered with the models that there are
    if ready and here.settings.history and (reason := why_unwritable(here.settings.database)):
        problems.append(reason)  # pictures are answered all the same
    return jsonify(status="ready" if ready else "not ready", problems=problems), 200 if ready else 503


def _problems_beside(here: Services) -> Iterator[str]:
    if not here.loader.has_models():
        yield "No model is served here yet."
    try:
        if not is_prepared(here.engine):
            yield "The database has no tables yet: start with `vitrine serve`."
    except DatabaseUnavailable as error:
        yield str(error)
