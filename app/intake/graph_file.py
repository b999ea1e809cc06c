"""ONNX graphs that somebody brings, read in confinement: whole, of operators that are known, and what their input is."""

from __future__ import annotations

from collections.abc import Iterator

import onnx

from app.errors import InvalidModel
from app.intake.wire import Message

_DOMAINS = {"", "ai.onnx", "ai.onnx.ml"}
_ELSEWHERE = "The graph keeps numbers in other files: save it as one (torch.onnx.export(..., external_data=False))."


def read_graph(content: bytes) -> onnx.ModelProto:
    """Read a graph; raises InvalidModel where it is none, or none that can be served."""
    try:
        graph = onnx.load_from_string(content)
    except Exception as error:  # the file may be anything
        raise InvalidModel(f"The file is no ONNX graph: {str(error)[:200]}") from error
    # Before the check, which would look for those files.
    if any(tensor.external_data or tensor.data_location for tensor in _tensors(graph)):
        raise InvalidModel(_ELSEWHERE)
    try:
        onnx.checker.check_model(graph)
    except Exception as error:
        raise InvalidModel(f"The file is no ONNX graph: {str(error)[:200]}") from error
    if foreign := {node.domain for node in _nodes(graph)} - _DOMAINS:
        raise InvalidModel(f"The graph uses operators of {', '.join(sorted(foreign))}, which only its maker's programs know.")
    return graph


def _nodes(graph: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    """Give every node, those in the branches and loops of others and in functions too."""
    waiting = [*graph.graph.node, *(node for function in graph.functions for node in function.node)]
    while waiting:
        node = waiting.pop()
        yield node
        for attribute in node.attribute:
            waiting += [inner for part in (attribute.g, *attribute.graphs) for inner in part.node]


def _tensors(graph: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Give every run of numbers that a graph holds, wherever it stands."""
    attributes = [attribute for node in _nodes(graph) for attribute in node.attribute]
    attributes += [default for function in graph.functions for default in function.attribute_proto]
    for part in (graph.graph, *(inner for attribute in attributes for inner in (attribute.g, *attribute.graphs))):
        yield from part.initializer
        yield from (tensor for sparse in part.sparse_initializer for tensor in (sparse.values, sparse.indices))
    for attribute in attributes:
        yield from (attribute.t, *attribute.tensors)
        for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
            yield from (sparse.values, sparse.indices)


def only_input(graph: onnx.ModelProto) -> onnx.ValueInfoProto | None:
    """Give the one input of a graph, None where there is not one."""
    held = {tensor.name for tensor in graph.graph.initializer}
    inputs = [given for given in graph.graph.input if given.name not in held]
    return inputs[0] if len(inputs) == 1 else None


def input_shape(content: bytes) -> list[int | None] | None:
    """Give the shape of one row of a graph's input, None for a length that may be any; None where there is not one input."""
    given = only_input(read_graph(content))
    if given is None or not given.type.tensor_type.HasField("shape"):
        return None
    lengths = given.type.tensor_type.shape.dim[1:]
    return [length.dim_value if length.HasField("dim_value") and length.dim_value > 0 else None for length in lengths]


def describe(job: Message) -> Message:
    """Tell the shape of a row of the graph in `blobs["model"]`."""
    return Message({"shape": input_shape(job.blobs["model"])})
