"""How good a classifier is, with intervals, from its probabilities on held-out photos."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from app.inference.package import Metric

BINS = 15
_RESAMPLES = 1000
_SEED = 0

Probabilities = NDArray[np.float64]
Labels = NDArray[np.intp]


def accuracy(truth: Labels, probabilities: Probabilities) -> float:
    """Give the share of photos whose most probable class is the right one."""
    return float((probabilities.argmax(axis=1) == truth).mean())


def calibration_error(truth: Labels, probabilities: Probabilities) -> float:
    """Give the expected calibration error: how far the top probability is from how often it is right.

    Fifteen bins of equal width, weighted by their photos (Guo et al., On Calibration of Modern Neural Networks, ICML 2017).
    """
    top = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    bins = np.clip(np.ceil(top * BINS).astype(int) - 1, 0, BINS - 1)
    count = np.bincount(bins, minlength=BINS)
    apart = np.abs(np.bincount(bins, right, BINS) - np.bincount(bins, top, BINS))
    return float(apart[count > 0].sum() / len(truth))


def calibration_table(truth: Labels, probabilities: Probabilities) -> list[tuple[float, float, int]]:
    """Give, for each bin that has photos, the mean top probability, the share that is right, and the number of photos."""
    top = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    bins = np.clip(np.ceil(top * BINS).astype(int) - 1, 0, BINS - 1)
    filled = [bins == b for b in range(BINS) if (bins == b).any()]
    return [(float(top[chosen].mean()), float(right[chosen].mean()), int(chosen.sum())) for chosen in filled]


def confusions(truth: Labels, probabilities: Probabilities) -> NDArray[np.int64]:
    """Give the confusion matrix, shape (n_classes, n_classes): rows are the truth, columns the answer."""
    classes = probabilities.shape[1]
    cells = np.bincount(truth * classes + probabilities.argmax(axis=1), minlength=classes * classes)
    return cells.reshape(classes, classes).astype(np.int64, copy=False)


def balanced_accuracy(truth: Labels, probabilities: Probabilities) -> float:
    """Give the mean, over the classes that occur, of the share of each class's photos that are answered right."""
    table = confusions(truth, probabilities)
    occurs = table.sum(axis=1) > 0
    return float((np.diag(table)[occurs] / table.sum(axis=1)[occurs]).mean())


def surprise(truth: Labels, probabilities: Probabilities) -> float:
    """Give the log loss in nats: the mean of minus the logarithm of the probability given to the right class.

    Probabilities of nothing are taken for the smallest step from 1, 2e-16, or one photo would make the mean infinite.
    """
    # Single-precision rows sum to 1 only to seven digits.
    given = probabilities[np.arange(len(truth)), truth] / probabilities.sum(axis=1)
    return float(-np.log(np.maximum(given, np.finfo(np.float64).eps)).mean())


def area_under_curve(truth: Labels, probabilities: Probabilities) -> float:
    """Give the area under the ROC curve: how often, of one photo of each class, the second's has the higher score.

    Ties count half (Hanley and McNeil, Radiology 143, 1982).
    """
    first, second = np.sort(probabilities[truth == 0, 1]), probabilities[truth == 1, 1]
    places = np.searchsorted(first, second, "left") + np.searchsorted(first, second, "right")
    return float(places.mean() / (2 * len(first)))


def measure(truth: Labels, probabilities: Probabilities) -> tuple[Metric, ...]:
    """Give accuracy, balanced accuracy, log loss, calibration error and, for two classes, the area under the ROC curve.

    `truth` has shape (n,) and indexes the columns of `probabilities`, shape (n, n_classes). The 95 % intervals are
    percentiles of a bootstrap over the photos (Efron and Tibshirani, 1993).
    """
    named: tuple[tuple[str, Callable[[Labels, Probabilities], float]], ...] = (
        ("accuracy", accuracy),
        ("balanced accuracy", balanced_accuracy),
        ("log loss", surprise),
        ("expected calibration error", calibration_error),
    )
    draws = _draws(len(truth))
    metrics = [_with_interval(name, function, truth, probabilities, draws) for name, function in named]
    if probabilities.shape[1] == 2 and len(np.unique(truth)) == 2:
        # Without one of the classes there is no curve, and one photo of a class gives the same curve in every draw.
        both = [drawn for drawn in draws if len(np.unique(truth[drawn])) == 2] if np.bincount(truth).min() > 1 else []
        metrics.append(_with_interval("area under the ROC curve", area_under_curve, truth, probabilities, both))
    return tuple(metrics)


def _draws(photos: int) -> list[NDArray[np.intp]]:
    generator = np.random.default_rng(_SEED)
    return [generator.integers(0, photos, photos) for _ in range(_RESAMPLES)]


def _with_interval(
    name: str,
    function: Callable[[Labels, Probabilities], float],
    truth: Labels,
    probabilities: Probabilities,
    draws: Sequence[NDArray[np.intp]],
) -> Metric:
    value = function(truth, probabilities)
    values = [function(truth[indices], probabilities[indices]) for indices in draws]
    if not values:
        return Metric(name, value)
    low, high = np.percentile(values, (2.5, 97.5))
    return Metric(name, value, float(low), float(high))
