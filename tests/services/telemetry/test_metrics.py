"""What is counted, in the words that Prometheus reads, and added up over all workers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from app.config import TREE
from app.inference.prediction import STAGES, Timings
from app.services.telemetry.metrics import Metrics
from app.services.telemetry.numbers import LOGINS, numbers

TIMINGS = Timings(decode=4.0, queue=0.5, model=20.0, store=0.25, total=30.0)
COUNTING = """
from app.inference.prediction import Timings
from app.services.telemetry.metrics import Metrics

for _ in range(50):
    Metrics().answered("shade", "1", Timings(4.0, 0.5, 20.0, 30.0), stored=True)
Metrics().refused("invalid_image")
"""


def sample(name: str, registry: CollectorRegistry | None = None, **labels: str) -> float:
    return (registry or numbers().registry).get_sample_value(name, labels) or 0.0


def test_answers_are_counted_by_version_and_by_whether_they_were_stored() -> None:
    metrics = Metrics()
    for _ in range(3):
        metrics.answered("counted", "1", TIMINGS, stored=True)
    metrics.answered("counted", "1", TIMINGS, stored=False)
    metrics.answered("counted", "2", TIMINGS, stored=True)
    given = [("1", "yes"), ("1", "no"), ("2", "yes"), ("2", "no")]
    counts = [sample("vitrine_predictions_total", model="counted", version=v, stored=stored) for v, stored in given]
    assert counts == [3, 1, 1, 0]


@pytest.mark.parametrize(
    ("asked", "kind", "told"),
    [
        (("/api/v1/predict", "POST", 200), "predict", ("POST", "2xx")),
        (("/api/v1/models/cats/versions/1/predict", "POST", 503), "predict", ("POST", "5xx")),
        (("/api/v1/predictions", "GET", 401), "api", ("GET", "4xx")),
        (("/readyz", "GET", 503), "probe", ("GET", "5xx")),
        (("/metrics", "HEAD", 200), "probe", ("HEAD", "2xx")),
        (("/models/cats/predict", "GET", 404), "page", ("GET", "4xx")),
        (("/", "BREW", 405), "page", ("other", "4xx")),
    ],
)
def test_requests_are_counted_by_kind_and_never_by_what_a_stranger_makes_up(
    asked: tuple[str, str, int], kind: str, told: tuple[str, str]
) -> None:
    labels = {"kind": kind, "method": told[0], "status": told[1]}
    before = numbers().registry.get_sample_value("vitrine_requests_total", labels) or 0
    Metrics().asked(*asked)
    assert numbers().registry.get_sample_value("vitrine_requests_total", labels) == before + 1


def test_logins_are_counted_by_what_became_of_them() -> None:
    metrics = Metrics()
    before = [sample("vitrine_logins_total", outcome=outcome) for outcome in LOGINS]
    for _ in range(2):
        metrics.logged_in()
    metrics.login_failed()
    for _ in range(3):
        metrics.login_limited()
    after = [sample("vitrine_logins_total", outcome=outcome) for outcome in LOGINS]
    assert [now - then for now, then in zip(after, before, strict=True)] == [2, 1, 3]


def test_refusals_are_counted_by_their_code() -> None:
    before = sample("vitrine_refusals_total", code="overloaded")
    Metrics().refused("overloaded")
    Metrics().refused("overloaded")
    assert sample("vitrine_refusals_total", code="overloaded") == before + 2


def test_pictures_of_a_shadow_are_counted_by_what_became_of_them() -> None:
    metrics = Metrics()
    for outcome, amount in (("same", 1), ("same", 1), ("other", 1), ("passed over", 7)):
        metrics.shadowed("counted", "2", outcome, amount)
    outcomes = ("same", "other", "failed", "passed over")
    counts = [sample("vitrine_shadow_answers_total", model="counted", version="2", outcome=each) for each in outcomes]
    assert counts == [2, 1, 0, 7]


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_is_observed_in_seconds(stage: str) -> None:
    before = sample("vitrine_prediction_seconds_sum", stage=stage), sample("vitrine_prediction_seconds_count", stage=stage)
    Metrics().answered("timed", "1", TIMINGS, stored=True)
    assert sample("vitrine_prediction_seconds_sum", stage=stage) - before[0] == pytest.approx(getattr(TIMINGS, stage) / 1000)
    assert sample("vitrine_prediction_seconds_count", stage=stage) - before[1] == 1


def test_workers_are_added_up(tmp_path: Path) -> None:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    workers = [subprocess.Popen([sys.executable, "-c", COUNTING], cwd=TREE, env=environment) for _ in range(2)]
    assert [worker.wait(timeout=60) for worker in workers] == [0, 0]
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(tmp_path))  # type: ignore[no-untyped-call]
    assert sample("vitrine_predictions_total", registry, model="shade", version="1", stored="yes") == 100
    assert sample("vitrine_refusals_total", registry, code="invalid_image") == 2
    assert sample("vitrine_prediction_seconds_count", registry, stage="total") == 100
