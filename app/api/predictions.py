"""The predict endpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint, Request, Response, request
from pydantic import ValidationError

from app.api.access import key_holder
from app.api.once import answered_once
from app.api.openapi import Operation, documented
from app.api.replies import render_problem, reply
from app.api.schemas import PredictionAnswer, PredictQuery
from app.api.uploads import read_upload
from app.errors import InvalidRequest
from app.http.allowances import count_pictures_of, tell_allowance
from app.http.context import services
from app.http.errors import render_errors
from app.http.headers import server_timing
from app.inference.prediction import STAGES, Prediction
from app.services.recorder import Owner

blueprint = Blueprint("api_predictions", __name__, url_prefix="/api/v1")
render_errors(blueprint, render_problem)
tell_allowance(blueprint)

_View = TypeVar("_View", bound=Callable[..., Response])


def _documented(operation_id: str) -> Callable[[_View], _View]:
    return documented(
        Operation(operation_id, PredictionAnswer, "predictions", query=PredictQuery, refusals=(404, 409, 413, 415, 422))
    )


@blueprint.post("/predict")
@_documented("predict")
def predict() -> Response:
    """Classify a picture with the default model."""
    return _answer()


@blueprint.post("/models/<name>/predict")
@_documented("predict_with_model")
def predict_with_model(name: str) -> Response:
    """Classify a picture with the active version of a model."""
    return _answer(name)


@blueprint.post("/models/<name>/versions/<version>/predict")
@_documented("predict_with_version")
def predict_with_version(name: str, version: str) -> Response:
    """Classify a picture with one version of a model."""
    return _answer(name, version)


def _answer(name: str | None = None, version: str | None = None) -> Response:
    holder, here = key_holder("predict"), services()
    top_k = _top_k(request)
    count_pictures_of(holder)
    upload = read_upload(request, int(here.settings.max_file_mb * 1_000_000))
    owner = Owner(account=holder.account)

    def classify(identifier: str | None = None) -> Response:
        answer = here.classification.classify(upload, owner=owner, model=name, version=version, identifier=identifier)
        return _reply(answer.prediction, top_k, stored=answer.stored)

    def find(identifier: str) -> Response:
        return _reply(here.history.get(owner, identifier).prediction, top_k, stored=True)

    return answered_once(request, upload, holder, classify=classify, find=find)


def _reply(prediction: Prediction, top_k: int | None, *, stored: bool) -> Response:
    response = reply(content_of(prediction, top_k, stored=stored))
    response.headers["Server-Timing"] = server_timing(prediction.timings)
    return response


def _top_k(request: Request) -> int | None:
    if not request.query_string:
        return None
    try:
        # What is given twice stays a list, which is no number.
        given = {name: values[0] if len(values) == 1 else values for name, values in request.args.lists()}
        return PredictQuery.model_validate(given).top_k
    except ValidationError as error:
        raise InvalidRequest("The query may hold top_k, a whole number from 1, and nothing else.") from error


def content_of(made: Prediction, top_k: int | None = None, *, stored: bool) -> dict[str, Any]:
    """Give what PredictionAnswer describes; a test holds one against the other, so that no request has to."""
    picture, timings = made.picture, made.timings
    return {
        "id": made.id,
        "model": {"name": made.model, "version": made.version},
        "label": made.top.label,
        "probability": made.top.probability,
        "predictions": [{"label": score.label, "probability": score.probability} for score in made.scores[:top_k]],
        "image": {
            "format": picture.format,
            "width": picture.width,
            "height": picture.height,
            "sha256": picture.sha256,
            "steps": picture.steps,
        },
        "stored": stored,
        "timings_ms": {stage: round(getattr(timings, stage), 3) for stage in STAGES},
    }
