"""A site behind a real Nginx with the configuration of deploy/nginx, on ports of the loopback address."""

from __future__ import annotations

import getpass
import http.client
import os
import signal
import ssl
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.deploy.manual import adapted, carry_out, commands
from tests.serving import RunningSite, free_port

# As distributions have it around what is in conf.d; everything it writes is in its own folder.
MAIN = """
user {user};
worker_processes 1;
pid nginx.pid;
error_log error.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path bodies;
    proxy_temp_path answers;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include conf.d/*.conf;
}}
"""


class Nginx:
    """A Nginx on ports of its own, with the settings and commands of docs/deploy.md and a certificate made for the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.front, self.plain_front = free_port(), free_port()
        self.address = f"https://127.0.0.1:{self.front}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its first process."""
        assert self._process is not None
        return self._process.pid

    def prepare(
        self,
        heading: str,
        environment: Mapping[str, str],
        changes: Mapping[str, str],
        *,
        inside: Mapping[str, str] | None = None,
    ) -> None:
        """Do what the manual says below a heading, with changes of the commands and inside the configuration they write."""
        (self.folder / "conf.d").mkdir(parents=True)
        (self.folder / "nginx.conf").write_text(MAIN.format(user=getpass.getuser()), encoding="utf-8")
        certificate = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
        carry_out(f"{certificate} -keyout {self.folder}/privkey.pem -out {self.folder}/fullchain.pem", environment)
        ours = {
            "listen 443": f"listen 127.0.0.1:{self.front}",
            "listen 80": f"listen 127.0.0.1:{self.plain_front}",
            "/etc/ssl/vitrine": str(self.folder),
            **(inside or {}),
        }
        edits = "".join(f" | sed 's#{old}#{new}#'" for old, new in ours.items())
        written = {" >/etc/nginx/conf.d": f"{edits} >{self.folder}/conf.d"}
        carry_out(adapted(commands(heading), {**changes, **written}), environment)

    def stand_before(self, port: int, environment: Mapping[str, str], *, prefix: str = "") -> None:
        """Prepare it for the site on a port, which is served below a path where one is given."""
        inside = {"127.0.0.1:8000": f"127.0.0.1:{port}", "/var/www/vitrine": f"{self.folder}/static"}
        # As docs/deploy.md says of a path.
        below = {"location /static/": f"location {prefix}/static/"} if prefix else {}
        changes = {
            ".venv/bin/vitrine": "python -m app.cli",
            "/var/www/vitrine": f"{self.folder}/static",
            "/photos.example.org/g": "/localhost/g",
            "nginx -t": f"nginx -t -e error.log -p {self.folder} -c nginx.conf",
        }
        self.prepare("Nginx", environment, changes, inside={**inside, **below})

    def launch(self) -> None:
        """Start it."""
        words = ["nginx", "-e", "error.log", "-p", str(self.folder), "-c", "nginx.conf", "-g", "daemon off;"]
        path = f"{os.environ['PATH']}:/usr/sbin"
        self._process = subprocess.Popen(words, cwd=self.folder, env={**os.environ, "PATH": path})

    def connect(self, comes_from: str = "127.0.0.1") -> http.client.HTTPConnection:
        """Give a connection to it over TLS, from an address of this machine."""
        anybody = ssl._create_unverified_context()
        return http.client.HTTPSConnection("127.0.0.1", self.front, timeout=60, context=anybody, source_address=(comes_from, 0))

    def stop(self) -> None:
        """End it, where it has been started."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=30)


class NginxSite(RunningSite):
    """A site that is reached over TLS through Nginx; visitors come from `comes_from`."""

    comes_from = "127.0.0.1"

    def __init__(self, folder: Path, *, prefix: str = "", **settings: str) -> None:
        super().__init__(folder, trusted_proxies="1", **settings)
        self._front = Nginx(folder / "nginx")
        self._prefix = prefix
        self._settings["VITRINE_PUBLIC_URL"] = self._front.address + prefix
        self.url = self._front.address
        self.nginx, self.front, self.plain_front = self._front.folder, self._front.front, self._front.plain_front

    def connect(self) -> http.client.HTTPConnection:
        """Give a connection to Nginx over TLS."""
        return self._front.connect(self.comes_from)

    def launch(self) -> None:
        """Start the site and Nginx in front of it."""
        self._front.stand_before(self.port, self.environment, prefix=self._prefix)
        self._front.launch()
        super().launch()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End both, Nginx first."""
        self._front.stop()
        return super().stop(number)
