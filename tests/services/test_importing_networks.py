"""A network that PyTorch exported is brought in with nothing said of its pictures but their scale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.composition import Services
from app.errors import InvalidModel, InvalidRequest
from app.inference.predictor import Predictor
from app.intake.pictures import rows_of
from app.intake.recipe_guess import RecipeWish
from app.intake.sandbox import Sandbox
from app.services.importing import Given, Imported, importing_into
from app.services.recorder import Owner
from tests.factories import make_services
from tests.fakes import HereSandbox
from tests.intake.networks import LABELS, LOGITS, PICTURES, PROBABILITIES, RECIPE, RED_DIGITS, taking, upload

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
WISH = RecipeWish(scale="imagenet")


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path, models=tmp_path / "shipped")


def bring_in(services: Services, content: bytes = RED_DIGITS, sandbox: Sandbox | None = None, **given: Any) -> Imported:
    path = services.settings.data / "network.onnx"
    path.write_bytes(content)
    importing = importing_into(services.repository, sandbox or HereSandbox())
    return importing.bring_in(Given(path, **{"name": "red-digits", "wish": WISH, **given}))


def test_it_answers_as_it_did_in_pytorch_and_the_card_says_how(services: Services) -> None:
    imported = bring_in(services, sandbox=Sandbox(), labels=NAMES)
    manifest = imported.package.manifest
    assert (manifest.recipe, manifest.answers, manifest.runtime) == (RECIPE, "logits", "onnx")
    assert manifest.classes == NAMES
    assert imported.notes == ("Seen from its input of (3, 24, 24): rgb pictures of 24x24, colours first.",)
    assert manifest.source is not None
    assert "own network" in manifest.source.confinement
    answers = Predictor(services.repository.package("red-digits")).probabilities(rows_of(PICTURES, manifest.recipe))
    assert np.abs(answers - PROBABILITIES).max() < 1e-4
    assert (answers.argmax(axis=1) == LOGITS.argmax(axis=1)).all()
    for sentence in (
        "A picture is stretched to 24 × 24 pixels; RGB; by ImageNet's mean and deviation; colours, rows, columns.",
        "The network gives logits; what is shown is their softmax.",
    ):
        assert sentence in imported.package.card


def test_a_network_for_one_picture_at_a_time_classifies_uploads(services: Services) -> None:
    bring_in(services, taking(1, 3, 24, 24), labels=NAMES)
    for number in range(3):
        top = services.classification.classify(upload(number), owner=Owner(), model="red-digits").prediction.top
        assert top.label == NAMES[LABELS[number]]
        assert top.probability == pytest.approx(PROBABILITIES[number].max(), abs=1e-4)


def test_classes_without_names_are_numbers(services: Services) -> None:
    assert bring_in(services).package.manifest.classes == tuple(str(number) for number in range(10))


@pytest.mark.parametrize(
    ("given", "error", "sentence"),
    [
        ({"wish": RecipeWish(size="32x32")}, InvalidRequest, "The graph takes pictures of 24x24, not of 32x32."),
        ({"content": taking("n", 3, None, None)}, InvalidRequest, "say with --size which it learned from"),
        ({"content": taking("n", 4, 24, 24)}, InvalidRequest, "colours, 1 or 3, stand neither first nor last"),
        ({"labels": ("cat", "dog")}, InvalidModel, "The classifier has 10 classes, but 2 labels were given."),
    ],
)
def test_what_does_not_fit_is_told_and_not_published(
    services: Services, given: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        bring_in(services, **given)
    assert services.repository.names() == []
