"""Looks at confined processes from outside, as Linux shows them."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path


def confined_processes(parent: int, *, at_least: int = 0) -> list[int]:
    """Give the processes, both halves, that were started for `parent`; waits until there are as many, fully confined."""
    found: list[int] = []
    for _ in range(600):
        found = [int(path.name) for path in Path("/proc").glob("[0-9]*") if _is_for(path, parent)]
        if sum(status(pid).get("Seccomp") == "2" for pid in found) >= at_least:
            return found
        time.sleep(0.05)
    raise AssertionError(f"confined processes: {found}")


def assert_none_left(parent: int) -> None:
    """See that what was started for `parent` is gone, or goes at once: a killed process needs a moment to be taken down."""
    for _ in range(600):
        if not confined_processes(parent):
            return
        time.sleep(0.05)
    raise AssertionError(f"still there: {confined_processes(parent)}")


def status(pid: int) -> dict[str, str]:
    """Give what the kernel tells of a process; nothing for one that has ended."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return {}


def _is_for(process: Path, parent: int) -> bool:
    with contextlib.suppress(OSError):
        command = (process / "cmdline").read_bytes()
        return b"app.intake.confined" in command and f'"parent": {parent}}}'.encode() in command
    return False
