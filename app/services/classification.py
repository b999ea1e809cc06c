"""The one path from an upload to an answer, shared by every door."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ulid import ULID

from app.errors import VitrineError
from app.inference.batching import Gate, Joined, Probabilities
from app.inference.images import Image, ImageLimits, decode
from app.inference.package import Manifest
from app.inference.prediction import Picture, Prediction, Timings, ranked
from app.services.answer_cache import AnswerCache, key_of
from app.services.loaded_model import LoadedModel
from app.services.model_loader import ModelLoader
from app.services.recorder import Owner, Recorder
from app.services.shadow_runner import ShadowRunner
from app.services.telemetry.metrics import Metrics
from app.services.telemetry.traffic import Traffic


@dataclass(frozen=True, slots=True)
class Answer:
    """A prediction, what its model says of itself, and whether the prediction was stored."""

    prediction: Prediction
    manifest: Manifest
    stored: bool


class ClassificationService:
    """Decodes for the model that was asked for, lets it answer, and has the answer recorded."""

    def __init__(
        self,
        *,
        loader: ModelLoader,
        recorder: Recorder,
        metrics: Metrics,
        traffic: Traffic,
        shadows: ShadowRunner,
        answers: AnswerCache,
        decoding: Gate,
        limits: ImageLimits,
        answer_within: float,
    ) -> None:
        self._loader = loader
        self._recorder = recorder
        self._metrics = metrics
        self._traffic = traffic
        self._shadows = shadows
        self._shadowed = shadows.running  # looked at for every answer, and empty as a rule
        self._answers = answers
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
        identifier: str | None = None,
    ) -> Answer:
        """Answer for one picture file; raises InvalidImage, ModelNotFound, ModelRequired or Overloaded.

        The prediction bears a new identifier, or the one that is given; none is stored twice.
        """
        try:
            loaded, prediction = self._predict(upload, model, version, identifier or str(ULID()))
        except VitrineError as error:
            self._metrics.refused(error.code)
            self._traffic.refused(error.code)
            raise
        storing = time.monotonic()
        stored = self._recorder.record(prediction, owner, file_name)
        store_ms = (time.monotonic() - storing) * 1000
        before = prediction.timings
        timings = Timings(before.decode, before.queue, before.model, before.total + store_ms, store_ms)
        self._metrics.answered(prediction.model, prediction.version, timings, stored=stored)
        self._traffic.answered(prediction, timings)
        if self._shadowed and version is None:
            self._shadows.offer(upload, prediction, stored=stored)
        return Answer(replace(prediction, timings=timings), loaded.manifest, stored)

    def _predict(
        self, upload: bytes, model: str | None, version: str | None, identifier: str
    ) -> tuple[LoadedModel, Prediction]:
        started = time.monotonic()
        loaded = self._loader.get(model, version)
        image, decode_ms, answer = self._ask(loaded, upload, started + self._answer_within)
        total_ms = (time.monotonic() - started) * 1000
        manifest = loaded.manifest
        return loaded, Prediction(
            id=identifier,
            model=manifest.name,
            version=manifest.version,
            scores=ranked(manifest.classes, answer.result),
            picture=Picture(image.format, image.width, image.height, image.sha256, image.steps),
            timings=Timings(decode_ms, answer.queue_ms, answer.work_ms, total_ms),
            created_at=datetime.now(UTC),
        )

    def _ask(self, loaded: LoadedModel, upload: bytes, deadline: float) -> tuple[Image, float, Joined[Probabilities]]:
        """Give the picture, the milliseconds it took to decode, and what the model answered."""
        arrived = time.monotonic()
        with loaded.batcher.announced(), self._decoding.passage(deadline):
            admitted = time.monotonic()
            image = decode(upload, fit=loaded.manifest.recipe.size, limits=self._limits)
            row = loaded.predictor.prepare(image)
            decode_ms, waited_ms = (time.monotonic() - admitted) * 1000, (admitted - arrived) * 1000
            key = key_of(loaded.manifest.name, loaded.manifest.version, row) if self._answers.enabled else None
            known = None if key is None else self._answers.find(key)
            if known is not None:
                return image, decode_ms, Joined(known, waited_ms, 0.0)
            place = loaded.batcher.join(row)
        answer = loaded.batcher.result_of(place, deadline)
        if key is not None:
            self._answers.keep(key, answer.result)
        return image, decode_ms, Joined(answer.result, waited_ms + answer.queue_ms, answer.work_ms)
