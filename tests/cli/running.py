"""What a command of `vitrine` came to, and what is said of it in every test."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Ran:
    """An exit code, standard output and standard error."""

    code: int
    out: str
    err: str


class Run(Protocol):
    """Runs `vitrine` with these words."""

    def __call__(self, *words: str | Path, given: bytes = b"") -> Ran: ...


def output_of(ran: Ran) -> str:
    """Give what a command that went well put on standard output."""
    assert ran.code == 0, ran
    return ran.out


def refusal_of(ran: Ran) -> str:
    """Give the one line of a command that was refused; nothing stands on standard output."""
    assert (ran.code, ran.out) == (1, ""), ran
    assert re.fullmatch(r"vitrine: [^\n]+\.[^\n]*\n", ran.err), ran
    return ran.err.removeprefix("vitrine: ").rstrip("\n")


def rows_of(table: str) -> list[list[str]]:
    """Give the cells of a printed table, row by row, without its head."""
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in table.splitlines() if line.startswith("│")]
