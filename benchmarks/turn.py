"""One server's turn in a round: start it, check it, measure its cells, check it again, end it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.load.check import check
from benchmarks.load.wires import Body, body_with_gap, plain_body
from benchmarks.load.wrk import measure
from benchmarks.results.values import Cell, Measured, Turn
from benchmarks.servers.running import Launch, RunningServer

_START_SECONDS = 120.0
_WARM_UP_SECONDS = 2
_WARM_UP_CONNECTIONS = 8
# Answers a connection, below which a cell tells nothing and is measured once more, so many times as long.
_ENOUGH = 2
_LONGER = 3


@dataclass(frozen=True)
class Work:
    """What a turn has to do."""

    model: str
    round: int
    cells: Sequence[tuple[Cell, float]]  # and for how many seconds each is measured
    pictures: Mapping[str, bytes]  # by name, of these cells
    checks: Mapping[str, bytes]
    expected: Mapping[str, Mapping[str, float]]


def take_turn(launch: Launch, work: Work, log: Path) -> Turn:
    """Run one server through its cells, or raise ServerFailed."""
    bodies = {name: body_with_gap(launch.wire, file) for name, file in work.pictures.items()}
    first = min(work.pictures)
    files = [*work.checks.items(), *((f"{name}.jpg", file) for name, file in work.pictures.items())]
    with RunningServer(launch, log) as server:
        cold_start = server.first_answer(*plain_body(launch.wire, work.pictures[first], "picture.jpg"), _START_SECONDS)
        measure(server, bodies[first], Cell(work.model, first, _WARM_UP_CONNECTIONS), _WARM_UP_SECONDS)
        distance = check(server, files, work.expected)
        measured = []
        for cell, seconds in work.cells:
            measured.append(_measure_enough(server, bodies[cell.picture], cell, seconds))
            _tell(measured[-1])
        server.settle()
        distance = max(distance, check(server, files, work.expected))
    return Turn(launch.name, work.model, work.round, cold_start, distance, tuple(measured))


def _measure_enough(server: RunningServer, body: Body, cell: Cell, seconds: float) -> Measured:
    server.settle()
    seen = measure(server, body, cell, seconds)
    if seen.errors or seen.answers >= _ENOUGH * cell.connections:
        return seen
    server.settle()
    return measure(server, body, cell, _LONGER * seconds)


def _tell(seen: Measured) -> None:
    errors = f", {seen.errors} errors" if seen.errors else ""
    click.echo(
        f"    {seen.cell!s:8} {seen.per_second:8.1f}/s   p50 {seen.p50_ms:8.2f}   p99 {seen.p99_ms:8.2f} ms"
        f"   {seen.cpu_ms:7.2f} ms of processor   {seen.memory_mb:5.0f} MB{errors}"
    )
