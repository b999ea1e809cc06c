"""Requests that wait for workers, simulated one by one.

A worker is one process on one core and does one thing at a time, in the order of arrival: the processor is what is scarce, and
its threads only keep it busy while others wait for the network. The method is the recursion of Lindley (Proc. Cambridge Phil.
Soc. 48, 1952) for each worker: a request begins when it has arrived and the one before it is done.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Literal, assert_never

import numpy as np
from numpy.typing import NDArray

Balancing = Literal["random", "in turn", "least busy"]
_Seconds = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Service:
    """How long a request keeps a worker: the mean in seconds, and the standard deviation by the mean."""

    seconds: float
    spread: float = 0.3

    def draw(self, count: int, rng: np.random.Generator) -> _Seconds:
        """Give the seconds of so many requests, shape (count,): never negative, with the tail that real ones have."""
        if not self.spread:
            return np.full(count, self.seconds)
        sigma = np.sqrt(np.log1p(self.spread**2))
        return rng.lognormal(np.log(self.seconds) - sigma**2 / 2, sigma, count)


@dataclass(frozen=True, slots=True)
class Waited:
    """What was seen: answers a second, and seconds from arrival to answer of each request, shape (n,)."""

    per_second: float
    seconds: _Seconds

    def percentile_ms(self, share: float) -> float:
        """Give the milliseconds within which so many per cent were answered."""
        return float(np.percentile(self.seconds, share) * 1000)


def open_stream(
    service: Service, *, workers: int, per_second: float, balancing: Balancing, requests: int, rng: np.random.Generator
) -> Waited:
    """Let strangers come independently of each other (a Poisson process), however long the others wait."""
    arrivals = np.cumsum(rng.exponential(1 / per_second, requests))
    works = service.draw(requests, rng)
    if balancing == "least busy":
        ends = _least_busy(arrivals, works, workers)
    else:
        chosen = _chosen(requests, workers, balancing, rng)
        ends = np.empty(requests)
        for worker in range(min(workers, requests)):
            mine = chosen == worker
            ends[mine] = _one_after_the_other(arrivals[mine], works[mine])
    warm = requests // 10  # the first ones found everything idle
    return Waited(requests / float(ends.max()), (ends - arrivals)[warm:])


def closed_circle(service: Service, *, workers: int, connections: int, requests: int, rng: np.random.Generator) -> Waited:
    """Let each connection send its next request when it has its answer, as wrk does; connections stay with their worker."""
    works = service.draw(requests, rng)
    free = np.zeros(workers)
    waiting = [(0.0, number % workers) for number in range(connections)]
    heapq.heapify(waiting)
    seconds = np.empty(requests)
    for number, work in enumerate(works):
        arrived, worker = heapq.heappop(waiting)
        free[worker] = max(arrived, free[worker]) + work
        seconds[number] = free[worker] - arrived
        heapq.heappush(waiting, (float(free[worker]), worker))
    return Waited(requests / float(free.max()), seconds[requests // 10 :])


def _chosen(requests: int, workers: int, balancing: Balancing, rng: np.random.Generator) -> NDArray[np.int64]:
    match balancing:
        case "random":
            return rng.integers(0, workers, requests)
        case "in turn":
            return np.arange(requests, dtype=np.int64) % workers
        case "least busy":
            raise ValueError("who is least busy is not known beforehand")
        case _:
            assert_never(balancing)


def _one_after_the_other(arrivals: _Seconds, works: _Seconds) -> _Seconds:
    """Give when each is done, by Lindley's recursion in the closed form: the end is the work so far plus the longest idling."""
    done = np.cumsum(works)
    return done + np.maximum.accumulate(arrivals - (done - works))


def _least_busy(arrivals: _Seconds, works: _Seconds, workers: int) -> _Seconds:
    free = [0.0] * workers
    ends = np.empty(len(arrivals))
    for number, (arrived, work) in enumerate(zip(arrivals.tolist(), works.tolist(), strict=True)):
        ends[number] = end = max(arrived, free[0]) + work
        heapq.heapreplace(free, end)
    return ends
