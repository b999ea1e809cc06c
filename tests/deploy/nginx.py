"""A site behind a real Nginx with the configuration of deploy/nginx, on ports of the loopback address."""

from __future__ import annotations

import getpass
import http.client
import signal
import ssl
import subprocess
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


class NginxSite(RunningSite):
    """A site that is reached over TLS through Nginx; visitors come from `comes_from`."""

    comes_from = "127.0.0.1"

    def __init__(self, folder: Path, **settings: str) -> None:
        self.front, self.plain_front = free_port(), free_port()
        self.nginx = folder / "nginx"
        address = f"https://127.0.0.1:{self.front}"
        super().__init__(folder, public_url=address, trusted_proxies="1", **settings)
        self.url = address
        self._nginx: subprocess.Popen[bytes] | None = None

    def connect(self) -> http.client.HTTPConnection:
        """Give a connection to Nginx over TLS; its certificate is made for the test."""
        anybody = ssl._create_unverified_context()
        return http.client.HTTPSConnection(
            "127.0.0.1", self.front, timeout=60, context=anybody, source_address=(self.comes_from, 0)
        )

    def launch(self) -> None:
        """Start the site and Nginx in front of it."""
        self._prepare()
        words = ["nginx", "-e", "error.log", "-p", str(self.nginx), "-c", "nginx.conf", "-g", "daemon off;"]
        self._nginx = subprocess.Popen(words, cwd=self.nginx)
        super().launch()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End both, Nginx first."""
        assert self._nginx is not None
        self._nginx.terminate()
        self._nginx.wait(timeout=30)
        return super().stop(number)

    def _prepare(self) -> None:
        (self.nginx / "conf.d").mkdir(parents=True)
        (self.nginx / "nginx.conf").write_text(MAIN.format(user=getpass.getuser()), encoding="utf-8")
        certificate = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
        carry_out(f"{certificate} -keyout {self.nginx}/privkey.pem -out {self.nginx}/fullchain.pem", self.environment)
        ours = {
            "listen 443": f"listen 127.0.0.1:{self.front}",
            "listen 80": f"listen 127.0.0.1:{self.plain_front}",
            "127.0.0.1:8000": f"127.0.0.1:{self.port}",
            "/etc/ssl/vitrine": str(self.nginx),
            "/var/www/vitrine": f"{self.nginx}/static",
        }
        listening = "".join(f" | sed 's#{old}#{new}#'" for old, new in ours.items())
        changes = {
            ".venv/bin/vitrine": "python -m app.cli",
            "/var/www/vitrine": f"{self.nginx}/static",
            "/photos.example.org/g": "/localhost/g",
            " >/etc/nginx/conf.d": f"{listening} >{self.nginx}/conf.d",
            "nginx -t": f"nginx -t -e error.log -p {self.nginx} -c nginx.conf",
        }
        carry_out(adapted(commands("Nginx"), changes), self.environment)
