"""Where in a classifier's own numbers pictures of each class are to be found: what it learned from, and its leaves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import BaseDecisionTree

from app.intake.source_model import parts_of, steps_of

_Floats = NDArray[np.float64]
# What fitted classifiers keep of the data: rows of it, means of classes, centres, or directions between classes.
_EXEMPLARS = ("_fit_X", "support_vectors_", "centroids_", "theta_", "means_", "X_", "X_train_", "cluster_centers_")
_MOST_ROWS = 400
_STRETCHES = (0.1, 0.3, 1.0, 3.0, 10.0)
_TREES_OF_A_HINT = 40


def hints(classifier: Any, rng: np.random.Generator) -> _Floats:
    """Give rows of the classifier's input, shape (n, n_features), near which its classes may lie; perhaps none.

    Rows of the last step's input are led back through the steps before it; where one of these cannot be undone, there are
    no hints.
    """
    *before, last = steps_of(classifier)
    count = getattr(last, "n_features_in_", None)
    found = list(_found_in(last, count, rng)) if count is not None else []
    if not found:
        return np.empty((0, 0))
    rows = np.concatenate(found)
    for step in reversed(before):
        if not hasattr(step, "inverse_transform"):
            return np.empty((0, 0))
        rows = np.asarray(step.inverse_transform(rows), np.float64)
    return rows[np.isfinite(rows).all(axis=1)]


def _found_in(estimator: Any, count: int, rng: np.random.Generator) -> Iterator[_Floats]:
    trees = []
    for part in parts_of(estimator):
        if _fitted(part) and part.n_features_in_ == count:
            trees.append(part)
        for name in _EXEMPLARS:
            rows = getattr(part, name, None)
            if isinstance(rows, np.ndarray) and rows.ndim == 2 and rows.shape[1] == count and len(rows):
                yield rows[rng.permutation(len(rows))[:_MOST_ROWS]].astype(np.float64)
        directions = getattr(part, "coef_", None)
        if isinstance(directions, np.ndarray) and directions.ndim == 2 and directions.shape[1] == count:
            yield _along(directions.astype(np.float64))
    if trees:
        yield _in_leaves(trees, count, rng)


def _fitted(part: Any) -> bool:
    # An ensemble keeps the unfitted tree that it made the others from.
    return isinstance(part, BaseDecisionTree) and hasattr(part, "tree_")


def _along(directions: _Floats) -> _Floats:
    """Give points on both sides of every direction, nearer and farther."""
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    unit = directions / np.maximum(lengths, 1e-12) * np.sqrt(directions.shape[1])
    return np.concatenate([sign * stretch * unit for sign in (-1, 1) for stretch in _STRETCHES])


def _in_leaves(trees: list[Any], count: int, rng: np.random.Generator) -> _Floats:
    """Give, for each class, points that lie in leaves of that class in as many trees as one after the other allow."""
    outputs = trees[0].tree_.value.shape[2]
    points = []
    for wanted in range(max(outputs, 2)):
        for _ in range(8):
            point = np.zeros(count)
            for index in rng.permutation(len(trees))[:_TREES_OF_A_HINT]:
                _enter(trees[index].tree_, wanted, point, rng)
            points.append(point)
    return np.array(points)


def _enter(tree: Any, wanted: int, point: _Floats, rng: np.random.Generator) -> None:
    """Move a point into a leaf of a tree where the wanted class is the most probable, or a leaf that answers high or low."""
    leaves = np.flatnonzero(tree.children_left == -1)
    values = tree.value[leaves, 0, :]
    if values.shape[1] == 1:
        order = np.argsort(values[:, 0])
        chosen = order[-max(1, len(order) // 4) :] if wanted else order[: max(1, len(order) // 4)]
    else:
        share = values[:, min(wanted, values.shape[1] - 1)] / np.maximum(values.sum(axis=1), 1e-12)
        chosen = np.flatnonzero(share >= max(float(share.max()) - 0.1, 1e-9))
    if not len(chosen):
        return
    node = int(leaves[rng.choice(chosen)])
    inner = np.flatnonzero(tree.children_left != -1)
    parents = np.zeros(tree.node_count, np.intp)
    parents[tree.children_left[inner]] = parents[tree.children_right[inner]] = inner
    while node:
        above = int(parents[node])
        feature, threshold = int(tree.feature[above]), float(tree.threshold[above])
        margin = abs(threshold) * 0.05 + 1e-3
        if node == int(tree.children_left[above]):
            point[feature] = min(point[feature], threshold - margin)
        else:
            point[feature] = max(point[feature], threshold + margin)
        node = above


def thresholds(classifier: Any, most: int, rng: np.random.Generator) -> list[tuple[int, float]]:
    """Give (feature, threshold) pairs of the trees in the last step, in the numbers of that step's input."""
    last = steps_of(classifier)[-1]
    pairs: set[tuple[int, float]] = set()
    for part in parts_of(last):
        if _fitted(part):
            inner = part.tree_.feature >= 0
            pairs |= set(zip(part.tree_.feature[inner].tolist(), part.tree_.threshold[inner].tolist(), strict=True))
        elif type(part).__name__ == "TreePredictor":
            nodes = part.nodes
            inner = nodes["is_leaf"] == 0
            pairs |= set(zip(nodes["feature_idx"][inner].tolist(), nodes["num_threshold"][inner].tolist(), strict=True))
    ordered = sorted(pairs)
    return [ordered[i] for i in rng.permutation(len(ordered))[:most]]
