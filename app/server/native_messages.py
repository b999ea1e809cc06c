"""What libraries written in C print becomes events of the log: a broken TIFF has its decoder write to standard error."""

from __future__ import annotations

import os
import sys
import threading
from io import FileIO, TextIOWrapper
from typing import Any, TextIO

import structlog

_STANDARD_ERROR = 2
_LONGEST = 500

log = structlog.get_logger(__name__)
_own: list[TextIO] = []


def keep_log_apart() -> None:
    """Give Python's standard error, and so the log, a descriptor of its own; call it before the log is configured."""
    if not _own:  # a reload reads the settings of the server again
        # Without a buffer, whose lock a thread might hold when the process ends, which Python takes for a fatal error.
        raw: Any = FileIO(os.dup(_STANDARD_ERROR), "w")
        _own.append(TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", line_buffering=True))
        sys.stderr = _own[0]


def log_native_messages() -> None:
    """From now on make events of what is printed to descriptor 2 of this process; call it after the fork."""
    reading, writing = os.pipe()
    # Whoever prints must never wait for the one who reads, least of all while it holds the interpreter's lock.
    os.set_blocking(writing, False)
    os.dup2(writing, _STANDARD_ERROR)
    os.close(writing)
    threading.Thread(target=_read, args=(reading,), name="native-messages", daemon=True).start()


def _read(reading: int) -> None:
    with os.fdopen(reading, "rb") as lines:
        while line := lines.readline(_LONGEST):
            if text := line.decode(errors="replace").strip():
                log.info("native_message", text=text)
