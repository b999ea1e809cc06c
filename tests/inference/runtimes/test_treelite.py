"""The forest runtime: exactly what scikit-learn answers, also behind scalers and selections."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import treelite.sklearn
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier

from app.errors import InvalidPackage
from app.inference.runtimes import open_runtime
from app.inference.runtimes.treelite import Step, TreeliteRuntime, pack_forest

RNG = np.random.default_rng(0)
ROWS = RNG.random((200, 6))
LABELS = (ROWS[:, 0] > 0.5).astype(int) + (ROWS[:, 1] > 0.7)


def packed(ensemble: Any, *steps: Step, thresholds: Any = "float32") -> bytes:
    return pack_forest(treelite.sklearn.import_model(ensemble), steps, thresholds)


def asked(artifact: bytes, rows: NDArray[Any] = ROWS) -> NDArray[np.float64]:
    return open_runtime("treelite", artifact, answers="predict_proba", n_classes=3).probabilities(rows)


@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
@pytest.mark.parametrize("labels", [LABELS, LABELS > 0])
def test_a_forest_answers_to_the_last_bit(kind: Any, labels: NDArray[Any]) -> None:
    forest = kind(20, random_state=0).fit(ROWS, labels)
    assert np.array_equal(asked(packed(forest)), forest.predict_proba(ROWS))


@pytest.mark.parametrize("labels", [LABELS, LABELS > 0])
def test_boosted_trees_of_histograms_compare_in_double_precision(labels: NDArray[Any]) -> None:
    boosted = HistGradientBoostingClassifier(max_iter=5).fit(ROWS, labels)
    answers = asked(packed(boosted, thresholds="float64"))
    assert np.abs(answers - boosted.predict_proba(ROWS)).max() < 1e-6


def test_every_step_before_the_forest_computes_what_it_says() -> None:
    rows = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 60.0]])
    values = np.array([1.0, 2.0, 4.0])
    assert Step("subtract", values).apply(rows).tolist() == [[0, 0, -1], [3, 3, 56]]
    assert Step("add", values).apply(rows).tolist() == [[2, 4, 7], [5, 7, 64]]
    assert Step("divide", values).apply(rows).tolist() == [[1, 1, 0.75], [4, 2.5, 15]]
    assert Step("multiply", values).apply(rows).tolist() == [[1, 4, 12], [4, 10, 240]]
    assert Step("clip", np.array([2.0, 5.0])).apply(rows).tolist() == [[2, 2, 3], [4, 5, 5]]
    assert Step("take", np.array([2, 0])).apply(rows).tolist() == [[3, 1], [60, 4]]


def test_steps_keep_the_width_of_the_numbers() -> None:
    narrow = ROWS.astype(np.float32)
    for step in (Step("divide", np.full(6, 3.0)), Step("divide-rounded", np.full(6, 3.0)), Step("clip", np.array([0.0, 1.0]))):
        assert step.apply(narrow).dtype == np.float32


def test_rounding_comes_first_or_last_as_it_is_said() -> None:
    narrow, third = np.array([[np.float32(0.1)]]), np.array([1 / 3])
    assert Step("subtract", third).apply(narrow)[0, 0] == np.float32(np.float64(np.float32(0.1)) - 1 / 3)
    assert Step("subtract-rounded", third).apply(narrow)[0, 0] == np.float32(0.1) - np.float32(1 / 3)


def test_steps_are_taken_in_the_order_they_were_given() -> None:
    forest = RandomForestClassifier(5, random_state=0).fit((ROWS - 0.25) * 4, LABELS)
    artifact = packed(forest, Step("subtract", np.full(6, 0.25)), Step("multiply", np.full(6, 4.0)))
    assert np.array_equal(asked(artifact), forest.predict_proba((ROWS - 0.25) * 4))


def test_levels_in_bytes_are_taken_as_numbers() -> None:
    levels = RNG.integers(0, 256, (200, 6), dtype=np.uint8)
    forest = RandomForestClassifier(5, random_state=0).fit(levels, LABELS)
    assert np.array_equal(asked(packed(forest), levels), forest.predict_proba(levels))


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 not really"])
def test_what_is_no_forest_is_told(content: bytes) -> None:
    with pytest.raises(InvalidPackage, match="forest cannot be opened"):
        TreeliteRuntime(content)
