"""The network that PyTorch exported, with what it answered there, and the other forms such files come in."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper
from PIL import Image

from app.config import TREE
from app.inference.recipe import Recipe

FOLDER = TREE / "tests" / "data" / "networks"
RED_DIGITS = (FOLDER / "red-digits.onnx").read_bytes()
SIDE, CLASSES = 24, 10
RECIPE = Recipe(SIDE, SIDE, scale="imagenet", layout="channels-height-width")
with np.load(FOLDER / "red-digits.npz") as _told:
    PICTURES, LABELS, LOGITS = _told["pictures"], _told["labels"], _told["logits"].astype(np.float64)
PROBABILITIES = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)


def upload(number: int) -> bytes:
    """Give a recorded picture as somebody would send it."""
    file = BytesIO()
    Image.fromarray(PICTURES[number]).save(file, "PNG")
    return file.getvalue()


def changed(change: Callable[[onnx.ModelProto], None], content: bytes = RED_DIGITS) -> bytes:
    """Give a graph with a change made to it."""
    graph = onnx.load_from_string(content)
    change(graph)
    return bytes(graph.SerializeToString())


def ending_in(*nodes: tuple[str, dict[str, Any]], columns: int = CLASSES) -> bytes:
    """Give the network with more operators behind its logits, each named with its attributes."""

    def change(graph: onnx.ModelProto) -> None:
        name = graph.graph.output[0].name
        for number, (operator, attributes) in enumerate(nodes):
            graph.graph.node.append(helper.make_node(operator, [name], [f"end {number}"], **attributes))
            name = f"end {number}"
        del graph.graph.output[:]
        graph.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", columns]))

    return changed(change)


def taking(*shape: int | str | None) -> bytes:
    """Give the network with another shape written on its input."""

    def change(graph: onnx.ModelProto) -> None:
        name = graph.graph.input[0].name
        graph.graph.input[0].CopyFrom(helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)))

    return changed(change)


def channels_last() -> bytes:
    """Give the network with its colours last, as Keras has them."""

    def change(graph: onnx.ModelProto) -> None:
        given = graph.graph.input[0].name
        for node in graph.graph.node:
            node.input[:] = ["first" if name == given else name for name in node.input]
        turned = helper.make_node("Transpose", [given], ["first"], perm=[0, 3, 1, 2])
        graph.graph.node.insert(0, turned)
        graph.graph.input[0].CopyFrom(helper.make_tensor_value_info(given, TensorProto.FLOAT, ["batch", SIDE, SIDE, 3]))

    return changed(change)


def noting(**properties: str) -> bytes:
    """Give the network with properties in its metadata."""
    return changed(lambda graph: helper.set_model_props(graph, properties))
