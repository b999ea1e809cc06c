"""What Linux tells of a server's processes, and how they are ended: those of one session and their children, no others."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")


class _Entry(NamedTuple):
    """A line of /proc/PID/stat, as far as it matters here."""

    parent: int
    session: int
    ticks: int
    born: int  # ticks since the machine started: a number that was given to another process is told by it


class ProcessTree:
    """A process that leads a session, and everybody it has started."""

    def __init__(self, root: int) -> None:
        self._root = root

    def members(self) -> set[int]:
        """Give the living processes of the session, and children that have left it."""
        return set(self._entries())

    def memory_mb(self) -> float:
        """Give the proportional set size in megabytes (10^6 bytes): a page that several share is counted once."""
        kibibytes = 0
        for pid in self.members():
            with contextlib.suppress(OSError):  # it has ended since
                lines = (_PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii").splitlines()
                kibibytes += next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
        return kibibytes * 1024 / 1e6

    def cpu_seconds(self) -> float:
        """Give the user and system time, that of children which have ended included."""
        return sum(entry.ticks for entry in self._entries().values()) / _TICKS

    def end(self, patience: float = 15.0) -> None:
        """Ask the first process to end; after `patience` seconds kill whoever of the tree is still there."""
        known = self._entries()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._root, signal.SIGTERM)
        deadline = time.monotonic() + patience
        while (left := self._left(known)) and time.monotonic() < deadline:
            time.sleep(0.05)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _left(self, known: dict[int, _Entry]) -> set[int]:
        """Give who is still alive: of those seen before, who may have lost their parents, and of those seen now."""
        same = {pid for pid, entry in known.items() if (now := _read(pid)) is not None and now.born == entry.born}
        return same | self.members()

    def _entries(self) -> dict[int, _Entry]:
        numbers = [int(name) for path in _PROC.iterdir() if (name := path.name).isdigit()]
        everybody = {pid: entry for pid in numbers if (entry := _read(pid)) is not None}
        found = {pid for pid, entry in everybody.items() if pid == self._root or entry.session == self._root}
        while more := {pid for pid, entry in everybody.items() if entry.parent in found} - found:
            found |= more
        return {pid: everybody[pid] for pid in found}


def _read(pid: int) -> _Entry | None:
    """Read one process, or give None where it is gone or only waits to be buried."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # what stands in the parentheses may hold anything
    if fields[0] in "ZX":
        return None
    return _Entry(int(fields[1]), int(fields[3]), sum(int(field) for field in fields[11:15]), int(fields[19]))
