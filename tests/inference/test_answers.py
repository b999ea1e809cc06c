"""From decision values and labels to rows that sum to one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from app.inference.answers import of_both, one_hot, softmax


@given(arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(2, 6)), elements=st.floats(-1e6, 1e6)))
def test_scores_sum_to_one_and_keep_the_largest_value_largest(values: np.ndarray) -> None:
    scores = softmax(values)
    assert np.allclose(scores.sum(axis=1), 1)
    assert (scores[np.arange(len(values)), values.argmax(axis=1)] == scores.max(axis=1)).all()


def test_known_values() -> None:
    assert softmax(np.array([[0.0, np.log(3)]])).tolist() == [pytest.approx([0.25, 0.75])]


@pytest.mark.parametrize("values", [np.array([-2.0, 0.0, 5.0]), np.array([[-2.0], [0.0], [5.0]])])
def test_one_value_for_two_classes_speaks_for_the_second(values: np.ndarray) -> None:
    scores = softmax(values)
    assert scores.shape == (3, 2)
    assert scores[:, 1].tolist() == pytest.approx((1 / (1 + np.exp([2.0, 0.0, -5.0]))).tolist())


@pytest.mark.parametrize("second", [np.array([0.25, 1.0]), np.array([[0.25], [1.0]], np.float32)])
def test_the_probability_of_the_second_class_tells_that_of_the_first(second: np.ndarray) -> None:
    assert of_both(second).tolist() == [[0.75, 0.25], [0.0, 1.0]]


def test_a_label_is_certain() -> None:
    assert one_hot(np.array([2, 0]), 3).tolist() == [[0, 0, 1], [1, 0, 0]]
