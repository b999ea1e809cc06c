"""What Vitrine wants to reach, and whether it did."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from benchmarks.results.ratios import Figures, peak_mb
from benchmarks.results.values import Cell

ALL_ON, BARE = "vitrine", "vitrine-bare"

# Answers a second by the best peer's, at least; by case, and by connections where it is not the same for all.
_SPEED: dict[str, dict[str, float | dict[int, float]]] = {
    "A1": {ALL_ON: 1.0, BARE: 1.3},
    "A2": {ALL_ON: 4.0},
    "A3": {ALL_ON: 4.0},
    "B1": {ALL_ON: {1: 10.0, 8: 5.0, 32: 2.0}},
    "B2": {ALL_ON: {1: 5.0, 8: 3.0, 32: 3.0}},
    "C1": {BARE: 1.25},
    "C2": {ALL_ON: 4.0},
}
_MEMORY_MB = {"A3": 600.0, "B": 150.0}
_START = 0.5  # of the quickest peer's
_TAIL = 3.0  # p99 by p50, over eight connections
_TAIL_CONNECTIONS, _MANY_CONNECTIONS = 8, 32
_ALONE = 1.2  # processor time by that of the backbone and the decoder, for the bundled cats-vs-dogs


@dataclass(frozen=True, slots=True)
class Verdict:
    """One target: what it asks, what was found, and whether that is enough."""

    subject: str
    wanted: str
    found: str
    reached: bool

    @property
    def word(self) -> str:
        """Say it."""
        return "reached" if self.reached else "not reached"


def wanted_speed(server: str, cell: Cell) -> float | None:
    """Give the ratio that a set-up of Vitrine wants to reach in a cell, or None where nothing is asked."""
    wanted = _SPEED.get(cell.case, {}).get(server)
    return wanted.get(cell.connections) if isinstance(wanted, dict) else wanted


def verdicts(figures: Figures) -> list[Verdict]:
    """Hold a run against every target that it measured."""
    return [*_speeds(figures), *_memory(figures), *_starts(figures), *_tails(figures), *_errors(figures), *_alone(figures)]


def _speeds(figures: Figures) -> list[Verdict]:
    found = []
    for cell in figures.cells:
        for server, title in ((ALL_ON, "all on"), (BARE, "bare")):
            wanted, ratio = wanted_speed(server, cell), figures.speed_ratio(server, cell, "plain")
            if wanted is not None and ratio is not None:
                subject = f"{cell}, {title}: speed by the best peer's"
                found.append(Verdict(subject, f"at least {wanted:g}", str(ratio), ratio.middle >= wanted))
    return found


def _memory(figures: Figures) -> list[Verdict]:
    found = []
    for cell in figures.cells:
        if (cell.case, cell.connections) == ("A3", _MANY_CONNECTIONS):
            peaks = figures.rounds(ALL_ON, cell, lambda measured: measured.memory_mb)
            found += _at_most(f"{cell}: memory, MB", _MEMORY_MB["A3"], peaks)
    return found + _at_most("model B: memory, MB", _MEMORY_MB["B"], figures.starts(ALL_ON, "B", peak_mb))


def _at_most(subject: str, wanted: float, rounds: dict[int, float]) -> list[Verdict]:
    """Judge by the worst round: memory that is needed once must be there."""
    if not rounds:
        return []
    worst = max(rounds.values())
    return [Verdict(subject, f"at most {wanted:g}", f"{worst:.0f}", worst <= wanted)]


def _starts(figures: Figures) -> list[Verdict]:
    found = []
    for model in sorted({cell.model for cell in figures.cells}):
        ratio = figures.start_ratio(ALL_ON, model)
        if ratio is not None:
            subject = f"model {model}: cold start by the quickest peer's"
            found.append(Verdict(subject, f"at most {_START:g}", str(ratio), ratio.middle <= _START))
    return found


def _tails(figures: Figures) -> list[Verdict]:
    found = []
    for cell in figures.cells:
        rounds = figures.rounds(ALL_ON, cell, lambda measured: measured.p99_ms / measured.p50_ms)
        if cell.connections == _TAIL_CONNECTIONS and rounds:
            tail = median(rounds.values())
            found.append(Verdict(f"{cell}: p99 by the median", f"at most {_TAIL:g}", f"{tail:.2f}", tail <= _TAIL))
    return found


def _errors(figures: Figures) -> list[Verdict]:
    cells = [cell for cell in figures.cells if cell.connections == _MANY_CONNECTIONS]
    seen = [measured.errors for cell in cells for measured in figures.measured(ALL_ON, cell).values()]
    if not seen:
        return []
    return [Verdict(f"all cases c={_MANY_CONNECTIONS}: errors", "none", str(sum(seen)), not any(seen))]


def _alone(figures: Figures) -> list[Verdict]:
    found = []
    for cell in figures.cells:
        floors = {f.round: f.decode_ms + f.predict_ms for f in figures.results.floors if f.case == cell.case == "D2"}
        spent = figures.rounds(ALL_ON, cell, lambda measured: measured.cpu_ms)
        each = [spent[number] / floor for number, floor in floors.items() if number in spent]
        if each:
            subject = f"{cell}: processor time by that of the network and the decoder"
            shown = f"{median(each):.2f} ({min(each):.2f}–{max(each):.2f})"
            found.append(Verdict(subject, f"at most {_ALONE:g}", shown, median(each) <= _ALONE))
    return found
