"""Small forests made by hand, for tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.inference.runtimes.trees import Trees


def two_trees(**given: Any) -> dict[str, Any]:
    """Give the arrays of a tree of two forks and one of a single leaf, both over two classes and three features.

    The first tree answers with leaf 0 where number 0 is above 0.5, else with leaf 1 or 2 as number 2 is above 0.25 or not.
    """
    return {
        "n_features": 3,
        "features": np.array([0, 2], np.int32),
        "thresholds": np.array([0.5, 0.25], np.float32),
        "children": np.array([[2, 1], [3, 4]], np.int32),
        "roots": np.array([[0], [4]], np.int32),
        "leaves": np.array([[1.0, 0.0], [0.25, 0.75], [0.0, 1.0]]),
        **given,
    }


def stumps(count: int, width: int) -> Trees:
    """Give trees of one fork each, which share two leaves of `width` classes."""
    return Trees(
        n_features=4,
        features=np.arange(count, dtype=np.int32) % 4,
        thresholds=np.linspace(0, 1, count, dtype=np.float32),
        children=np.tile(np.array([[count, count + 1]], np.int32), (count, 1)),
        roots=np.arange(count, dtype=np.int32)[:, np.newaxis],
        leaves=np.random.default_rng(0).random((2, width)),
    )


def chain(length: int) -> Trees:
    """Give one tree as deep as it has forks: the row goes on for as long as its number is at most the threshold."""
    onwards = np.arange(1, length + 1, dtype=np.int32)
    leaves = np.arange(length + 1, dtype=np.float64)[::-1, np.newaxis]
    return Trees(
        n_features=1,
        features=np.zeros(length, np.int32),
        thresholds=np.linspace(1, 0, length, dtype=np.float32),
        children=np.stack([np.arange(length, 2 * length, dtype=np.int32) + 1, onwards], axis=1),
        roots=np.zeros((1, 1), np.int32),
        leaves=leaves,
    )


def walked(trees: Trees, row: NDArray[Any]) -> list[int]:
    """Give the leaf a row reaches in each tree, one node after another."""
    found = []
    for root in trees.roots.ravel():
        node = int(root)
        while node < trees.n_forks:
            node = int(trees.children[node, int(row[trees.features[node]] <= trees.thresholds[node])])
        found.append(node - trees.n_forks)
    return found
