"""Hints: rows near which a classifier's own numbers say its classes lie."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from app.intake.hints import hints, thresholds
from tests.intake.classifiers import digits

ROWS, LABELS = digits()


def hinted(classifier: Any) -> Any:
    return hints(classifier.fit(ROWS, LABELS), np.random.default_rng(0))


@pytest.mark.parametrize(
    "classifier",
    [
        KNeighborsClassifier(),
        SVC(),
        GaussianNB(),
        LogisticRegression(max_iter=300),
        RandomForestClassifier(20, random_state=0),
        make_pipeline(StandardScaler(), RandomForestClassifier(20, random_state=0)),
    ],
    ids=lambda classifier: str(classifier).partition("(")[0],
)
def test_every_class_is_answered_somewhere_among_the_hints(classifier: Any) -> None:
    rows = hinted(classifier)
    assert rows.shape[1] == 64
    assert set(classifier.predict(rows)) == set(range(10))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_where_nothing_tells_there_are_none() -> None:
    assert len(hinted(MLPClassifier((8,), max_iter=5))) == 0
    assert len(hinted(make_pipeline(Nystroem(n_components=20, random_state=0), GaussianNB()))) == 0


@pytest.mark.parametrize("kind", [RandomForestClassifier(3, random_state=0), HistGradientBoostingClassifier(max_iter=2)])
def test_thresholds_are_those_of_the_trees(kind: Any) -> None:
    found = thresholds(kind.fit(ROWS, LABELS), 20, np.random.default_rng(0))
    assert len(found) == len(set(found)) == 20
    assert all(0 <= feature < 64 and 0 <= threshold <= 1 for feature, threshold in found)
