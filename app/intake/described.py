"""What stands for the things of a pickle while it is read without being run."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Global:
    """Something of a module that a pickle names."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False, slots=True)
class Pairs:
    """A dictionary; its keys may be descriptions, so it is kept as pairs."""

    pairs: list[tuple[object, object]] = field(default_factory=list)

    def get(self, key: str) -> object:
        """Give the last value of a text key, or None."""
        return next((value for known, value in reversed(self.pairs) if isinstance(known, str) and known == key), None)


@dataclass(eq=False, slots=True)
class Made:
    """An object that the pickle would make by a call, and what it would do to it afterwards."""

    callee: object
    arguments: tuple[object, ...]
    state: object = None
    items: list[object] = field(default_factory=list)
    pairs: Pairs = field(default_factory=Pairs)
