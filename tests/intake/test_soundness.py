"""A model whose own numbers lead outside of its arrays is refused before compiled code follows them."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from app.errors import InvalidModel
from app.inference.recipe import Recipe
from app.intake.source_model import SourceModel
from tests.intake.classifiers import digits

RECIPE = Recipe(8, 8, colour="grey", scale="0-1")
ROWS, LABELS = digits()

MODELS: dict[str, Any] = {
    "forest": RandomForestClassifier(3, random_state=0),
    "extra trees": ExtraTreesClassifier(3, random_state=0),
    "tree": DecisionTreeClassifier(random_state=0),
    "boosting": GradientBoostingClassifier(n_estimators=2, random_state=0),
    "histograms": HistGradientBoostingClassifier(max_iter=2),
    "machine": SVC(),
    "neighbours": KNeighborsClassifier(algorithm="kd_tree"),
    "balls": KNeighborsClassifier(algorithm="ball_tree"),
    "calibrated machine": CalibratedClassifierCV(SVC(), ensemble=False, cv=2),
    "bagged trees": BaggingClassifier(DecisionTreeClassifier(), n_estimators=2, random_state=0),
    "two classes": SVC(),
    "splines": make_pipeline(SplineTransformer(3), LogisticRegression(max_iter=300)),
}


@pytest.fixture(scope="module", autouse=True)
def fitted() -> None:
    for name, model in MODELS.items():
        model.fit(ROWS, LABELS > 4 if name == "two classes" else LABELS)


def copy_of(name: str) -> Any:
    return pickle.loads(pickle.dumps(MODELS[name]))


def node(tree: Any, field: str, value: int) -> None:
    """Write into the first node of a tree."""
    state = tree.__getstate__()
    state["nodes"][field][0] = value
    tree.__setstate__(state)


def histogram_node(model: Any, field: str, value: int) -> None:
    predictor = model._predictors[0][0]
    predictor.nodes = predictor.nodes.copy()
    predictor.nodes[field][0] = value


HARM: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "a left branch far outside": ("forest", lambda model: node(model.estimators_[1].tree_, "left_child", 10_000)),
    "a right branch back to the root": ("forest", lambda model: node(model.estimators_[1].tree_, "right_child", 0)),
    "a feature too many": ("extra trees", lambda model: node(model.estimators_[0].tree_, "feature", 64)),
    "a negative feature": ("tree", lambda model: node(model.tree_, "feature", -7)),
    "a tree of more features than it is given": ("tree", lambda model: setattr(model, "n_features_in_", 32)),
    "a forest's tree of fewer features": ("forest", lambda model: setattr(model.estimators_[2], "n_features_in_", 32)),
    "a boosted tree's branch outside": ("boosting", lambda model: node(model.estimators_[1, 3].tree_, "left_child", 99)),
    "a histogram's branch outside": ("histograms", lambda model: histogram_node(model, "left", 10_000)),
    "a histogram's branch in a circle": ("histograms", lambda model: histogram_node(model, "right", 0)),
    "a histogram's feature too many": ("histograms", lambda model: histogram_node(model, "feature_idx", 64)),
    "a set of categories that is not there": ("histograms", lambda model: histogram_node(model, "is_categorical", 1)),
    "more vectors than there are": ("machine", lambda model: model._n_support.__setitem__(0, 9999)),
    "fewer coefficients than vectors": ("machine", lambda model: setattr(model, "_dual_coef_", model._dual_coef_[:, :-1])),
    "fewer decisions than pairs": ("machine", lambda model: setattr(model, "_intercept_", model._intercept_[:-1])),
    "fewer answers than neighbours": ("neighbours", lambda model: setattr(model, "_y", model._y[:5])),
    "a spline of fewer coefficients": ("splines", lambda model: setattr(model[0].bsplines_[0], "t", np.arange(99.0))),
}


@pytest.mark.parametrize("name", MODELS)
def test_what_is_sound_answers_as_before(name: str) -> None:
    opened, before = SourceModel(copy_of(name), RECIPE), MODELS[name]
    answers = opened.probabilities(ROWS).argmax(axis=1)
    if opened.answers == "predict_proba":
        assert (answers == before.predict_proba(ROWS).argmax(axis=1)).all()
    else:
        assert (before.classes_[answers] == before.predict(ROWS)).all()


@pytest.mark.parametrize("harm", HARM)
def test_what_leads_outside_is_refused(harm: str) -> None:
    name, do = HARM[harm]
    model = copy_of(name)
    do(model)
    with pytest.raises(InvalidModel, match="holds a damaged"):
        SourceModel(model, RECIPE)


@pytest.mark.parametrize("name", ["neighbours", "balls"])
def test_a_search_tree_is_built_anew_whatever_the_file_says(name: str) -> None:
    model = copy_of(name)
    state = list(model._tree.__getstate__())
    positions = next(index for index, part in enumerate(state) if isinstance(part, np.ndarray) and part.dtype == np.intp)
    state[positions] = state[positions] + 1_000_000
    model._tree.__setstate__(tuple(state))
    assert (SourceModel(model, RECIPE).probabilities(ROWS) == MODELS[name].predict_proba(ROWS)).all()
