"""Vitrine divided by its best peer, round by round: a slow minute of the machine then slows both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

from benchmarks.results.values import Cell, Kind, Measured, Results, Turn

# A number of one server, by round.
Rounds = Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median of the rounds' ratios to one peer, and the lowest and the highest of them."""

    peer: str
    middle: float
    lowest: float
    highest: float

    def __str__(self) -> str:
        return f"{self.middle:.2f} ({self.lowest:.2f}–{self.highest:.2f})"


def ratio_to_best(own: Rounds, peers: Mapping[str, Rounds], *, most: bool) -> Ratio | None:
    """Divide by the peer with the best median, `most` or least, in the rounds that both have; None where there are none."""
    able = {name: median(rounds.values()) for name, rounds in peers.items() if own.keys() & rounds.keys()}
    if not able:
        return None
    best = (max if most else min)(able, key=able.__getitem__)
    each = [own[number] / value for number, value in peers[best].items() if number in own and value > 0]
    return Ratio(best, median(each), min(each), max(each)) if each else None


class Figures:
    """Looks numbers up in a run. A server that failed with a model has none for it: it cannot be anybody's best."""

    def __init__(self, results: Results) -> None:
        failed = {(failure.server, failure.model) for failure in results.failures}
        self.results = results
        self.turns = [turn for turn in results.turns if (turn.server, turn.model) not in failed]
        self.cells = sorted(
            {measured.cell for turn in results.turns for measured in turn.measured},
            key=lambda cell: (cell.case, cell.connections),
        )

    def servers(self, *kinds: Kind) -> list[str]:
        """Give the names of the servers of these kinds, in the order they took part."""
        return [server.name for server in self.results.servers if server.kind in kinds]

    def measured(self, server: str, cell: Cell) -> dict[int, Measured]:
        """Give what one server did in one cell, by round; nothing where it answered nothing."""
        return {
            turn.round: measured
            for turn in self.turns
            for measured in turn.measured
            if turn.server == server and measured.cell == cell and measured.answers
        }

    def rounds(self, server: str, cell: Cell, number: Callable[[Measured], float]) -> dict[int, float]:
        """Give one number of one server in one cell, by round."""
        return {round_: number(measured) for round_, measured in self.measured(server, cell).items()}

    def starts(self, server: str, model: str, number: Callable[[Turn], float]) -> dict[int, float]:
        """Give one number of a server's turns with a model, by round."""
        return {turn.round: number(turn) for turn in self.turns if (turn.server, turn.model) == (server, model)}

    def speed_ratio(self, server: str, cell: Cell, kind: Kind) -> Ratio | None:
        """Give a server's answers a second by those of the best peer of a kind."""
        peers = {peer: self.rounds(peer, cell, _per_second) for peer in self.servers(kind)}
        return ratio_to_best(self.rounds(server, cell, _per_second), peers, most=True)

    def start_ratio(self, server: str, model: str) -> Ratio | None:
        """Give a server's cold start by that of the quickest peer."""
        peers = {peer: self.starts(peer, model, _cold_start) for peer in self.servers("plain")}
        return ratio_to_best(self.starts(server, model, _cold_start), peers, most=False)


def peak_mb(turn: Turn) -> float:
    """Give the largest memory seen in a turn, in megabytes."""
    return max((measured.memory_mb for measured in turn.measured), default=0.0)


def _per_second(measured: Measured) -> float:
    return measured.per_second


def _cold_start(turn: Turn) -> float:
    return turn.cold_start_s
