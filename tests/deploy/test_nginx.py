"""Nginx in front, as docs/deploy.md has it."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.nginx import NginxSite
from tests.deploy.visits import assert_classifies, log_in
from tests.factories import CAT
from tests.web.reading import Page

_ESTABLISHED = "01"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NginxSite]:
    with NginxSite(tmp_path_factory.mktemp("nginx"), workers="1") as running:
        yield running


def curl(site: NginxSite, *words: str) -> str:
    """Give what curl prints, over HTTP/2 where Nginx speaks it."""
    done = subprocess.run(["curl", "-ksS", "--http2", *words], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def connections_to(port: int) -> int:
    """Give how many connections the site has open at its own port."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    return sum(row[1].endswith(f":{port:04X}") and row[3] == _ESTABLISHED for row in rows)


def test_a_photo_is_classified(site: NginxSite) -> None:
    assert_classifies(site)


def test_a_photo_is_classified_over_http_2(site: NginxSite) -> None:
    words = ["-H", f"Authorization: Bearer {site.key}", "-F", f"image=@{CAT}", "-w", "\n%{http_version} %{http_code}"]
    told, _, said = curl(site, *words, f"{site.url}/api/v1/predict").rpartition("\n")
    assert (json.loads(told)["label"], said) == ("cat", "2 200")


def test_a_photo_that_comes_in_chunks_is_classified(site: NginxSite) -> None:
    words = ["-H", f"Authorization: Bearer {site.key}", "-H", "Transfer-Encoding: chunked", "--data-binary", f"@{CAT}"]
    kind = ["-H", "Content-Type: application/octet-stream"]
    assert json.loads(curl(site, "--http1.1", *words, *kind, f"{site.url}/api/v1/predict"))["label"] == "cat"


def test_static_files_are_answered_by_nginx_itself(site: NginxSite) -> None:
    (site.nginx / "static" / "mine.css").write_text("p { color: red }", encoding="utf-8")
    assert site.request("GET", "/static/mine.css").body == b"p { color: red }"
    assert "nginx" in site.request("GET", "/static/app.css").headers["Server"]


def test_static_files_come_as_the_site_itself_gives_them(site: NginxSite) -> None:
    page = Page(log_in(site).get("/api/docs"))
    files = {found.get("href") or found["src"] for found in page.all("link") + page.all("script")}
    assert len(files) > 5
    for file in [*sorted(files), "/static/nothing.css"]:
        direct = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
        direct.request("GET", file)
        wanted, given = direct.getresponse(), site.request("GET", file)
        assert (given.status, given.body if given.status == 200 else b"") == (
            wanted.status,
            wanted.read() if wanted.status == 200 else b"",
        )
        direct.close()
        if given.status == 200:
            for name in ("Content-Type", "Cache-Control", "Content-Security-Policy", "Cross-Origin-Resource-Policy"):
                assert given.headers[name].replace('"', "") == wanted.headers[name].replace('"', ""), (file, name)
            own = {"Date", "Server", "Connection", "Etag", "Vary", "Content-Length", "Last-Modified"}
            assert set(wanted.headers) - own <= set(given.headers), file


def test_the_audit_log_tells_who_asked(site: NginxSite) -> None:
    site.comes_from = "127.0.0.9"
    log_in(site)
    site.comes_from = "127.0.0.1"
    (latest, *_) = [json.loads(line) for line in site.run("audit", "export", "--format", "json").stdout.splitlines()]
    assert "127.0.0.9" in latest.values(), latest


def test_a_half_sent_photo_waits_at_nginx(site: NginxSite) -> None:
    head = f"POST /api/v1/predict HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {site.key}\r\nContent-Length: 200000\r\n\r\n"
    before = connections_to(site.port)
    lines = []
    for _ in range(20):
        plain = socket.create_connection(("127.0.0.1", site.front), timeout=30)
        line = ssl._create_unverified_context().wrap_socket(plain, server_hostname="localhost")
        line.sendall(head.encode() + bytes(100_000))
        lines.append(line)
    assert site.predict(CAT.read_bytes()).json["label"] == "cat"
    assert connections_to(site.port) <= before + 1
    for line in lines:
        line.close()


def test_what_is_too_large_is_refused_with_the_sites_own_sentence_or_at_once(site: NginxSite) -> None:
    told = site.predict(bytes(25_000_000))
    assert (told.status, told.headers["Content-Type"]) == (413, "application/problem+json")
    words = ["-H", "Content-Length: 300000000", "-X", "POST", "-o", "/dev/null", "-w", "%{http_code}"]
    assert curl(site, "--http1.1", *words, f"{site.url}/") == "413"


def test_over_plain_http_pages_lead_to_https_and_no_program_is_led_on(site: NginxSite) -> None:
    words = ["-o", "/dev/null", "-w", "%{http_code} %{redirect_url}"]
    plain = f"http://127.0.0.1:{site.plain_front}"
    assert re.fullmatch(r"308 https://127.0.0.1:\d+/history\?page=2", curl(site, *words, f"{plain}/history?page=2"))
    assert curl(site, *words, f"{plain}/api/v1/models") == "403 "
