"""A folder of labelled samples tells how a classifier was fed."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.tree import DecisionTreeClassifier

from app.errors import InvalidRequest
from app.inference.recipe import Layout, Recipe
from app.intake.recipe_search import KnownParts
from app.intake.sandbox import Sandbox
from app.services.recipe_finding import RecipeFinder, Sample, labelled_samples
from tests.intake.classifiers import digits
from tests.intake.networks import LABELS as RED
from tests.intake.networks import LOGITS, PROBABILITIES, RED_DIGITS, channels_last, upload

ROWS, LABELS = digits()
LEVELS = np.rint(ROWS * 255).astype(np.uint8)
SHOWN = 120
RIGHT = Recipe(8, 8, colour="grey", invert=True)
FINDER = RecipeFinder(sandbox=Sandbox(weak=True))


def tree(labels: np.ndarray) -> bytes:
    """A tree that learned dark digits on white, at levels of 0 to 1."""
    return pickle.dumps(DecisionTreeClassifier(random_state=0).fit((255 - LEVELS) / 255, labels))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some digits, one folder a class, as pictures that are light on dark."""
    samples = tmp_path_factory.mktemp("samples")
    for number in range(SHOWN):
        target = samples / f"digit {LABELS[number]}"
        target.mkdir(exist_ok=True)
        Image.fromarray(LEVELS[number].reshape(8, 8)).save(target / f"{number}.png")
    return samples


def test_the_samples_decide_and_name_the_classes(folder: Path) -> None:
    found = FINDER.find(tree(LABELS), "pickle", 64, KnownParts(), labelled_samples(folder))
    assert found.finding.chosen == RIGHT
    assert found.finding.trials[0].accuracy == 1
    assert found.classes == tuple(f"digit {number}" for number in range(10))
    assert found.notes == (
        f"The classes are numbers; they are named after the samples' folders: {', '.join(found.classes)}.",
        "The classifier's own numbers lie between 0.0314 and 0.969, which rules out 12 other ways to feed it.",
    )


def test_classes_that_have_the_folders_names_keep_their_order_and_what_the_file_does_not_tell_is_asked(folder: Path) -> None:
    named = np.array([f"digit {label}" for label in LABELS])
    found = FINDER.find(tree(named), "pickle", None, KnownParts(colour="grey"), labelled_samples(folder))
    assert found.finding.chosen == RIGHT


def test_samples_of_other_classes_are_refused_in_a_sentence(folder: Path) -> None:
    letters = np.array(["abcdefghij"[label] for label in LABELS])
    with pytest.raises(InvalidRequest, match=r"^The classifier knows a, b, c, .* the samples are of digit 0, .* --labels\.$"):
        FINDER.find(tree(letters), "pickle", 64, KnownParts(), labelled_samples(folder))


@pytest.fixture(scope="module")
def red_digits() -> tuple[Sample, ...]:
    """The pictures that PyTorch's network was held to, each with its label."""
    return tuple(Sample(Path(f"{number}.png"), upload(number), str(label)) for number, label in enumerate(RED))


@pytest.mark.parametrize(
    ("content", "layout"), [(RED_DIGITS, "channels-height-width"), (channels_last(), "height-width-channels")]
)
def test_the_samples_tell_how_a_network_was_fed_and_its_input_tells_the_layout(
    red_digits: tuple[Sample, ...], content: bytes, layout: Layout
) -> None:
    found = FINDER.find(content, "onnx", None, KnownParts(), red_digits)
    assert found.finding.chosen == Recipe(24, 24, scale="imagenet", layout=layout)
    assert found.finding.trials[0].accuracy == (LOGITS.argmax(axis=1) == RED).mean()
    assert np.abs(found.finding.trials[0].probabilities - PROBABILITIES).max() < 1e-4


def test_a_number_that_fits_no_picture_is_told(folder: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"^The classifier takes 61 numbers, which fits no usual picture"):
        FINDER.find(tree(LABELS), "pickle", 61, KnownParts(), labelled_samples(folder))


def test_a_folder_without_labels_has_no_labelled_samples(tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(b"")
    assert labelled_samples(tmp_path) == ()
