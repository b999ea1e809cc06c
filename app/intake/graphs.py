"""ONNX graphs that somebody brings: opened in confinement, checked, and served as they are but for their maps."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from app.errors import InvalidModel
from app.inference.recipe import Recipe
from app.inference.runtimes.onnx import OnnxRuntime
from app.intake.graph_answers import are_probabilities, meaning_of
from app.intake.graph_classes import class_names
from app.intake.graph_file import only_input, read_graph
from app.intake.job import recipe_of, samples_of
from app.intake.pictures import PictureSearch, Pixels, rows_of
from app.intake.proof import TOLERANCE, Exhausted, prove_only
from app.intake.served_form import Form
from app.intake.source_model import Rows
from app.intake.wire import Message

_SEVERAL = (
    "pictures at a time: export it for any number of them (torch.onnx.export(..., dynamic_shapes=({0: 'batch'},)), or "
    "dynamic_axes), or for one."
)
_UNSTEADY = (
    "The graph answers otherwise when it is asked about the same picture again, alone or among others: "
    "export the network as it is to be used (network.eval())."
)


class GraphModel:
    """A graph that answers with a probability or a logit for every class; raises InvalidModel where it does not."""

    classifier: Any = None

    def __init__(self, content: bytes, recipe: Recipe) -> None:
        graph = read_graph(content)
        _without_map(graph)
        _require_fitting(graph, recipe)
        trial = rows_of(_trial_pictures(recipe), recipe)
        self.artifact, told = _answered(graph, trial)
        meaning = meaning_of(told, len(trial), graph)
        self.answers = meaning.answers
        self.classes = class_names(graph, meaning.n_classes)
        self._runtime = OnnxRuntime(self.artifact, self.answers, len(self.classes))
        self._require_steady(trial)

    def probabilities(self, rows: Rows) -> NDArray[np.float64]:
        """Give the probability of every class, shape (n, n_classes); raises InvalidModel where the graph gives none.

        What looked like probabilities on a few pictures must do so on every picture it is ever asked about here.
        """
        found = self._runtime.probabilities(rows)
        if self.answers == "predict_proba" and not are_probabilities(found):
            raise InvalidModel("The graph gives probabilities for some pictures and none for others.")
        return found

    def _require_steady(self, trial: Rows) -> None:
        among = self.probabilities(trial)
        for number in (0, -1):
            alone = self.probabilities(trial[[number]])[0]
            if np.abs(alone - among[number]).max() > TOLERANCE:
                raise InvalidModel(_UNSTEADY)


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


def _require_fitting(graph: onnx.ModelProto, recipe: Recipe) -> None:
    given, first = only_input(graph), _number_of_rows(graph)
    if first is not None and first.dim_value > 1:
        raise InvalidModel(f"The graph takes exactly {first.dim_value} {_SEVERAL}")
    # Smaller levels would all become 0 or 1.
    if given is not None and given.type.tensor_type.elem_type == onnx.TensorProto.UINT8 and recipe.scale != "0-255":
        raise InvalidModel("The graph takes levels as bytes and scales them itself: say --scale 0-255.")


def _number_of_rows(graph: onnx.ModelProto) -> onnx.TensorShapeProto.Dimension | None:
    """Give the first length of the only input, None where there is none."""
    given = only_input(graph)
    return None if given is None else next(iter(given.type.tensor_type.shape.dim), None)


def _answered(graph: onnx.ModelProto, rows: Rows) -> tuple[bytes, NDArray[Any]]:
    """Give the graph as it is served, with its numbers for rows.

    One that says it takes any number of pictures, but was traced with one, is made to say that it takes one at a time.
    """
    artifact = graph.SerializeToString()
    try:
        return artifact, OnnxRuntime(artifact, "predict_proba", 0).told(rows)
    except Exception as error:  # of onnxruntime, whose errors share no other base
        reason = InvalidModel(f"The graph does not answer for such a picture: {error}")
    if (first := _number_of_rows(graph)) is None:
        raise reason
    first.dim_value = 1
    try:
        artifact = graph.SerializeToString()
        return artifact, OnnxRuntime(artifact, "predict_proba", 0).told(rows)
    except Exception as error:
        raise reason from error


def _trial_pictures(recipe: Recipe) -> Pixels:
    """Give plain and noisy pictures, the same ones every time, shape (n, height, width, 3)."""
    shape = (8, recipe.height, recipe.width, 3)
    plain = np.broadcast_to(np.linspace(0, 255, 8).reshape(8, 1, 1, 1), shape)
    return np.concatenate([plain, np.random.default_rng(0).integers(0, 256, shape)]).astype(np.uint8)


def _without_map(graph: onnx.ModelProto) -> None:
    """Take the table of probabilities itself where the graph would turn it into a list of dictionaries."""
    for node in list(graph.graph.node):
        if node.op_type == "ZipMap":
            table = onnx.helper.make_tensor_value_info(node.input[0], onnx.TensorProto.FLOAT, [None, None])
            graph.graph.node.remove(node)
            kept = [output for output in graph.graph.output if output.name != node.output[0]]
            del graph.graph.output[:]
            graph.graph.output.extend([*kept, table])
