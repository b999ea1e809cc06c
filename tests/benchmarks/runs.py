"""Runs that were never measured, to do arithmetic with."""

from __future__ import annotations

from typing import Any

from benchmarks.machine import Machine
from benchmarks.results.values import Cell, Kind, Measured, Results, Server, Turn

MACHINE = Machine("a processor", cores=4, cores_used=2, memory_gb=8.0, kernel="6.1", python="3.11.7")


def make_cell(text: str) -> Cell:
    """Give the cell that is written so: `A1 c=8`."""
    case, connections = text.split(" c=")
    return Cell(case[0], case[1], int(connections))


def make_measured(cell: str, per_second: float = 100.0, **given: Any) -> Measured:
    """Give one measurement without errors."""
    values: dict[str, Any] = {
        "p50_ms": 10.0,
        "p99_ms": 20.0,
        "cpu_ms": 2.0,
        "memory_mb": 140.0,
        "answers": 1000,
        "errors": 0,
        "wrong_status": 0,
        "others_cores": 0.0,
    }
    return Measured(make_cell(cell), per_second, **{**values, **given})


def make_turn(server: str, round_: int, *measured: Measured, cold_start_s: float = 1.0) -> Turn:
    """Give the turn of a server in a round; the model is that of its cells."""
    return Turn(server, measured[0].cell.model, round_, cold_start_s, 0.01, measured)


def make_server(name: str) -> Server:
    """Give a server of the kind that its name tells."""
    kind: Kind = "vitrine" if name.startswith("vitrine") else "draft" if name.endswith("+draft") else "plain"
    return Server(name, name.title(), kind, {"part": "1.0"})


def make_results(*turns: Turn, **given: Any) -> Results:
    """Give a run of these turns."""
    names = dict.fromkeys(turn.server for turn in turns)
    values: dict[str, Any] = {"date": "2026-01-01 12:00 +0000", "machine": MACHINE, "pictures": "9 photos", "seconds": 2.0}
    return Results(**values, servers=tuple(map(make_server, names)), turns=turns, **given)
