"""What was measured: plain values that a JSON file holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from benchmarks.machine import Machine

Kind = Literal["vitrine", "plain", "draft"]


@dataclass(frozen=True, slots=True)
class Cell:
    """What is measured at a time: a model, a picture, and over how many connections it is asked."""

    model: str
    picture: str
    connections: int

    @property
    def case(self) -> str:
        """Model and picture, such as A1."""
        return self.model + self.picture

    def __str__(self) -> str:
        return f"{self.case} c={self.connections}"


@dataclass(frozen=True, slots=True)
class Measured:
    """One cell of one server in one round."""

    cell: Cell
    per_second: float  # answers with status 200
    p50_ms: float
    p99_ms: float
    cpu_ms: float  # of all processes of the server, user and system, a request
    memory_mb: float  # proportional set size of all processes, the largest seen
    answers: int
    errors: int  # other statuses, broken connections, time-outs
    wrong_status: int
    others_cores: float  # how many of the cores in use others kept busy


@dataclass(frozen=True, slots=True)
class Turn:
    """One server with one model in one round, from its start to its end."""

    server: str
    model: str
    round: int
    cold_start_s: float
    distance: float  # of the probabilities from the model's own, at most
    measured: tuple[Measured, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """A turn that gave nothing, and why."""

    server: str
    model: str
    round: int
    reason: str


@dataclass(frozen=True, slots=True)
class Floor:
    """What the same work costs in one process without a server, milliseconds of processor time a picture."""

    case: str
    round: int
    decode_ms: float  # with the recipe
    predict_ms: float


@dataclass(frozen=True, slots=True)
class Server:
    """Who took part, and the versions of what it is made of."""

    name: str
    title: str
    kind: Kind
    versions: dict[str, str]


@dataclass(frozen=True)
class Results:
    """A run, or several joined."""

    date: str
    machine: Machine
    pictures: str
    seconds: float
    servers: tuple[Server, ...]
    turns: tuple[Turn, ...] = ()
    failures: tuple[Failure, ...] = ()
    floors: tuple[Floor, ...] = ()

    @property
    def rounds(self) -> int:
        """How many rounds there were."""
        return max((turn.round for turn in self.turns), default=0)


_ADAPTER = TypeAdapter(Results)


def write_results(results: Results, path: Path) -> None:
    """Write the results in one step, so that an interrupted run leaves the latest whole ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.new")
    draft.write_bytes(_ADAPTER.dump_json(results, indent=1) + b"\n")
    draft.replace(path)


def read_results(path: Path) -> Results:
    """Read what `write_results` wrote."""
    return _ADAPTER.validate_json(path.read_bytes())


def join(first: Results, *others: Results) -> Results:
    """Join runs of one machine; the rounds of each count on from those before, so that ratios stay within a round."""
    joined = first
    for other in others:
        before = joined.rounds
        known = {server.name for server in joined.servers}
        joined = replace(
            joined,
            servers=joined.servers + tuple(server for server in other.servers if server.name not in known),
            turns=joined.turns + tuple(replace(turn, round=turn.round + before) for turn in other.turns),
            failures=joined.failures + tuple(replace(failure, round=failure.round + before) for failure in other.failures),
            floors=joined.floors + tuple(replace(floor, round=floor.round + before) for floor in other.floors),
        )
    return joined
