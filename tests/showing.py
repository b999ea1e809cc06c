"""A model on show for tests: `vitrine show` as a process of its own, whose temporary files lie in a folder of the test's."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
import sys
import termios
from pathlib import Path
from typing import Self

from tests.waiting import wait_until

_TOLD = re.compile(r"^Your model is at (http://127\.0\.0\.1:(\d+)) \(Ctrl-C ends it\)$", re.MULTILINE)


def heed_signals() -> None:
    """Heed Ctrl-C and the end of a terminal, in a process that starts: whoever runs the tests may have them ignored."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def own_terminal() -> None:
    """Take standard input for the terminal of a process that starts."""
    heed_signals()
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class ModelOnShow:
    """`vitrine show` with these words, called in a folder; `shell` are further variables of the environment there."""

    def __init__(self, folder: Path, *words: str | Path, **shell: str) -> None:
        self.temporary = folder / "temporary"
        self.temporary.mkdir(exist_ok=True)
        self._folder = folder
        number = len(list(folder.glob("out-*")))
        self._out, self._err = folder / f"out-{number}", folder / f"err-{number}"
        self._words = [str(Path(sys.executable).with_name("vitrine")), "show", *map(str, words)]
        self._environment = {**os.environ, "TMPDIR": str(self.temporary), **shell}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        wait_until(lambda: self.told or self.code is not None, seconds=120)
        assert self.told, self.complaints
        return self

    def __exit__(self, *_: object) -> None:
        if self.code is None:
            self.end()

    def start(self) -> None:
        """Start, and wait for nothing."""
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(
                self._words, cwd=self._folder, env=self._environment, stdout=out, stderr=err, preexec_fn=heed_signals
            )

    def start_in_terminal(self, terminal: int) -> None:
        """Start as what has a terminal to itself: it prints there, and is told when the terminal closes."""
        self._process = subprocess.Popen(
            self._words,
            cwd=self._folder,
            env=self._environment,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            preexec_fn=own_terminal,
        )

    @property
    def pid(self) -> int:
        """The process that was started."""
        assert self._process is not None
        return self._process.pid

    @property
    def code(self) -> int | None:
        """The exit code, or None where it has not ended."""
        assert self._process is not None
        return self._process.poll()

    @property
    def out(self) -> str:
        """What it has printed."""
        return self._out.read_text(encoding="utf-8")

    @property
    def complaints(self) -> str:
        """What it has complained of."""
        return self._err.read_text(encoding="utf-8")

    @property
    def told(self) -> re.Match[str] | None:
        """The line that says where to go, once it is there."""
        return _TOLD.search(self.out)

    @property
    def url(self) -> str:
        """Where the model is."""
        assert self.told is not None, self.complaints
        return self.told[1]

    @property
    def port(self) -> int:
        """The port of that address."""
        assert self.told is not None, self.complaints
        return int(self.told[2])

    @property
    def left(self) -> list[str]:
        """What lies in the folder for temporary files."""
        return sorted(entry.name for entry in self.temporary.iterdir())

    def end(self, number: int = signal.SIGINT) -> int:
        """Send a signal, by default what Ctrl-C sends, and give the exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(timeout=45)

    def wait(self) -> int:
        """Give the exit code of one that ends by itself."""
        assert self._process is not None
        return self._process.wait(timeout=120)
