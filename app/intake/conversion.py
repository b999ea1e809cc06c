"""The work of the confined process: open the file, see that it is a classifier, convert it, prove the result."""

from __future__ import annotations

import math
import warnings
from dataclasses import asdict
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from app.errors import InvalidModel
from app.inference.recipe import Recipe
from app.inference.runtimes.sklearn import open_archive, open_pickle
from app.intake.pictures import PictureSearch
from app.intake.proof import Exhausted, prove
from app.intake.source_model import SourceModel
from app.intake.unpickling import open_listed
from app.intake.wire import Message

_RECIPES = TypeAdapter(Recipe)


def convert(job: Message) -> Message:
    """Open the model in `blobs["model"]` and give the form that serves it, proven, with what there is to know of it.

    `values` hold its `format`, the `recipe`, and how many `samples` there are: pictures of the recipe's size, in
    `blobs["samples"]` as bytes of uint8 (n, height, width, 3). Raises InvalidModel.
    """
    recipe = _RECIPES.validate_python(job.values["recipe"])
    opened = _open(str(job.values["format"]), job.blobs["model"])
    model = SourceModel(opened, recipe)
    samples = _pictures(job.blobs.get("samples", b""), recipe)
    rows = PictureSearch(model, recipe, samples).run()
    try:
        outcome = prove(model, rows)
    except Exhausted as error:
        raise InvalidModel(f"No form of this classifier answers as it did itself: {error}") from error
    return Message(
        {
            "classes": list(model.classes),
            "answers": model.answers,
            "repairs": list(model.repairs),
            "runtime": outcome.form.runtime,
            "file": outcome.form.file,
            "features": asdict(outcome.form.features) if outcome.form.features else None,
            "proof": asdict(outcome.proof),
        },
        {"artifact": outcome.form.artifact},
    )


def inspect_trusted(job: Message) -> Message:
    """Open a pickle that its owner vouches for, see that it is a classifier that answers, and give its classes."""
    recipe = _RECIPES.validate_python(job.values["recipe"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = SourceModel(open_pickle(job.blobs["model"]), recipe)
    return Message({"classes": list(model.classes), "answers": model.answers})


def _open(form: str, content: bytes) -> Any:
    with warnings.catch_warnings():
        # Of another version of a library: told by the scan, and shown to be harmless or not by the proof.
        warnings.simplefilter("ignore")
        return open_archive(content) if form == "skops" else open_listed(content)


def _pictures(content: bytes, recipe: Recipe) -> Any:
    shape = (recipe.height, recipe.width, 3)
    return np.frombuffer(content, np.uint8).reshape(-1, *shape) if len(content) >= math.prod(shape) else np.empty((0, *shape), np.uint8)
