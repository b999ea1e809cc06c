"""Every number that Prometheus is told, under its name; its client keeps them, in several processes side by side."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from app.inference.prediction import STAGES

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

# Names a folder in which processes count side by side, each in files of its own; without it each counts for itself.
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
LOGINS = ("succeeded", "failed", "limited")
LINES = ("thread", "model", "history", "shadow")
CACHES = ("answers", "keys")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_making = threading.Lock()


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted as it happens, or is added up where it happens and told a moment later."""

    requests: Counter
    predictions: Counter
    refusals: Counter
    shadows: Counter
    logins: Counter
    batches: Counter
    cache_lookups: Counter
    history_failures: Counter
    workers_started: Counter
    cpu_seconds: Counter


@dataclass(frozen=True, slots=True)
class Levels:
    """What goes up and down; of a process that has ended nothing is told any more."""

    waiting: Gauge
    active: Gauge
    problems: Gauge
    held: Gauge
    workers: Gauge
    ready: Gauge
    memory: Gauge
    threads: Gauge
    started: Gauge
    disk_free: Gauge
    build: Gauge


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of this process. The client refuses to have two of one name, so there is one of these."""

    registry: CollectorRegistry
    counted: Counted
    stages: dict[str, Histogram]
    _series: dict[tuple[object, ...], Counter] = field(default_factory=dict)

    def answers(self, model: str, version: str, *, stored: bool) -> Counter:
        """Give the counter of one version's answers; the client takes its time to find it among the labels."""
        key = (model, version, stored)
        counter = self._series.get(key)
        if counter is None:
            counter = self._series[key] = self.counted.predictions.labels(model, version, "yes" if stored else "no")
        return counter

    def requests(self, kind: str, method: str, hundreds: int) -> Counter:
        """Give the counter of requests of a kind that were answered with a status of these hundreds."""
        key = (kind, method, hundreds)
        counter = self._series.get(key)
        if counter is None:
            counter = self._series[key] = self.counted.requests.labels(kind, method, f"{hundreds}xx")
        return counter


_numbers: Numbers | None = None
_levels: Levels | None = None


def numbers() -> Numbers:
    """Give the numbers of this process, made on first use."""
    return _numbers or _made()


def levels() -> Levels:
    """Give the levels of this process, made on first use: never in one that serves nobody and only starts others."""
    global _levels
    registry = numbers().registry
    with _making:
        if _levels is None:
            _levels = _all_levels(registry)
        return _levels


def _made() -> Numbers:
    global _numbers
    with _making:
        if _numbers is None:
            if folder := os.environ.get(FOLDER_VARIABLE):
                Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
            # Imported here because it looks at its environment as it is imported, and Gunicorn's settings come later.
            from prometheus_client import CollectorRegistry, Histogram, disable_created_metrics

            disable_created_metrics()  # type: ignore[no-untyped-call] # where processes count side by side there are none
            registry = CollectorRegistry()
            stages = Histogram(
                "vitrine_prediction_seconds",
                "Where the time of an answer went.",
                ("stage",),
                buckets=_SECONDS,
                registry=registry,
            )
            _numbers = Numbers(registry, _all_counted(registry), {each: stages.labels(each) for each in STAGES})
        return _numbers


def _all_counted(registry: CollectorRegistry) -> Counted:
    from prometheus_client import Counter

    def counter(name: str, words: str, *labels: str) -> Counter:
        return Counter(f"vitrine_{name}", words, labels, registry=registry)

    found = Counted(
        requests=counter("requests", "Requests that were answered.", "kind", "method", "status"),
        predictions=counter("predictions", "Answers given.", "model", "version", "stored"),
        refusals=counter("refusals", "Pictures that were not answered, by the reason's code.", "code"),
        shadows=counter("shadow_answers", "Pictures of versions in the shadow.", "model", "version", "outcome"),
        logins=counter("logins", "Attempts to log in, by what became of them.", "outcome"),
        batches=counter("batches", "Calls of models, by how many pictures at most were joined in one.", "size"),
        cache_lookups=counter("cache_lookups", "Looks into what is remembered.", "cache", "outcome"),
        history_failures=counter("history_failures", "Answers that were to be stored and could not be."),
        workers_started=counter("workers_started", "Processes that have begun to serve."),
        cpu_seconds=counter("cpu_seconds", "Processor time that the workers have taken."),
    )
    # A rate needs a number to begin from.
    for code in ("overloaded", "database_unavailable"):
        found.refusals.labels(code)
    for outcome in LOGINS:
        found.logins.labels(outcome)
    for cache in CACHES:
        for outcome in ("hit", "miss"):
            found.cache_lookups.labels(cache, outcome)
    return found


def _all_levels(registry: CollectorRegistry) -> Levels:
    from prometheus_client import Gauge

    def total(name: str, words: str, *labels: str) -> Gauge:
        return Gauge(f"vitrine_{name}", words, labels, registry=registry, multiprocess_mode="livesum")

    def highest(name: str, words: str, *labels: str) -> Gauge:
        return Gauge(f"vitrine_{name}", words, labels, registry=registry, multiprocess_mode="livemax")

    def lowest(name: str, words: str) -> Gauge:
        return Gauge(f"vitrine_{name}", words, registry=registry, multiprocess_mode="livemin")

    return Levels(
        waiting=total("waiting", "What waits in each line now.", "line"),
        active=total("model_active", "Workers in which this version answers.", "model", "version"),
        problems=highest("model_problem", "1 where something is wrong with a model; /readyz says what.", "model"),
        held=total("models_open", "Opened versions in all workers."),
        workers=total("workers", "Processes that serve."),
        ready=total("workers_ready", "Processes of these that can answer pictures."),
        memory=total("memory_bytes", "Memory of the workers; what several share is counted once."),
        threads=total("threads", "Threads of Python in all workers."),
        started=lowest("start_time_seconds", "When the site was started, in seconds since 1970."),
        disk_free=lowest("data_free_bytes", "Room that is left on the disk of the data folder."),
        build=highest("build_info", "1; which Vitrine this is.", "version"),
    )
