"""What a run measures, of whom, and how long it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.results.values import Cell, Kind
from benchmarks.servers.peers import DRAFT
from benchmarks.servers.vitrine import Setup

# Of each model, the pictures that tell something; D is the bundled cats-vs-dogs, measured without peers.
CASES = {"A": "123", "B": "12", "C": "12", "D": "2"}
# Picture 1 has no more pixels than draft would leave.
_DRAFTED = "23"
# Over many connections a picture of twelve megapixels is answered a few times a second: a short cell would tell nothing.
_LONGER = {"3": 2.5}
_TURN_SECONDS = 14.0  # to start, warm up, check twice and end, seen over all servers
_SETTLE_SECONDS = 0.4


@dataclass(frozen=True, slots=True)
class Taker:
    """Who takes a turn: a set-up of Vitrine, or a peer with or without draft."""

    name: str
    kind: Kind

    @property
    def server(self) -> str:
        """What it is called in the results."""
        return self.name + (DRAFT if self.kind == "draft" else "")


@dataclass(frozen=True)
class Plan:
    """The choices of a run."""

    models: Sequence[str]
    pictures: Sequence[str]
    connections: Sequence[int]
    seconds: float
    rounds: int
    setups: Sequence[Setup]
    peers: Sequence[str]
    kinds: Sequence[Kind]

    def cells(self, model: str, kind: Kind) -> list[Cell]:
        """Give what a server of a kind is measured at."""
        pictures = [name for name in CASES[model] if name in self.pictures and (kind != "draft" or name in _DRAFTED)]
        return [Cell(model, picture, connections) for picture in pictures for connections in self.connections]

    def takers(self, model: str, round_: int = 1) -> list[Taker]:
        """Give who takes a turn; each round begins with another one, so that nobody always follows the same."""
        # The target of D is for Vitrine as it comes.
        takers = [Taker(setup, "vitrine") for setup in self.setups if model != "D" or setup == "vitrine"]
        if model != "D":
            takers += [Taker(peer, kind) for kind in self.kinds for peer in self.peers]
        takers = [taker for taker in takers if self.cells(model, taker.kind)]
        start = (round_ - 1) % max(1, len(takers))
        return takers[start:] + takers[:start]

    def seconds_of(self, cell: Cell) -> float:
        """Give how long a cell is measured."""
        return self.seconds * _LONGER.get(cell.picture, 1.0)

    @property
    def minutes(self) -> float:
        """Tell about how long it all takes."""
        turns = [self.cells(model, taker.kind) for model in self.models for taker in self.takers(model)]
        spent = [_TURN_SECONDS + sum(self.seconds_of(cell) + _SETTLE_SECONDS for cell in cells) for cells in turns]
        return self.rounds * sum(spent) / 60
