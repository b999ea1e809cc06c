"""What computes probabilities: one file a runtime, behind one protocol."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.inference.provenance import Answers, RuntimeName
from app.inference.runtimes.forest import ForestRuntime


class Runtime(Protocol):
    """A loaded classifier."""

    def probabilities(self, batch: NDArray[np.generic]) -> NDArray[np.float64]:
        """Give the probability of every class, shape (n, n_classes), for n rows of the recipe's shape."""
        ...


def open_runtime(name: RuntimeName, artifact: bytes, *, answers: Answers, n_classes: int, pickled: bool = False) -> Runtime:
    """Open what a package serves; `artifact` is the verified buffer, never a path that could change in between.

    `pickled` says that it is the very pickle that its owner vouched for.
    """
    # Imported here because a process pays only for the libraries that its models need: scikit-learn takes about a second.
    match name:
        case "forest":
            return ForestRuntime(artifact)
        case "onnx":
            from app.inference.runtimes.onnx import OnnxRuntime

            return OnnxRuntime(artifact, answers, n_classes)
        case "sklearn":
            from app.inference.runtimes.sklearn import SklearnRuntime

            return SklearnRuntime(artifact, answers, pickled=pickled)
