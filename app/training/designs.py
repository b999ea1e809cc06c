"""The pipelines on offer: what describes a picture, and what learns from the description."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from app.estimators import FlatPixels, ImageEmbedding, OrientedGradients
from app.inference.recipe import Recipe

_SEED = 0
_FOLDS = 5


@dataclass(frozen=True)
class Design:
    """One way to learn: a recipe, a transformer of pictures, and the strengths to choose from."""

    name: str
    title: str
    recipe: Recipe
    transformer: Callable[[], Any]
    strengths: tuple[float, ...]


def _pictures(side: int) -> Recipe:
    return Recipe(side, side, scale="0-255", layout="height-width-channels")


DESIGNS: dict[str, Design] = {
    design.name: design
    for design in (
        Design(
            "embedding",
            "EfficientNet-Lite0's embedding and logistic regression",
            _pictures(224),
            ImageEmbedding,
            (0.01, 0.03, 0.1, 0.3, 1.0, 3.0),
        ),
        Design(
            "embedding-q8",
            "EfficientNet-Lite0's embedding, computed in 8 bits, and logistic regression",
            _pictures(224),
            partial(ImageEmbedding, backbone="efficientnet-lite0-q8"),
            (0.01, 0.03, 0.1, 0.3, 1.0, 3.0),
        ),
        Design(
            "gradients",
            "Histograms of oriented gradients and logistic regression",
            _pictures(128),
            OrientedGradients,
            (1e-4, 1e-3, 1e-2, 1e-1),
        ),
        Design("pixels", "Pixels and logistic regression", _pictures(32), FlatPixels, (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)),
    )
}


def fit_head(
    features: NDArray[np.float32], labels: Sequence[str], groups: NDArray[np.intp], strengths: Sequence[float]
) -> tuple[Pipeline, float]:
    """Give a fitted scaler with logistic regression, and the strength chosen for it.

    `features` has shape (n, n_features). The strength is the one with the least log loss in a cross-validation that keeps
    near copies (`groups`) in one fold, since a probability that can be believed is wanted, not only a label.
    """
    head = Pipeline([("scaler", StandardScaler()), ("classifier", LogisticRegression(max_iter=2000, random_state=_SEED))])
    folds = min(_FOLDS, _smallest_class(labels, groups))
    if folds < 2:
        return head.set_params(classifier__C=strengths[len(strengths) // 2]).fit(features, labels), strengths[
            len(strengths) // 2
        ]
    search = GridSearchCV(
        head,
        {"classifier__C": list(strengths)},
        scoring="neg_log_loss",
        cv=StratifiedGroupKFold(folds, shuffle=True, random_state=_SEED),
    )
    search.fit(features, labels, groups=groups)
    return search.best_estimator_, float(search.best_params_["classifier__C"])


def assemble(transformer: Any, head: Pipeline) -> Pipeline:
    """Give the one fitted pipeline, from pictures to probabilities, that is served."""
    return Pipeline([("features", transformer), *head.steps])


def _smallest_class(labels: Sequence[str], groups: NDArray[np.intp]) -> int:
    return min(len({int(g) for g, label in zip(groups, labels, strict=True) if label == chosen}) for chosen in set(labels))
