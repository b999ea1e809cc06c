"""Predictions: values that are ranked and do not change."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.inference.prediction import ClassScore, ranked
from tests.factories import make_prediction


def test_ranks_the_most_probable_first() -> None:
    scores = ranked(("a", "b", "c"), np.array([0.2, 0.5, 0.3]))
    assert scores == (ClassScore("b", 0.5), ClassScore("c", 0.3), ClassScore("a", 0.2))


def test_equal_ones_keep_the_models_order() -> None:
    assert [score.label for score in ranked(("d", "c", "b", "a"), np.array([0.3, 0.2, 0.3, 0.2]))] == ["d", "b", "c", "a"]


@given(st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.5, 1.0]), min_size=1, max_size=12))
def test_ranking_loses_and_invents_nothing(probabilities: list[float]) -> None:
    classes = [str(index) for index in range(len(probabilities))]
    scores = ranked(classes, np.array(probabilities))
    assert {score.label: score.probability for score in scores} == dict(zip(classes, probabilities, strict=True))
    places = [(-score.probability, int(score.label)) for score in scores]
    assert places == sorted(places)


def test_probabilities_of_any_precision_become_plain_numbers() -> None:
    (score,) = ranked(("a",), np.array([1], np.float32))
    assert type(score.probability) is float


def test_the_top_is_the_first_and_nothing_can_be_changed() -> None:
    prediction = make_prediction()
    assert prediction.top == prediction.scores[0]
    with pytest.raises(FrozenInstanceError):
        prediction.model = "another"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        prediction.top.probability = 1.0  # type: ignore[misc]
