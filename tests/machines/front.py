"""Nginx in front of several hosts, as docs/deploy.md has it."""

from __future__ import annotations

import getpass
import http.client
import os
import signal
import ssl
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.deploy.manual import adapted, carry_out, commands
from tests.deploy.nginx import MAIN
from tests.machines.hosts import Host
from tests.serving import free_port
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
        ours = {
            "10.0.0.1:8000": f"{hosts[0].address}:{hosts[0].port}",
            "10.0.0.2:8000": f"{hosts[1].address}:{hosts[1].port}",
            "/photos.example.org/g": "/127.0.0.1/g",
            " >/etc/nginx/conf.d/": f"{self._listening()} >{self._folder}/conf.d/",
        }
        carry_out(adapted(commands("Several machines"), ours), os.environ)
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

    def _listening(self) -> str:
        ours = {
            "listen 443": f"listen 127.0.0.1:{self._port}",
            "listen 80": f"listen 127.0.0.1:{self._plain}",
            "/etc/ssl/vitrine": str(self._folder),
        }
        return "".join(f" | sed 's#{old}#{new}#'" for old, new in ours.items())

    def _answers(self) -> bool:
        connection = self.connect()
        try:
            connection.request("GET", "/livez")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()
