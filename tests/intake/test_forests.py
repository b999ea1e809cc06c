"""From scikit-learn's ensembles to a forest: which can be read, and that what they begin with and compare comes along."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from app.inference.runtimes.forest import Forest, ForestRuntime, pack_forest
from app.intake.forests import rounded_down, trees_of
from app.intake.served_form import CannotHold
from tests.intake.classifiers import digits

ROWS, LABELS = digits()
FEW = 400


def answers_of(ensemble: Any, rows: Any = ROWS) -> Any:
    return ForestRuntime(pack_forest(Forest(*trees_of(ensemble)))).probabilities(rows)


@given(
    threshold=st.floats(width=64, allow_nan=False),
    number=st.floats(width=32, allow_nan=False),
    near=st.sampled_from([None, -1, 0, 1]),
)
def test_a_threshold_rounded_down_compares_as_the_wide_one_did(threshold: float, number: float, near: int | None) -> None:
    with np.errstate(all="ignore"):
        narrow = np.float32(threshold)
        if near is not None:
            number = float(np.nextafter(narrow, np.float32(near * np.inf)) if near else narrow)
    (rounded,) = rounded_down(np.array([threshold]), np.float32)
    assert rounded.dtype == np.float32
    assert (np.float32(number) <= rounded) == (float(np.float32(number)) <= threshold)


@pytest.mark.parametrize(
    "init", [None, "zero", *(DummyClassifier(strategy=name) for name in ("prior", "most_frequent", "uniform"))], ids=str
)
@pytest.mark.parametrize("loss", ["log_loss", "exponential"])
def test_boosting_begins_with_what_it_began_with(init: Any, loss: Any) -> None:
    boosted = GradientBoostingClassifier(n_estimators=3, init=init, loss=loss, random_state=0).fit(ROWS[:FEW], LABELS[:FEW] > 4)
    assert np.abs(answers_of(boosted) - boosted.predict_proba(ROWS)).max() < 1e-14


@pytest.mark.parametrize("init", [LogisticRegression(max_iter=300), DummyClassifier(strategy="stratified", random_state=0)])
def test_what_begins_differently_for_each_row_cannot_be_held(init: Any) -> None:
    boosted = GradientBoostingClassifier(n_estimators=2, init=init, random_state=0).fit(ROWS[:FEW], LABELS[:FEW] > 4)
    with pytest.raises(CannotHold, match=f"begin with the answers of a {type(init).__name__}"):
        trees_of(boosted)


def test_a_threshold_without_end_lets_every_number_pass() -> None:
    rows = ROWS[:FEW].copy()
    rows[LABELS[:FEW] > 4, 20] = np.nan  # so that the first split is between what is there and what is missing
    boosted = HistGradientBoostingClassifier(max_iter=3).fit(rows, LABELS[:FEW] > 4)
    assert np.isinf(trees_of(boosted)[0].thresholds).any()
    assert np.abs(answers_of(boosted) - boosted.predict_proba(ROWS)).max() < 1e-14


def test_leaves_that_hold_the_same_are_kept_once() -> None:
    forest = RandomForestClassifier(20, random_state=0).fit(ROWS, LABELS)
    trees, _ = trees_of(forest)
    assert len(trees.leaves) == 10  # grown until they are pure: one for each class
    assert trees.n_forks == sum(int((tree.tree_.children_left >= 0).sum()) for tree in forest.estimators_)


def test_a_loss_that_is_not_known_cannot_be_held() -> None:
    boosted = GradientBoostingClassifier(n_estimators=2, random_state=0).fit(ROWS[:FEW], LABELS[:FEW])
    boosted._loss = object()
    with pytest.raises(CannotHold, match="fitted to a object"):
        trees_of(boosted)


def test_trees_of_one_class_answer_with_it() -> None:
    forest = RandomForestClassifier(3, random_state=0).fit(ROWS[:20], np.zeros(20))
    assert np.array_equal(answers_of(forest), np.ones((len(ROWS), 1)))
