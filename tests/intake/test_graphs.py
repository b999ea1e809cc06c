"""ONNX graphs that somebody brings: served as they are where they tell classes apart, refused with the reason elsewhere."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from app.errors import InvalidModel
from app.inference.answers import softmax
from app.inference.recipe import Recipe
from app.inference.runtimes import open_runtime
from app.intake.graphs import GraphModel, convert
from app.intake.pictures import rows_of
from app.intake.wire import Message
from tests.intake.classifiers import digits
from tests.intake.networks import LABELS as RED
from tests.intake.networks import (
    LOGITS,
    PICTURES,
    PROBABILITIES,
    RED_DIGITS,
    SIDE,
    changed,
    channels_last,
    ending_in,
    noting,
    taking,
)
from tests.intake.networks import RECIPE as FIRST

RECIPE = Recipe(8, 8, colour="grey", scale="0-1")
ROWS, LABELS = digits()


def graph_of(classifier: Any, **options: Any) -> bytes:
    return bytes(to_onnx(classifier, ROWS[:1].astype(np.float32), **options).SerializeToString())


def converted(content: bytes, recipe: Recipe = RECIPE) -> Message:
    return convert(Message({"recipe": asdict(recipe)}, {"model": content}))


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


def test_a_network_that_ends_in_a_softmax_stays_as_it_is_with_numbered_classes() -> None:
    nodes = [helper.make_node("MatMul", ["rows", "weights"], ["sums"]), helper.make_node("Softmax", ["sums"], ["out"])]
    content = network(*nodes, weights=WEIGHTS)
    answer = converted(content)
    assert answer.values["classes"] == [str(number) for number in range(10)]
    assert (answer.values["answers"], answer.blobs["artifact"]) == ("predict_proba", content)


def test_logits_are_told_as_such_and_served_as_their_softmax() -> None:
    answer = converted(network(helper.make_node("MatMul", ["rows", "weights"], ["out"]), weights=WEIGHTS))
    assert answer.values["answers"] == "logits"
    runtime = open_runtime("onnx", answer.blobs["artifact"], answers="logits", n_classes=10)
    assert np.abs(runtime.probabilities(ROWS) - softmax(ROWS @ WEIGHTS)).max() < 1e-5


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\x08\x09 nothing", "is no ONNX graph"),
        (network(helper.make_node("Transpose", ["rows"], ["out"])), "no table of probabilities"),
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


def test_decision_values_beside_a_label_are_no_probabilities() -> None:
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
    with pytest.raises(InvalidModel, match=r"keeps numbers in other files: save it as one \(torch.*external_data=False"):
        converted(bytes(model.SerializeToString()))


SOFTMAX = ("Softmax", {"axis": 1})
LAST = replace(FIRST, layout="height-width-channels")


def asked(answer: Message, recipe: Recipe) -> NDArray[np.float64]:
    """Ask what was converted about the recorded pictures, as a worker would."""
    told = answer.values
    runtime = open_runtime("onnx", answer.blobs["artifact"], answers=told["answers"], n_classes=len(told["classes"]))
    return runtime.probabilities(rows_of(PICTURES, recipe))


@pytest.mark.parametrize(
    ("content", "recipe", "answers"),
    [
        (RED_DIGITS, FIRST, "logits"),
        (taking(1, 3, SIDE, SIDE), FIRST, "logits"),
        (channels_last(), LAST, "logits"),
        (ending_in(SOFTMAX), FIRST, "predict_proba"),
        (ending_in(("LogSoftmax", {"axis": 1})), FIRST, "logits"),
    ],
    ids=["any number", "one at a time", "colours last", "softmax", "log-softmax"],
)
def test_a_network_of_pytorch_answers_as_it_did_there(content: bytes, recipe: Recipe, answers: str) -> None:
    answer = converted(content, recipe)
    assert answer.values["answers"] == answers
    found = asked(answer, recipe)
    assert (found.argmax(axis=1) == LOGITS.argmax(axis=1)).all()
    assert np.abs(found - PROBABILITIES).max() < 1e-4
    assert (found.argmax(axis=1) == RED).mean() > 0.9
    assert answer.values["proof"]["candidates"][0]["labels_equal"] == answer.values["proof"]["pictures"] >= 256


def test_names_in_the_metadata_are_those_of_the_classes() -> None:
    names = [f"red {number}" for number in range(10)]
    assert converted(noting(names=str(dict(enumerate(names)))), FIRST).values["classes"] == names


def test_a_network_that_was_traced_with_one_picture_is_asked_about_one_at_a_time() -> None:
    one = helper.make_node("Constant", [], ["one"], value=onnx.numpy_helper.from_array(np.array([1, 64])))
    reshape = helper.make_node("Reshape", ["rows", "one"], ["row"])
    content = network(one, reshape, helper.make_node("MatMul", ["row", "weights"], ["out"]), weights=WEIGHTS)
    answer = converted(content)
    runtime = open_runtime("onnx", answer.blobs["artifact"], answers="logits", n_classes=10)
    assert np.abs(runtime.probabilities(ROWS[:20]) - softmax(ROWS[:20] @ WEIGHTS)).max() < 1e-5


def test_one_number_out_of_a_sigmoid_is_the_probability_of_the_second_class() -> None:
    nodes = [helper.make_node("MatMul", ["rows", "weights"], ["sums"]), helper.make_node("Sigmoid", ["sums"], ["out"])]
    answer = converted(network(*nodes, shape=(None, 1), weights=WEIGHTS[:, :1]))
    assert (answer.values["answers"], answer.values["classes"]) == ("predict_proba", ["0", "1"])
    runtime = open_runtime("onnx", answer.blobs["artifact"], answers="predict_proba", n_classes=2)
    assert np.abs(runtime.probabilities(ROWS)[:, 1] - 1 / (1 + np.exp(-ROWS @ WEIGHTS[:, 0]))).max() < 1e-5


def test_a_graph_that_takes_bytes_is_given_levels_as_they_are() -> None:
    scaled = [
        helper.make_node("Cast", ["rows"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["levels", "small"], ["small levels"]),
        helper.make_node("MatMul", ["small levels", "weights"], ["out"]),
    ]
    floats = network(*scaled, weights=WEIGHTS, small=[1 / 255])
    content = changed(lambda graph: setattr(graph.graph.input[0].type.tensor_type, "elem_type", TensorProto.UINT8), floats)
    with pytest.raises(InvalidModel, match=r"takes levels as bytes and scales them itself: say --scale 0-255\."):
        converted(content)
    answer = converted(content, replace(RECIPE, scale="0-255"))
    runtime = open_runtime("onnx", answer.blobs["artifact"], answers="logits", n_classes=10)
    levels = np.rint(ROWS * 255).astype(np.uint8)
    assert np.abs(runtime.probabilities(levels) - softmax(levels / 255 @ WEIGHTS)).max() < 1e-5


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (
            taking(8, 3, SIDE, SIDE),
            r"exactly 8 pictures at a time: .* dynamic_shapes=\(\{0: 'batch'\},\)\), or dynamic_axes",
        ),
        (ending_in(("Softmax", {"axis": 0})), r"ends in a Softmax, but its rows do not sum to 1"),
        (ending_in(("Softmax", {"axis": 0}), ("Log", {})), r"asked about the same picture again, .*network\.eval"),
        (ending_in(("Sigmoid", {})), "as if several could be right at once"),
    ],
)
def test_an_export_that_cannot_be_served_is_told_what_to_change(content: bytes, why: str) -> None:
    with pytest.raises(InvalidModel, match=why):
        converted(content, FIRST)


def test_what_gives_probabilities_for_some_pictures_alone_is_refused() -> None:
    """Where the left half is much brighter than the right one, more is added; of the pictures tried first none is like that."""
    nodes = [
        helper.make_node("MatMul", ["rows", "weights"], ["sums"]),
        helper.make_node("Softmax", ["sums"], ["even"]),
        helper.make_node("MatMul", ["rows", "left"], ["brighter"]),
        helper.make_node("Add", ["brighter", "least"], ["much"]),
        helper.make_node("Relu", ["much"], ["more"]),
        helper.make_node("Add", ["even", "more"], ["out"]),
    ]
    left = np.tile([[1.0]] * 4 + [[-1.0]] * 4, (8, 1))
    content = network(*nodes, weights=WEIGHTS, left=left, least=[-16.0])
    half = np.zeros((1, 8, 8, 3), np.uint8)
    half[:, :, :4] = 255
    assert GraphModel(content, RECIPE).answers == "predict_proba"
    with pytest.raises(InvalidModel, match="gives probabilities for some pictures and none for others"):
        convert(Message({"recipe": asdict(RECIPE)}, {"model": content, "samples": half.tobytes()}))
