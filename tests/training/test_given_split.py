"""An experiment on a given split: kept as it is, less what would leak, or refused before the work."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from app.errors import InvalidDataset
from app.training.dataset import LeftOut, read_dataset
from app.training.designs import DESIGNS
from app.training.experiment import Experiment, run
from tests.factories import make_drawing, make_photos


def experiment_on(folder: Path) -> Experiment:
    return run(read_dataset(folder), DESIGNS["pixels"], lambda *_: None)


def put_split(folder: Path, held_out: Sequence[int], labels: tuple[str, ...] = ("left", "right")) -> Path:
    """Write drawings and a table by which those of these numbers are held out."""
    make_photos(folder, labels, 10)
    with (folder / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("file", "label", "split"))
        for label in labels:
            table.writerows((f"{label}/{n:02}.png", label, "test" if n in held_out else "train") for n in range(10))
    return folder


@pytest.fixture(scope="module")
def divided(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """Give an experiment on a given split, in which one that is held out shows what another, learned from, shows."""
    folder = put_split(tmp_path_factory.mktemp("divided"), [1, 4, 7])
    make_drawing("left", 0).save(folder / "left" / "04.png", compress_level=0)
    return experiment_on(folder)


def test_a_table_says_who_is_held_out(divided: Experiment) -> None:
    assert [photo.file for photo in divided.test_photos] == [
        "left/01.png",
        "left/07.png",
        "right/01.png",
        "right/04.png",
        "right/07.png",
    ]
    assert len(divided.split.train) == 14


def test_a_held_out_near_copy_of_what_is_learned_from_is_told_among_the_left_out(divided: Experiment) -> None:
    assert divided.dataset.left_out == (LeftOut("left/04.png", "a near copy of a photo that is learned from"),)


def test_nothing_is_learned_from_what_is_held_out(divided: Experiment, tmp_path: Path) -> None:
    folder = put_split(tmp_path, [1, 4, 7])
    for label in ("left", "right"):
        for number in (1, 4, 7):
            make_drawing(label, 50 + number).save(folder / label / f"{number:02}.png")
    other = experiment_on(folder)
    assert other.split.digest != divided.split.digest
    assert other.strength == divided.strength
    assert np.array_equal(other.pipeline["classifier"].coef_, divided.pipeline["classifier"].coef_)
    assert np.array_equal(other.pipeline["scaler"].mean_, divided.pipeline["scaler"].mean_)


@pytest.mark.parametrize(
    ("held_out", "words"),
    [(range(10), "No photo of the class 'left' is there to learn from"), ([], "No photos could be held out")],
)
def test_a_table_with_one_side_only_is_refused(tmp_path: Path, held_out: Sequence[int], words: str) -> None:
    with pytest.raises(InvalidDataset, match=words):
        experiment_on(put_split(tmp_path, held_out))
