"""The runtime that holds the fitted scikit-learn classifier itself, from a skops archive or from a pickle vouched for."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import skops.io
from numpy.typing import NDArray
from sklearn.exceptions import InconsistentVersionWarning

from app.errors import InvalidModel
from app.inference.allow_list import ALLOWED
from app.inference.answers import one_hot, softmax
from app.inference.provenance import Answers


class SklearnRuntime:
    """A fitted classifier; `answers` names the method that is asked.

    What the bytes look like decides nothing: only what the manifest calls the pickle that its owner vouched for is opened as
    one (`pickled`), so nothing that came out of a conversion can be.
    """

    def __init__(self, artifact: bytes, answers: Answers, *, pickled: bool) -> None:
        self._classifier = open_pickle(artifact) if pickled else open_archive(artifact)
        self._answers = answers
        if not hasattr(self._classifier, answers):
            raise InvalidModel(f"The model holds a {type(self._classifier).__name__} that has no {answers}.")

    def probabilities(self, batch: NDArray[np.generic]) -> NDArray[np.float64]:
        """Give the probability of every class, shape (n, n_classes)."""
        with warnings.catch_warnings():
            # What a library has to say of its own internals, it would say at every picture.
            warnings.simplefilter("ignore")
            return answers_of(self._classifier, self._answers, batch)


def answers_of(classifier: object, answers: Answers, batch: NDArray[np.generic]) -> NDArray[np.float64]:
    """Ask a classifier by one of its methods and give the probability of every class, shape (n, n_classes)."""
    found = np.asarray(getattr(classifier, answers)(batch))
    if answers == "predict":
        classes = np.asarray(classifier.classes_)  # type: ignore[attr-defined] # every classifier's, by scikit-learn's law
        return one_hot(np.searchsorted(classes, found), len(classes))
    return softmax(found) if answers == "decision_function" else np.asarray(found, np.float64)


def open_archive(content: bytes) -> object:
    """Open a skops archive that holds nothing but what is on the allow-list, or raise InvalidModel."""
    try:
        return skops.io.loads(content, trusted=[f"{row.module}.{row.name}" for row in ALLOWED.values()])
    except Exception as error:  # the archive may be anything
        raise InvalidModel(f"The skops archive cannot be opened: {error}") from error


def open_pickle(content: bytes) -> object:
    """Open a pickle that somebody vouched for by its digest, or raise InvalidModel: opening one runs what it names."""
    with warnings.catch_warnings():
        # The manifest records the versions and the page flags the difference; a warning a worker helps nobody.
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        try:
            return pickle.loads(content)  # noqa: S301 - its digest was pinned by its owner
        except Exception as error:
            raise InvalidModel(f"The pickle cannot be opened: {error}") from error
