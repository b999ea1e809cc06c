"""Nginx in front of several hosts, with the file of deploy/nginx and a line more for each of them, as docs/deploy.md says."""

from __future__ import annotations

import getpass
import http.client
import signal
import ssl
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.deploy.nginx import MAIN
from tests.machines.hosts import Host
from tests.serving import TREE, free_port
from tests.waiting import wait_until


class Front:
    """Reached over TLS; what it needs is in its own folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port, self._plain = free_port(), free_port()
        self.public = f"https://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, hosts: Sequence[Host]) -> Self:
        """Start it in front of hosts, and wait until it answers."""
        (self._folder / "conf.d").mkdir(parents=True)
        (self._folder / "nginx.conf").write_text(MAIN.format(user=getpass.getuser()), encoding="utf-8")
        made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        files = ["-keyout", str(self._folder / "privkey.pem"), "-out", str(self._folder / "fullchain.pem")]
        subprocess.run([*made, "-subj", "/CN=localhost", *files], check=True, capture_output=True)
        text = (TREE / "deploy" / "nginx" / "vitrine.conf").read_text(encoding="utf-8")
        ours = {
            "server 127.0.0.1:8000;": "least_conn;" + "".join(f" server {host.address}:{host.port};" for host in hosts),
            "photos.example.org": "127.0.0.1",
            "listen 443": f"listen 127.0.0.1:{self._port}",
            "listen 80": f"listen 127.0.0.1:{self._plain}",
            "/etc/ssl/vitrine": str(self._folder),
        }
        for old, new in ours.items():
            assert old in text, old
            text = text.replace(old, new)
        (self._folder / "conf.d" / "vitrine.conf").write_text(text, encoding="utf-8")
        started = ["nginx", "-e", "error.log", "-p", str(self._folder), "-c", "nginx.conf", "-g", "daemon off;"]
        self._process = subprocess.Popen(started, cwd=self._folder)
        wait_until(self._answers)
        return self

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(30)

    def connect(self) -> http.client.HTTPConnection:
        """Give a connection to it over TLS; its certificate is made for the test."""
        return http.client.HTTPSConnection("127.0.0.1", self._port, timeout=60, context=ssl._create_unverified_context())

    def _answers(self) -> bool:
        connection = self.connect()
        try:
            connection.request("GET", "/livez")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()
