"""From what a classifier tells to a probability for every class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def softmax(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Give decision values, shape (n, n_classes) or (n,) for two classes, as rows that sum to 1, in the same order.

    They are scores in the form of probabilities: the largest decision value stays the largest, and how much larger it is
    can be seen; how often such an answer is right was never learned.
    """
    wide = np.asarray(values, np.float64)
    if wide.ndim == 1 or wide.shape[1] == 1:
        wide = np.column_stack([np.zeros(len(wide)), wide.ravel()])
    raised = np.exp(wide - wide.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def of_both(second: NDArray[np.floating]) -> NDArray[np.float64]:
    """Give the probability of the second of two classes, shape (n,) or (n, 1), as rows of both."""
    told = np.asarray(second, np.float64).ravel()
    return np.column_stack([1 - told, told])


def one_hot(indices: NDArray[np.integer], n_classes: int) -> NDArray[np.float64]:
    """Give 1 for the class of each index, shape (n,), and 0 for all others: shape (n, n_classes)."""
    return np.eye(n_classes)[np.asarray(indices, np.intp)]
