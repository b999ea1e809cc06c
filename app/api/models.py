"""The models that may be asked."""

from __future__ import annotations

from flask import Blueprint, Response, request

from app.api.access import key_holder
from app.api.openapi import Operation, documented
from app.api.replies import render_problem, reply
from app.api.schemas import ModelList, ModelSummary, RunningShadow
from app.errors import InvalidRequest, VitrineError
from app.http.context import services
from app.http.errors import render_errors

blueprint = Blueprint("api_models", __name__, url_prefix="/api/v1")
render_errors(blueprint, render_problem)


@blueprint.get("/models")
@documented(Operation("list_models", ModelList, "models"))
def list_models() -> Response:
    """List the models and their versions."""
    key_holder("models:read")
    if request.args:
        raise InvalidRequest("This address takes no query.")
    here, default = services(), _default()
    summaries = []
    for name in here.repository.names():
        try:
            manifest = here.repository.package(name).manifest
        except VitrineError:
            continue  # what cannot be read cannot answer; readiness says why
        beside = here.shadows.state(name)
        summaries.append(
            ModelSummary(
                name=name,
                active_version=manifest.version,
                versions=here.repository.versions(name),
                shadow=RunningShadow(version=beside.version, share=beside.share) if beside else None,
                default=name == default,
                labels=list(manifest.classes),
                expects=manifest.expects,
            )
        )
    return reply(ModelList(models=summaries).model_dump())


def _default() -> str | None:
    try:
        return services().loader.default_name()
    except VitrineError:
        return None
