"""From scikit-learn's ensembles of trees to a forest that compares, follows and adds as they do, to the last bit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from app.inference.runtimes.forest import Link
from app.inference.runtimes.trees import Trees
from app.intake.served_form import CannotHold

# By the name of an ensemble's loss: what becomes of the sum of its trees, and what the sum is multiplied with first.
_LINKS: dict[str, tuple[Link, float]] = {
    "HalfBinomialLoss": ("logistic", 1.0),
    "ExponentialLoss": ("logistic", 2.0),
    "HalfMultinomialLoss": ("softmax", 1.0),
}
_CATEGORIES = "its trees split by categories"


class _Tree(NamedTuple):
    """One tree of an ensemble: a value for every node in each array; `values` has shape (n_nodes, width)."""

    is_fork: NDArray[np.bool_]
    feature: NDArray[np.integer]
    threshold: NDArray[np.float64]
    above: NDArray[np.integer]
    below: NDArray[np.integer]
    values: NDArray[np.float64]


def trees_of(ensemble: Any) -> tuple[Trees, Link]:
    """Give the trees of an ensemble and what is made of their sum, or raise CannotHold."""
    if isinstance(ensemble, (GradientBoostingClassifier, HistGradientBoostingClassifier)):
        return _boosted(ensemble)
    if isinstance(ensemble, (RandomForestClassifier, ExtraTreesClassifier)):
        members = ensemble.estimators_
    elif isinstance(ensemble, (DecisionTreeClassifier, ExtraTreeClassifier)):
        # One tree is a forest of one: its leaf's shares are the mean over all trees.
        members = [ensemble]
    else:
        raise CannotHold("it is no ensemble of trees")
    shares = [_tree(member.tree_, member.tree_.value[:, 0, : member.n_classes_]) for member in members]
    return _joined(shares, int(ensemble.n_features_in_), np.float32), "mean"


def _boosted(ensemble: Any) -> tuple[Trees, Link]:
    link, factor = _link(ensemble)
    width: type[np.floating] = np.float32
    if isinstance(ensemble, HistGradientBoostingClassifier):
        if getattr(ensemble, "is_categorical_", None) is not None:
            raise CannotHold(_CATEGORIES)
        begun, width = np.asarray(ensemble._baseline_prediction, np.float64).ravel(), np.float64
        trees = [_histogram_tree(predictor.nodes, factor) for stage in ensemble._predictors for predictor in stage]
    else:
        begun, scale = _begun(ensemble), ensemble.learning_rate * factor
        trees = [_tree(member.tree_, member.tree_.value[:, 0, :1] * scale) for member in ensemble.estimators_.flat]
    # What a sum begins with is added to, so it comes first: a tree that is one leaf.
    firsts = [_leaf(value * factor) for value in begun]
    return _joined([*firsts, *trees], int(ensemble.n_features_in_), width, groups=len(begun)), link


def _link(ensemble: Any) -> tuple[Link, float]:
    name = type(ensemble._loss).__name__
    if name not in _LINKS:
        raise CannotHold(f"its trees were fitted to a {name}")
    return _LINKS[name]


def _begun(ensemble: Any) -> NDArray[np.float64]:
    """Give what boosting began with, a number for each group, or raise CannotHold where it differs from row to row."""
    begun = ensemble.init_
    if not (isinstance(begun, str) or (isinstance(begun, DummyClassifier) and begun.strategy != "stratified")):
        raise CannotHold(f"its trees begin with the answers of a {type(begun).__name__}")
    return np.asarray(ensemble._raw_predict_init(np.zeros((1, ensemble.n_features_in_), np.float32))).ravel()


def _leaf(value: float) -> _Tree:
    nothing = np.zeros(1, np.intp)
    return _Tree(np.zeros(1, bool), nothing, np.zeros(1), nothing, nothing, np.full((1, 1), value))


def _tree(tree: Any, values: NDArray[np.float64]) -> _Tree:
    return _Tree(tree.children_left >= 0, tree.feature, tree.threshold, tree.children_right, tree.children_left, values)


def _histogram_tree(nodes: Any, factor: float) -> _Tree:
    is_fork, values = nodes["is_leaf"] == 0, nodes["value"][:, np.newaxis] * factor
    if nodes["is_categorical"][is_fork].any():
        raise CannotHold(_CATEGORIES)
    return _Tree(is_fork, nodes["feature_idx"], nodes["num_threshold"], nodes["right"], nodes["left"], values)


def _joined(trees: list[_Tree], n_features: int, width: type[np.floating], groups: int = 1) -> Trees:
    """Number the forks of all trees one after another, and behind them the leaves that differ."""
    n_forks = sum(int(tree.is_fork.sum()) for tree in trees)
    leaves: dict[bytes, int] = {}
    numbered, first = [], 0
    for tree in trees:
        count = int(tree.is_fork.sum())
        number = np.empty(len(tree.is_fork), np.int64)
        number[tree.is_fork] = np.arange(first, first + count)
        held = np.ascontiguousarray(tree.values[~tree.is_fork], np.float64)
        number[~tree.is_fork] = [n_forks + leaves.setdefault(row.tobytes(), len(leaves)) for row in held]
        numbered.append(number)
        first += count
    children = [
        np.stack([number[tree.above[tree.is_fork]], number[tree.below[tree.is_fork]]], axis=1)
        for number, tree in zip(numbered, trees, strict=True)
    ]
    return Trees(
        n_features=n_features,
        features=_of_all((tree.feature[tree.is_fork] for tree in trees), np.int32),
        thresholds=rounded_down(_of_all((tree.threshold[tree.is_fork] for tree in trees), np.float64), width),
        children=_of_all(children, np.int32),
        roots=np.array([number[0] for number in numbered], np.int32).reshape(-1, groups),
        leaves=np.frombuffer(b"".join(leaves), np.float64).reshape(len(leaves), -1),
    )


def _of_all(parts: Iterable[NDArray[np.generic]], kind: type[np.generic]) -> NDArray[Any]:
    return np.concatenate(list(parts)).astype(kind)


def rounded_down(thresholds: NDArray[np.float64], width: type[np.floating]) -> NDArray[Any]:
    """Give thresholds as wide as the rows, each the largest that is no larger: rows of that width compare with it the same."""
    with np.errstate(all="ignore"):
        narrow = thresholds.astype(width)
        return np.where(narrow > thresholds, np.nextafter(narrow, -np.inf, dtype=width), narrow)
