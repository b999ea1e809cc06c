"""The scikit-learn runtime: a fitted classifier with probabilities, or a sentence."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from app.errors import InvalidModel
from app.inference.runtimes import open_runtime
from app.inference.runtimes.sklearn import SklearnRuntime
from tests.factories import make_classifier

ROWS = np.linspace(0, 1, 24).reshape(12, 2)
LABELS = [0, 1, 2] * 4


def runtime_of(classifier: Any) -> SklearnRuntime:
    return SklearnRuntime(pickle.dumps(classifier))


def test_answers_as_the_classifier_does() -> None:
    classifier = make_classifier()
    rows = np.random.default_rng(0).random((5, 12))
    answers = open_runtime("sklearn", pickle.dumps(classifier)).probabilities(rows)
    assert np.array_equal(answers, classifier.predict_proba(rows))
    assert answers.dtype == np.float64
    assert answers.sum(axis=1) == pytest.approx(np.ones(5))


def test_single_precision_answers_are_widened() -> None:
    classifier = make_classifier()
    classifier.coef_, classifier.intercept_ = classifier.coef_.astype("f4"), classifier.intercept_.astype("f4")
    assert runtime_of(classifier).probabilities(np.zeros((1, 12), "f4")).dtype == np.float64


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (LABELS, ("0", "1", "2")),
        (np.array(LABELS), ("0", "1", "2")),
        (["cat", "dog", "owl"] * 4, ("cat", "dog", "owl")),
        (np.array([False, True] * 6), ("False", "True")),
    ],
)
def test_classes_of_any_kind_become_text(labels: Any, classes: tuple[str, ...]) -> None:
    assert runtime_of(LogisticRegression().fit(ROWS, labels)).classes == classes


def test_a_pipeline_is_a_classifier_too() -> None:
    runtime = runtime_of(make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, LABELS))
    assert (runtime.classes, runtime.n_features) == (("0", "1", "2"), 2)


def test_a_classifier_need_not_remember_its_features() -> None:
    classifier = make_classifier()
    del classifier.n_features_in_
    assert runtime_of(classifier).n_features is None


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (LinearSVC().fit(ROWS, LABELS), "LinearSVC gives no probabilities: wrap it in CalibratedClassifierCV"),
        (StandardScaler().fit(ROWS), "holds a StandardScaler, which is not a classifier"),
        ({"model": 1}, "holds a dict, which is not a classifier"),
        (None, "holds a NoneType, which is not a classifier"),
        (LogisticRegression(), "holds a LogisticRegression that is not fitted"),
        (make_pipeline(StandardScaler(), LogisticRegression()), "holds a Pipeline that is not fitted"),
    ],
)
def test_what_is_no_fitted_classifier_with_probabilities_is_told_in_a_sentence(found: Any, sentence: str) -> None:
    with pytest.raises(InvalidModel, match=sentence):
        runtime_of(found)


@pytest.mark.parametrize("artifact", [b"", b"no pickle", pickle.dumps(make_classifier())[:-20], b"cno_such_module\nname\n."])
def test_what_is_no_pickle_is_told(artifact: bytes) -> None:
    with pytest.raises(InvalidModel, match="cannot be opened"):
        SklearnRuntime(artifact)


def test_a_pickle_of_another_version_opens_without_a_warning() -> None:
    here = sklearn.__version__
    another = ("0" if here[0] != "0" else "1") + here[1:]
    artifact = pickle.dumps(make_classifier()).replace(here.encode(), another.encode())
    assert another.encode() in artifact
    assert SklearnRuntime(artifact).classes == ("dark", "light")  # a warning is an error in the tests
