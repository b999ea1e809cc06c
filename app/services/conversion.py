"""A classifier in a file becomes what workers open: done by a confined process, whose answer is checked here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from app.errors import InvalidModel
from app.inference.provenance import Answers, Features, Proof, RuntimeName
from app.inference.recipe import Recipe
from app.intake.sandbox import Sandbox
from app.intake.source import Format
from app.intake.wire import Message

_WORK = {
    "pickle": "app.intake.conversion:convert",
    "skops": "app.intake.conversion:convert",
    "onnx": "app.intake.graphs:convert",
}
_INPUT = "app.intake.graph_file:describe"
_INSPECT = "app.intake.conversion:inspect_trusted"
_UNUSABLE = "The confined process gave no answer that can be used."


@dataclass(frozen=True)
class Converted:
    """What the confined process told; everything in it was checked for its type, and `file` is one of those known."""

    classes: tuple[str, ...]
    answers: Answers
    confinement: tuple[str, ...]
    runtime: RuntimeName = "sklearn"
    file: Literal["source.pkl", "model.forest", "model.onnx", "model.skops"] = "source.pkl"
    features: Features | None = None
    proof: Proof | None = None
    repairs: tuple[str, ...] = ()


_CONVERTED = TypeAdapter(Converted)
_SHAPE = TypeAdapter(list[int | None] | None)


class ConversionService:
    """Has files opened in confinement; raises InvalidModel where one is refused there, and whatever else goes wrong."""

    def __init__(self, *, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def input_shape(self, graph: bytes) -> list[int | None] | None:
        """Give the shape of a row that an ONNX graph takes, None for a length that may be any; None where it does not tell."""
        try:
            return _SHAPE.validate_python(self._sandbox.run(_INPUT, Message({}, {"model": graph})).values.get("shape"))
        except ValidationError as error:
            raise InvalidModel(_UNUSABLE) from error

    def convert(self, model: bytes, form: Format, recipe: Recipe, samples: NDArray[np.uint8]) -> tuple[Converted, bytes]:
        """Convert a model and prove it on samples, uint8 (n, height, width, 3), and more; give it with the served artifact."""
        job = Message({"format": form, "recipe": asdict(recipe)}, {"model": model, "samples": samples.tobytes()})
        answer = self._sandbox.run(_WORK[form], job)
        converted, artifact = _checked(answer), answer.blobs.get("artifact", b"")
        if converted.file == "source.pkl" or not artifact:
            raise InvalidModel(_UNUSABLE)
        return converted, artifact

    def inspect(self, pickled: bytes, recipe: Recipe, code: Mapping[str, bytes]) -> Converted:
        """Open a pickle that its owner vouches for, as it is, and tell what it holds."""
        answer = self._sandbox.run(_INSPECT, Message({"recipe": asdict(recipe)}, {"model": pickled, **code}))
        return _checked(answer)


def _checked(answer: Message) -> Converted:
    try:
        converted = _CONVERTED.validate_python(dict(answer.values))
    except ValidationError as error:
        raise InvalidModel(_UNUSABLE) from error
    if len(converted.classes) < 1 or len(set(converted.classes)) != len(converted.classes):
        raise InvalidModel("Two classes of the classifier have the same name when written as text.")
    return converted
