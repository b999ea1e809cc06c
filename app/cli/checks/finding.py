"""What a check finds, and what it is given to look at."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

from app.config import Settings
from app.errors import VitrineError
from app.storage.inspection import Seen, look_at


class Level(IntEnum):
    """How bad it is; the worst one is the exit code."""

    GOOD = 0
    WARNING = 1
    ERROR = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was seen, in a sentence, and how to mend it."""

    level: Level
    what: str
    mend: str = ""


def good(what: str) -> Finding:
    """Say that something is well."""
    return Finding(Level.GOOD, what)


def warning(what: str, mend: str) -> Finding:
    """Say what works and may fail, or what is less safe than it could be."""
    return Finding(Level.WARNING, what, mend)


def error(what: str, mend: str) -> Finding:
    """Say what fails."""
    return Finding(Level.ERROR, what, mend)


@dataclass(frozen=True)
class Case:
    """The site that is looked at; `online` allows asking it, and its public address, over the network."""

    settings: Settings
    online: bool = False

    @property
    def keeper(self) -> int:
        """The number of the system's user that runs the site: whose the data folder is, or whoever asks where there is none."""
        try:
            return self.settings.data.stat().st_uid
        except OSError:
            return os.geteuid()

    @cached_property
    def seen(self) -> Seen | VitrineError | None:
        """What the database says of itself, or why it says nothing, or None where there is none yet; it is asked once."""
        try:
            return look_at(self.settings.database)
        except VitrineError as error:
            return error


Check = Callable[[Case], Iterator[Finding]]


def megabytes(size: int) -> str:
    """Give a size as people read it."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"
