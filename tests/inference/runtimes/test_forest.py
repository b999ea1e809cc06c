"""The forest runtime: exactly what scikit-learn answers, whatever the ensemble, and no more memory than it needs."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from app.errors import InvalidModel, InvalidPackage
from app.inference.runtimes import open_runtime
from app.inference.runtimes.forest import Forest, ForestRuntime, pack_forest
from app.inference.runtimes.steps import Step
from app.intake.forests import trees_of
from tests.inference.runtimes.forests import stumps, two_trees

RNG = np.random.default_rng(0)
ROWS = RNG.random((200, 6))
LABELS = (ROWS[:, 0] > 0.5).astype(int) + (ROWS[:, 1] > 0.7)
AVERAGING: list[Callable[[int, int | None], Any]] = [
    lambda trees, depth: RandomForestClassifier(trees, max_depth=depth, random_state=0),
    lambda trees, depth: ExtraTreesClassifier(trees, max_depth=depth, random_state=0),
    lambda _, depth: DecisionTreeClassifier(max_depth=depth, random_state=0),
    lambda _, depth: ExtraTreeClassifier(max_depth=depth, random_state=0),
]
BOOSTED: list[Callable[[int, int | None], Any]] = [
    lambda trees, depth: GradientBoostingClassifier(n_estimators=trees, max_depth=depth, random_state=0),
    lambda trees, depth: GradientBoostingClassifier(n_estimators=trees, max_depth=depth, init="zero", random_state=0),
    lambda trees, depth: HistGradientBoostingClassifier(max_iter=trees, max_depth=depth, min_samples_leaf=2, max_bins=200),
]


def packed(ensemble: Any, *steps: Step) -> bytes:
    trees, link = trees_of(ensemble)
    return pack_forest(Forest(trees, link, steps))


def asked(artifact: bytes, rows: NDArray[Any] = ROWS) -> NDArray[np.float64]:
    return open_runtime("forest", artifact, answers="predict_proba", n_classes=3).probabilities(rows)


def edges(ensemble: Any, rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Give rows made of the thresholds themselves, and of their neighbours in single and in double precision."""
    found = trees_of(ensemble)[0].thresholds.astype(np.float64)
    found = np.unique(np.concatenate([found[np.isfinite(found)], [0.5]]))
    narrow = found.astype(np.float32)
    neighbours = [np.nextafter(narrow, np.float32(side)) for side in (-9e9, 9e9)]
    wide = [np.nextafter(found, side) for side in (-9e9, 9e9)]
    return rng.choice(np.concatenate([found, narrow, *neighbours, *wide]), (n, ensemble.n_features_in_))


@st.composite
def fitted(draw: st.DrawFn, kinds: list[Callable[[int, int | None], Any]], classes: tuple[int, ...], most: int) -> Any:
    """Fit an ensemble on few rows of coarse numbers, so that thresholds are met exactly and some trees are one leaf."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n_classes, n_rows = draw(st.sampled_from(classes)), draw(st.integers(90, 130))
    rows = rng.integers(0, draw(st.sampled_from([1, 3, 250])) + 1, (n_rows, draw(st.integers(1, 5)))) / draw(
        st.sampled_from([1, 3, 7])
    )
    labels = np.arange(n_rows) % n_classes
    kind = draw(st.sampled_from(kinds))
    return kind(draw(st.integers(1, most)), draw(st.sampled_from([1, 2, 3, 8]))).fit(rows, rng.permutation(labels))


def asked_in_all_ways(ensemble: Any, seed: int) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Give rows of several kinds with what the forest answers, each batch asked as one and row by row."""
    rng = np.random.default_rng(seed)
    near = edges(ensemble, rng, 70)
    spread = np.repeat(near, 2, axis=1)[:, ::2]  # not contiguous
    runtime = ForestRuntime(packed(ensemble))
    found = []
    for rows in (near, near.astype(np.float32), spread, near[:1], (near * 3).astype(np.uint8), np.asfortranarray(near)):
        together = runtime.probabilities(rows)
        assert np.array_equal(np.concatenate([runtime.probabilities(row[np.newaxis]) for row in rows]), together)
        found.append((rows, together))
    return found


@settings(max_examples=40, deadline=None)
@given(ensemble=fitted(AVERAGING, (2, 3, 7, 40), 12), seed=st.integers(0, 99))
def test_forests_that_average_answer_to_the_last_bit(ensemble: Any, seed: int) -> None:
    for rows, answers in asked_in_all_ways(ensemble, seed):
        assert np.array_equal(answers, ensemble.predict_proba(rows))


