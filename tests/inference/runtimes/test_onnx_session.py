"""ONNX graphs are opened from checked bytes, on one thread, without a word to the outside."""

from __future__ import annotations

import os

import numpy as np
import pytest
from onnx import TensorProto, helper

from app.errors import InvalidPackage
from app.inference.runtimes.onnx_session import open_session


def doubling() -> bytes:
    """Write a graph that doubles its input."""
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "x"], ["y"])],
        "doubling",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n"])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


def test_a_graph_computes() -> None:
    (result,) = open_session(doubling()).run(["y"], {"x": np.array([1, 2.5], np.float32)})
    assert result.tolist() == [2, 5]


def test_a_session_keeps_to_one_thread_and_the_processor() -> None:
    session = open_session(doubling())
    options = session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert session.get_providers() == ["CPUExecutionProvider"]


def test_the_library_is_told_not_to_report_home() -> None:
    open_session(doubling())
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"


@pytest.mark.parametrize("graph", [b"", b"no graph", doubling()[:-10]])
def test_what_is_no_graph_is_told(graph: bytes) -> None:
    with pytest.raises(InvalidPackage, match="cannot be opened"):
        open_session(graph)
