"""A real S3 server for tests (moto's), on a port of the loopback address of its own; it keeps everything in memory."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.serving import free_port
from tests.side_server import SideServer
from tests.waiting import wait_until

# One request after another: between a condition and what is written under it moto itself lets others in.
_PROGRAM = """
import sys, threading
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple
application, turn = DomainDispatcherApplication(create_backend_app), threading.Lock()
def one_by_one(environ, start_response):
    with turn:
        return application(environ, start_response)
run_simple("127.0.0.1", int(sys.argv[1]), one_by_one, threaded=True)
"""


class RunningS3(SideServer):
    """A server with one bucket."""

    url = "s3://vitrine/site"

    def __init__(self, folder: Path) -> None:
        self._log = folder / "s3.log"
        self._port = free_port()

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to find it, as obstore and every other client of S3 read it."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._port}",
            "AWS_ACCESS_KEY_ID": "tests",
            "AWS_SECRET_ACCESS_KEY": "tests",
            "AWS_REGION": "us-east-1",
        }

    def start(self) -> None:
        """Start it with the bucket and nothing in it, and wait until it answers."""
        with self._log.open("ab") as log:
            words = [sys.executable, "-c", _PROGRAM, str(self._port)]
            self._process = subprocess.Popen(words, stdout=log, stderr=log, env={**os.environ, **self.environment})
        wait_until(self._has_bucket, seconds=60)

    @property
    def requests(self) -> list[str]:
        """What it was asked so far, a line a request."""
        return [line for line in self._log.read_text(encoding="utf-8").splitlines() if " HTTP/1.1" in line]

    def _has_bucket(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        try:
            with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{self._port}/vitrine", method="PUT")):
                return True
        except OSError:
            return False
