"""What a store is: somewhere rows are written to and read from. A further one is one file with two such classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from app.errors import InvalidRequest
from app.services.exchange.shapes import Key, Row, Shape

# What is written at once, and lost at most where a process is killed.
BATCH = 1000


class Placed(NamedTuple):
    """A row with the place at which it was found, for a sentence that refuses it: "Line 7 of users.csv"."""

    place: str
    row: Row


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows in the order of their key, and how far they take the source towards its length."""

    rows: list[Placed]
    length: int


class Target(Protocol):
    """Rows of one shape are written to it; raises InvalidRequest where it cannot be what was asked for."""

    #: The key of the last row that is there whole already; None where there is none.
    last: Key | None

    def write(self, rows: Sequence[Row]) -> None:
        """Add rows: all of them are there afterwards, also where this process is killed then."""
        ...

    def close(self) -> None:
        """Let go of it; what was written stays."""
        ...


class Source(Protocol):
    """Rows of one shape are read from it, each of them checked; raises InvalidRequest, which names the place of a bad one."""

    #: How long it is, in whatever its batches are measured in.
    length: int

    def batches(self) -> Iterator[Batch]:
        """Give all rows, some at a time."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


def checked(shape: Shape, placed: Placed) -> Placed:
    """Give a row whose values are what they should be, or raise InvalidRequest, which names its place."""
    try:
        return placed._replace(row=shape.row(placed.row))
    except ValueError as error:
        raise InvalidRequest(f"{placed.place} is not taken: {error}.") from error
