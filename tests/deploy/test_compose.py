"""Compose's services for real, on the loopback address: the image with its settings and secrets, and its Nginx with its file.

PostgreSQL, Redis and Nginx are Debian's, not those of the images that the file names.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy.containers import ContainerSite, Engine
from tests.platforms.composed import VITRINE, make_secrets, settings_over
from tests.platforms.emulation import PUBLIC
from tests.postgres import RunningPostgres
from tests.redis_server import RunningRedis
from tests.serving import TREE, Reply, free_port
from tests.waiting import wait_until

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
PHOTO = TREE / "models" / "cats-vs-dogs" / "1" / "samples" / "Bengal_99.jpg"


@dataclass(frozen=True)
class Front:
    """Where Nginx listens, and the site behind it."""

    plain: int
    secure: int
    site: ContainerSite

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """Ask over TLS, whatever the certificate says."""
        anybody = ssl.create_default_context()
        anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", self.secure, timeout=60, context=anybody)
        return _reply(connection, method, path, body, headers)

    def ask_plainly(self, path: str) -> Reply:
        """Ask over plain http."""
        return _reply(http.client.HTTPConnection("127.0.0.1", self.plain, timeout=60), "GET", path, None, {})


def _reply(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None, headers: dict[str, str]
) -> Reply:
    connection.request(method, path, body, {"Host": PUBLIC, **headers})
    answer = connection.getresponse()
    try:
        return Reply(answer.status, dict(answer.headers), answer.read())
    finally:
        connection.close()


def configuration(folder: Path, site: ContainerSite, plain: int, secure: int) -> str:
    """Give the file with the container's places led to the test's."""
    text = (TREE / "deploy" / "compose" / "nginx.conf").read_text(encoding="utf-8")
    for there, here in {
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl;": f"listen 127.0.0.1:{secure} ssl;",
        "http://vitrine:8000": site.url,
        "/run/secrets/": f"{folder}/",
        "/var/run/nginx.pid": f"{folder}/pid",
    }.items():
        assert there in text
        text = text.replace(there, here)
    # The image's Nginx is newer than Debian's, which knows this by another name.
    version = re.findall(
        r"nginx/(\d+)\.(\d+)", subprocess.run([NGINX, "-v"], capture_output=True, text=True, check=True).stderr
    )
    return text if (int(version[0][0]), int(version[0][1])) >= (1, 25) else text.replace("http2 on;", "")


@pytest.fixture(scope="module")
def site(engine: Engine, image_with_extras: str) -> Iterator[ContainerSite]:
    with tempfile.TemporaryDirectory(prefix="vitrine-composed-") as made, RunningPostgres() as postgres:
        folder = Path(made)
        with RunningRedis(folder) as redis:
            secrets = make_secrets(folder)
            settings = settings_over(postgres, redis, secrets, seen_at=Path("/run/secrets"))
            options = [word for name, value in settings.items() for word in ("-e", f"{name}={value}")]
            for name in VITRINE["secrets"]:
                os.chown(secrets / name, 10001, -1)  # as the documents do
                options += ["-v", f"{secrets / name}:/run/secrets/{name}:ro"]  # as Compose does
            with ContainerSite(engine, image_with_extras, name="composed", volume="composed", options=options) as site:
                print(f"\ncold start over PostgreSQL: {site.started_within:.1f} s")
                yield site


@pytest.fixture(scope="module")
def front(site: ContainerSite) -> Iterator[Front]:
    # Its workers are somebody else where root starts it, and may not look into pytest's folders.
    with tempfile.TemporaryDirectory(prefix="vitrine-nginx-") as made:
        folder, plain, secure = Path(made), free_port(), free_port()
        folder.chmod(0o755)
        request = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={PUBLIC} -keyout tls_key -out tls_certificate"
        subprocess.run(["openssl", *request.split()], cwd=folder, capture_output=True, check=True)
        (folder / "nginx.conf").write_text(configuration(folder, site, plain, secure))
        words = [NGINX, "-p", made, "-e", f"{made}/errors", "-c", f"{made}/nginx.conf"]
        tried = subprocess.run([*words, "-t"], capture_output=True, text=True, check=False)
        assert tried.returncode == 0, tried.stderr
        nginx = subprocess.Popen([*words, "-g", "daemon off;"])
        try:
            front = Front(plain, secure, site)
            wait_until(lambda: _listens(front))
            yield front
        finally:
            nginx.terminate()
            nginx.wait(30)


def _listens(front: Front) -> bool:
    try:
        return front.ask("GET", "/livez").status == 200
    except OSError:
        return False


def test_a_page_knows_that_it_was_asked_for_by_tls(front: Front) -> None:
    page = front.ask("GET", "/login")
    assert page.status == 200
    assert "Strict-Transport-Security" in page.headers
    assert "; Secure" in page.headers["Set-Cookie"]


def test_plain_http_is_led_to_tls(front: Front) -> None:
    reply = front.ask_plainly("/login?next=/history")
    assert (reply.status, reply.headers["Location"]) == (301, f"https://{PUBLIC}/login?next=/history")


def test_a_photo_goes_through(front: Front) -> None:
    key = {"Authorization": f"Bearer {front.site.key}", "Content-Type": "application/octet-stream"}
    reply = front.ask("POST", "/api/v1/predict", PHOTO.read_bytes(), **key)
    assert (reply.status, reply.json["label"], reply.json["stored"]) == (200, "cat", True)
    assert front.ask("GET", "/readyz").json["problems"] == []
    # It is kept in PostgreSQL, limits are counted in Redis, and the key that signs cookies was given.
    assert "vitrine.db" not in front.site.inside("ls", "-A", "/data").split()
    assert "secret_key" not in front.site.inside("ls", "-A", "/data").split()


def test_what_a_visitor_says_of_the_scheme_and_the_name_goes_no_further(front: Front) -> None:
    forged = {"X-Forwarded-Proto": "http", "X-Forwarded-Host": "elsewhere.example.org", "X-Forwarded-For": "192.0.2.1"}
    assert front.ask("GET", "/login", None, **forged).status == 200
