"""A real site for tests: `vitrine serve` as a process of its own, over a data folder of its own."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

from app.composition import Services, compose
from app.config import load_settings
from app.services.audit_log import COMMAND_LINE, subject_of_account
from app.storage.schema import upgrade
from tests.passwords import remembered

TREE = Path(__file__).resolve().parent.parent
VITRINE = [sys.executable, "-m", "app.cli"]
EMAIL, PASSWORD = "ada@example.org", "correct horse battery"


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


def free_port() -> int:
    """Give a port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RunningSite:
    """A site that is started on entry and ended on exit; settings are given without their prefix."""

    probe = "/readyz"  # below the path at which a server mounts the site, where one does

    def __init__(self, folder: Path, **settings: str) -> None:
        self.data = folder / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder / "log"
        self._settings = {f"VITRINE_{name.upper()}": value for name, value in settings.items()}
        self._process: subprocess.Popen[bytes] | None = None
        self._key: str | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The environment that commands on this site's data need."""
        return {**os.environ, "VITRINE_DATA": str(self.data), "PORT": str(self.port), **self._settings}

    @property
    def log(self) -> str:
        """Everything the site has printed."""
        return self._log.read_text(encoding="utf-8")

    @property
    def pid(self) -> int:
        """The process of Gunicorn's master."""
        assert self._process is not None
        return self._process.pid

    @property
    def workers(self) -> list[int]:
        """The processes that answer."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    @property
    def setup_link(self) -> str:
        """The link for the first administrator that the latest start printed."""
        return str(re.findall(r"http\S+/setup/\S+", self.log)[-1])

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()  # one that is not ready runs on all the same
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def launch(self) -> None:
        """Start, and wait for nothing."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([*VITRINE, "serve"], cwd=TREE, env=self.environment, stdout=log, stderr=log)

    def start(self) -> None:
        """Start, and wait until pictures can be answered."""
        self.launch()
        assert self._process is not None
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self.log
            try:
                if self.request("GET", self.probe).status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"the site did not start:\n{self.log}")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End the site with a signal, and give its exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self._process.wait(timeout=45)

    def run(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command of `vitrine` on this site's data."""
        return subprocess.run(
            [*VITRINE, *arguments],
            cwd=TREE,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    @contextmanager
    def services(self) -> Iterator[Services]:
        """Give the services over this site's data, as a command has them; a command itself takes a second to start."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            services = compose(load_settings(), passwords=remembered())
        if not self.data.exists():  # neither a start nor a command has made it
            self.data.mkdir(mode=0o700, parents=True)
            upgrade(services.engine, copies=self.data / "copies")
        yield services
        services.engine.dispose()

    def make_account(self, email: str = EMAIL, password: str = PASSWORD, *, admin: bool = False) -> None:
        """Make an account where there is none of that name."""
        with self.services() as services:
            if not services.accounts.exists(email):
                services.accounts.create(email, password, admin=admin)
                role = "as administrator" if admin else "as member"
                services.audit_log.record(COMMAND_LINE, "made", subject_of_account(email), role)

    @property
    def key(self) -> str:
        """An API key of the usual account, made once."""
        if self._key is None:
            self.make_account()
            self._key = self.make_key()
        return self._key

    def make_key(self) -> str:
        """Make a key of the usual account."""
        with self.services() as services:
            return services.api_keys.create(services.accounts.number_of(EMAIL), "tests")

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        *,
        key: str | None = None,
    ) -> Reply:
        """Send one request on a connection of its own and give whatever comes back; redirects are not followed."""
        sent = {**(headers or {}), **({"Authorization": f"Bearer {key}"} if key else {})}
        connection = self.connect()
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return Reply(answer.status, dict(answer.headers), answer.read())
        finally:
            connection.close()

    def connect(self) -> http.client.HTTPConnection:
        """Give a connection of its own to where visitors come in."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def predict(self, picture: bytes, path: str = "/api/v1/predict", content_type: str = "application/octet-stream") -> Reply:
        """Send a picture as raw bytes with the usual key."""
        return self.request("POST", path, picture, {"Content-Type": content_type}, key=self.key)
