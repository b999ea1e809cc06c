"""Stand-ins for collaborators, for unit tests only."""

from __future__ import annotations

import pickle
from importlib import import_module
from typing import cast

import numpy as np
import skops.io
from numpy.typing import NDArray

from app.inference.recipe import Recipe
from app.intake.sandbox import Sandbox
from app.intake.source import Format
from app.intake.wire import Message
from app.services.conversion import ConversionService, Converted


class QuickConversion(ConversionService):
    """Converts nothing: what is trained is served as the archive it would fall back on, without a proof."""

    def __init__(self) -> None:
        super().__init__(sandbox=HereSandbox())

    def convert(self, model: bytes, form: Format, recipe: Recipe, samples: NDArray[np.uint8]) -> tuple[Converted, bytes]:
        """Give the archive of a pickle that the test made."""
        classifier = pickle.loads(model)
        converted = Converted(tuple(map(str, classifier.classes_)), "predict_proba", ("nothing",), file="model.skops")
        return converted, skops.io.dumps(classifier)


class HereSandbox(Sandbox):
    """Does the work of a confined process in the test's own: for tests of what comes before and after it."""

    def run(self, work: str, job: Message) -> Message:
        """Do a work on a job, with the values a confined process would add."""
        module, _, function = work.partition(":")
        answer = cast(Message, getattr(import_module(module), function)(job))
        return Message({**answer.values, "confinement": ["nothing"]}, answer.blobs)
