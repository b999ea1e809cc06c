"""ONNX graphs that somebody brings: served as they are where they give probabilities, refused with the reason elsewhere."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from app.errors import InvalidModel
from app.inference.recipe import Recipe
from app.inference.runtimes import open_runtime
from app.intake.graphs import convert
from app.intake.wire import Message
from tests.intake.classifiers import digits

RECIPE = Recipe(8, 8, colour="grey", scale="0-1")
ROWS, LABELS = digits()


def graph_of(classifier: Any, **options: Any) -> bytes:
    return bytes(to_onnx(classifier, ROWS[:1].astype(np.float32), **options).SerializeToString())


def converted(content: bytes) -> Message:
    return convert(Message({"recipe": asdict(RECIPE)}, {"model": content}))


@pytest.mark.parametrize("names", [LABELS, np.char.add("digit ", LABELS.astype(str))])
@pytest.mark.parametrize("kind", [LogisticRegression(max_iter=300), RandomForestClassifier(10, random_state=0)])
@pytest.mark.parametrize("zipmap", [True, False])
def test_a_graph_serves_itself_with_its_own_classes(kind: Any, names: Any, zipmap: bool) -> None:
    classifier = kind.fit(ROWS, names)
    answer = converted(graph_of(classifier, options={id(classifier): {"zipmap": zipmap}}))
    assert answer.values["classes"] == [str(name) for name in classifier.classes_]
    assert (answer.values["runtime"], answer.values["file"]) == ("onnx", "model.onnx")
    assert answer.values["proof"]["candidates"][0]["labels_equal"] == answer.values["proof"]["pictures"] >= 256
    runtime = open_runtime("onnx", answer.blobs["artifact"], answers="predict_proba", n_classes=10)
    assert np.abs(runtime.probabilities(ROWS) - classifier.predict_proba(ROWS)).max() < 1e-5


def network(*nodes: Any, shape: tuple[Any, ...] = (None, 10), opsets: tuple[str, ...] = ("",), **tensors: Any) -> bytes:
    """Give a graph from `rows` to `out`."""
    given = [helper.make_tensor_value_info("rows", TensorProto.FLOAT, [None, 64])]
    out = [helper.make_tensor_value_info("out", TensorProto.FLOAT, list(shape))]
    held = [onnx.numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in tensors.items()]
    graph = helper.make_graph(list(nodes), "network", given, out, held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(domain, 18 if not domain else 1) for domain in opsets])
    model.ir_version = 9
    return bytes(model.SerializeToString())


WEIGHTS = np.random.default_rng(0).normal(size=(64, 10))


def test_a_network_from_elsewhere_has_numbered_classes() -> None:
    nodes = [helper.make_node("MatMul", ["rows", "weights"], ["sums"]), helper.make_node("Softmax", ["sums"], ["out"])]
    assert converted(network(*nodes, weights=WEIGHTS)).values["classes"] == [str(number) for number in range(10)]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\x08\x09 nothing", "is no ONNX graph"),
        (network(helper.make_node("MatMul", ["rows", "weights"], ["out"]), weights=WEIGHTS), "no table of probabilities"),
        (
            network(helper.make_node("Anything", ["rows"], ["out"], domain="com.example"), opsets=("", "com.example")),
            "operators of com.example",
        ),
    ],
)
def test_what_cannot_be_served_is_refused_with_the_reason(content: bytes, why: str) -> None:
    with pytest.raises(InvalidModel, match=why):
        converted(content)


def test_a_graph_for_pictures_of_another_size_is_told() -> None:
    small = LogisticRegression(max_iter=300).fit(ROWS[:, :36], LABELS)
    content = bytes(to_onnx(small, ROWS[:1, :36].astype(np.float32)).SerializeToString())
    with pytest.raises(InvalidModel, match="does not answer for such a picture"):
        converted(content)


def test_decision_values_are_no_probabilities() -> None:
    with pytest.raises(InvalidModel, match="no table of probabilities"):
        converted(graph_of(LinearSVC().fit(ROWS, LABELS)))


def test_numbers_kept_in_other_files_are_not_read() -> None:
    model = onnx.load_from_string(
        network(
            helper.make_node("MatMul", ["rows", "weights"], ["sums"]),
            helper.make_node("Softmax", ["sums"], ["out"]),
            weights=WEIGHTS,
        )
    )
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../etc/passwd")
    with pytest.raises(InvalidModel):
        converted(bytes(model.SerializeToString()))
