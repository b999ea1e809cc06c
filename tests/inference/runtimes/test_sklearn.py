"""The scikit-learn runtime: an archive of what is on the list, or the pickle its owner vouched for, asked one way."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import sklearn
import skops.io
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from app.errors import InvalidModel
from app.inference.answers import softmax
from app.inference.runtimes import open_runtime
from app.inference.runtimes.sklearn import SklearnRuntime
from tests.factories import make_classifier

ROWS = np.linspace(0, 1, 24).reshape(12, 2)
LABELS = ["cat", "dog", "owl"] * 4


def archived(classifier: Any, answers: Any = "predict_proba") -> SklearnRuntime:
    return SklearnRuntime(skops.io.dumps(classifier), answers, pickled=False)


def pickled(classifier: Any, answers: Any = "predict_proba") -> SklearnRuntime:
    return SklearnRuntime(pickle.dumps(classifier), answers, pickled=True)


@pytest.mark.parametrize("opened", [archived, pickled])
def test_answers_as_the_classifier_does(opened: Any) -> None:
    classifier = make_classifier()
    rows = np.random.default_rng(0).random((5, 12))
    answers = opened(classifier).probabilities(rows)
    assert np.array_equal(answers, classifier.predict_proba(rows))
    assert answers.dtype == np.float64


def test_what_a_package_serves_is_opened_by_name() -> None:
    classifier = make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, LABELS)
    runtime = open_runtime("sklearn", skops.io.dumps(classifier), answers="predict_proba", n_classes=3)
    assert np.array_equal(runtime.probabilities(ROWS), classifier.predict_proba(ROWS))


def test_single_precision_answers_are_widened() -> None:
    classifier = make_classifier()
    classifier.coef_, classifier.intercept_ = classifier.coef_.astype("f4"), classifier.intercept_.astype("f4")
    assert archived(classifier).probabilities(np.zeros((1, 12), "f4")).dtype == np.float64


def test_decision_values_become_scores_in_the_same_order() -> None:
    classifier = RidgeClassifier().fit(ROWS, LABELS)
    answers = archived(classifier, "decision_function").probabilities(ROWS)
    assert np.array_equal(answers, softmax(classifier.decision_function(ROWS)))
    assert (answers.argmax(axis=1) == classifier.decision_function(ROWS).argmax(axis=1)).all()


def test_a_label_alone_is_one_and_all_others_nothing() -> None:
    classifier = LinearSVC().fit(ROWS, LABELS)
    answers = archived(classifier, "predict").probabilities(ROWS)
    assert classifier.classes_[answers.argmax(axis=1)].tolist() == classifier.predict(ROWS).tolist()
    assert set(answers.ravel().tolist()) == {0.0, 1.0}


def test_a_classifier_without_the_method_asked_for_is_told() -> None:
    with pytest.raises(InvalidModel, match="holds a LinearSVC that has no predict_proba"):
        archived(LinearSVC().fit(ROWS, LABELS))


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps(make_classifier())[:-20], b"cno_such_module\nname\n."])
@pytest.mark.parametrize("pickled", [True, False])
def test_what_cannot_be_opened_is_told(content: bytes, pickled: bool) -> None:
    with pytest.raises(InvalidModel, match="cannot be opened"):
        SklearnRuntime(content, "predict_proba", pickled=pickled)


def test_a_pickle_is_never_opened_where_an_archive_is_expected() -> None:
    with pytest.raises(InvalidModel, match="archive cannot be opened"):
        SklearnRuntime(pickle.dumps(make_classifier()), "predict_proba", pickled=False)


def test_an_archive_of_what_is_not_on_the_list_is_not_opened() -> None:
    with pytest.raises(InvalidModel, match="Untrusted types"):
        archived(make_pipeline(Stranger(), LogisticRegression()))


def test_a_pickle_of_another_version_opens_without_a_warning() -> None:
    here = sklearn.__version__
    another = ("0" if here[0] != "0" else "1") + here[1:]
    artifact = pickle.dumps(make_classifier()).replace(here.encode(), another.encode())
    assert another.encode() in artifact
    answers = SklearnRuntime(artifact, "predict_proba", pickled=True).probabilities(np.ones((1, 12)))
    assert answers.argmax() == 1  # a warning is an error in the tests


class Stranger(StandardScaler):  # type: ignore[misc] # scikit-learn has no types
    """A class that is on no list."""
