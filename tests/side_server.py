"""Servers that tests start beside a site: one process, which forgets everything when it ends and can be frozen."""

from __future__ import annotations

import signal
import subprocess
from abc import ABC, abstractmethod
from typing import Self


class SideServer(ABC):
    """Started on entry, ended on exit; in between it can be ended, started again empty, and frozen."""

    _process: subprocess.Popen[bytes]

    @abstractmethod
    def start(self) -> None:
        """Start it with nothing in it, and wait until it answers."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """End it without a word, and all that it holds with it."""
        self._process.kill()
        self._process.wait(30)

    def freeze(self) -> None:
        """Let it take connections and requests, and answer none of them."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)
