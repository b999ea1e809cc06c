"""The opened classifier: how it answers, what it must be, and what of older libraries is brought up to date."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from app.errors import InvalidModel
from app.inference.recipe import Recipe
from app.intake.source_model import SourceModel, steps_of, unwrapped
from tests.intake.classifiers import digits

RECIPE = Recipe(8, 8, colour="grey", scale="0-1")
ROWS, LABELS = digits()


@pytest.mark.parametrize(
    ("classifier", "answers"),
    [
        (LogisticRegression(max_iter=300), "predict_proba"),
        (LinearSVC(), "decision_function"),
        (RidgeClassifier(), "decision_function"),
        (SVC(decision_function_shape="ovo"), "predict"),
    ],
)
def test_it_is_asked_the_richest_way_that_names_its_own_label(classifier: Any, answers: str) -> None:
    model = SourceModel(classifier.fit(ROWS, LABELS), RECIPE)
    assert model.answers == answers
    found = model.probabilities(ROWS)
    assert np.allclose(found.sum(axis=1), 1)
    assert (classifier.classes_[found.argmax(axis=1)] == classifier.predict(ROWS)).all()


def test_a_threshold_of_its_own_decides() -> None:
    two = LABELS < 2
    classifier = FixedThresholdClassifier(LogisticRegression(), threshold=0.99, response_method="predict_proba")
    classifier.fit(ROWS[two], LABELS[two])
    found = SourceModel(classifier, RECIPE).probabilities(ROWS)
    assert (found.argmax(axis=1) == classifier.predict(ROWS)).all()
    assert (found.argmax(axis=1) != classifier.predict_proba(ROWS).argmax(axis=1)).any()


def test_classes_of_any_kind_become_text() -> None:
    assert SourceModel(DummyClassifier().fit(ROWS, LABELS > 4), RECIPE).classes == ("False", "True")
    assert SourceModel(DummyClassifier().fit(ROWS, np.where(LABELS > 4, "high", "low")), RECIPE).classes == ("high", "low")


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (StandardScaler().fit(ROWS), "holds a StandardScaler, which is not a classifier"),
        ({"model": 1}, "holds a dict, which is not a classifier"),
        (None, "holds a NoneType, which is not a classifier"),
        (LogisticRegression(), "holds a LogisticRegression that is no fitted classifier"),
        (make_pipeline(StandardScaler(), LogisticRegression()), "holds a Pipeline that is no fitted classifier"),
        (LogisticRegression().fit(ROWS[:, :63], LABELS), "takes 63 numbers, but a grey picture of 8x8 has 64"),
        (KNeighborsClassifier().fit(ROWS, np.column_stack([LABELS, LABELS])), "more than one answer"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_a_sentence(found: Any, sentence: str) -> None:
    with pytest.raises(InvalidModel, match=sentence):
        SourceModel(found, RECIPE)


def test_a_classifier_fitted_on_named_columns_takes_rows_without_names() -> None:
    table = pd.DataFrame(ROWS, columns=[f"pixel {number}" for number in range(64)])
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)).fit(table, LABELS)
    expected = pipeline.predict_proba(table)
    opened = pickle.loads(pickle.dumps(pipeline))
    # A table's numbers lie elsewhere in memory, and the last bit of a sum hangs on where its numbers begin.
    np.testing.assert_allclose(SourceModel(opened, RECIPE).probabilities(ROWS), expected, rtol=0, atol=1e-12)
    assert not hasattr(opened, "feature_names_in_")
    opened.predict_proba(ROWS)  # a warning of missing names would be an error in the tests


def test_a_search_is_its_winner_and_pipelines_are_opened_up() -> None:
    inner = Pipeline([("scaler", StandardScaler()), ("nothing", "passthrough"), ("last", LogisticRegression(max_iter=300))])
    search = GridSearchCV(make_pipeline(StandardScaler(), inner), {"pipeline__last__C": [1.0]}, cv=2).fit(ROWS, LABELS)
    assert unwrapped(search) is search.best_estimator_
    assert [type(step).__name__ for step in steps_of(search)] == ["StandardScaler", "StandardScaler", "LogisticRegression"]
