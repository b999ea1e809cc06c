"""How much of an answer can be asked for, and how strictly a request is read."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from app.api.schemas import (
    ClassPair,
    ClassProbability,
    ImageFacts,
    ModelReference,
    ModelSummary,
    PredictBody,
    PredictQuery,
    ProblemDetails,
    RunningShadow,
    ShadowAgreement,
    ShadowChange,
    ShadowQuery,
    TimingsMs,
)
from tests.api.asking import assert_problem
from tests.factories import EIGHT
from tests.serving import RunningSite

DIGITS = "/api/v1/models/digits/predict"
GOOD: list[tuple[type[BaseModel], dict[str, Any]]] = [
    (PredictBody, {"image": "YQ=="}),
    (PredictQuery, {"top_k": 3}),
    (ModelReference, {"name": "digits", "version": "1"}),
    (ClassProbability, {"label": "8", "probability": 1.0}),
    (ImageFacts, {"format": "PNG", "width": 1, "height": 1, "sha256": "0" * 64, "steps": []}),
    (TimingsMs, {"decode": 1.0, "queue": 0.0, "model": 1.0, "store": 0.5, "total": 2.5}),
    (
        ModelSummary,
        {"name": "a", "active_version": "1", "versions": ["1"], "default": True, "labels": ["b"], "expects": "Anything."},
    ),
    (ShadowQuery, {"share": 0.5}),
    (RunningShadow, {"version": "2", "share": 0.5}),
    (ShadowChange, {"name": "a", "shadow": None, "recorded": True}),
    (ClassPair, {"active": "cat", "shadow": "dog", "count": 3}),
    (
        ShadowAgreement,
        {
            **{"name": "a", "version": "2", "active_version": "1", "share": None},
            **{"answered": 3, "same": 2, "failed": 0, "passed_over": 0},
            **{"mean_difference": 0.5, "mean_ms": None, "differing": []},
        },
    ),
    (ProblemDetails, {"title": "Gone", "status": 410, "detail": "It is gone.", "code": "gone", "request_id": "0"}),
]


def ranked(site: RunningSite, query: str) -> list[tuple[str, float]]:
    """Ask for a digit and give its classes with their probabilities."""
    reply = site.predict(EIGHT.read_bytes(), DIGITS + query)
    assert reply.status == 200, reply.body
    return [(p["label"], p["probability"]) for p in reply.json["predictions"]]


def test_all_classes_are_told_where_nothing_else_is_asked_for(site: RunningSite) -> None:
    scores = ranked(site, "")
    assert sorted(label for label, _ in scores) == list("0123456789")
    assert [p for _, p in scores] == sorted((p for _, p in scores), reverse=True)
    assert sum(p for _, p in scores) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("top_k", "count"), [(1, 1), (3, 3), (10, 10), (11, 10), (10_000, 10)])
def test_the_most_probable_classes_are_told_and_keep_their_probabilities(site: RunningSite, top_k: int, count: int) -> None:
    some, everything = ranked(site, f"?top_k={top_k}"), ranked(site, "")
    assert [label for label, _ in some] == [label for label, _ in everything[:count]]
    assert [p for _, p in some] == pytest.approx([p for _, p in everything[:count]], abs=1e-6)


@pytest.mark.parametrize(
    "query", ["top_k=-1", "top_k=10001", "top_k=", "top_k=1e1", "top_k=true", "TOP_K=1", "top_k=1&model=a"]
)
def test_a_number_out_of_bounds_or_another_name_is_refused(site: RunningSite, query: str) -> None:
    reply = site.predict(EIGHT.read_bytes(), f"{DIGITS}?{query}")
    assert_problem(reply, 400, "invalid_request")
    assert reply.json["detail"] == "The query may hold top_k, a whole number from 1, and nothing else."


@pytest.mark.parametrize(("schema", "values"), GOOD, ids=lambda value: getattr(value, "__name__", ""))
def test_every_shape_takes_what_it_names_and_nothing_else(schema: type[BaseModel], values: dict[str, Any]) -> None:
    assert values.items() <= schema.model_validate(values).model_dump().items()
    with pytest.raises(ValidationError, match="extra_forbidden"):
        schema.model_validate({**values, "more": 1})


@pytest.mark.parametrize("image", ["", 5, None, ["YQ=="], True])
def test_a_picture_in_json_is_text(image: object) -> None:
    with pytest.raises(ValidationError):
        PredictBody.model_validate({"image": image})


@pytest.mark.parametrize("probability", [-0.001, 1.001, float("nan"), "0.5"])
def test_what_is_no_probability_cannot_be_answered(probability: object) -> None:
    with pytest.raises(ValidationError):
        ClassProbability.model_validate({"label": "cat", "probability": probability})
