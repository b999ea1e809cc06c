"""What a process tells of itself."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.composition import compose
from app.inference.images import decode
from app.services.telemetry.numbers import levels, numbers
from app.services.telemetry.vital_signs import VitalSigns
from tests.factories import make_picture, make_settings, publish

pytestmark = pytest.mark.usefixtures("frozen_follower")


class Remembered:
    """A cache that was looked into."""

    def __init__(self, hits: int, misses: int) -> None:
        self.hits, self.misses = hits, misses


def sample(name: str, **labels: str) -> float:
    found = numbers().registry.get_sample_value(f"vitrine_{name}", labels)
    assert found is not None, name
    return found


def signs_of(folder: Path, **given: Any) -> tuple[VitalSigns, Any]:
    """Give the signs of services with one model, and those services."""
    made = compose(make_settings(folder, models=folder / "shipped"))
    publish(made.repository, "signs")
    made.loader.open_active()
    return VitalSigns(loader=made.loader, data=folder, **given), made


def test_models_are_told_by_the_version_that_answers(tmp_path: Path) -> None:
    signs, made = signs_of(tmp_path)
    signs.tell()
    assert sample("model_active", model="signs", version="1") == 1
    assert sample("model_problem", model="signs") == 0
    assert (sample("models_open"), sample("workers_ready"), sample("workers")) == (1, 1, 1)
    made.loader.told["signs"] = "It is broken."
    made.loader.serving.clear()
    signs.tell()
    assert sample("model_active", model="signs", version="1") == 0
    assert sample("model_problem", model="signs") == 1
    assert sample("workers_ready") == 0


def test_a_model_that_answers_in_spite_of_a_problem_is_ready(tmp_path: Path) -> None:
    signs, made = signs_of(tmp_path)
    made.loader.told["signs"] = "It answers from memory."
    signs.tell()
    assert (sample("model_problem", model="signs"), sample("workers_ready")) == (1, 1)


def test_lines_are_told_as_long_as_they_are_now(tmp_path: Path) -> None:
    signs, _ = signs_of(tmp_path)
    waiting = [4]
    signs.lines["thread"] = lambda: waiting[0]
    signs.tell()
    assert sample("waiting", line="thread") == 4
    waiting[0] = 0
    signs.tell()
    assert (sample("waiting", line="thread"), sample("waiting", line="model")) == (0, 0)


def test_what_grew_where_it_is_kept_is_added_once(tmp_path: Path) -> None:
    signs, _ = signs_of(tmp_path)
    cache, failures = Remembered(5, 2), [1]
    signs.caches["answers"], signs.failures = cache, lambda: failures[0]
    looks = {outcome: sample("cache_lookups_total", cache="answers", outcome=outcome) for outcome in ("hit", "miss")}
    failed = sample("history_failures_total")
    for _ in range(2):
        signs.tell()
    cache.hits, failures[0] = 9, 3
    signs.tell()
    assert sample("cache_lookups_total", cache="answers", outcome="hit") == looks["hit"] + 9
    assert sample("cache_lookups_total", cache="answers", outcome="miss") == looks["miss"] + 2
    assert sample("history_failures_total") == failed + 3


def test_batches_are_counted_by_their_size(tmp_path: Path) -> None:
    signs, made = signs_of(tmp_path)
    signs.tell()
    loaded = made.loader.get("signs")
    before = numbers().registry.get_sample_value("vitrine_batches_total", {"size": "1"}) or 0
    for _ in range(3):
        loaded.batcher.submit(
            loaded.predictor.prepare(decode(make_picture(), fit=loaded.manifest.recipe.size)), time.monotonic() + 9
        )
    for _ in range(2):
        signs.tell()
    assert sample("batches_total", size="1") == before + 3


def test_what_the_process_takes_is_told_now_and_then(tmp_path: Path) -> None:
    clock = [0.0]
    signs, _ = signs_of(tmp_path, clock=lambda: clock[0])
    signs.tell()
    assert sample("memory_bytes") > 10_000_000
    assert sample("data_free_bytes") > 0
    assert sample("threads") >= 1
    assert time.time() - 600 < sample("start_time_seconds") <= time.time()
    levels().memory.set(0)
    clock[0] = 9.9
    signs.tell()
    assert sample("memory_bytes") == 0
    clock[0] = 10.0
    signs.tell()
    assert sample("memory_bytes") > 10_000_000


def test_the_time_of_the_processor_and_each_process_are_counted_once(tmp_path: Path) -> None:
    signs, _ = signs_of(tmp_path)
    signs.tell()
    started, taken = sample("workers_started_total"), sample("cpu_seconds_total")
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass
    signs.tell()
    assert sample("workers_started_total") == started
    assert sample("cpu_seconds_total") >= taken + 0.05


def test_where_it_cannot_be_told_the_rest_goes_on_and_the_log_says_so_once(tmp_path: Path) -> None:
    signs, _ = signs_of(tmp_path)
    signs.lines["thread"] = lambda: 1 // 0
    with capture_logs() as written:
        for _ in range(3):
            signs.follow(["signs"])
    assert [event["event"] for event in written] == ["numbers_not_told"]
    signs.lines["thread"] = os.getpid
    signs.follow(["signs"])
    assert sample("waiting", line="thread") == os.getpid()
