"""The figures: against values worked out by hand, against scikit-learn's, and with intervals that mean something."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, log_loss, roc_auc_score

from app.training.measures import (
    Labels,
    Probabilities,
    accuracy,
    area_under_curve,
    balanced_accuracy,
    calibration_error,
    calibration_table,
    confusions,
    measure,
    surprise,
)

# How quick a busy machine is tells nothing of what is tested.
TRUTH = np.array([0, 0, 0, 1, 1, 2], dtype=np.intp)
ANSWERS = np.array([[0.8, 0.1, 0.1], [0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.1, 0.8, 0.1], [0.05, 0.05, 0.9], [0.0, 0.0, 1.0]])


@st.composite
def answered(draw: st.DrawFn, classes: int | None = None) -> tuple[Labels, Probabilities]:
    """Draw labels and rows of probabilities, many of them on the edges of bins."""
    width = classes or draw(st.integers(2, 5))
    row = st.lists(st.integers(0, 15), min_size=width, max_size=width).filter(any)
    rows = np.array(draw(st.lists(row, min_size=1, max_size=30)), dtype=np.float64)
    truth = draw(st.lists(st.integers(0, width - 1), min_size=len(rows), max_size=len(rows)))
    return np.array(truth, dtype=np.intp), rows / rows.sum(axis=1, keepdims=True)


def make_binary(right: int, wrong: int) -> tuple[Labels, Probabilities]:
    """Give answers for two classes, as many right and wrong as told, and half of each in either class."""
    truth = np.arange(right + wrong, dtype=np.intp) % 2
    answers = np.where(np.arange(right + wrong) < right, truth, 1 - truth)
    return truth, np.where(np.arange(2) == answers[:, np.newaxis], 0.9, 0.1)


def naive_calibration_error(truth: Labels, probabilities: Probabilities) -> float:
    """Follow the definition of Guo et al. bin by bin: the bin m holds what lies in ((m - 1) / 15, m / 15]."""
    error = 0.0
    for m in range(1, 16):
        inside = [i for i, row in enumerate(probabilities) if (m - 1) / 15 < row.max() <= m / 15]
        if inside:
            right = sum(probabilities[i].argmax() == truth[i] for i in inside) / len(inside)
            said = sum(probabilities[i].max() for i in inside) / len(inside)
            error += len(inside) / len(truth) * abs(right - said)
    return error


def test_the_figures_are_those_worked_out_by_hand() -> None:
    assert accuracy(TRUTH, ANSWERS) == pytest.approx(4 / 6)
    assert balanced_accuracy(TRUTH, ANSWERS) == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)
    assert surprise(TRUTH, ANSWERS) == pytest.approx(-np.log([0.8, 0.5, 0.25, 0.8, 0.05, 1.0]).mean())
    assert confusions(TRUTH, ANSWERS).tolist() == [[2, 1, 0], [0, 1, 1], [0, 0, 1]]


def test_the_calibration_error_is_the_one_worked_out_by_hand() -> None:
    # Bins by fifteenths: 0.5 and 0.5 (one right), 0.8 and 0.8 (both right), 0.9 (wrong), 1.0 (right).
    assert calibration_error(TRUTH, ANSWERS) == pytest.approx((2 * 0 + 2 * 0.2 + 0.9 + 0) / 6)
    assert calibration_table(TRUTH, ANSWERS) == [
        pytest.approx((0.5, 0.5, 2)),
        pytest.approx((0.8, 1.0, 2)),
        pytest.approx((0.9, 0.0, 1)),
        pytest.approx((1.0, 1.0, 1)),
    ]


@given(answered())
def test_the_figures_are_those_of_scikit_learn(case: tuple[Labels, Probabilities]) -> None:
    truth, probabilities = case
    answers, classes = probabilities.argmax(axis=1), list(range(probabilities.shape[1]))
    assert accuracy(truth, probabilities) == pytest.approx(accuracy_score(truth, answers))
    assert surprise(truth, probabilities) == pytest.approx(log_loss(truth, probabilities, labels=classes))
    assert np.array_equal(confusions(truth, probabilities), confusion_matrix(truth, answers, labels=classes))
    # Scikit-learn warns of answers that are no class of the truth; with those as classes that never occur, it does not.
    expected = np.mean([accuracy_score(truth[truth == c], answers[truth == c]) for c in np.unique(truth)])
    assert balanced_accuracy(truth, probabilities) == pytest.approx(expected)


def test_balanced_accuracy_is_the_one_of_scikit_learn_where_every_class_occurs() -> None:
    assert balanced_accuracy(TRUTH, ANSWERS) == pytest.approx(balanced_accuracy_score(TRUTH, ANSWERS.argmax(axis=1)))


@given(answered())
def test_the_calibration_error_follows_its_definition(case: tuple[Labels, Probabilities]) -> None:
    assert calibration_error(*case) == pytest.approx(naive_calibration_error(*case))


@given(answered())
def test_the_calibration_table_tells_the_same_error(case: tuple[Labels, Probabilities]) -> None:
    table = calibration_table(*case)
    assert sum(photos for _, _, photos in table) == len(case[0])
    assert calibration_error(*case) == pytest.approx(sum(abs(s - r) * n for s, r, n in table) / len(case[0]))


def test_rows_in_single_precision_are_taken_as_they_are() -> None:
    rows = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]], dtype=np.float32).astype(np.float64) * (1 + 1e-6)
    assert surprise(np.array([0, 2]), rows) == pytest.approx(-np.log([0.7, 0.6]).mean(), abs=1e-5)


def test_two_classes_have_an_area_under_the_curve_and_others_have_none() -> None:
    truth = np.array([0, 0, 1, 1], dtype=np.intp)
    second = np.array([0.1, 0.6, 0.4, 0.9])
    metrics = {metric.name: metric.value for metric in measure(truth, np.column_stack([1 - second, second]))}
    assert metrics["area under the ROC curve"] == pytest.approx(0.75) == roc_auc_score(truth, second)
    assert [metric.name for metric in measure(TRUTH, ANSWERS)] == [
        "accuracy",
        "balanced accuracy",
        "log loss",
        "expected calibration error",
    ]


@given(answered(classes=2))
def test_the_area_under_the_curve_is_the_one_of_scikit_learn_ties_included(case: tuple[Labels, Probabilities]) -> None:
    truth, probabilities = np.append(case[0], [0, 1]), np.vstack([case[1], [[0.5, 0.5]] * 2])
    assert area_under_curve(truth, probabilities) == pytest.approx(roc_auc_score(truth, probabilities[:, 1]))


def test_one_class_alone_has_no_area_under_the_curve() -> None:
    assert "area under the ROC curve" not in {metric.name for metric in measure(TRUTH[:3] * 0, ANSWERS[:3, :2] + 0.1)}


@pytest.mark.parametrize(("right", "wrong"), [(90, 10), (160, 40), (30, 30)])
def test_the_interval_of_the_accuracy_is_the_one_of_the_binomial_distribution(right: int, wrong: int) -> None:
    # What is drawn with replacement is right as often as a binomial says, so the percentiles are known beforehand.
    photos = right + wrong
    found = measure(*make_binary(right, wrong))[0]
    low, high = binom.ppf([0.025, 0.975], photos, right / photos) / photos
    assert [found.low, found.high] == pytest.approx([low, high], abs=1.1 / photos)


def test_intervals_hold_their_value_and_are_the_same_each_time() -> None:
    truth, probabilities = make_binary(70, 30)
    metrics = measure(truth, probabilities)
    assert metrics == measure(truth, probabilities)
    for metric in metrics:
        assert metric.low is not None
        assert metric.high is not None
        assert metric.low < metric.value < metric.high, metric.name


def test_more_photos_narrow_the_interval() -> None:
    few, many = measure(*make_binary(18, 6))[0], measure(*make_binary(180, 60))[0]
    assert few.low is not None
    assert few.high is not None
    assert many.low is not None
    assert many.high is not None
    assert few.value == many.value
    assert many.high - many.low < (few.high - few.low) / 2


def test_one_photo_a_class_makes_a_wide_interval_not_a_sure_one() -> None:
    # Of two photos, one right: a quarter of all draws has it twice, a quarter not at all.
    found, *_, area = measure(np.array([0, 1], dtype=np.intp), np.array([[0.9, 0.1], [0.8, 0.2]]))
    assert (found.value, found.low, found.high) == (0.5, 0, 1)
    assert (area.name, area.value, area.low, area.high) == ("area under the ROC curve", 1, None, None)


def test_many_classes_of_one_photo_each_have_intervals_too() -> None:
    truth = np.arange(20, dtype=np.intp)
    found = measure(truth, np.eye(20)[truth // 2 * 2])[0]
    assert found.low is not None
    assert found.high is not None
    assert 0.2 < found.low < found.value == 0.5 < found.high < 0.8
