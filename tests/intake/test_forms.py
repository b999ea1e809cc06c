"""The forms a classifier can be served in: which are possible, and that what stands before a forest is done exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from app.estimators import FlatPixels, OrientedGradients
from app.inference.provenance import Features
from app.inference.recipe import Recipe
from app.inference.runtimes import open_runtime
from app.intake.forms import arithmetic_of, makers
from app.intake.pictures import rows_of
from app.intake.served_form import CannotHold, Form
from app.intake.source_model import SourceModel
from tests.intake.classifiers import digits

ROWS, LABELS = digits()
GREY = Recipe(8, 8, colour="grey", scale="0-1")
SCALERS = [
    StandardScaler(),
    StandardScaler(with_mean=False),
    StandardScaler(with_std=False),
    MinMaxScaler((-1, 1)),
    MinMaxScaler(clip=True),
    MaxAbsScaler(),
    RobustScaler(),
    RobustScaler(with_centering=False),
    VarianceThreshold(),
    SelectKBest(k=20),
]


def form_of(runtime: str, classifier: Any, recipe: Recipe = GREY) -> Form:
    return next(make() for name, make in makers(SourceModel(classifier, recipe)) if name == runtime)


def answers_of(form: Form, rows: Any) -> Any:
    return open_runtime(form.runtime, form.artifact, answers="predict_proba", n_classes=10).probabilities(rows)


@pytest.mark.filterwarnings("ignore:Features .* are constant", "ignore:invalid value encountered")
@pytest.mark.parametrize("scaler", SCALERS, ids=str)
@pytest.mark.parametrize("width", [np.float64, np.float32])
def test_scalers_and_selections_are_done_to_the_last_bit(scaler: Any, width: Any) -> None:
    fitted = scaler.fit(ROWS, LABELS)
    rows: Any = ROWS.astype(width)
    expected = fitted.transform(rows)
    for step in arithmetic_of(fitted):
        rows = step.apply(rows)
    assert rows.dtype == expected.dtype == width
    assert np.array_equal(rows, expected)


@pytest.mark.parametrize(
    "ensemble",
    [
        RandomForestClassifier(10, random_state=0),
        DecisionTreeClassifier(random_state=0),
        GradientBoostingClassifier(n_estimators=3, random_state=0),
        HistGradientBoostingClassifier(max_iter=3),
    ],
    ids=lambda ensemble: type(ensemble).__name__,
)
@pytest.mark.parametrize("scaled", [False, True])
def test_trees_behind_a_scaler_become_a_forest(ensemble: Any, scaled: bool) -> None:
    classifier = (make_pipeline(StandardScaler(), ensemble) if scaled else ensemble).fit(ROWS, LABELS)
    form = form_of("forest", classifier)
    assert np.abs(answers_of(form, ROWS) - classifier.predict_proba(ROWS)).max() < 1e-12


@pytest.mark.parametrize(
    ("classifier", "why"),
    [
        (LogisticRegression(max_iter=300), "no ensemble of trees"),
        (AdaBoostClassifier(n_estimators=3), "no ensemble of trees"),
        (make_pipeline(PCA(5), RandomForestClassifier(3)), "the PCA before its trees is no plain arithmetic"),
        (HistGradientBoostingClassifier(max_iter=2, categorical_features=[0]), "split by categories"),
    ],
)
def test_what_is_no_forest_behind_arithmetic_says_so(classifier: Any, why: str) -> None:
    rows = np.rint(ROWS * 16)
    with pytest.raises(CannotHold, match=why):
        form_of("forest", classifier.fit(rows, LABELS))


def test_a_graph_gives_decision_values_where_there_are_no_probabilities() -> None:
    classifier = LinearSVC().fit(ROWS, LABELS)
    form = form_of("onnx", classifier)
    answers = open_runtime("onnx", form.artifact, answers="decision_function", n_classes=10).probabilities(ROWS)
    assert (answers.argmax(axis=1) == classifier.predict(ROWS)).all()


def test_an_archive_holds_the_estimator_itself() -> None:
    classifier = make_pipeline(PCA(5), LogisticRegression(max_iter=300)).fit(ROWS, LABELS)
    form = form_of("sklearn", classifier)
    assert form.file == "model.skops"
    # Where arrays lie in memory decides on the order of a sum, and so on its last bit.
    assert np.abs(answers_of(form, ROWS) - classifier.predict_proba(ROWS)).max() < 1e-12


@pytest.mark.parametrize(
    ("transformer", "features"),
    [
        (FlatPixels(4), Features("pixels", {"size": 4})),
        (OrientedGradients(6, 8, 2, 0.3), Features("gradients", {"orientations": 6, "cell": 8, "block": 2, "clip": 0.3})),
    ],
)
def test_what_describes_pictures_stands_before_the_converted_rest(transformer: Any, features: Features) -> None:
    recipe = Recipe(24, 24, scale="0-255", layout="height-width-channels")
    pixels = np.random.default_rng(0).integers(0, 256, (40, 24, 24, 3), dtype=np.uint8)
    rows = rows_of(pixels, recipe)
    classifier = make_pipeline(transformer, StandardScaler(), LogisticRegression(max_iter=300)).fit(rows, np.arange(40) % 2)
    form = form_of("onnx", classifier, recipe)
    assert form.features == features
