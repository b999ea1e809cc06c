"""How pictures were fed to a classifier that does not tell: every usual way is tried on labelled samples, and judged here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from app.inference.recipe import Colour, Fit, Layout, Recipe, Scale

FEWEST_SAMPLES = 30
# The sides of pictures, width by height, that a number of features may stand for: square ones first, as most are.
_SHAPES = ((1, 1), (4, 3), (3, 4), (3, 2), (2, 3), (16, 9), (9, 16), (2, 1), (1, 2))
# The parts of a recipe, the more usual first.
_COLOURS: dict[int, tuple[Colour, ...]] = {3: ("rgb", "bgr"), 1: ("grey",)}
_FITS: tuple[Fit, ...] = ("stretch", "crop", "pad")
_SCALES: tuple[Scale, ...] = ("0-1", "0-255", "-1-1", "imagenet", "standardised", "0-16")
_FLAT: dict[int, tuple[Layout, ...]] = {3: ("flat", "flat-channels-first"), 1: ("flat",)}
# Where a row's channels, lines and columns stand.
_WHOLE: tuple[tuple[Layout, int, int, int], ...] = (("channels-height-width", 0, 1, 2), ("height-width-channels", 2, 0, 1))
_Z = 1.959964  # of a normal distribution, 95 % lie within so many deviations of its mean
_SAME = 1e-6

Size = tuple[int, int]  # width and height in pixels
_Input = tuple[Size, tuple[Colour, ...], tuple[Layout, ...]]


@dataclass(frozen=True, slots=True)
class KnownParts:
    """The parts of a recipe that are known; None where they are not."""

    size: Size | None = None
    colour: Colour | None = None
    scale: Scale | None = None
    fit: Fit | None = None
    layout: Layout | None = None
    invert: bool | None = None


@dataclass(frozen=True, eq=False)
class Trial:
    """A way to feed pictures, and what the classifier answered then: probabilities, shape (n samples, n classes)."""

    recipe: Recipe
    probabilities: NDArray[np.float64]
    truth: NDArray[np.intp]

    @property
    def accuracy(self) -> float:
        """The share of the samples that were answered right."""
        return float((self.probabilities.argmax(axis=1) == self.truth).mean())

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy (Wilson, JASA 22, 1927)."""
        n, share = len(self.truth), self.accuracy
        middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z / (1 + _Z**2 / n) * sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
        return max(0.0, middle - half), min(1.0, middle + half)

    def answers_as(self, other: Trial) -> bool:
        """Tell whether it gives every sample the probabilities that another way gives it."""
        return bool(np.abs(self.probabilities - other.probabilities).max() <= _SAME)


@dataclass(frozen=True, eq=False)
class Finding:
    """All trials, the best first, and the recipe where the samples leave no doubt; `rivals` could be it as well."""

    trials: tuple[Trial, ...]
    chosen: Recipe | None
    rivals: tuple[Trial, ...]
    reason: str


def variants(features: int | None, shape: Sequence[int | None] | None, known: KnownParts) -> tuple[Recipe, ...]:
    """Give the recipes that fit a classifier which takes so many numbers, or rows of a shape, the more usual first.

    `shape` is of one row, None where a length may be any; where it has three lengths, one of the ends is of the channels.
    """
    found = [
        Recipe(width, height, fit, colour, scale, layout, invert)
        for (width, height), colours, layouts in _inputs(features, shape, known)
        for colour, layout, invert, fit, scale in product(colours, layouts, (False, True), _FITS, _SCALES)
    ]
    return tuple(sorted((recipe for recipe in found if _agrees(recipe, known)), key=_unusual))


def judge(trials: Sequence[Trial]) -> Finding:
    """Choose where the lower bound of the best way's accuracy is above the accuracy of each that answers differently."""
    ordered = sorted(trials, key=lambda trial: -trial.accuracy)  # a stable sort: of equals the more usual stays first
    best = ordered[0]
    different = [trial for trial in ordered if not trial.answers_as(best)]
    bound = best.interval[0]
    rivals = tuple(trial for trial in different if trial.accuracy >= bound)
    samples = len(best.truth)
    if samples < FEWEST_SAMPLES:
        reason = f"{samples} samples are too few to decide by: it takes {FEWEST_SAMPLES}."
        return Finding(tuple(ordered), None, rivals, reason)
    if rivals:
        reason = f"{len(rivals) + 1} ways answer too nearly as well as each other to be told apart by {samples} samples."
        return Finding(tuple(ordered), None, rivals, reason)
    share, next_best = f"{best.accuracy:.1%}", f"{different[0].accuracy:.1%}" if different else ""
    reason = f"{share} of {samples} samples are right, at least {bound:.1%} with 95 % certainty"
    return Finding(
        tuple(ordered), best.recipe, (), f"{reason}; the next best way has {next_best}." if next_best else f"{reason}."
    )


def _inputs(features: int | None, shape: Sequence[int | None] | None, known: KnownParts) -> Iterator[_Input]:
    """Give the sizes that a row may be of, each with the orders in which its colours may stand."""
    if shape is not None and len(shape) == 3:
        for layout, channel, line, column in _WHOLE:
            height, width = shape[line], shape[column]
            size = (width, height) if width and height else known.size
            colours = _COLOURS.get(shape[channel] or 0)
            if colours and size:
                yield size, colours, (layout,)
        return
    count = features or (shape[0] if shape else None)
    for channels, colours in _COLOURS.items():
        for size in _sizes(count, channels, known.size):
            yield size, colours, _FLAT[channels]


def _sizes(count: int | None, channels: int, known: Size | None) -> Iterator[Size]:
    if known is not None:
        if count in (None, known[0] * known[1] * channels):
            yield known
        return
    for across, down in _SHAPES:
        unit = round(sqrt((count or 0) / channels / (across * down)))
        if unit and unit * across * unit * down * channels == count:
            yield unit * across, unit * down


def _agrees(recipe: Recipe, known: KnownParts) -> bool:
    wanted = (known.colour, known.scale, known.fit, known.layout, known.invert)
    found = (recipe.colour, recipe.scale, recipe.fit, recipe.layout, recipe.invert)
    return all(part is None or part == of for part, of in zip(wanted, found, strict=True))


def _unusual(recipe: Recipe) -> tuple[int, ...]:
    """Give how unusual a recipe is, the part that counts most first."""
    return (
        int(recipe.invert),
        _FITS.index(recipe.fit),
        int(recipe.colour == "bgr"),
        int(recipe.layout == "flat-channels-first"),
        _SCALES.index(recipe.scale),
    )
