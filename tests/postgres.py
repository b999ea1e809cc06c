"""A real PostgreSQL for tests, on a port of the loopback address of its own; nothing of it waits for the disk."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

import psycopg

from tests.serving import free_port

# Debian keeps the server's programs apart by their version.
_FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
_OWNER = "postgres"
_PREFERENCES = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "32MB"}


class RunningPostgres:
    """A server that is started on entry and ended on exit; in between it can be stopped, started again and frozen."""

    def __init__(self, *, slots: int = 100) -> None:
        # In a folder that its owner reaches: pytest's are for one user alone, and it refuses to run as root.
        self._folder = Path(tempfile.mkdtemp(prefix="vitrine-postgres-"))
        self._slots = slots
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0

    def __enter__(self) -> Self:
        root = os.geteuid() == 0
        if root:
            shutil.chown(self._folder, _OWNER, _OWNER)
        self._as_owner = ["setpriv", f"--reuid={_OWNER}", f"--regid={_OWNER}", "--clear-groups"] if root else []
        options = ["--username", _OWNER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"]
        initdb = [*self._as_owner, _program("initdb"), "--pgdata", str(self._folder / "data"), *options]
        made = subprocess.run(initdb, cwd="/", capture_output=True, text=True, check=False)
        assert made.returncode == 0, made.stderr
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            self.thaw()
            self.stop()
        shutil.rmtree(self._folder)

    def database(self) -> str:
        """Make an empty database and give its URL."""
        self._databases += 1
        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE vitrine_{self._databases}")
        return f"postgresql://{_OWNER}@127.0.0.1:{self._port}/vitrine_{self._databases}"

    def start(self) -> None:
        """Start it with what it held before, and wait until it answers."""
        preferences = {**_PREFERENCES, "max_connections": str(self._slots), "port": str(self._port)}
        preferences |= {"listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
        words = [word for name, value in preferences.items() for word in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._as_owner, _program("postgres"), "-D", self._folder / "data", *words], cwd="/", stdout=log, stderr=log
            )
        deadline = time.monotonic() + 60
        while not self._answers():
            assert self._process.poll() is None, (self._folder / "log").read_text()
            assert time.monotonic() < deadline, "PostgreSQL did not start"
            time.sleep(0.05)

    def stop(self) -> None:
        """End it, and all connections with it."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait(60)

    def freeze(self) -> None:
        """Let it take connections and statements, and answer none of them."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        pid = self._process.pid
        for one in (pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())):
            os.kill(one, number)

    @property
    def _address(self) -> str:
        return f"host=127.0.0.1 port={self._port} user={_OWNER} dbname=postgres connect_timeout=5"

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._address).close()
        except psycopg.OperationalError:
            return False
        return True


def _program(name: str) -> str:
    found = shutil.which(name) or (_FOLDERS[-1] / name if _FOLDERS else None)
    assert found is not None, f"{name} is missing: scripts/install-test-tools installs PostgreSQL"
    return str(found)
