"""The generated part of docs/scaling.md: what a core takes, what waiting costs, and how far that can be believed."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

import numpy as np

from benchmarks.results.ratios import Figures
from benchmarks.results.tables import number, table
from benchmarks.results.targets import ALL_ON
from benchmarks.results.values import Cell, Results
from benchmarks.scaling.queues import Balancing, Service, closed_circle, open_stream

BEGIN = "<!-- Written by `python -m benchmarks scaling`, from here -->"
END = "<!-- to here -->"
_SEED = 20260101
_WORKERS = 2  # a replica is what was measured: two cores, two workers
_REPLICAS = (1, 2, 4, 10, 100, 1000)
_LOADS = (0.5, 0.7, 0.85, 0.95)
_BALANCINGS: tuple[Balancing, ...] = ("random", "in turn", "least busy")
_REQUESTS = 200_000
_REFERENCE = "A2"  # a photo and a light model: what most sites serve


def scaling_report(results: Results) -> str:
    """Give the tables in Markdown; raises ValueError where the reference case was not measured."""
    figures = Figures(results)
    services = {case: service for case in _cases(figures) if (service := _service(figures, case)) is not None}
    if _REFERENCE not in services:
        raise ValueError(f"These results hold no {_REFERENCE} of {ALL_ON}: measure it first.")
    return "\n\n".join(
        [
            f"### What a core takes\n\n{_capacity(services)}",
            f"### What waiting costs\n\n{_waiting(services[_REFERENCE])}",
            f"### The simulation beside the measurement\n\n{_check(figures, services)}",
        ]
    )


def _cases(figures: Figures) -> list[str]:
    return list(dict.fromkeys(cell.case for cell in figures.cells))


def _middle(figures: Figures, cell: Cell, value: str) -> float | None:
    seen = figures.rounds(ALL_ON, cell, lambda measured: float(getattr(measured, value))).values()
    return median(seen) if seen else None


def _service(figures: Figures, case: str) -> Service | None:
    """Learn from eight connections how long a request keeps a core, the client's share of it included."""
    cell = next((c for c in figures.cells if c.case == case and c.connections == 8), None)
    per_second = None if cell is None else _middle(figures, cell, "per_second")
    return None if not per_second else Service(_WORKERS / per_second)


def _capacity(services: dict[str, Service]) -> str:
    head = ["case", "a core, answers a second", "a replica", "a million answers a day, cores at 60 %"]
    rows = []
    for case, service in services.items():
        a_core = 1 / service.seconds
        rows.append([case, number(a_core), number(_WORKERS * a_core), number(1e6 / 86_400 / a_core / 0.6)])
    return table(head, rows)


def _waiting(service: Service) -> str:
    head = ["replicas", "balancing", *(f"{load:.0%} busy" for load in _LOADS)]
    return table(head, _waiting_rows(service))


def _waiting_rows(service: Service) -> Iterator[list[str]]:
    for replicas in _REPLICAS:
        for balancing in _BALANCINGS:
            cells = []
            for load in _LOADS:
                rng = np.random.default_rng(_SEED)
                workers = replicas * _WORKERS
                seen = open_stream(
                    service,
                    workers=workers,
                    per_second=load * workers / service.seconds,
                    balancing=balancing,
                    requests=max(_REQUESTS, 200 * workers),
                    rng=rng,
                )
                cells.append(f"{number(seen.percentile_ms(50))} / {number(seen.percentile_ms(99))}")
            yield [f"{replicas:,}", balancing, *cells]


def _check(figures: Figures, services: dict[str, Service]) -> str:
    head = ["cell", "answers a second, measured", "simulated", "p50 measured, ms", "simulated"]
    rows = []
    for cell in figures.cells:
        measured = _middle(figures, cell, "per_second"), _middle(figures, cell, "p50_ms")
        if cell.case not in services or None in measured:
            continue
        rng = np.random.default_rng(_SEED)
        seen = closed_circle(
            services[cell.case], workers=_WORKERS, connections=cell.connections, requests=_REQUESTS // 10, rng=rng
        )
        speed, p50 = (value or 0.0 for value in measured)
        rows.append([str(cell), number(speed), number(seen.per_second), number(p50), number(seen.percentile_ms(50))])
    return table(head, rows)
