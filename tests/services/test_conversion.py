"""The answer of a confined process is taken for nothing that it is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.errors import InvalidModel
from app.inference.recipe import Recipe
from app.intake.sandbox import Sandbox
from app.intake.wire import Message
from app.services.conversion import ConversionService

RECIPE = Recipe(2, 2)
NO_SAMPLES = np.empty((0, 2, 2, 3), np.uint8)
GOOD: dict[str, Any] = {
    "classes": ["dark", "light"],
    "answers": "predict_proba",
    "confinement": ["files"],
    "runtime": "onnx",
    "file": "model.onnx",
}


class SayingSandbox(Sandbox):
    """Gives one answer, whatever is asked."""

    answer = Message({})

    def run(self, work: str, job: Message) -> Message:
        """Give it."""
        return self.answer


def converted(values: dict[str, Any], artifact: bytes = b"graph") -> Any:
    sandbox = SayingSandbox()
    object.__setattr__(sandbox, "answer", Message(values, {"artifact": artifact}))
    return ConversionService(sandbox=sandbox).convert(b"", "pickle", RECIPE, NO_SAMPLES)


def test_a_whole_answer_is_taken() -> None:
    told, artifact = converted(GOOD)
    assert (told.classes, told.runtime, told.file, artifact) == (("dark", "light"), "onnx", "model.onnx", b"graph")


@pytest.mark.parametrize(
    "changed",
    [
        {"classes": "dark"},
        {"classes": [1, {"a": 2}]},
        {"answers": "transform"},
        {"runtime": "shell"},
        {"file": "../../active"},
        {"file": "source.pkl"},
        {"proof": {"pictures": "many"}},
        {"features": {"kind": "shell"}},
        {"confinement": 5},
    ],
)
def test_an_answer_that_is_not_what_was_agreed_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(InvalidModel, match="no answer that can be used"):
        converted({**GOOD, **changed})


def test_an_answer_without_an_artifact_is_refused() -> None:
    with pytest.raises(InvalidModel, match="no answer that can be used"):
        converted(GOOD, b"")


@pytest.mark.parametrize("classes", [[], ["1", "1"]])
def test_classes_that_cannot_be_told_apart_are_refused(classes: list[str]) -> None:
    with pytest.raises(InvalidModel, match="same name"):
        converted({**GOOD, "classes": classes})
