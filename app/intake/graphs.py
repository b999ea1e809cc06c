"""ONNX graphs that somebody brings: opened in confinement, checked, and served as they are but for their maps."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from app.errors import InvalidModel
from app.inference.provenance import Answers
from app.inference.recipe import Recipe
from app.inference.runtimes.onnx import OnnxRuntime
from app.intake.job import recipe_of, samples_of
from app.intake.pictures import PictureSearch
from app.intake.proof import Exhausted, prove_only
from app.intake.served_form import Form
from app.intake.source_model import Rows
from app.intake.wire import Message

_DOMAINS = {"", "ai.onnx", "ai.onnx.ml"}


class GraphModel:
    """A graph that answers with a probability for every class; raises InvalidModel where it does not."""

    answers: Answers = "predict_proba"
    classifier: Any = None

    def __init__(self, content: bytes, recipe: Recipe) -> None:
        graph = _checked(content)
        named = _class_names(graph)
        _without_map(graph)
        self.artifact = graph.SerializeToString()
        self._runtime = OnnxRuntime(self.artifact, self.answers, 0)
        try:
            found = self._runtime.probabilities(np.zeros((2, *recipe.shape)))
        except Exception as error:  # of onnxruntime, whose errors share no other base
            raise InvalidModel(f"The graph does not answer for such a picture: {error}") from error
        if found.ndim != 2 or len(found) != 2 or not np.allclose(found.sum(axis=1), 1, atol=1e-3) or (found < 0).any():
            raise InvalidModel("The graph's last output is no table of probabilities, one row a picture.")
        self.classes = named if len(named) == found.shape[1] else tuple(str(number) for number in range(found.shape[1]))

    def probabilities(self, rows: Rows) -> NDArray[np.float64]:
        """Give the probability of every class, shape (n, n_classes)."""
        return self._runtime.probabilities(rows)


def input_shape(content: bytes) -> list[int | None] | None:
    """Give the shape of one row of a graph's input, None for a length that may be any; None where there is not one input."""
    graph = _checked(content).graph
    held = {tensor.name for tensor in graph.initializer}
    inputs = [given for given in graph.input if given.name not in held]
    if len(inputs) != 1:
        return None
    lengths = inputs[0].type.tensor_type.shape.dim[1:]
    return [length.dim_value if length.HasField("dim_value") and length.dim_value > 0 else None for length in lengths]


def convert(job: Message) -> Message:
    """Open the graph in `blobs["model"]` and give it as it will be served, with what there is to know of it."""
    recipe = recipe_of(job)
    model = GraphModel(job.blobs["model"], recipe)
    rows = PictureSearch(model, recipe, samples_of(job, recipe)).run()
    try:
        outcome = prove_only(model, rows, Form("onnx", "model.onnx", model.artifact))
    except Exhausted as error:
        raise InvalidModel(f"The graph does not answer twice in the same way: {error}") from error
    values = {"classes": list(model.classes), "answers": model.answers, "runtime": "onnx", "file": "model.onnx"}
    return Message({**values, "proof": asdict(outcome.proof)}, {"artifact": model.artifact})


def _checked(content: bytes) -> onnx.ModelProto:
    try:
        graph = onnx.load_from_string(content)
        onnx.checker.check_model(graph)
    except Exception as error:  # the file may be anything
        raise InvalidModel(f"The file is no ONNX graph: {str(error)[:200]}") from error
    if foreign := {node.domain for node in graph.graph.node} - _DOMAINS:
        raise InvalidModel(f"The graph uses operators of {', '.join(sorted(foreign))}, which only its maker's programs know.")
    if any(tensor.external_data for tensor in graph.graph.initializer):
        raise InvalidModel("The graph keeps numbers in other files: save it as one.")
    return graph


def _without_map(graph: onnx.ModelProto) -> None:
    """Take the table of probabilities itself where the graph would turn it into a list of dictionaries."""
    for node in list(graph.graph.node):
        if node.op_type == "ZipMap":
            table = onnx.helper.make_tensor_value_info(node.input[0], onnx.TensorProto.FLOAT, [None, None])
            graph.graph.node.remove(node)
            kept = [output for output in graph.graph.output if output.name != node.output[0]]
            del graph.graph.output[:]
            graph.graph.output.extend([*kept, table])


def _class_names(graph: onnx.ModelProto) -> tuple[str, ...]:
    for node in reversed(graph.graph.node):
        for attribute in node.attribute:
            if attribute.name in ("classlabels_strings", "classlabels_string", "classlabels_int64s", "classlabels_ints"):
                names = attribute.strings or attribute.ints
                if names:
                    return tuple(name.decode() if isinstance(name, bytes) else str(name) for name in names)
    return ()
