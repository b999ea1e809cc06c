"""The runtime of ONNX graphs that were converted from scikit-learn, or that their owner made."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import InvalidPackage
from app.inference.answers import of_both, one_hot, softmax
from app.inference.provenance import Answers
from app.inference.runtimes.onnx_session import open_session

_INPUTS = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(uint8)": np.uint8}


class OnnxRuntime:
    """A graph with one input, rows of the recipe's shape, and outputs (label, scores) or (scores,).

    `n_classes` is how many classes the manifest names; where only labels are told, the graph gives their indices, and where
    one number is told of two classes, it is the probability of the second.
    """

    def __init__(self, artifact: bytes, answers: Answers, n_classes: int) -> None:
        self._session = open_session(artifact)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or inputs[0].type not in _INPUTS or not outputs:
            raise InvalidPackage("The ONNX graph does not take one table of numbers.")
        self._input, self._dtype = inputs[0].name, _INPUTS[inputs[0].type]
        # As networks are exported by those who ask them about one picture only.
        self._one_by_one = inputs[0].shape[:1] == [1]
        self._output = outputs[0 if answers == "predict" else -1].name
        self._answers = answers
        self._n_classes = n_classes

    def probabilities(self, batch: NDArray[np.generic]) -> NDArray[np.float64]:
        """Give the probability of every class, shape (n, n_classes)."""
        found = self.told(batch)
        if self._answers == "predict":
            return one_hot(found, self._n_classes)
        if self._answers in ("decision_function", "logits"):
            return softmax(found)
        if self._n_classes == 2 and found.size == len(batch):
            return of_both(found)
        return np.asarray(found, np.float64)

    def told(self, batch: NDArray[np.generic]) -> NDArray[Any]:
        """Give the graph's own numbers, before they become probabilities."""
        rows = np.ascontiguousarray(batch, dtype=self._dtype)
        if self._one_by_one and len(rows) > 1:
            return np.concatenate([self._run(rows[number : number + 1]) for number in range(len(rows))])
        return self._run(rows)

    def _run(self, rows: NDArray[np.generic]) -> NDArray[Any]:
        (found,) = self._session.run([self._output], {self._input: rows})
        return np.asarray(found)
