"""Whether the numbers inside an opened model can be followed: compiled code does, and looks at no bounds.

An estimator's arrays are a stranger's. Where one says how far another reaches, that is checked here, before anything is asked
of the model and before it is packed for the workers; a search tree over the learned rows is built anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from app.errors import InvalidModel


def require_sound(part: Any) -> None:
    """Raise InvalidModel where an object of scikit-learn or SciPy would lead its own compiled code outside of its arrays."""
    check = _CHECKS.get(type(part).__name__)
    if check is None:
        return
    try:
        sound = check(part)
    except Exception as error:  # whatever is missing or of another shape
        raise InvalidModel(f"The file holds a damaged {type(part).__name__}.") from error
    if not sound:
        raise InvalidModel(f"The file holds a damaged {type(part).__name__}.")


def _tree(tree: Any) -> bool:
    left, right = tree.children_left, tree.children_right
    leaf = left == -1
    inner = ~leaf
    here = np.arange(tree.node_count)
    # Every step leads onwards, so that following them ends.
    return bool(
        ((right == -1) == leaf).all()
        and ((left > here) & (left < tree.node_count))[inner].all()
        and ((right > here) & (right < tree.node_count))[inner].all()
        and ((tree.feature >= 0) & (tree.feature < tree.n_features))[inner].all()
    )


def _holder_of_a_tree(estimator: Any) -> bool:
    """Tell whether a tree asks only for features that its estimator lets in."""
    return not hasattr(estimator, "tree_") or int(estimator.tree_.n_features) == int(estimator.n_features_in_)


def _forest(ensemble: Any) -> bool:
    """Tell whether all trees take the rows that the ensemble hands them unchecked."""
    trees = np.asarray(getattr(ensemble, "estimators_", []), dtype=object).ravel()
    return all(int(tree.n_features_in_) == int(ensemble.n_features_in_) for tree in trees)


def _boosted_histograms(ensemble: Any) -> bool:
    predictors = [predictor for stage in getattr(ensemble, "_predictors", ()) for predictor in stage]
    return all(_histogram_tree(predictor, int(ensemble.n_features_in_)) for predictor in predictors)


def _histogram_tree(predictor: Any, n_features: int) -> bool:
    nodes = predictor.nodes
    inner = nodes["is_leaf"] == 0
    here = np.arange(len(nodes))
    onwards = all(((nodes[side] > here) & (nodes[side] < len(nodes)))[inner].all() for side in ("left", "right"))
    features = nodes["feature_idx"][inner]
    sets = len(predictor.raw_left_cat_bitsets)
    categorical = nodes["bitset_idx"][inner & (nodes["is_categorical"] == 1)]
    return bool(onwards and ((features >= 0) & (features < n_features)).all() and (categorical < sets).all())


def _support_vectors(machine: Any) -> bool:
    if not hasattr(machine, "support_vectors_"):
        return True  # what an ensemble or a calibration made its fitted ones from
    classes = len(machine.classes_)
    vectors = machine.support_vectors_
    return bool(
        len(machine._n_support) == classes
        and (machine._n_support >= 0).all()
        and machine._n_support.sum() == len(vectors) == len(machine.support_)
        and machine._dual_coef_.shape == machine.dual_coef_.shape == (classes - 1, len(vectors))
        and len(machine._intercept_) == classes * (classes - 1) // 2
        and vectors.shape[1] == machine.shape_fit_[1] == machine.n_features_in_
        and machine._sparse is False
        and isinstance(machine.kernel, str)
    )


def _spline(spline: Any) -> bool:
    return bool(0 <= spline.k < 32 and len(spline.t) >= 2 * spline.k + 2 and len(spline.c) >= len(spline.t) - spline.k - 1)


def _neighbours(estimator: Any) -> bool:
    """Build the search tree anew from the rows it was built from, whatever the file says it looks like."""
    found = getattr(estimator, "_tree", None)
    if found is None:
        return True
    rows = np.asarray(estimator._fit_X, np.float64)
    estimator._tree = type(found)(
        rows, estimator.leaf_size, metric=estimator.effective_metric_, **estimator.effective_metric_params_
    )
    return len(rows) == estimator.n_samples_fit_ and (not hasattr(estimator, "_y") or len(estimator._y) == len(rows))


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "BSpline": _spline,
    "HistGradientBoostingClassifier": _boosted_histograms,
    "Tree": _tree,
    **dict.fromkeys(("SVC", "NuSVC"), _support_vectors),
    **dict.fromkeys(("KNeighborsClassifier", "RadiusNeighborsClassifier", "NearestNeighbors"), _neighbours),
    **dict.fromkeys(
        ("DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor"), _holder_of_a_tree
    ),
    **dict.fromkeys(
        ("RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "GradientBoostingClassifier"), _forest
    ),
}
