"""The graph runtime: a table of probabilities, of decision values, or of labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from app.errors import InvalidPackage
from app.inference.answers import softmax
from app.inference.runtimes import open_runtime
from app.inference.runtimes.onnx import OnnxRuntime

ROWS = np.random.default_rng(0).random((60, 4))
LABELS = np.arange(60) % 3


def graph_of(classifier: Any, **options: bool) -> bytes:
    first = ROWS[:1].astype(np.float32)
    return bytes(to_onnx(classifier, first, options={id(classifier): options}).SerializeToString())


def test_probabilities_come_as_the_graph_gives_them() -> None:
    classifier = LogisticRegression().fit(ROWS, LABELS)
    runtime = open_runtime("onnx", graph_of(classifier, zipmap=False), answers="predict_proba", n_classes=3)
    answers = runtime.probabilities(ROWS)
    assert answers.dtype == np.float64
    assert np.abs(answers - classifier.predict_proba(ROWS)).max() < 1e-5


def test_decision_values_become_scores_that_sum_to_one() -> None:
    classifier = LinearSVC().fit(ROWS, LABELS)
    answers = OnnxRuntime(graph_of(classifier, raw_scores=True), "decision_function", 3).probabilities(ROWS)
    assert answers.sum(axis=1) == pytest.approx(np.ones(60))
    assert (answers.argmax(axis=1) == classifier.predict(ROWS)).all()


@pytest.mark.parametrize("length", [1, None])
def test_logits_become_their_softmax_however_many_pictures_the_graph_takes_at_a_time(length: int | None) -> None:
    weights = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
    graph = onnx.helper.make_model(
        onnx.helper.make_graph(
            [onnx.helper.make_node("MatMul", ["rows", "weights"], ["logits"])],
            "network",
            [onnx.helper.make_tensor_value_info("rows", onnx.TensorProto.FLOAT, [length, 4])],
            [onnx.helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, [length, 3])],
            [onnx.numpy_helper.from_array(weights, "weights")],
        ),
        opset_imports=[onnx.helper.make_opsetid("", 18)],
        ir_version=9,
    )
    runtime = OnnxRuntime(graph.SerializeToString(), "logits", 3)
    for rows in (ROWS, ROWS[:1]):
        assert np.abs(runtime.probabilities(rows) - softmax(rows @ weights)).max() < 1e-6
        assert np.abs(runtime.told(rows) - rows @ weights).max() < 1e-5


def test_labels_alone_become_certainties() -> None:
    classifier = LinearSVC().fit(ROWS, LABELS)
    answers = OnnxRuntime(graph_of(classifier), "predict", 3).probabilities(ROWS)
    assert (answers.argmax(axis=1) == classifier.predict(ROWS)).all()
    assert set(answers.ravel().tolist()) == {0.0, 1.0}


def test_a_graph_of_several_inputs_is_refused() -> None:
    tables = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None, 2]) for name in "abc"]
    node = onnx.helper.make_node("Add", ["a", "b"], ["c"])
    graph = onnx.helper.make_model(
        onnx.helper.make_graph([node], "sum", tables[:2], tables[2:]),
        opset_imports=[onnx.helper.make_opsetid("", 18)],
        ir_version=9,
    )
    with pytest.raises(InvalidPackage, match="one table of numbers"):
        OnnxRuntime(graph.SerializeToString(), "predict_proba", 2)
