"""The runtime of ONNX graphs that were converted from scikit-learn, or that their owner made."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.errors import InvalidPackage
from app.inference.answers import one_hot, softmax
from app.inference.provenance import Answers
from app.inference.runtimes.onnx_session import open_session

_INPUTS = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(uint8)": np.uint8}


class OnnxRuntime:
    """A graph with one input, rows of shape (n, n_features), and outputs (label, scores) or (scores,).

    `n_classes` is how many classes the manifest names; where only labels are told, the graph gives their indices.
    """

    def __init__(self, artifact: bytes, answers: Answers, n_classes: int) -> None:
        self._session = open_session(artifact)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or inputs[0].type not in _INPUTS or not outputs:
            raise InvalidPackage("The ONNX graph does not take one table of numbers.")
        self._input, self._dtype = inputs[0].name, _INPUTS[inputs[0].type]
        self._output = outputs[0 if answers == "predict" else -1].name
        self._answers = answers
        self._n_classes = n_classes

    def probabilities(self, batch: NDArray[np.generic]) -> NDArray[np.float64]:
        """Give the probability of every class, shape (n, n_classes)."""
        (found,) = self._session.run([self._output], {self._input: np.ascontiguousarray(batch, dtype=self._dtype)})
        if self._answers == "predict":
            return one_hot(np.asarray(found), self._n_classes)
        if self._answers == "decision_function":
            return softmax(np.asarray(found))
        return np.asarray(found, np.float64)
