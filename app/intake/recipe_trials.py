"""The work of the confined process before a conversion: tell what a file takes, and ask it about samples fed in many ways."""

from __future__ import annotations

import math
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
from app.intake.levels import Levels, levels_of
from app.intake.pictures import rows_of
from app.intake.proof import Answering, Ask, asked_in_chunks
from app.intake.source_model import SourceModel, unwrapped
from app.intake.wire import Message

_SECONDS = 120.0
_TIMED = 32  # samples by which it is seen how slow a model is
_LOOKED_AT = 4  # one of so many samples tells how all are spread


def describe(job: Message) -> Message:
    """Tell how many numbers the model in `blobs["model"]` takes, or which shape a row has; None where it does not say."""
    content, form = job.blobs["model"], str(job.values["format"])
    if form == "onnx":
        return Message({"features": None, "shape": input_shape(content)})
    count = getattr(unwrapped(open_model(form, content)), "n_features_in_", None)
    return Message({"features": None if count is None else int(count), "shape": None})


def ask(job: Message) -> Message:
    """Ask the model in `blobs["model"]` about samples fed by each of `values["recipes"]`.

    The samples lie in a blob for each size and fit, uint8 (n, height, width, 3), all in the same order. Gives the classes,
    the recipes that the model could be asked by, and their answers in `blobs["probabilities"]`, float64 (recipes, n, classes);
    of a slow model every so many samples alone, as `values["every"]` says. `values["levels"]` are the lowest and the highest
    of the model's own numbers, by which `values["impossible"]` of the recipes were not tried.
    Raises InvalidModel where it cannot be asked by any.
    """
    trials = _Trials(job)
    for recipe in recipes_of(job):
        trials.ask(recipe)
    if not trials.answers:
        raise InvalidModel(trials.refusal or "The classifier answers for no picture in any usual way of feeding one.")
    levels = trials.opened.levels
    values = {
        "classes": list(trials.opened.classes),
        "recipes": [asdict(recipe) for recipe in trials.asked],
        "every": trials.every,
        "levels": None if levels is None else [levels.lowest, levels.highest],
        "impossible": trials.impossible,
    }
    return Message(values, {"probabilities": np.stack(trials.answers).tobytes()})


class _Trials:
    """The recipes of a job, tried one after the other; all within the time that there is for them."""

    def __init__(self, job: Message) -> None:
        self._job = job
        self._seconds = _SECONDS / len(recipes_of(job))
        self.opened = _Opened(job)
        self.asked: list[Recipe] = []
        self.answers: list[NDArray[np.float64]] = []
        self.every, self.impossible, self.refusal = 0, 0, ""

    def ask(self, recipe: Recipe) -> None:
        """Try one."""
        view = view_of(self._job, recipe)
        try:
            model = self.opened.for_rows_of(recipe)
            if self.opened.rule_out(recipe, view):
                self.impossible += 1
                return
            if not self.every:
                self.every = self._affordable(model.probabilities, view, recipe)
            found = asked_in_chunks(model.probabilities, rows_of(view[:: self.every], recipe))
        except InvalidModel as error:
            self.refusal = self.refusal or str(error)
            return
        if np.isfinite(found).all():
            self.asked.append(recipe)
            self.answers.append(found)

    def _affordable(self, ask: Ask, view: NDArray[np.uint8], recipe: Recipe) -> int:
        """Give of how many samples one is asked about, so that there is time to try every recipe."""
        few = rows_of(view[:_TIMED], recipe)
        ask(few[:1])
        began = time.perf_counter()
        ask(few)
        seconds = (time.perf_counter() - began) / len(few) * len(view)
        return max(1, math.ceil(seconds / self._seconds))


class _Opened:
    """The model of a job, opened once for each shape of rows."""

    def __init__(self, job: Message) -> None:
        self._form, self._content = str(job.values["format"]), job.blobs["model"]
        self._models: dict[tuple[Any, ...], Answering] = {}
        self.classes: tuple[str, ...] = ()
        self.levels: Levels | None = None

    def for_rows_of(self, recipe: Recipe) -> Answering:
        """Give the model, ready to be asked by a recipe; raises InvalidModel where it takes no such rows."""
        # The levels of the scale "0-255" are bytes, which some classifiers take otherwise than numbers.
        kind = (*recipe.shape, recipe.scale == "0-255")
        if kind not in self._models:
            model: SourceModel | GraphModel
            if self._form == "onnx":
                model = GraphModel(self._content, recipe)
            else:
                model = SourceModel(open_model(self._form, self._content), recipe)
                self.levels = levels_of(model.classifier)
            self._models[kind], self.classes = model, model.classes
        return self._models[kind]

    def rule_out(self, recipe: Recipe, view: NDArray[np.uint8]) -> bool:
        """Tell whether the model's own numbers show that it was not fed so."""
        return self.levels is not None and self.levels.contradict(recipe, rows_of(view[::_LOOKED_AT], recipe))
