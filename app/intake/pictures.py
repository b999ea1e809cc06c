"""Pictures to prove a model on: what it was given, and what is searched for until every class and every edge is among them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from app.inference.images import Image
from app.inference.recipe import Recipe
from app.intake.hints import hints, thresholds
from app.intake.proof import LEAST_OF_A_CLASS, LEAST_PICTURES, Answering, asked_in_chunks
from app.intake.source_model import Rows, steps_of

Pixels = NDArray[np.uint8]  # (n, height, width, 3)

_MOST_OF_A_CLASS = 40
_PER_ROUND = 64
_ROUNDS = 30
_EDGES = 96
_HALVINGS = 9
_SECONDS = 60.0
_LARGE = 96 * 96  # pixels from which on a picture costs milliseconds, and fewer are looked at


def rows_of(pixels: Pixels, recipe: Recipe) -> Rows:
    """Give the model's input, shape (n, *recipe.shape), of pictures of the recipe's size, made as for a visitor's upload."""
    return np.stack([recipe.array(Image(picture, "PNG", recipe.width, recipe.height, "", ())) for picture in pixels])


class Searched(Answering, Protocol):
    """The source, and the classifier it holds where there is one to take hints from."""

    classifier: Any


class PictureSearch:
    """Collects pictures with the source's answers; `samples` are pictures of the recipe's size, perhaps none."""

    def __init__(self, model: Searched, recipe: Recipe, samples: Pixels, seconds: float = _SECONDS) -> None:
        self._model, self._recipe = model, recipe
        self._rng = np.random.default_rng(0)
        self._ends = time.monotonic() + seconds
        self._pixels: Pixels = np.empty((0, recipe.height, recipe.width, 3), np.uint8)
        self._answers: NDArray[np.float64] = np.empty((0, len(model.classes)))
        self._samples = samples
        self._edges = _EDGES

    def run(self) -> Rows:
        """Give the rows of at least 256 pictures, on which every class is predicted eight times where that was possible."""
        self._add(self._made_up(32))
        # By its size and not by the clock: the same model is proven on the same pictures wherever it is imported.
        slow = self._recipe.width * self._recipe.height > _LARGE
        self._edges = _EDGES // 4 if slow else _EDGES
        self._add(self._samples[: 200 if slow else 1000])
        self._add(self._made_up(0 if slow else 96))
        self._add(self._hinted())
        self._mix(64 if len(self._samples) else 32)
        self._search_missing_classes()
        self._add(self._both_sides_of_thresholds())
        self._halve_between_labels()
        while len(self._pixels) < LEAST_PICTURES:
            self._mix(LEAST_PICTURES - len(self._pixels))
        return rows_of(self._pixels[self._chosen()], self._recipe)

    # What is collected.

    def _add(self, pixels: Pixels) -> None:
        if not len(pixels):
            return
        answers = asked_in_chunks(self._model.probabilities, rows_of(pixels, self._recipe))
        good = np.isfinite(answers).all(axis=1)
        self._pixels = np.concatenate([self._pixels, pixels[good]])
        self._answers = np.concatenate([self._answers, answers[good]])

    @property
    def _labels(self) -> NDArray[np.intp]:
        return np.asarray(self._answers.argmax(axis=1), np.intp)

    def _counts(self) -> NDArray[np.intp]:
        return np.asarray(np.bincount(self._labels, minlength=len(self._model.classes)), np.intp)

    def _in_time(self) -> bool:
        return time.monotonic() < self._ends

    def _chosen(self) -> NDArray[np.intp]:
        """Give the pictures to prove on: all that lie on an edge, and of each class some, the latest first."""
        labels, kept = self._labels, []
        for label in range(len(self._model.classes)):
            kept += np.flatnonzero(labels == label)[::-1][:_MOST_OF_A_CLASS].tolist()
        rest = [index for index in range(len(labels))[::-1] if index not in set(kept)]
        most = max(LEAST_PICTURES + 2 * _EDGES, len(kept))
        return np.array(sorted(kept + rest[: most - len(kept)]), np.intp)

    # Where pictures come from.

    def _made_up(self, count: int) -> Pixels:
        """Give plain, noisy, speckled and blurred pictures."""
        if not count:
            return self._pixels[:0]
        height, width = self._recipe.height, self._recipe.width
        makers: tuple[Callable[[], NDArray[np.float64]], ...] = (
            lambda: np.full((height, width, 3), self._rng.random()) * self._rng.random(3),
            lambda: self._rng.random((height, width, 3)),
            lambda: (self._rng.random((height, width, 3)) < self._rng.random()).astype(np.float64),
            lambda: self._blurred(int(self._rng.integers(2, 9))),
            lambda: np.clip(self._blurred(int(self._rng.integers(2, 6))) * 4 - 1.5, 0, 1),
        )
        return _as_pixels(np.stack([makers[number % len(makers)]() for number in range(count)]) * 255)

    def _blurred(self, cells: int) -> NDArray[np.float64]:
        small = (self._rng.random((cells, cells, 3)) * 255).astype(np.uint8)
        size = (self._recipe.width, self._recipe.height)
        return np.asarray(PillowImage.fromarray(small).resize(size, PillowImage.Resampling.BICUBIC), np.float64) / 255

    def _hinted(self) -> Pixels:
        try:
            rows = hints(self._model.classifier, self._rng)
        except Exception:  # hints come out of a stranger's numbers; without them the search takes longer
            return self._pixels[:0]
        if not len(rows) or rows.shape[1] != int(np.prod(self._recipe.shape)):
            return self._pixels[:0]
        return _as_pixels(self._recipe.levels(rows))

    def _mix(self, count: int) -> None:
        if not len(self._pixels):
            return
        first, second = (self._rng.integers(0, len(self._pixels), count) for _ in range(2))
        weight = self._rng.random((count, 1, 1, 1))
        self._add(_as_pixels(weight * self._pixels[first] + (1 - weight) * self._pixels[second]))

    # What is searched for.

    def _search_missing_classes(self) -> None:
        for label in range(len(self._model.classes)):
            for _ in range(_ROUNDS):
                if self._counts()[label] >= LEAST_OF_A_CLASS or not self._in_time():
                    break
                self._add(self._children(label))

    def _children(self, label: int) -> Pixels:
        """Give changed copies of the pictures that come nearest to a label: crossed, brightened, with noise fine or coarse."""
        best = np.argsort(-self._answers[:, label], kind="stable")[:16]
        parents = self._pixels[self._rng.choice(best, _PER_ROUND)].astype(np.float64)
        others = self._pixels[self._rng.choice(best, _PER_ROUND)].astype(np.float64)
        children = []
        for number, (parent, other) in enumerate(zip(parents, others, strict=True)):
            strength = 2.0 ** self._rng.uniform(2, 7.5)
            match number % 4:
                case 0:
                    child = np.where(self._blurred(3) > 0.5, parent, other)
                case 1:
                    child = parent + (self._blurred(int(self._rng.integers(2, 9))) - 0.5) * 2 * strength
                case 2:
                    spots = self._rng.random(parent.shape) < self._rng.random() * 0.3
                    child = parent + spots * self._rng.normal(0, strength, parent.shape)
                case _:
                    child = (parent - parent.mean()) * self._rng.uniform(0.5, 2) + parent.mean() + self._rng.normal(0, 30)
            children.append(child)
        return _as_pixels(np.stack(children))

    def _both_sides_of_thresholds(self) -> Pixels:
        """Give pairs of pictures that differ by one level of one pixel, just below and just above a tree's threshold."""
        if self._model.classifier is None:
            return self._pixels[:0]
        steps = steps_of(self._model.classifier)
        pairs = thresholds(self._model.classifier, self._edges, self._rng) if len(self._pixels) else []
        if not pairs or any(not hasattr(step, "inverse_transform") for step in steps[:-1]):
            return self._pixels[:0]
        count = int(np.prod(self._recipe.shape))
        found = []
        for feature, threshold in pairs:
            picture = self._pixels[self._rng.integers(0, len(self._pixels))]
            row = rows_of(picture[np.newaxis], self._recipe).reshape(1, -1).astype(np.float64)
            if row.shape[1] != count:
                return self._pixels[:0]
            moved = row
            for step in steps[:-1]:
                moved = step.transform(moved)
            if feature >= np.shape(moved)[1]:
                return self._pixels[:0]
            moved = np.array(moved, np.float64)
            moved[0, feature] = threshold
            for step in reversed(steps[:-1]):
                moved = step.inverse_transform(moved)
            level = self._recipe.levels(np.asarray(moved, np.float64))[0]
            found += [np.floor(level), np.ceil(level)]
        return _as_pixels(np.stack(found))

    def _halve_between_labels(self) -> None:
        """Walk from a picture of one label to one of another by halves, until one step lies between two labels."""
        labels = self._labels
        first = self._rng.permutation(len(labels))[: self._edges // 2]
        second = np.array([self._other(labels, index) for index in first])
        first, second = first[second >= 0], second[second >= 0]
        if not len(first):
            return
        here, there = self._pixels[first].astype(np.float64), self._pixels[second].astype(np.float64)
        wanted = labels[first]
        for _ in range(_HALVINGS):
            if not self._in_time():
                break
            middle = (here + there) / 2
            answers = asked_in_chunks(self._model.probabilities, rows_of(_as_pixels(middle), self._recipe))
            same = (answers.argmax(axis=1) == wanted)[:, np.newaxis, np.newaxis, np.newaxis]
            here, there = np.where(same, middle, here), np.where(same, there, middle)
        self._add(_as_pixels(np.concatenate([here, there])))

    def _other(self, labels: NDArray[np.intp], index: np.intp) -> int:
        others = np.flatnonzero(labels != labels[index])
        return int(self._rng.choice(others)) if len(others) else -1


def _as_pixels(levels: NDArray[np.floating]) -> Pixels:
    return np.asarray(np.clip(np.rint(levels), 0, 255), np.uint8)
