"""One measurement: wrk asks over so many connections while the server's memory and processor time are read."""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

import click

from benchmarks.load.wires import Body
from benchmarks.machine import busy_seconds, own_seconds
from benchmarks.results.values import Cell, Measured

_SCRIPT = Path(__file__).with_suffix(".lua")
_LONGEST_SECONDS = 60.0
_MOST_CONNECTIONS = 256
_TIMEOUT_SECONDS = 30
_SAMPLE_SECONDS = 0.5  # reading it costs the kernel milliseconds for every process


class Processes(Protocol):
    """The processes whose memory and processor time are counted."""

    def memory_mb(self) -> float:
        """Give their proportional set size in megabytes (10^6 bytes)."""

    def cpu_seconds(self) -> float:
        """Give their user and system time."""


class Server(Protocol):
    """What can be asked and counted."""

    @property
    def url(self) -> str:
        """The address that predictions are asked from."""

    @property
    def headers(self) -> Mapping[str, str]:
        """What is sent beside a picture."""

    @property
    def tree(self) -> Processes:
        """Its processes."""


def measure(server: Server, body: Body, cell: Cell, seconds: float) -> Measured:
    """Send the body over the cell's connections for so long, and give what came back and what it cost."""
    seconds = max(1, round(min(seconds, _LONGEST_SECONDS)))
    others = busy_seconds() - own_seconds()
    spent = server.tree.cpu_seconds()
    with _MemoryPeak(server.tree) as memory:
        seen = _run_wrk(server, body, min(cell.connections, _MOST_CONNECTIONS), seconds)
    spent = server.tree.cpu_seconds() - spent
    others = busy_seconds() - own_seconds() - others - spent
    return Measured(
        cell=cell,
        per_second=seen["answers"] / counted_seconds(seen),
        p50_ms=seen["p50_ms"],
        p99_ms=seen["p99_ms"],
        cpu_ms=1000 * spent / max(1, seen["answers"]),
        memory_mb=memory.peak_mb,
        answers=seen["answers"],
        errors=seen["errors"],
        wrong_status=seen["wrong_status"],
        others_cores=max(0.0, others) / seen["seconds"],
    )


def demand_loopback(url: str) -> None:
    """Refuse to send load anywhere but to this machine."""
    if urlsplit(url).hostname != "127.0.0.1":
        raise click.ClickException(f"Load goes to 127.0.0.1 alone, not to {url}.")


def counted_seconds(seen: dict[str, Any]) -> float:
    """Give the seconds in which the answers came: up to the latest, unless the server fell silent."""
    # A silence longer than any answer took is the server's own.
    waited = seen["silence"] * 1000 <= seen["longest_ms"]
    return float(seen["seconds"] - seen["silence"] if waited else seen["seconds"])


def _run_wrk(server: Server, body: Body, connections: int, seconds: float) -> dict[str, Any]:
    demand_loopback(server.url)
    headers = {**server.headers, "Content-Type": body.content_type}
    with tempfile.TemporaryDirectory(prefix="vitrine-bench-") as folder:
        before, after = Path(folder, "before"), Path(folder, "after")
        before.write_bytes(body.before)
        after.write_bytes(body.after)
        command = ["wrk", "--threads=1", f"--connections={connections}", f"--duration={seconds}s"]
        command += [f"--timeout={_TIMEOUT_SECONDS}s", f"--script={_SCRIPT}"]
        command += [f"--header={name}: {value}" for name, value in headers.items()]
        # Sixteen digits of microseconds: counting up by one a request, no two runs ever meet.
        first = time.time_ns() // 1000
        command += [server.url, "--", str(before), str(after), str(first)]
        printed = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds + _TIMEOUT_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    if printed.returncode != 0 or not printed.stdout.rstrip().endswith("}"):
        raise click.ClickException(f"wrk failed: {printed.stdout[-300:]}{printed.stderr[-300:]}")
    seen: dict[str, Any] = json.loads(printed.stdout.rstrip().splitlines()[-1])
    return seen


class _MemoryPeak:
    """Holds the largest memory of a process tree during a block."""

    def __init__(self, tree: Processes) -> None:
        self.peak_mb = 0.0
        self._tree = tree
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.is_set():
            self.peak_mb = max(self.peak_mb, self._tree.memory_mb())
            self._over.wait(_SAMPLE_SECONDS)
