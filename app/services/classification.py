"""The one path from an upload to an answer, shared by every door."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from ulid import ULID

from app.inference.batching import Gate
from app.inference.images import Image, ImageLimits, decode
from app.inference.package import Manifest
from app.inference.prediction import Picture, Prediction, Timings, ranked
from app.services.model_loader import ModelLoader
from app.services.recorder import Owner, Recorder


@dataclass(frozen=True, slots=True)
class Answer:
    """A prediction, what its model says of itself, and whether the prediction was stored."""

    prediction: Prediction
    manifest: Manifest
    stored: bool


class ClassificationService:
    """Decodes for the model that was asked for, lets it answer, and has the answer recorded."""

    def __init__(
        self, *, loader: ModelLoader, recorder: Recorder, decoding: Gate, limits: ImageLimits, answer_within: float
    ) -> None:
        self._loader = loader
        self._recorder = recorder
        self._decoding = decoding
        self._limits = limits
        self._answer_within = answer_within

    def classify(
        self,
        upload: bytes,
        *,
        owner: Owner,
        model: str | None = None,
        version: str | None = None,
        file_name: str | None = None,
    ) -> Answer:
        """Answer for one picture file; raises InvalidImage, ModelNotFound, ModelRequired or Overloaded."""
        started = time.monotonic()
        deadline = started + self._answer_within
        loaded = self._loader.get(model, version)
        with self._decoding.passage(deadline):
            admitted = time.monotonic()
            image = decode(upload, fit=loaded.manifest.recipe.size, limits=self._limits)
            row = loaded.predictor.prepare(image)
            decoded = time.monotonic()
        batch = loaded.batcher.submit(row, deadline)
        timings = Timings(
            decode=(decoded - admitted) * 1000,
            queue=(admitted - started) * 1000 + batch.queue_ms,
            model=batch.model_ms,
            total=(time.monotonic() - started) * 1000,
        )
        prediction = Prediction(
            id=str(ULID()),
            model=loaded.manifest.name,
            version=loaded.manifest.version,
            scores=ranked(loaded.manifest.classes, batch.probabilities),
            picture=_facts(image),
            timings=timings,
            created_at=datetime.now(UTC),
        )
        return Answer(prediction, loaded.manifest, self._recorder.record(prediction, owner, file_name))


def _facts(image: Image) -> Picture:
    return Picture(image.format, image.width, image.height, image.sha256, image.steps)
