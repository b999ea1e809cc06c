"""The simulation of queues, held against what queueing theory knows exactly."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.scaling.queues import Balancing, Service, closed_circle, open_stream

MANY = 200_000


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def mean_wait(load: float, spread: float, balancing: Balancing = "random", workers: int = 1) -> float:
    """Give the mean wait before service, in service times."""
    service = Service(1.0, spread)
    seen = open_stream(
        service, workers=workers, per_second=load * workers, balancing=balancing, requests=MANY * workers, rng=rng()
    )
    return float(seen.seconds.mean()) - 1.0


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0])
def test_one_worker_waits_as_pollaczek_and_khinchine_say(load: float, spread: float) -> None:
    expected = load * (1 + spread**2) / (2 * (1 - load))
    assert mean_wait(load, spread) == pytest.approx(expected, rel=0.06)


def test_strangers_sent_at_random_wait_as_before_one_worker() -> None:
    assert mean_wait(0.7, 0.0, workers=4) == pytest.approx(mean_wait(0.7, 0.0), rel=0.06)


def test_whoever_finds_the_least_busy_worker_waits_least() -> None:
    random, in_turn, least = (mean_wait(0.8, 0.3, b, workers=4) for b in ("random", "in turn", "least busy"))
    assert least < in_turn < random
    assert least < random / 3


def test_a_worker_that_is_asked_for_more_than_it_can_gives_what_it_can() -> None:
    seen = open_stream(Service(0.01, 0.2), workers=2, per_second=1000, balancing="in turn", requests=20_000, rng=rng())
    assert seen.per_second == pytest.approx(200, rel=0.02)


def test_a_lone_connection_never_waits() -> None:
    seen = closed_circle(Service(0.01, 0.0), workers=2, connections=1, requests=1000, rng=rng())
    assert seen.per_second == pytest.approx(100)
    assert seen.percentile_ms(99) == pytest.approx(10)


def test_more_connections_than_workers_wait_for_each_other() -> None:
    seen = closed_circle(Service(0.01, 0.0), workers=2, connections=8, requests=10_000, rng=rng())
    assert seen.per_second == pytest.approx(200, rel=0.01)
    assert seen.percentile_ms(50) == pytest.approx(40, rel=0.01)


def test_services_have_the_mean_and_the_spread_that_were_asked_for() -> None:
    drawn = Service(0.02, 0.5).draw(MANY, rng())
    assert drawn.min() > 0
    assert (drawn.mean(), drawn.std() / drawn.mean()) == (pytest.approx(0.02, rel=0.02), pytest.approx(0.5, rel=0.03))
