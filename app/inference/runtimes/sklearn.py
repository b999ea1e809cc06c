"""The runtime that holds the fitted scikit-learn classifier itself."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import InconsistentVersionWarning

from app.errors import InvalidModel


class SklearnRuntime:
    """A fitted classifier from a pickle that somebody vouched for: opening a pickle runs what it names."""

    def __init__(self, artifact: bytes) -> None:
        with warnings.catch_warnings():
            # The manifest records the versions and the page flags the difference; a warning a worker helps nobody.
            warnings.simplefilter("ignore", InconsistentVersionWarning)
            try:
                self._classifier = pickle.loads(artifact)  # noqa: S301 - its digest was pinned by its owner
            except Exception as error:
                raise InvalidModel(f"The pickle cannot be opened: {error}") from error
        if not hasattr(self._classifier, "predict_proba"):
            raise InvalidModel(_no_probabilities(self._classifier))
        if not hasattr(self._classifier, "classes_"):
            raise InvalidModel(f"The pickle holds a {type(self._classifier).__name__} that is not fitted.")

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes as text, in the order of the probabilities."""
        return tuple(str(label) for label in self._classifier.classes_)

    @property
    def n_features(self) -> int | None:
        """How many numbers a row has, where the classifier remembers it."""
        count = getattr(self._classifier, "n_features_in_", None)
        return None if count is None else int(count)

    def probabilities(self, batch: NDArray[np.generic]) -> NDArray[np.float64]:
        """Give the probability of every class, shape (n, n_classes)."""
        return np.asarray(self._classifier.predict_proba(batch), dtype=np.float64)


def _no_probabilities(found: object) -> str:
    kind = type(found).__name__
    if not hasattr(found, "predict"):
        return f"The pickle holds a {kind}, which is not a classifier."
    return f"{kind} gives no probabilities: wrap it in CalibratedClassifierCV before you fit it."
