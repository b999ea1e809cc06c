"""Pictures to prove on: every class among them, edges among them, and made as a visitor's would be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from app.inference.recipe import Recipe
from app.intake.pictures import PictureSearch, rows_of
from app.intake.source_model import SourceModel
from tests.intake.classifiers import digits

ROWS, LABELS = digits()
RECIPE = Recipe(8, 8, colour="grey", scale="0-1")
NONE = np.empty((0, 8, 8, 3), np.uint8)


def found_for(classifier: Any, samples: Any = NONE) -> tuple[SourceModel, Any]:
    model = SourceModel(classifier.fit(ROWS, LABELS), RECIPE)
    return model, PictureSearch(model, RECIPE, samples).run()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "classifier",
    [
        LogisticRegression(max_iter=300),
        make_pipeline(StandardScaler(), RandomForestClassifier(30, random_state=0)),
        KNeighborsClassifier(),
        GaussianNB(),
        SVC(),
        make_pipeline(StandardScaler(), MLPClassifier((16,), max_iter=120, random_state=0)),
    ],
    ids=lambda classifier: str(classifier).partition("(")[0],
)
def test_without_any_sample_every_class_is_found_eight_times(classifier: Any) -> None:
    model, rows = found_for(classifier)
    counts = np.bincount(model.probabilities(rows).argmax(axis=1), minlength=10)
    assert len(rows) >= 256
    assert counts.min() >= 8, counts


def test_rows_are_those_of_pictures() -> None:
    _, rows = found_for(LogisticRegression(max_iter=300))
    levels = rows * 255
    assert np.abs(levels - np.rint(levels)).max() < 1e-9
    assert rows.min() >= 0
    assert rows.max() <= 1


def test_pairs_on_both_sides_of_decisions_are_among_them() -> None:
    model, rows = found_for(LogisticRegression(max_iter=300))
    best = np.sort(model.probabilities(rows), axis=1)
    assert ((best[:, -1] - best[:, -2]) < 0.02).sum() >= 32


def test_both_sides_of_a_trees_thresholds_are_among_them() -> None:
    forest = RandomForestClassifier(5, random_state=0)
    _, rows = found_for(forest)
    touched = 0
    for tree in (estimator.tree_ for estimator in forest.estimators_):
        inner = tree.feature >= 0
        for feature, threshold in zip(tree.feature[inner], tree.threshold[inner], strict=True):
            distance = rows[:, feature] - threshold
            touched += bool(((distance > 0) & (distance <= 1 / 255)).any() and ((distance <= 0) & (distance > -1 / 255)).any())
    assert touched >= 40


def test_samples_come_first_into_the_search() -> None:
    samples = np.repeat(np.rint(ROWS[:60].reshape(-1, 8, 8, 1) * 255).astype(np.uint8), 3, axis=3)
    _, rows = found_for(LogisticRegression(max_iter=300), samples)
    known = {row.tobytes() for row in rows_of(samples, RECIPE)}
    assert sum(row.tobytes() in known for row in rows) >= 20


def test_the_same_search_finds_the_same_pictures() -> None:
    assert np.array_equal(found_for(GaussianNB())[1], found_for(GaussianNB())[1])


def test_a_classifier_that_says_one_thing_ends_the_search_in_time() -> None:
    model, rows = found_for(DummyClassifier(strategy="constant", constant=3))
    assert len(rows) >= 256
    assert set(model.probabilities(rows).argmax(axis=1)) == {3}
