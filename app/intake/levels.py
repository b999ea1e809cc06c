"""What a classifier's own numbers tell of the levels it was fed: the data it kept, its thresholds, the means it subtracts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler
from sklearn.tree import BaseDecisionTree

from app.inference.recipe import Recipe, Scale
from app.intake.source_model import parts_of, steps_of

# Rows of the data, or points among them; and means of it, one number a feature.
_POINTS = ("_fit_X", "support_vectors_", "X_", "X_train_", "data_min_", "data_max_", "quantiles_")
_ROWS = ("_fit_X", "X_", "X_train_")
_MEANS = ("mean_", "theta_", "means_", "centroids_", "xbar_")
# Below which and above which no picture is, in each scale; a standardised one may be anything.
_BOUNDS: dict[Scale, tuple[float, float]] = {
    "0-255": (0.0, 255.0),
    "0-1": (0.0, 1.0),
    "0-16": (0.0, 16.0),
    "-1-1": (-1.0, 1.0),
    "imagenet": (-2.1180, 2.6401),
}
_FEWEST = 10  # numbers, before how far they reach says anything
_NARROW, _APART = 0.1, 0.25  # parts of a scale: what pictures reach over at least, and how far the means of two sets differ
_SPREAD = 1.8  # times that the deviation of one set of pictures is that of another at most
_ROUNDED = 1e-4


@dataclass(frozen=True, slots=True)
class Levels:
    """Between which numbers those lie that stood in a classifier's input, and, where that is told, how they are spread.

    `middle` is the mean of all, `spread` the mean deviation of a feature; `reaching` says that they are of single pixels, many
    enough to reach over most of the scale.
    """

    lowest: float
    highest: float
    middle: float | None
    spread: float | None
    reaching: bool

    def contradict(self, recipe: Recipe, rows: NDArray[np.generic]) -> bool:
        """Tell whether pictures cannot have been fed by this recipe, by which samples are these rows, shape (n, ...)."""
        mean, spread = float(rows.mean()), float(rows.std(axis=0).mean())
        if self.spread and spread and not 1 / _SPREAD < self.spread / spread < _SPREAD:
            return True
        bounds = _BOUNDS.get(recipe.scale)
        if bounds is None:
            return self.middle is not None and abs(self.middle - mean) > 1.0
        lowest, highest = bounds
        span = highest - lowest
        if self.lowest < lowest - _ROUNDED * span or self.highest > highest + _ROUNDED * span:
            return True
        if self.reaching and self.highest - self.lowest < _NARROW * span:
            return True
        return self.middle is not None and abs(self.middle - mean) > _APART * span


def levels_of(classifier: Any) -> Levels | None:
    """Give what the first step of a fitted classifier has kept of its input; None where it has kept nothing."""
    first = steps_of(classifier)[0]
    count = getattr(first, "n_features_in_", None)
    parts = [part for part in parts_of(first) if getattr(part, "n_features_in_", None) == count]
    points = [numbers for part in parts for numbers in _points(part, count)]
    points += [bounds for part in parts_of(first) if type(part).__name__ == "_BinMapper" for bounds in part.bin_thresholds_]
    means = [numbers for part in parts for numbers in _kept(part, _MEANS, count)]
    every = np.concatenate([*points, *means]) if points or means else np.empty(0)
    every = every[np.isfinite(every)]
    if not len(every):
        return None
    rows = [kept for part in parts for name in _ROWS if (kept := _array(part, name, count)) is not None and kept.ndim == 2]
    middle = [float(numbers.mean()) for numbers in means or rows]
    spread = [float(row.std(axis=0).mean()) for row in rows]
    spread += [float(kept.mean()) for part in parts if (kept := _deviation(part, count)) is not None]
    reaching = len(np.unique(np.concatenate(points))) >= _FEWEST if points else False
    return Levels(float(every.min()), float(every.max()), _mean(middle), _mean(spread), reaching)


def _mean(numbers: list[float]) -> float | None:
    return float(np.mean(numbers)) if numbers else None


def _deviation(part: Any, count: int | None) -> NDArray[np.float64] | None:
    """Give the deviation of each feature, of what keeps it to divide by."""
    return _array(part, "scale_", count) if isinstance(part, StandardScaler) else None


def _points(part: Any, count: int | None) -> Iterator[NDArray[np.float64]]:
    if isinstance(part, BaseDecisionTree) and hasattr(part, "tree_"):
        yield part.tree_.threshold[part.tree_.feature >= 0]
    yield from _kept(part, _POINTS, count)


def _kept(part: Any, names: tuple[str, ...], count: int | None) -> Iterator[NDArray[np.float64]]:
    for name in names:
        kept = _array(part, name, count)
        if kept is not None:
            yield kept.ravel()


def _array(part: Any, name: str, count: int | None) -> NDArray[np.float64] | None:
    kept = getattr(part, name, None)
    fits = isinstance(kept, np.ndarray) and kept.ndim in (1, 2) and kept.dtype.kind in "fiu" and count in kept.shape
    return np.asarray(kept, np.float64) if fits else None
