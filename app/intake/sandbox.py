"""Starts the confined process that opens a stranger's file, and bears whatever it does."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.errors import InvalidModel
from app.intake.confinement import ESSENTIAL, TREE
from app.intake.wire import Message, pack, unpack

_PROGRAM = (
    "import json, sys; sys.path[:0] = [sys.argv[1]]; from app.intake.confined import main; main(**json.loads(sys.argv[2]))"
)
# One thread each: what is measured and proven here must not depend on how many cores were free.
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "ORT_DISABLE_TELEMETRY": "1",
}
# Which kernels the linear algebra uses decides on the last bits of an answer: the workers' choice must hold here too.
_PASSED_ON = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
_CHUNK = 1 << 20
_LONGEST_REFUSAL = 2000


@dataclass(frozen=True, slots=True)
class Sandbox:
    """How much a confined process may use, and whether one that is only half confined will do.

    `code` are folders whose modules it may import besides the app's and those that are installed.
    """

    memory_bytes: int = 6_000_000_000
    seconds: int = 600
    answer_bytes: int = 2_000_000_000
    weak: bool = False
    code: tuple[Path, ...] = ()

    def run(self, work: str, job: Message) -> Message:
        """Do `work` (a function of `app.intake`, as "module:function") on a job in a fresh confined process.

        Gives its answer with what held in `values["confinement"]`; raises InvalidModel where it refused, crashed, took too
        long or too much, or could not be confined.
        """
        packed = pack(job)
        with tempfile.TemporaryDirectory(prefix="vitrine-empty-") as folder:
            process = self._start(work, folder)
            try:
                data = self._exchange(process, packed)
            finally:
                _end(process)
        if process.returncode != 0:
            raise InvalidModel(_how_it_ended(process.returncode))
        answer = unpack(data)
        missing = sorted(ESSENTIAL - _held(answer))
        if missing and not self.weak:
            raise InvalidModel(
                f"This system cannot confine what opens the file (missing: {', '.join(missing)}). "
                "If you trust the file, say --weak-sandbox."
            )
        if "refused" in answer.values:
            raise InvalidModel(_printable(str(answer.values["refused"])[:_LONGEST_REFUSAL]))
        return answer

    def _start(self, work: str, folder: str) -> subprocess.Popen[bytes]:
        arguments = {
            "work": work,
            "memory_bytes": self.memory_bytes,
            "seconds": self.seconds,
            "weak": self.weak,
            "code": [str(path) for path in self.code],
            "parent": os.getpid(),
        }
        return subprocess.Popen(  # noqa: S603 - this very interpreter
            [_interpreter(), "-I", "-B", "-c", _PROGRAM, str(TREE), json.dumps(arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_ENVIRONMENT | {name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            cwd=folder,
            close_fds=True,
            start_new_session=True,
        )

    def _exchange(self, process: subprocess.Popen[bytes], job: bytes) -> bytearray:
        assert process.stdin is not None  # noqa: S101 - both are pipes, see _start
        assert process.stdout is not None  # noqa: S101
        threading.Thread(target=_write, args=(process.stdin, job), daemon=True).start()
        # One run of bytes: a list of parts would let somebody who writes byte by byte take forty times the limit.
        data = bytearray()
        deadline = time.monotonic() + self.seconds
        too_long = InvalidModel(f"Opening the file took longer than {self.seconds} seconds and was stopped.")
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while True:
                left = deadline - time.monotonic()
                if left <= 0 or not selector.select(timeout=left):
                    raise too_long
                part = os.read(process.stdout.fileno(), _CHUNK)
                if not part:
                    break
                data += part
                if len(data) > self.answer_bytes:
                    raise InvalidModel("What came of the file is too large to be served.")
        try:
            # Whoever has closed its end may still be there.
            process.wait(timeout=max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise too_long from None
        return data


def _interpreter() -> str:
    """Give Python's own program: a server that has Python built in (mod_wsgi, uWSGI) may say that it is itself that."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    places = (
        Path(sys.prefix, "bin", "python3"),
        Path(sys.base_prefix, "bin", version),
        Path(sys.base_prefix, "bin", "python3"),
    )
    for path in (Path(sys.executable or "-"), *places):
        if path.name.startswith("python") and os.access(path, os.X_OK):
            return str(path)
    raise InvalidModel("There is no Python here that could open the file in a process of its own.")


def _write(stream: IO[bytes], job: bytes) -> None:
    # A child that ended early is told by its exit code, not here; ValueError: it had ended before this began.
    with contextlib.suppress(OSError, ValueError), stream:
        stream.write(job)


def _end(process: subprocess.Popen[bytes]) -> None:
    # Permission is what macOS says of a group that has ended.
    with contextlib.suppress(ProcessLookupError, PermissionError):
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
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return f"The file crashed the process that opened it ({name})."
    return "The process that opened the file ended without an answer."


def _held(answer: Message) -> set[str]:
    held = answer.values.get("confinement")
    return {name for name in held if isinstance(name, str)} if isinstance(held, list) else set()


def _printable(text: str) -> str:
    """Give what a stranger's file says without what would steer a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
