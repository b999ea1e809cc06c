"""The way down: the same leaves whether forks are compared ahead of time or met level by level, and always an end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.inference.runtimes.descent import Descent
from app.inference.runtimes.trees import Trees
from tests.inference.runtimes.forests import chain, two_trees, walked


@st.composite
def forests(draw: st.DrawFn) -> Trees:
    """Grow trees fork by fork in random places; leaves are shared at random."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n_trees, n_leaves, n_features = draw(st.integers(1, 12)), draw(st.integers(1, 5)), draw(st.integers(1, 4))
    children: list[list[int]] = []
    roots, open_places = [], []
    for tree in range(n_trees):
        roots.append(-1)
        open_places = [(tree, -1)]
        for _ in range(draw(st.integers(0, 30))):
            parent, side = open_places.pop(rng.integers(len(open_places)))
            fork = len(children)
            children.append([-1, -1])
            if side < 0:
                roots[tree] = fork
            else:
                children[parent][side] = fork
            open_places += [(fork, 0), (fork, 1)]
    table = np.array(children, np.int32).reshape(-1, 2)
    at, first = np.array(roots, np.int32), len(children)
    for array in (table, at):
        array[array < 0] = first + rng.integers(n_leaves, size=int((array < 0).sum()))
    width = draw(st.sampled_from([np.float32, np.float64]))
    return Trees(
        n_features,
        rng.integers(n_features, size=first, dtype=np.int32),
        rng.integers(-2, 3, first).astype(width),
        table,
        at[:, np.newaxis],
        rng.random((n_leaves, 2)),
    )


@settings(max_examples=100, deadline=None)
@given(trees=forests(), n=st.integers(1, 40), seed=st.integers(0, 99))
def test_every_way_down_reaches_the_leaf_that_the_comparisons_lead_to(trees: Trees, n: int, seed: int) -> None:
    rows: Any = np.random.default_rng(seed).integers(-2, 3, (n, trees.n_features)).astype(trees.thresholds.dtype)
    expected = np.array([walked(trees, row) for row in rows]).T
    descent = Descent(trees)
    for arrivals in (descent.arrivals(rows), descent._compared_ahead(rows), descent._level_by_level(rows)):
        assert np.array_equal(arrivals, expected)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_none_ends_at_a_leaf_too(number: float) -> None:
    trees = Trees(**two_trees())
    rows = np.full((4, 3), number, np.float32)
    expected = np.array([walked(trees, row) for row in rows]).T
    for arrivals in (Descent(trees)._compared_ahead(rows), Descent(trees)._level_by_level(rows)):
        assert np.array_equal(arrivals, expected)


def test_a_very_deep_tree_is_followed_to_its_end() -> None:
    rows = np.array([[2.0], [0.5], [0.0]], np.float32)
    trees = chain(3000)
    for arrivals in (Descent(trees)._compared_ahead(rows), Descent(trees)._level_by_level(rows)):
        assert arrivals.ravel().tolist() == [walked(trees, row)[0] for row in rows]
