"""What is counted, for Prometheus."""

from __future__ import annotations

from flask import Blueprint, Response, abort, request

from app.api.access import key_holder
from app.api.replies import render_problem
from app.http.context import METRICS, services
from app.http.errors import render_errors
from app.services.telemetry.exposition import counts_together, exposition

blueprint = Blueprint("api_metrics", __name__)
render_errors(blueprint, render_problem)
_APART = "Several processes answer here, each with numbers of its own: name a folder for all in PROMETHEUS_MULTIPROC_DIR."


@blueprint.get(METRICS)
def metrics() -> Response:
    """Give the numbers of all workers, to whom the settings let read them."""
    here = services()
    if here.settings.metrics == "off":
        abort(404)
    if here.settings.metrics == "key":
        key_holder("metrics:read")
    if request.is_multiprocess and not counts_together():
        abort(503, _APART)
    here.vital_signs.tell()  # as it is now, and not half a second ago
    found = exposition(request.headers.get("Accept", ""))
    return Response(found.body, content_type=found.content_type)
