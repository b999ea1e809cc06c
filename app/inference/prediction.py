"""The answer of a model, as frozen values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

# Where the time of an answer goes, in order; the names under which it is told everywhere.
STAGES = ("decode", "queue", "model", "store", "total")


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One class and how probable the model finds it, from 0 to 1."""

    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class Timings:
    """Where the time of one prediction went, in milliseconds; what is stored of it cannot know what storing takes."""

    decode: float
    queue: float
    model: float
    total: float
    store: float = 0.0


@dataclass(frozen=True, slots=True)
class Picture:
    """What is remembered of an upload: facts, never its bytes. Width and height are those a person sees."""

    format: str
    width: int
    height: int
    sha256: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prediction:
    """One answer; `scores` hold every class, most probable first."""

    id: str
    model: str
    version: str
    scores: tuple[ClassScore, ...]
    picture: Picture
    timings: Timings
    created_at: datetime

    @property
    def top(self) -> ClassScore:
        """The class the model finds most probable."""
        return self.scores[0]


def ranked(classes: Sequence[str], probabilities: NDArray[np.floating]) -> tuple[ClassScore, ...]:
    """Give the classes with their probabilities, most probable first; equal ones keep the model's order.

    `probabilities` has shape (n_classes,), in the order of `classes`.
    """
    order = np.argsort(-probabilities, kind="stable")
    return tuple(ClassScore(classes[i], float(probabilities[i])) for i in order)
