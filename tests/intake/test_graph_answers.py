"""Logits are told from probabilities by many pictures and by the end of the graph, never by one row."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from app.errors import InvalidModel
from app.inference.answers import softmax
from app.intake.graph_answers import Meaning, meaning_of

NUMBERS = np.random.default_rng(0).normal(size=(12, 3))
PROBABILITIES = softmax(NUMBERS)
# One row that looks like probabilities proves nothing.
ALMOST = np.concatenate([PROBABILITIES[:11], NUMBERS[:1]])


def ending(*operators: str, outputs: int = 1) -> onnx.ModelProto:
    """Give a graph of these operators, as far as its end is looked at."""
    names = ["rows", *(f"after {number}" for number in range(len(operators)))]
    nodes = [helper.make_node(kind, [names[number]], [names[number + 1]]) for number, kind in enumerate(operators)]
    told = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ["other"] * (outputs - 1) + names[-1:]]
    return helper.make_model(helper.make_graph(nodes, "end", [], told))


@pytest.mark.parametrize(
    ("told", "graph", "meaning"),
    [
        (PROBABILITIES, ending("Gemm", "Softmax"), Meaning("predict_proba", 3)),
        (PROBABILITIES.astype(np.float32), ending("TreeEnsembleClassifier", outputs=2), Meaning("predict_proba", 3)),
        (NUMBERS, ending("Gemm"), Meaning("logits", 3)),
        (ALMOST, ending("Gemm"), Meaning("logits", 3)),
        (-PROBABILITIES, ending("Gemm"), Meaning("logits", 3)),
        (np.log(PROBABILITIES), ending("Gemm", "LogSoftmax"), Meaning("logits", 3)),
        (np.concatenate([NUMBERS, [[np.nan, 0, 0]]]), ending("Gemm"), Meaning("logits", 3)),
        (PROBABILITIES[:, :1], ending("Gemm", "Sigmoid"), Meaning("predict_proba", 2)),
        (PROBABILITIES[:, 0], ending("Gemm", "Sigmoid", "Squeeze", "Cast"), Meaning("predict_proba", 2)),
    ],
)
def test_what_is_a_table_for_classes_is_taken_for_what_it_is(told: Any, graph: onnx.ModelProto, meaning: Meaning) -> None:
    assert meaning_of(told, len(told), graph) == meaning


@pytest.mark.parametrize(
    ("told", "graph", "sentence"),
    [
        (NUMBERS, ending("Gemm", outputs=2), "no table of probabilities, one row a picture: a network's logits are taken"),
        (NUMBERS[:, :1], ending("Gemm"), "one number a picture, which may stand for anything: end it in a Sigmoid"),
        (PROBABILITIES[:, 0], ending("Gemm"), "one number a picture"),
        (1 / (1 + np.exp(-NUMBERS)), ending("Gemm", "Sigmoid", "Identity"), "as if several could be right at once"),
        (PROBABILITIES * 3, ending("Gemm", "Softmax"), r"rows do not sum to 1: let it run over the classes \(dim=1\)"),
        (NUMBERS.reshape(12, 3, 1), ending("Conv"), "no table of probabilities"),
        (NUMBERS[:11], ending("Gemm"), "no table of probabilities"),
        (np.zeros((12, 3), np.int64), ending("ArgMax"), "no table of probabilities"),
        (np.full((12, 3), np.inf), ending("Gemm"), "no numbers that are finite"),
    ],
)
def test_what_names_no_class_is_refused_with_the_way_out(told: Any, graph: onnx.ModelProto, sentence: str) -> None:
    with pytest.raises(InvalidModel, match=sentence):
        meaning_of(told, 12, graph)
