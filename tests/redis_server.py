"""A real Redis for tests, on a port of the loopback address of its own; it keeps nothing on the disk."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.serving import free_port
from tests.side_server import SideServer
from tests.waiting import wait_until

# Debian's redis-tools hold the server under this name, and it is one when it is called so.
_PROGRAM = shutil.which("redis-server") or "/usr/bin/redis-check-rdb"


class RunningRedis(SideServer):
    """A server of one database."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start it with nothing in it, and wait until it answers."""
        options = {"port": str(self._port), "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": str(self._folder)}
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._process = subprocess.Popen(
            ["redis-server", *words], executable=_PROGRAM, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(self._answers)

    def _answers(self) -> bool:
        from redis import Redis, RedisError

        assert self._process.poll() is None, "Redis ended at once"
        with Redis.from_url(self.url) as client:
            try:
                return bool(client.ping())
            except RedisError:
                return False
