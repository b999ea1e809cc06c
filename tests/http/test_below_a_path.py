"""The path of the public address: taken off a request, once."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from app.http.hosts import UnderPrefix


def asked(path: str, mount: str = "") -> tuple[int, str]:
    """Give the status, and what the application sees as its mount and its path."""

    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [f"{environ['SCRIPT_NAME']} {environ['PATH_INFO']}".encode()]

    environ = {**EnvironBuilder().get_environ(), "SCRIPT_NAME": mount, "PATH_INFO": path}
    body, status, _ = run_wsgi_app(UnderPrefix(application, prefix="/vitrine"), environ)
    return int(status[:3]), b"".join(body).decode()


@pytest.mark.parametrize(
    ("path", "mount", "seen"),
    [
        ("/vitrine/login", "", "/vitrine /login"),
        ("/vitrine/", "", "/vitrine /"),
        ("/vitrine", "", "/vitrine "),
        ("/vitrine/vitrine/login", "", "/vitrine /vitrine/login"),
        ("/login", "/vitrine", "/vitrine /login"),  # a server that is told to mount the site there has done it
        ("/livez", "", " /livez"),
        ("/metrics", "", " /metrics"),
    ],
)
def test_what_is_below_it_is_answered(path: str, mount: str, seen: str) -> None:
    assert asked(path, mount) == (200, seen)


@pytest.mark.parametrize(("path", "mount"), [("/", ""), ("/login", ""), ("/vitrines", ""), ("/login", "/elsewhere")])
def test_what_is_beside_it_is_not(path: str, mount: str) -> None:
    assert asked(path, mount) == (404, "This site is at /vitrine/ and nowhere else.\n")