@settings(max_examples=20, deadline=None)
@given(ensemble=fitted(BOOSTED, (2, 2, 3, 9), 4), seed=st.integers(0, 99))
def test_boosted_trees_answer_as_scikit_learn_does(ensemble: Any, seed: int) -> None:
    for rows, answers in asked_in_all_ways(ensemble, seed):
        # The sums are the same to the last bit; exponentials of vectors and of single numbers differ in theirs.
        assert np.abs(answers - ensemble.predict_proba(rows)).max() < 1e-14


def test_a_forest_as_large_as_those_that_are_imported_answers_to_the_last_bit() -> None:
    rows, labels = RNG.random((800, 30)), np.arange(800) % 5
    forest = RandomForestClassifier(60, random_state=0).fit(rows, labels)
    runtime = ForestRuntime(packed(forest))
    for n in (1, 2, 32, 800):
        assert np.array_equal(runtime.probabilities(rows[:n]), forest.predict_proba(rows[:n]))


def test_steps_are_taken_in_the_order_they_were_given() -> None:
    forest = RandomForestClassifier(5, random_state=0).fit((ROWS - 0.25) * 4, LABELS)
    artifact = packed(forest, Step("subtract", np.full(6, 0.25)), Step("multiply", np.full(6, 4.0)))
    assert np.array_equal(asked(artifact), forest.predict_proba((ROWS - 0.25) * 4))


@pytest.mark.parametrize(("count", "width", "rows"), [(100, 2000, 64), (2000, 2, 4000)])
def test_memory_does_not_grow_with_the_product_of_rows_trees_and_classes(count: int, width: int, rows: int) -> None:
    trees = stumps(count, width)
    runtime = ForestRuntime(pack_forest(Forest(trees, "mean")))
    batch = RNG.random((rows, 4))
    tracemalloc.start()
    answers = runtime.probabilities(batch)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 24e6  # laid side by side, the leaves alone would take 100 MB and more
    met = batch[:5, trees.features].astype(np.float32) <= trees.thresholds
    assert answers[:5] == pytest.approx(trees.leaves[met.astype(int)].mean(axis=1), abs=1e-12)


def test_leaves_that_no_tree_leads_to_take_no_part() -> None:
    leaves = np.zeros((100_000, 2))
    leaves[:3] = two_trees()["leaves"]
    runtime = ForestRuntime(arrays_of(leaves=leaves))
    tracemalloc.start()
    answers = runtime.probabilities(np.tile([[0.6, 0, 0]], (64, 1)))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answers.tolist() == [[0.5, 0.5]] * 64
    assert most < 1e6


def arrays_of(**changed: Any) -> bytes:
    """Give an artifact of two trees with some of its arrays changed, or left out where they are None."""
    file = BytesIO()
    arrays = {"link": "mean", **two_trees(), **changed}
    np.savez(file, **{name: values for name, values in arrays.items() if values is not None})
    return file.getvalue()


def test_what_is_changed_below_is_sound_before() -> None:
    assert ForestRuntime(arrays_of()).probabilities(np.array([[0.6, 0, 0], [0.5, 0, 0.3]])).tolist() == [
        [0.5, 0.5],
        [0.125, 0.875],
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        b"PK\x03\x04 not really",
        arrays_of()[:-40],
        arrays_of(children=None),
        arrays_of(children=np.array([[2, 1], [3, 0]], np.int32)),
        arrays_of(features=np.array([0, 3], np.int32)),
        arrays_of(thresholds=np.zeros((2, 1), np.float32)),
        arrays_of(leaves=np.array([[object()]] * 3)),
        arrays_of(link="exec"),
        arrays_of(n_features=np.array([3, 3])),
        arrays_of(step000_exec=np.zeros(3)),
        arrays_of(step000_add=np.array(["a", "b", "c"])),
    ],
)
def test_what_is_no_forest_is_told(content: bytes) -> None:
    with pytest.raises(InvalidPackage, match="forest cannot be opened"):
        ForestRuntime(content)


def test_rows_of_another_length_are_refused() -> None:
    with pytest.raises(InvalidModel, match="rows of 3 numbers"):
        ForestRuntime(arrays_of()).probabilities(np.zeros((2, 4)))


def test_rows_are_compared_in_the_width_of_the_thresholds() -> None:
    rows = np.array([[0.5, 0, np.nextafter(0.25, 1)]])
    narrow, wide = (arrays_of(thresholds=np.array([0.5, 0.25], width)) for width in (np.float32, np.float64))
    assert ForestRuntime(narrow).probabilities(rows).tolist() == [[0.0, 1.0]]
    assert ForestRuntime(wide).probabilities(rows).tolist() == [[0.125, 0.875]]
