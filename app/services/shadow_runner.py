"""Lets the version in a model's shadow look at pictures that were answered, behind the requests that brought them."""

from __future__ import annotations

import contextlib
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from queue import Empty, SimpleQueue

import numpy as np
import structlog

from app.errors import VitrineError
from app.inference.images import ImageLimits, decode
from app.inference.pointer import Shadow
from app.inference.prediction import Prediction
from app.inference.predictor import Predictor
from app.inference.repository import Repository
from app.services.shadow_answers import ShadowAnswer, ShadowAnswers
from app.services.telemetry.metrics import Metrics

# How many pictures wait, and with how many bytes; more are passed over.
MOST_WAITING = 16
MOST_BYTES = 64_000_000
_LARGEST_GROUP = 50
_GROUP_SECONDS = 1.0
# What could not be opened is tried again so much later.
_AGAIN_AFTER_SECONDS = 60.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Task:
    """A picture as it was sent, and what was answered."""

    version: str
    upload: bytes
    prediction: Prediction
    stored: bool

    @property
    def of(self) -> tuple[str, str]:
        return self.prediction.model, self.version


class ShadowRunner:
    """Takes some of the pictures that were answered, shows them to the version in the shadow, and has both answers kept.

    One thread a process, begun by the first picture. Nobody waits for it: where pictures come faster than it looks at them,
    they are passed over and counted.
    """

    def __init__(
        self,
        *,
        repository: Repository,
        answers: ShadowAnswers,
        metrics: Metrics,
        limits: ImageLimits,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        # By the model's name; whoever asks looks only whether it is empty, which it is as a rule.
        self.running: dict[str, Shadow] = {}
        self._repository = repository
        self._answers = answers
        self._metrics = metrics
        self._limits = limits
        self._chance = chance
        self._clock = clock
        self._line: SimpleQueue[_Task] = SimpleQueue()
        # Held for no longer than it takes to count.
        self._lock = threading.Lock()
        self._waiting = self._bytes = 0
        self._passed_over: Counter[tuple[str, str]] = Counter()
        self._thread: threading.Thread | None = None
        self._opened: dict[tuple[str, str], Predictor] = {}
        self._failed: dict[tuple[str, str], float] = {}

    @property
    def waiting(self) -> int:
        """How many pictures wait now."""
        return self._waiting

    def follow(self, names: Iterable[str]) -> None:
        """Bring what runs here up to what the disk says, and let go of what runs no more."""
        found = {}
        for name in names:
            with contextlib.suppress(VitrineError):  # a model that cannot be read is told of by whoever follows it
                if shadow := self._repository.shadow(name):
                    found[name] = shadow
        self.running.update(found)
        for name in self.running.keys() - found.keys():
            self.running.pop(name, None)
        run = {(name, shadow.version) for name, shadow in found.items()}
        for held in (self._opened, self._failed):
            for gone in held.keys() - run:
                held.pop(gone, None)

    def offer(self, upload: bytes, prediction: Prediction, *, stored: bool) -> None:
        """Take a picture that the active version has answered, if chance will have it and there is room; returns at once."""
        shadow = self.running.get(prediction.model)
        if shadow is None or shadow.version == prediction.version or self._chance() >= shadow.share:
            return
        with self._lock:
            if self._waiting >= MOST_WAITING or self._bytes + len(upload) > MOST_BYTES:
                self._passed_over[prediction.model, shadow.version] += 1
                return
            self._waiting += 1
            self._bytes += len(upload)
            self._line.put(_Task(shadow.version, upload, prediction, stored))
            if self._thread is None or not self._thread.is_alive():
                self._begin()

    def _begin(self) -> None:
        thread = threading.Thread(target=self._run, name="shadow", daemon=True)
        with contextlib.suppress(RuntimeError):  # no more threads now: the next picture tries again
            thread.start()
            self._thread = thread

    def _run(self) -> None:
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
        while True:
            group = [self._look_at(self._line.get())]
            until = self._clock() + _GROUP_SECONDS
            with contextlib.suppress(Empty):
                while len(group) < _LARGEST_GROUP and (left := until - self._clock()) > 0:
                    group.append(self._look_at(self._line.get(timeout=left)))
            self._keep(group)

    def _look_at(self, task: _Task) -> ShadowAnswer:
        with self._lock:
            self._waiting -= 1
        prediction = task.prediction
        answer = ShadowAnswer(
            model=prediction.model,
            version=task.version,
            against=prediction.version,
            prediction_id=prediction.id if task.stored else None,
            label=prediction.top.label,
            probability=prediction.top.probability,
            created_at=datetime.now(UTC),
        )
        try:
            return self._compared(answer, task)
        except Exception as error:  # a version that nobody has tried may raise anything
            if task.of not in self._failed:
                log.error("shadow_failed", model=prediction.model, version=task.version, exc_info=error)
            self._failed[task.of] = self._clock()
            return answer
        finally:
            with self._lock:
                self._bytes -= len(task.upload)

    def _compared(self, answer: ShadowAnswer, task: _Task) -> ShadowAnswer:
        predictor = self._predictor(task.of)
        if predictor is None:
            return answer
        started = time.monotonic()
        image = decode(task.upload, fit=predictor.manifest.recipe.size, limits=self._limits)
        probabilities = predictor.probabilities(predictor.prepare(image)[np.newaxis])[0]
        ms = (time.monotonic() - started) * 1000
        classes = predictor.manifest.classes
        best = int(probabilities.argmax())
        # Of a class that it does not know it says that it is none.
        given = float(probabilities[classes.index(answer.label)]) if answer.label in classes else 0.0
        return replace(
            answer,
            shadow_label=classes[best],
            shadow_probability=float(probabilities[best]),
            difference=abs(given - answer.probability),
            ms=ms,
        )

    def _predictor(self, key: tuple[str, str]) -> Predictor | None:
        """Give the version, opened here and nowhere else; None where that was tried in vain a short while ago."""
        predictor = self._opened.get(key)
        if predictor is not None:
            return predictor
        failed = self._failed.get(key)
        if failed is not None and self._clock() - failed < _AGAIN_AFTER_SECONDS:
            return None
        predictor = self._opened[key] = Predictor(self._repository.package(*key))
        return predictor

    def _keep(self, group: list[ShadowAnswer]) -> None:
        with self._lock:
            passed, self._passed_over = self._passed_over, Counter()
        for number, answer in enumerate(group):
            count = passed.pop((answer.model, answer.version), 0)
            group[number] = replace(answer, passed_over=count)
            self._metrics.shadowed(answer.model, answer.version, answer.outcome)
            if count:
                self._metrics.shadowed(answer.model, answer.version, "passed over", count)
        with self._lock:  # of versions that no picture of this group was for
            self._passed_over.update(passed)
        try:
            self._answers.record(group)
        except Exception as error:
            log.error("shadow_answers_not_kept", count=len(group), reason=type(error).__name__)
