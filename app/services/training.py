"""Train a version, compare it with the one that answers, and let the better one answer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.errors import InvalidDataset, VitrineError
from app.inference.libraries import installed
from app.inference.naming import name_of
from app.inference.package import Manifest, ModelPackage
from app.inference.predictor import Predictor
from app.inference.provenance import Source
from app.inference.repository import Repository
from app.services.conversion import ConversionService
from app.training.card import write_card
from app.training.dataset import LeftOut, read_dataset
from app.training.designs import DESIGNS
from app.training.experiment import Experiment, Progress, package, rows, run

_PROOF_PHOTOS = 150


@dataclass(frozen=True)
class Verdict:
    """A new version, what was left out for it, and whether it answers now; else how good the present one is."""

    package: ModelPackage
    left_out: tuple[LeftOut, ...]
    held_out: int
    active: bool
    previous: str | None = None
    previous_accuracy: float | None = None


class TrainingService:
    """Adds trained versions to a repository."""

    def __init__(self, *, repository: Repository, conversion: ConversionService) -> None:
        self._repository = repository
        self._conversion = conversion

    def train(
        self,
        name: str,
        folder: Path,
        design: str,
        progress: Progress,
        *,
        summary: str = "",
        expects: str = "",
        limits: str = "",
        attribution: str = "",
        samples: Sequence[tuple[Path, str]] = (),
    ) -> Verdict:
        """Learn from a folder and publish the next version; it answers from now on if it is no worse than the present one."""
        for file, _ in samples:
            if not file.is_file():
                raise InvalidDataset(f"There is no sample {file}.")
        dataset = read_dataset(folder)
        dataset = replace(dataset, attribution=attribution or dataset.attribution)
        experiment = run(dataset, DESIGNS[design], progress)
        nouns = [str(name_of(label)) for label in experiment.dataset.classes]
        summary = summary or f"Tells apart {', '.join(nouns[:-1])} and {nouns[-1]}."
        expects = expects or f"A photo of {', '.join(nouns[:-1])} or {nouns[-1]}."
        card = write_card(name, experiment, summary=summary, limits=limits)
        previous, accuracy = self._present(name, experiment)
        manifest, files = package(experiment, name, card, summary=summary, expects=expects, samples=samples)
        progress("proving the converted model", 0, 1)
        manifest, artifact = self._converted(manifest, files["source.pkl"], experiment)
        progress("proving the converted model", 1, 1)
        published = self._repository.publish(manifest, {**files, manifest.artifact: artifact})
        reached = published.manifest.metric("accuracy")
        better = accuracy is None or (reached is not None and reached.value >= accuracy)
        if better:
            self._repository.activate(name, published.manifest.version)
        return Verdict(published, experiment.dataset.left_out, len(experiment.truth), better, previous, accuracy)

    def _converted(self, manifest: Manifest, pickled: bytes, experiment: Experiment) -> tuple[Manifest, bytes]:
        """Give the manifest of the form that is served, and that form: held-out photos are among what it is proven on."""
        photos = experiment.test_photos[:: max(1, len(experiment.test_photos) // _PROOF_PHOTOS)]
        pictures = [row for _, row in rows(experiment.dataset, photos, manifest.recipe) if not isinstance(row, LeftOut)]
        converted, artifact = self._conversion.convert(pickled, "pickle", manifest.recipe, np.array(pictures, np.uint8))
        source = Source("pickle", hashlib.sha256(pickled).hexdigest(), libraries=installed(), confinement=converted.confinement)
        served = replace(
            manifest,
            runtime=converted.runtime,
            artifact=converted.file,
            features=converted.features,
            proof=converted.proof,
            source=source,
        )
        return served, artifact

    def _present(self, name: str, experiment: Experiment) -> tuple[str | None, float | None]:
        """Give the active version and its accuracy on the very photos that this experiment held out."""
        if not self._repository.versions(name):
            return None, None
        version = self._repository.active_version(name)
        try:
            found = self._repository.package(name, version)
            predictor = Predictor(found)
        except VitrineError:
            return version, None  # what cannot be opened cannot be better
        recipe, right = found.manifest.recipe, 0
        for photo, row in rows(experiment.dataset, experiment.test_photos, recipe):
            if isinstance(row, LeftOut):
                continue
            answer = predictor.probabilities(row[np.newaxis])[0].argmax()
            right += found.manifest.classes[answer] == photo.label
        return found.manifest.version, right / len(experiment.truth)
