"""What the numbers are that a graph gives for pictures: probabilities, logits, or nothing that tells classes apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from app.errors import InvalidModel
from app.inference.provenance import Answers

_ROUNDING = 1e-3
_NO_TABLE = "The graph's last output is no table of probabilities, one row a picture"
# What changes the form of numbers and not the numbers.
_PASSING = {"Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Cast"}
_ONE_NUMBER = (
    "The graph gives one number a picture, which may stand for anything: end it in a Sigmoid where it tells two classes "
    "apart, or give a number for each class."
)
# Ends of graphs whose rows sum to 1, or are no choice of one class.
_NO_LOGITS = {
    "Softmax": "The graph ends in a Softmax, but its rows do not sum to 1: let it run over the classes (dim=1).",
    "Sigmoid": "The graph gives each class a figure of its own, as if several could be right at once: only classifiers that "
    "choose one class can be served.",
}


@dataclass(frozen=True, slots=True)
class Meaning:
    """How the numbers become probabilities, and of how many classes."""

    answers: Answers
    n_classes: int


def meaning_of(told: NDArray[Any], pictures: int, graph: onnx.ModelProto) -> Meaning:
    """Tell what a graph's numbers for so many different pictures are; raises InvalidModel where they name no class.

    They are probabilities where they sum to 1 on every picture, and logits where they do not on some: those are taken for such
    only where the graph gives nothing else. One number is the probability of the second of two classes, where it comes out
    of a Sigmoid.
    """
    table = told.reshape(-1, 1) if told.ndim == 1 else told
    if table.ndim != 2 or len(table) != pictures or not np.issubdtype(table.dtype, np.floating):
        raise InvalidModel(f"{_NO_TABLE}.")
    end, n_classes = _last_operator(graph), table.shape[1]
    if n_classes == 1:
        if end != "Sigmoid":
            raise InvalidModel(_ONE_NUMBER)
        return Meaning("predict_proba", 2)
    if not np.isfinite(table).all(axis=1).any():
        raise InvalidModel("The graph gives no numbers that are finite.")
    if are_probabilities(table):
        return Meaning("predict_proba", n_classes)
    if end in _NO_LOGITS:
        raise InvalidModel(_NO_LOGITS[end])
    if len(graph.graph.output) > 1:
        raise InvalidModel(f"{_NO_TABLE}: a network's logits are taken where it has no other output.")
    return Meaning("logits", n_classes)


def are_probabilities(table: NDArray[np.floating]) -> bool:
    """Tell whether each row that is finite sums to 1, with nothing in it below 0."""
    finite = table[np.isfinite(table).all(axis=1)]
    return bool((finite >= 0).all() and np.allclose(finite.sum(axis=1), 1, atol=_ROUNDING))


def _last_operator(graph: onnx.ModelProto) -> str:
    """Give the operator that made the last output's numbers."""
    made_by = {name: node for node in graph.graph.node for name in node.output}
    node = made_by.get(graph.graph.output[-1].name)
    while node is not None and node.op_type in _PASSING:
        node = made_by.get(node.input[0])
    return "" if node is None else str(node.op_type)
