"""What computes probabilities: one file a runtime, behind one protocol."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Runtime(Protocol):
    """A loaded classifier."""

    def probabilities(self, batch: NDArray[np.generic]) -> NDArray[np.float64]:
        """Give the probability of every class, shape (n, n_classes), for n rows of the recipe's shape."""
        ...


def open_runtime(name: str, artifact: bytes) -> Runtime:
    """Open what a package serves; `artifact` is the verified buffer, never a path that could change in between."""
    # Imported here because a process that serves no scikit-learn model should not pay for it (about a second).
    from app.inference.runtimes.sklearn import SklearnRuntime

    runtimes = {"sklearn": SklearnRuntime}
    return runtimes[name](artifact)
