"""From a folder to a measured pipeline: what is left out, what is refused, and that what is stored answers the same."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage
from sklearn.base import clone

from app.errors import InvalidDataset
from app.inference.libraries import installed
from app.inference.package import Sample
from app.training.dataset import LeftOut, Photo, read_dataset
from app.training.designs import DESIGNS
from app.training.experiment import Experiment, package, rows, run
from tests.factories import make_drawing, make_photos


def experiment_on(folder: Path, design: str = "pixels") -> Experiment:
    return run(read_dataset(folder), DESIGNS[design], lambda *_: None)


def inputs(experiment: Experiment, photos: list[Photo] | None = None) -> NDArray[np.generic]:
    """Give the model's input of these photos, or of the held-out ones."""
    given = [row for _, row in rows(experiment.dataset, photos or experiment.test_photos, experiment.design.recipe)]
    return np.stack([row for row in given if not isinstance(row, LeftOut)])


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give drawings, four of each class with a near copy, and two files that cannot be read."""
    folder = make_photos(tmp_path_factory.mktemp("photos"), count=16)
    for label in ("left", "right"):
        for number in range(4):
            make_drawing(label, number).save(folder / label / f"{number:02}.jpg", quality=95)
    (folder / "left" / "00 broken.png").write_bytes(b"no picture")
    (folder / "right" / "99 broken.jpg").write_bytes((folder / "right" / "00.jpg").read_bytes()[:300])
    return folder


@pytest.fixture(scope="module")
def told() -> list[tuple[str, int, int]]:
    return []


@pytest.fixture(scope="module")
def experiment(photos: Path, told: list[tuple[str, int, int]]) -> Experiment:
    (photos / "left" / "vanished.png").write_bytes(b"listed, then gone")
    dataset = read_dataset(photos)
    (photos / "left" / "vanished.png").unlink()
    return run(dataset, DESIGNS["pixels"], lambda *stage: told.append(stage))


def test_drawings_that_differ_by_their_brighter_half_are_told_apart(experiment: Experiment) -> None:
    values = {metric.name: metric.value for metric in experiment.metrics}
    assert values["accuracy"] == values["balanced accuracy"] == values["area under the ROC curve"] == 1
    assert values["log loss"] < 0.5
    assert len(experiment.truth) == len(experiment.test_photos) == len(experiment.split.test)
    assert [experiment.dataset.classes[label] for label in experiment.truth] == [p.label for p in experiment.test_photos]


def test_the_pipeline_gives_the_probabilities_that_were_measured(experiment: Experiment) -> None:
    assert experiment.pipeline.classes_.tolist() == list(experiment.dataset.classes)
    assert np.allclose(experiment.pipeline.predict_proba(inputs(experiment)), experiment.probabilities, atol=1e-6)


def test_the_pipeline_stored_and_opened_gives_the_same_answers(experiment: Experiment) -> None:
    opened = pickle.loads(pickle.dumps(experiment.pipeline, protocol=5))
    assert np.array_equal(opened.predict_proba(inputs(experiment)), experiment.pipeline.predict_proba(inputs(experiment)))


def test_a_clone_of_the_pipeline_learns_the_same_from_the_same_photos(experiment: Experiment) -> None:
    learned = [experiment.dataset.photos[index] for index in experiment.split.train.tolist()]
    refitted = clone(experiment.pipeline).fit(inputs(experiment, learned), [photo.label for photo in learned])
    assert np.allclose(refitted.predict_proba(inputs(experiment)), experiment.probabilities, atol=1e-5)


def test_the_same_photos_give_the_same_experiment_whatever_their_files_are_called(
    experiment: Experiment, photos: Path, tmp_path: Path
) -> None:
    for number, file in enumerate(sorted(photos.rglob("*.*"), reverse=True)):
        renamed = tmp_path / file.parent.name / f"photo {number:02}{file.suffix}"
        renamed.parent.mkdir(exist_ok=True)
        renamed.write_bytes(file.read_bytes())
    again = experiment_on(tmp_path)
    assert again.split.digest == experiment.split.digest
    assert {photo.sha256 for photo in again.test_photos} == {photo.sha256 for photo in experiment.test_photos}
    assert (again.strength, again.baselines) == (experiment.strength, experiment.baselines)
    values = [metric.value for metric in experiment.metrics]
    assert [metric.value for metric in again.metrics] == pytest.approx(values, rel=1e-3)


def test_simpler_ways_are_measured_on_the_same_photos(experiment: Experiment) -> None:
    always, gradients = experiment.baselines
    learned = [experiment.dataset.photos[i].label for i in experiment.split.train]
    most = max(("left", "right"), key=learned.count)
    assert always.title == f"Always answering {most!r}"
    assert always.accuracy == pytest.approx(np.mean([photo.label == most for photo in experiment.test_photos]))
    assert gradients.title == DESIGNS["gradients"].title
    assert 0 <= gradients.accuracy <= 1


def test_the_backbone_is_compared_with_both_simpler_designs(tmp_path: Path) -> None:
    experiment = experiment_on(make_photos(tmp_path, count=8), "embedding")
    assert [baseline.title for baseline in experiment.baselines[1:]] == [DESIGNS[d].title for d in ("pixels", "gradients")]
    assert np.allclose(experiment.pipeline.predict_proba(inputs(experiment)), experiment.probabilities, atol=1e-5)


@pytest.mark.usefixtures("experiment")
def test_progress_is_told_stage_by_stage_to_its_end(told: list[tuple[str, int, int]]) -> None:
    assert list(dict.fromkeys(stage for stage, _, _ in told)) == [
        "looking at the photos (pixels)",
        "choosing the strength",
        "looking at the photos (gradients)",
    ]
    assert told[:43] == [("looking at the photos (pixels)", number, 43) for number in range(1, 44)]
    assert {stage: (done, total) for stage, done, total in told} == {
        "looking at the photos (pixels)": (43, 43),
        "choosing the strength": (1, 1),
        "looking at the photos (gradients)": (40, 40),
    }


def test_a_file_that_cannot_be_read_is_left_out_and_the_others_keep_their_labels(experiment: Experiment) -> None:
    reasons = {entry.file: entry.reason for entry in experiment.dataset.left_out}
    assert list(reasons) == ["left/00 broken.png", "left/vanished.png", "right/99 broken.jpg"]
    assert all(reason.startswith("This ") or "No such file" in reason for reason in reasons.values())
    assert len(experiment.dataset.photos) == 40
    assert all(photo.file.startswith(photo.label) for photo in experiment.dataset.photos)


def test_files_that_cannot_be_read_do_not_count_towards_the_five(tmp_path: Path) -> None:
    folder = make_photos(tmp_path, count=5)
    (folder / "left" / "03.png").write_bytes(b"no picture")
    with pytest.raises(InvalidDataset, match="'left' has 4 readable photos: at least 5"):
        experiment_on(folder)


def test_near_copies_are_on_one_side(experiment: Experiment) -> None:
    held_out = {photo.file for photo in experiment.test_photos}
    copied = [photo.file for photo in experiment.dataset.photos if photo.file.endswith(".jpg")]
    assert len(copied) == 8
    assert all((file in held_out) == (file.replace(".jpg", ".png") in held_out) for file in copied)


def test_photos_that_are_all_near_copies_are_refused(tmp_path: Path) -> None:
    drawing = np.asarray(make_drawing("same", 0)) // 2
    for level in range(10):
        folder = tmp_path / ("left" if level < 5 else "right")
        folder.mkdir(exist_ok=True)
        PillowImage.fromarray((drawing + level).astype(np.uint8)).save(folder / f"{level}.png")
    with pytest.raises(InvalidDataset, match="No photos could be held out: all are near copies of each other"):
        experiment_on(tmp_path)


def test_the_package_holds_the_pipeline_its_card_and_its_samples(experiment: Experiment, photos: Path, tmp_path: Path) -> None:
    sample = photos / "left" / "00.png"
    other = tmp_path / "other.png"
    other.write_bytes(sample.read_bytes())
    samples = [(sample, "A drawing"), (other, "Another")]
    manifest, files = package(experiment, "sides", "# sides\n", summary="S.", expects="E.", samples=samples)
    assert files.keys() == {"source.pkl", "card.md", "samples/00.png", "samples/other.png"}
    assert files["samples/00.png"] == sample.read_bytes()
    opened = pickle.loads(files["source.pkl"])
    assert np.allclose(opened.predict_proba(inputs(experiment)), experiment.probabilities, atol=1e-6)
    assert (manifest.name, manifest.version, manifest.origin, manifest.runtime) == ("sides", "", "trained", "sklearn")
    assert (manifest.summary, manifest.expects, manifest.attribution) == ("S.", "E.", None)
    # Of what lies elsewhere nobody said what is right.
    assert manifest.samples == (Sample("samples/00.png", "A drawing", "left"), Sample("samples/other.png", "Another"))
    assert manifest.classes == ("left", "right")
    assert manifest.recipe == DESIGNS["pixels"].recipe
    assert (manifest.metrics, manifest.split) == (experiment.metrics, experiment.split.digest)
    assert manifest.libraries == installed()


def test_the_package_takes_names_that_are_no_text(experiment: Experiment) -> None:
    credited = replace(experiment, dataset=replace(experiment.dataset, attribution="Zoë"))
    manifest, files = package(credited, "sides", "named \udcff", summary="", expects="")
    assert files["card.md"] == b"named ?"
    assert manifest.attribution == "Zoë"
