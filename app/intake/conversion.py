"""The work of the confined process: open the file, see that it is a classifier, convert it, prove the result."""

from __future__ import annotations

import warnings
from dataclasses import asdict
from typing import Any

from app.errors import InvalidModel
from app.inference.runtimes.brought_code import bring
from app.inference.runtimes.sklearn import open_archive, open_pickle
from app.intake.job import recipe_of, samples_of
from app.intake.pictures import PictureSearch
from app.intake.proof import Exhausted, prove
from app.intake.source_model import SourceModel
from app.intake.unpickling import open_listed
from app.intake.wire import Message


def convert(job: Message) -> Message:
    """Open the model in `blobs["model"]` and give the form that serves it, proven, with what there is to know of it.

    `values` hold its `format` and the `recipe`; `blobs["samples"]` holds pictures of the recipe's size as bytes of uint8
    (n, height, width, 3). Raises InvalidModel.
    """
    recipe = recipe_of(job)
    opened = open_model(str(job.values["format"]), job.blobs["model"])
    model = SourceModel(opened, recipe)
    rows = PictureSearch(model, recipe, samples_of(job, recipe)).run()
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
    recipe = recipe_of(job)
    bring(job.blobs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = SourceModel(open_pickle(job.blobs["model"]), recipe)
    return Message({"classes": list(model.classes), "answers": model.answers})


def open_model(form: str, content: bytes) -> Any:
    """Open a pickle or a skops archive; raises InvalidModel where it holds what no trained classifier needs."""
    with warnings.catch_warnings():
        # Of another version of a library: told by the scan, and shown to be harmless or not by the proof.
        warnings.simplefilter("ignore")
        return open_archive(content) if form == "skops" else open_listed(content)
