"""The guard against a slow creep of the light request."""

from __future__ import annotations

import pytest

from benchmarks.alone import Seen, guard_holds
from benchmarks.floors import Costs
from tests.benchmarks.runs import make_measured


def seen(case: str, *served_ms: float) -> Seen:
    floor = Costs(decode_ms=0.2, prepare_ms=0.1, predict_ms=0.2, source_ms=0.4)
    return Seen(case, tuple(make_measured(f"{case} c=8", cpu_ms=ms) for ms in served_ms), (floor,) * len(served_ms))


def test_a_request_is_held_against_the_whole_pipeline_by_the_median_round() -> None:
    assert seen("A1", 1.2, 1.5, 9.0).beyond_ms == pytest.approx(1.0)
    assert seen("A1", 1.2).line().split() == ["A1", "1.200", "0.500", "0.700", "0.400", "10.000", "20.000"]


def test_only_the_light_request_is_guarded() -> None:
    assert guard_holds([seen("A1", 1.4), seen("B2", 50.0)])
    assert not guard_holds([seen("B2", 1.4), seen("A1", 1.6)])
    assert guard_holds([])
