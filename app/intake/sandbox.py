"""Starts the confined process that opens a stranger's file, and bears whatever it does."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from typing import IO

from app.errors import InvalidModel
from app.intake.confinement import ESSENTIAL, TREE
from app.intake.wire import Message, pack, unpack

_PROGRAM = (
    f"import sys; sys.path.insert(0, {str(TREE)!r}); from app.intake.confined import main; "
    "main(memory_bytes={memory_bytes}, seconds={seconds}, work={work!r})"
)
# One thread each: what is measured and proven here must not depend on how many cores were free.
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "ORT_DISABLE_TELEMETRY": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
# Which kernels the linear algebra uses decides on the last bits of an answer: the workers' choice must hold here too.
_PASSED_ON = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Sandbox:
    """How much a confined process may use, and whether one that is only half confined will do."""

    memory_bytes: int = 6_000_000_000
    seconds: int = 600
    answer_bytes: int = 2_000_000_000
    weak: bool = False

    def run(self, work: str, job: Message) -> Message:
        """Do `work` (a function of `app.intake`, as "module:function") on a job in a fresh confined process.

        Gives its answer with what held in `values["confinement"]`; raises InvalidModel where it refused, crashed, took too
        long or too much, or could not be confined.
        """
        with tempfile.TemporaryDirectory(prefix="vitrine-empty-") as folder:
            process = self._start(work, folder)
            try:
                data = self._exchange(process, pack(job))
            finally:
                _end(process)
        if process.returncode != 0:
            raise InvalidModel(_how_it_ended(process.returncode))
        answer = unpack(data)
        missing = sorted(ESSENTIAL - set(answer.values.get("confinement", ())))
        if missing and not self.weak:
            raise InvalidModel(
                f"This system cannot confine what opens the file (missing: {', '.join(missing)}). "
                "If you trust the file, say --weak-sandbox."
            )
        if "refused" in answer.values:
            raise InvalidModel(str(answer.values["refused"])[:2000])
        return answer

    def _start(self, work: str, folder: str) -> subprocess.Popen[bytes]:
        program = _PROGRAM.format(memory_bytes=self.memory_bytes, seconds=self.seconds, work=work)
        environment = _ENVIRONMENT | {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        if self.weak:
            environment["VITRINE_WEAK"] = "1"
        return subprocess.Popen(  # noqa: S603 - this very interpreter
            [sys.executable, "-I", "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=folder,
            close_fds=True,
            start_new_session=True,
        )

    def _exchange(self, process: subprocess.Popen[bytes], job: bytes) -> bytes:
        assert process.stdin is not None  # noqa: S101 - both are pipes, see _start
        assert process.stdout is not None  # noqa: S101
        writer = threading.Thread(target=_write, args=(process.stdin, job), daemon=True)
        writer.start()
        parts: list[bytes] = []
        size, deadline = 0, time.monotonic() + self.seconds
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while True:
                left = deadline - time.monotonic()
                if left <= 0 or not selector.select(timeout=left):
                    raise InvalidModel(f"Opening the file took longer than {self.seconds} seconds and was stopped.")
                part = os.read(process.stdout.fileno(), _CHUNK)
                if not part:
                    break
                parts.append(part)
                size += len(part)
                if size > self.answer_bytes:
                    raise InvalidModel("What came of the file is too large to be served.")
        process.wait(timeout=30)
        writer.join(timeout=30)
        return b"".join(parts)


def _write(stream: IO[bytes], job: bytes) -> None:
    # A child that ended early is told by its exit code, not here.
    with contextlib.suppress(OSError), stream:
        stream.write(job)


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=30)
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()


def _how_it_ended(code: int) -> str:
    if -code in (signal.SIGXCPU, signal.SIGKILL):
        return "Opening the file took more time or memory than is allowed, and was stopped."
    if code < 0:
        return f"The file crashed the process that opened it ({signal.Signals(-code).name})."
    return "The process that opened the file ended without an answer."
