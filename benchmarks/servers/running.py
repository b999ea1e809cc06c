"""One server: how it is to be started and asked, and one that runs."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from benchmarks.load.wires import Wire
from benchmarks.results.values import Kind
from benchmarks.servers.processes import ProcessTree

_POLL_SECONDS = 0.02
_IDLE_CORES = 0.25  # some servers poll while nobody asks
_SETTLE_SECONDS = 15.0
# Two processes of two threads of linear algebra each would fight for two cores; whoever measures may say otherwise.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class ServerFailed(Exception):
    """A server did not start, or did not answer as it must."""


@dataclass(frozen=True)
class Launch:
    """How one server is started and asked; {port}, {port2} and {port3} stand for free ports."""

    name: str
    title: str
    kind: Kind
    command: tuple[str, ...]
    folder: Path
    path: str
    environment: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    wire: Wire = "form"


class RunningServer:
    """A server in a session of its own, started on entry and ended with all its processes on exit."""

    def __init__(self, launch: Launch, log: Path) -> None:
        self.launch = launch
        self._log = log
        self._ports = _free_ports()
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0

    @property
    def url(self) -> str:
        """The address that predictions are asked from."""
        return f"http://127.0.0.1:{self._ports['port']}{self.launch.path}"

    @property
    def headers(self) -> Mapping[str, str]:
        """What is sent beside a picture."""
        return self.launch.headers

    @property
    def tree(self) -> ProcessTree:
        """Its processes."""
        assert self._process is not None
        return ProcessTree(self._process.pid)

    def __enter__(self) -> Self:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        given = {name: value.format(**self._ports) for name, value in self.launch.environment.items()}
        with self._log.open("wb") as log:
            self._started = time.monotonic()
            self._process = subprocess.Popen(
                [word.format(**self._ports) for word in self.launch.command],
                cwd=self.launch.folder,
                env={**single_threaded(clean_environment()), **given},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self.tree.end()
        self._process.wait()

    def first_answer(self, content_type: str, body: bytes, patience: float) -> float:
        """Ask until a prediction is answered, and give the seconds since the start; raise ServerFailed where none is."""
        assert self._process is not None
        last = "nobody listened"
        while (elapsed := time.monotonic() - self._started) < patience:
            if self._process.poll() is not None:
                raise ServerFailed(f"it ended with status {self._process.returncode}: {self._last_words()}")
            try:
                status, answer = self.ask(content_type, body, patience - elapsed)
            except OSError:
                time.sleep(_POLL_SECONDS)
                continue
            if status == 200:
                return time.monotonic() - self._started
            last = f"status {status}: {answer[:120]!r}"
            time.sleep(_POLL_SECONDS)
        raise ServerFailed(f"no answer in {patience:.0f} seconds, {last}: {self._last_words()}")

    def ask(self, content_type: str, body: bytes, patience: float) -> tuple[int, bytes]:
        """Send one request on a connection of its own, and give status and answer, or raise OSError."""
        connection = http.client.HTTPConnection("127.0.0.1", int(self._ports["port"]), timeout=max(1.0, patience))
        try:
            connection.request("POST", self.launch.path, body, {**self.launch.headers, "Content-Type": content_type})
            reply = connection.getresponse()
            return reply.status, reply.read()
        except http.client.HTTPException as error:
            raise ConnectionError(f"a broken answer: {error!r}") from error
        finally:
            connection.close()

    def settle(self) -> None:
        """Wait until what an earlier measurement left under way is done."""
        deadline = time.monotonic() + _SETTLE_SECONDS
        while time.monotonic() < deadline:
            before, started = self.tree.cpu_seconds(), time.monotonic()
            time.sleep(0.2)
            if self.tree.cpu_seconds() - before < _IDLE_CORES * (time.monotonic() - started):
                return

    def _last_words(self) -> str:
        return f"{self._log} ends with {self._log.read_bytes()[-400:].decode(errors='replace').strip()!r}"


def clean_environment() -> dict[str, str]:
    """Give this process's environment without what would change a server by accident."""
    own = ("HOST", "PORT", "BENCH_MODEL", "BENCH_DRAFT", "WEB_CONCURRENCY", "GUNICORN_CMD_ARGS")
    names = (*own, "PYTHONDONTWRITEBYTECODE")  # or every start would compile what the first one has compiled
    return {name: value for name, value in os.environ.items() if not name.startswith("VITRINE_") and name not in names}


def single_threaded(environment: Mapping[str, str]) -> dict[str, str]:
    """Give an environment in which linear algebra has one thread a process, unless it says otherwise itself."""
    return {**_ONE_THREAD, **environment}


def _free_ports() -> dict[str, str]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(3)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        port, port2, port3 = (str(each.getsockname()[1]) for each in sockets)
    return {"port": port, "port2": port2, "port3": port3}
