"""The predict endpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TypeVar, cast

from flask import Blueprint, Response, request
from pydantic import ValidationError

from app.api.access import key_holder
from app.api.openapi import BEARER, answers, openapi
from app.api.replies import render_problem, reply
from app.api.schemas import (
    ClassProbability,
    ImageFacts,
    ModelReference,
    PredictionAnswer,
    PredictQuery,
    TimingsMs,
)
from app.api.uploads import read_upload
from app.errors import InvalidRequest
from app.http.context import services
from app.http.errors import render_errors
from app.services.classification import Answer
from app.services.recorder import Owner

blueprint = Blueprint("api_predictions", __name__, url_prefix="/api/v1")
render_errors(blueprint, render_problem)

_View = TypeVar("_View", bound=Callable[..., Response])


def _documented(operation_id: str) -> Callable[[_View], _View]:
    # The document is written from here; the request itself is validated by `_answer`, with the same models.
    decorate = openapi.validate(
        operation_id=operation_id,
        query=PredictQuery,
        resp=answers(PredictionAnswer, 404, 409, 413, 415, 422),
        tags=["predictions"],
        security=BEARER,
        skip_validation=True,
    )
    return cast(Callable[[_View], _View], decorate)


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
    holder = key_holder("predict")
    try:
        query = PredictQuery.model_validate(request.args.to_dict())
    except ValidationError as error:
        raise InvalidRequest("The query may hold top_k, a whole number from 1, and nothing else.") from error
    here = services()
    upload = read_upload(request, int(here.settings.max_file_mb * 1_000_000))
    answer = here.classification.classify(upload, owner=Owner(account=holder.account), model=name, version=version)
    return reply(_schema(answer, query.top_k))


def _schema(answer: Answer, top_k: int | None) -> PredictionAnswer:
    made = answer.prediction
    return PredictionAnswer(
        id=made.id,
        model=ModelReference(name=made.model, version=made.version),
        label=made.top.label,
        probability=made.top.probability,
        predictions=[ClassProbability(label=s.label, probability=s.probability) for s in made.scores[:top_k]],
        image=ImageFacts(**{**asdict(made.picture), "steps": list(made.picture.steps)}),
        stored=answer.stored,
        timings_ms=TimingsMs(**{stage: round(ms, 3) for stage, ms in asdict(made.timings).items()}),
    )
