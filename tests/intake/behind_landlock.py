"""Restricts itself to reading below one folder and one file, tries everything, and prints what came of it."""

from __future__ import annotations

import ctypes
import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from app.intake import landlock

_NO_NEW_PRIVILEGES = 38


def outcome(deed: Callable[[], object]) -> str:
    """Tell which error a deed met, or that it was done."""
    try:
        deed()
    except OSError as error:
        return type(error).__name__
    return "done"


def attempts(folder: Path, port: int) -> dict[str, Callable[[], object]]:
    """Give what is tried, by name."""
    shown, hidden = folder / "shown", folder / "hidden"
    return {
        "read": (shown / "file").read_text,
        "read one file": (folder / "single").read_text,
        "list": lambda: list(shown.iterdir()),
        "read hidden": (hidden / "file").read_text,
        "list hidden": lambda: list(hidden.iterdir()),
        "read through a link": (shown / "link").read_text,
        "read by a way around": (shown / ".." / "hidden" / "file").read_text,
        "write": lambda: (shown / "file").write_text("x"),
        "make": lambda: (shown / "new").write_text("x"),
        "unlink": (shown / "file").unlink,
        "rename": lambda: (shown / "file").rename(shown / "other"),
        "truncate": lambda: os.truncate(shown / "file", 0),
        "run": lambda: os.execv(shown / "program", ["program"]),
        "connect": lambda: socket.create_connection(("127.0.0.1", port)),
        "listen": lambda: socket.create_server(("127.0.0.1", 0)),
    }


if __name__ == "__main__":
    place = Path(sys.argv[1])
    ctypes.CDLL(None).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    held = landlock.restrict([place / "shown", place / "single", Path("/nowhere/at/all")])
    descriptors = [number for number in range(3, 100) if outcome(lambda: os.fstat(number)) == "done"]  # noqa: B023
    tried = {name: outcome(deed) for name, deed in attempts(place, int(sys.argv[2])).items()}
    json.dump({"held": held, "descriptors": descriptors, "tried": tried}, sys.stdout)
