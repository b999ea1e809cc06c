"""The work of the confined process before a conversion: tell what a file takes, and ask it about samples fed in many ways."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import InvalidModel
from app.inference.recipe import Recipe
from app.intake.conversion import open_model
from app.intake.graph_file import input_shape
from app.intake.graphs import GraphModel
from app.intake.job import recipes_of, view_of
from app.intake.pictures import rows_of
from app.intake.proof import Answering, asked_in_chunks
from app.intake.source_model import SourceModel, unwrapped
from app.intake.wire import Message

_SECONDS = 120.0


def describe(job: Message) -> Message:
    """Tell how many numbers the model in `blobs["model"]` takes, or which shape a row has; None where it does not say."""
    content, form = job.blobs["model"], str(job.values["format"])
    if form == "onnx":
        return Message({"features": None, "shape": input_shape(content)})
    count = getattr(unwrapped(open_model(form, content)), "n_features_in_", None)
    return Message({"features": None if count is None else int(count), "shape": None})


def ask(job: Message) -> Message:
    """Ask the model in `blobs["model"]` about samples fed by each of `values["recipes"]`, until the time is up.

    The samples lie in a blob for each size and fit, uint8 (n, height, width, 3), all in the same order. Gives the classes,
    the recipes that the model could be asked by, and their answers in `blobs["probabilities"]`, float64 (recipes, n, classes).
    Raises InvalidModel where it cannot be asked by any.
    """
    opened, began, refusal = _Opened(job), time.monotonic(), ""
    asked: list[Recipe] = []
    answers: list[NDArray[np.float64]] = []
    for recipe in recipes_of(job):
        if time.monotonic() - began > _SECONDS:
            break
        try:
            model = opened.for_rows_of(recipe)
            found = asked_in_chunks(model.probabilities, rows_of(view_of(job, recipe), recipe))
        except InvalidModel as error:
            refusal = refusal or str(error)
            continue
        if np.isfinite(found).all():
            asked.append(recipe)
            answers.append(found)
    if not answers:
        raise InvalidModel(refusal or "The classifier answers for no picture in any usual way of feeding one.")
    values = {"classes": list(opened.classes), "recipes": [asdict(recipe) for recipe in asked]}
    return Message(values, {"probabilities": np.stack(answers).tobytes()})


class _Opened:
    """The model of a job, opened once for each shape of rows."""

    def __init__(self, job: Message) -> None:
        self._form, self._content = str(job.values["format"]), job.blobs["model"]
        self._models: dict[tuple[Any, ...], Answering] = {}
        self.classes: tuple[str, ...] = ()

    def for_rows_of(self, recipe: Recipe) -> Answering:
        """Give the model, ready to be asked by a recipe; raises InvalidModel where it takes no such rows."""
        # The levels of the scale "0-255" are bytes, which some classifiers take otherwise than numbers.
        kind = (*recipe.shape, recipe.scale == "0-255")
        if kind not in self._models:
            if self._form == "onnx":
                self._models[kind] = GraphModel(self._content, recipe)
            else:
                self._models[kind] = SourceModel(open_model(self._form, self._content), recipe)
            self.classes = self._models[kind].classes
        return self._models[kind]
