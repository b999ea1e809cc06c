"""A graph is read whole or not at all: no numbers from other files, no operators that only its maker knows, anywhere in it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from app.errors import InvalidModel
from app.intake.graph_file import describe, input_shape, read_graph
from app.intake.wire import Message
from tests.intake.networks import RED_DIGITS, changed, channels_last, taking


def kept_elsewhere() -> TensorProto:
    return TensorProto(
        name="elsewhere",
        dims=[1],
        data_type=TensorProto.FLOAT,
        data_location=TensorProto.EXTERNAL,
        external_data=[onnx.StringStringEntryProto(key="location", value="../../../etc/passwd")],
    )


def in_a_constant(graph: onnx.ModelProto) -> None:
    graph.graph.node.insert(0, helper.make_node("Constant", [], ["odd"], value=kept_elsewhere()))


def in_a_branch(graph: onnx.ModelProto) -> None:
    out = helper.make_tensor_value_info("elsewhere", TensorProto.FLOAT, [1])
    branches = [helper.make_graph([], name, [], [out], [kept_elsewhere()]) for name in ("yes", "no")]
    true = onnx.numpy_helper.from_array(np.array(True), "true")
    graph.graph.initializer.append(true)
    graph.graph.node.append(helper.make_node("If", ["true"], ["odd"], then_branch=branches[0], else_branch=branches[1]))


def beside_the_weights(graph: onnx.ModelProto) -> None:
    graph.graph.initializer.append(kept_elsewhere())


@pytest.mark.parametrize("change", [beside_the_weights, in_a_constant, in_a_branch])
def test_numbers_kept_in_other_files_are_not_read_wherever_they_are_named(change: Callable[[onnx.ModelProto], None]) -> None:
    with pytest.raises(InvalidModel, match=r"keeps numbers in other files: save it as one \(torch\.onnx\.export"):
        read_graph(changed(change))


def with_an_operator_of_its_makers(graph: onnx.ModelProto) -> None:
    graph.opset_import.append(helper.make_opsetid("com.example", 1))
    out = helper.make_tensor_value_info("odd", TensorProto.FLOAT, None)
    inner = helper.make_graph([helper.make_node("Anything", [], ["odd"], domain="com.example")], "inner", [], [out])
    graph.graph.initializer.append(onnx.numpy_helper.from_array(np.array(True), "true"))
    graph.graph.node.append(helper.make_node("If", ["true"], ["odd out"], then_branch=inner, else_branch=inner))


def test_operators_that_nobody_else_knows_are_refused_in_a_branch_too() -> None:
    with pytest.raises(InvalidModel, match=r"uses operators of com\.example"):
        read_graph(changed(with_an_operator_of_its_makers))


@pytest.mark.parametrize(
    ("content", "shape"),
    [
        (RED_DIGITS, [3, 24, 24]),
        (channels_last(), [24, 24, 3]),
        (taking("n", "colours", 24, None), [None, 24, None]),
        (taking("n"), []),
    ],
)
def test_the_shape_of_a_row_is_told(content: bytes, shape: list[int | None]) -> None:
    assert input_shape(content) == shape
    assert describe(Message({}, {"model": content})).values == {"shape": shape}


def test_a_graph_of_two_inputs_tells_no_shape() -> None:
    more = helper.make_tensor_value_info("more", TensorProto.FLOAT, [1])
    assert input_shape(changed(lambda graph: graph.graph.input.append(more))) is None


def test_what_is_no_graph_is_told() -> None:
    for content in (b"\x08\x09 nothing", b"", RED_DIGITS[:1000]):
        with pytest.raises(InvalidModel, match="is no ONNX graph"):
            read_graph(content)
