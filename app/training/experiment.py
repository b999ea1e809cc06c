"""Fit, evaluate once, and make the package."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from app.errors import InvalidDataset, InvalidImage
from app.inference.images import decode
from app.inference.libraries import installed
from app.inference.package import CARD, Manifest, Metric, Sample
from app.inference.recipe import Recipe
from app.training.dataset import Dataset, LeftOut, Photo, check_classes
from app.training.designs import DESIGNS, Design, assemble, fit_head
from app.training.measures import Labels, Probabilities, measure
from app.training.split import FixedSplit, difference_hash, split_photos

Progress = Callable[[str, int, int], None]
_CHUNK = 32


@dataclass(frozen=True)
class Baseline:
    """What a simpler way reaches on the same held-out photos."""

    title: str
    accuracy: float


@dataclass(frozen=True)
class Experiment:
    """A fitted pipeline and everything its card tells."""

    pipeline: Pipeline
    design: Design
    strength: float
    dataset: Dataset
    split: FixedSplit
    truth: Labels
    probabilities: Probabilities
    metrics: tuple[Metric, ...]
    baselines: tuple[Baseline, ...]

    @property
    def test_photos(self) -> list[Photo]:
        """The held-out photos, in the order of `truth`."""
        return [self.dataset.photos[index] for index in self.split.test.tolist()]


@dataclass(frozen=True)
class _Described:
    transformer: object
    features: NDArray[np.float32]
    hashes: NDArray[np.uint64]
    photos: tuple[Photo, ...]
    left_out: tuple[LeftOut, ...]


def run(dataset: Dataset, design: Design, progress: Progress) -> Experiment:
    """Learn from a dataset by a design and evaluate it, once, on the photos held out; raises InvalidDataset."""
    described = _describe(dataset, design, progress)
    check_classes(described.photos)
    split = split_photos(described.photos, described.hashes)
    _check_sides(described.photos, split)
    dataset = Dataset(
        dataset.folder, described.photos, dataset.left_out + described.left_out + split.left_out, dataset.attribution
    )
    labels = [photo.label for photo in dataset.photos]
    progress("choosing the strength", 0, 1)
    head, strength = fit_head(
        described.features[split.train], [labels[i] for i in split.train], split.groups[split.train], design.strengths
    )
    progress("choosing the strength", 1, 1)
    truth = np.array([dataset.classes.index(labels[i]) for i in split.test], dtype=np.intp)
    probabilities = np.asarray(head.predict_proba(described.features[split.test]), dtype=np.float64)
    return Experiment(
        pipeline=assemble(described.transformer, head),
        design=design,
        strength=strength,
        dataset=dataset,
        split=split,
        truth=truth,
        probabilities=probabilities,
        metrics=measure(truth, probabilities),
        baselines=tuple(_baselines(dataset, split, truth, design, progress)),
    )


def package(
    experiment: Experiment, name: str, card: str, *, summary: str, expects: str, samples: Sequence[tuple[Path, str]] = ()
) -> tuple[Manifest, dict[str, bytes]]:
    """Give a manifest without a version, and the files that belong to it.

    Samples are paths with words for what they show; those that are among the photos of the dataset are labelled as there.
    """
    files = {"source.pkl": pickle.dumps(experiment.pipeline, protocol=5), CARD: card.encode(errors="replace")}
    files |= {f"samples/{path.name}": path.read_bytes() for path, _ in samples}
    labels = {(experiment.dataset.folder / photo.file).resolve(): photo.label for photo in experiment.dataset.photos}
    manifest = Manifest(
        name=name,
        version="",
        classes=experiment.dataset.classes,
        recipe=experiment.design.recipe,
        runtime="sklearn",
        artifact="source.pkl",
        digests={},
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        origin="trained",
        summary=summary,
        expects=expects,
        libraries=installed(),
        metrics=experiment.metrics,
        split=experiment.split.digest,
        samples=tuple(Sample(f"samples/{path.name}", alt, labels.get(path.resolve(), "")) for path, alt in samples),
        attribution=experiment.dataset.attribution or None,
    )
    return manifest, files


def rows(dataset: Dataset, photos: Iterable[Photo], recipe: Recipe) -> Iterable[tuple[Photo, NDArray[np.generic] | LeftOut]]:
    """Give each photo with the model's input of it, made as for a visitor's upload, or with why it cannot be read."""
    for photo in photos:
        try:
            content = (dataset.folder / photo.file).read_bytes()
            yield photo, recipe.array(decode(content, fit=recipe.size))
        except (InvalidImage, OSError) as error:
            yield photo, LeftOut(photo.file, str(error))


def _describe(dataset: Dataset, design: Design, progress: Progress) -> _Described:
    transformer = design.transformer()
    features: list[NDArray[np.float32]] = []
    hashes, kept, left_out = [], [], []
    waiting: list[NDArray[np.generic]] = []
    for number, (photo, row) in enumerate(rows(dataset, dataset.photos, design.recipe), start=1):
        if isinstance(row, LeftOut):
            left_out.append(row)
        else:
            kept.append(photo)
            hashes.append(difference_hash(row.astype(np.uint8, copy=False)))
            waiting.append(row)
        if waiting and (len(waiting) == _CHUNK or number == len(dataset.photos)):
            batch = np.stack(waiting)
            features.append(transformer.transform(batch) if features else transformer.fit(batch).transform(batch))
            waiting.clear()
        progress(f"looking at the photos ({design.name})", number, len(dataset.photos))
    table = np.concatenate(features) if features else np.empty((0, 0), np.float32)
    return _Described(transformer, table, np.array(hashes, dtype=np.uint64), tuple(kept), tuple(left_out))


def _check_sides(photos: Sequence[Photo], split: FixedSplit) -> None:
    learned = {photos[i].label for i in split.train.tolist()}
    if missing := sorted({photo.label for photo in photos} - learned):
        raise InvalidDataset(f"No photo of the class {missing[0]!r} is there to learn from: all of them are to be held out.")
    if not len(split.test):
        raise InvalidDataset("No photos could be held out: all are near copies of each other, or marked to be learned from.")


def _baselines(dataset: Dataset, split: FixedSplit, truth: Labels, chosen: Design, progress: Progress) -> Iterable[Baseline]:
    labels = [photo.label for photo in dataset.photos]
    train_labels = [labels[i] for i in split.train]
    most = max(dataset.classes, key=train_labels.count)
    yield Baseline(f"Always answering {most!r}", float((truth == dataset.classes.index(most)).mean()))
    for design in (DESIGNS["pixels"], DESIGNS["gradients"]):
        if design is chosen:
            continue
        described = _describe(dataset, design, progress)
        head, _ = fit_head(described.features[split.train], train_labels, split.groups[split.train], design.strengths)
        answers = head.predict_proba(described.features[split.test]).argmax(axis=1)
        yield Baseline(design.title, float((answers == truth).mean()))
