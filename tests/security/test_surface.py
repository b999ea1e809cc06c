"""What a site shows to whoever looks around: nothing but what it serves."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.factory import create_app
from tests.factories import CAT, make_settings
from tests.serving import RunningSite
from tests.web.visiting import make_visitor

DOORS = ["/", "/login", "/static/app.css", "/api/v1/models", "/api/v1/predict", "/livez", "/nothing"]
NOT_SERVED = [
    "/.git/HEAD",
    "/.git/config",
    "/.env",
    "/pyproject.toml",
    "/wsgi.py",
    "/app/config.py",
    "/data/secret_key",
    "/vitrine.db",
    "/console",
    "/static/../pyproject.toml",
    "/static/%2e%2e/pyproject.toml",
    "/static/..%2fpyproject.toml",
    "/static/bootstrap/../../__init__.py",
    "/static/swagger-ui/%2e%2e/__init__.py",
]
FOLDERS = ["/static/", "/static/bootstrap/", "/static/bootstrap/css/", "/static/swagger-ui/", "/models/cats-vs-dogs/samples/"]
TYPES = {
    "/login": "text/html; charset=utf-8",
    "/nothing": "text/html; charset=utf-8",
    "/static/app.css": 'text/css; charset="utf-8"',
    "/static/send.js": 'text/javascript; charset="utf-8"',
    "/api/v1/openapi.json": "application/json",
    "/api/v1/models": "application/problem+json",
    "/livez": "application/json",
}


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("method", ["TRACE", "TRACK", "PATCH", "PROPFIND", "MOVE"])
def test_no_door_takes_a_method_that_it_does_not_serve(site: RunningSite, method: str, path: str) -> None:
    reply = site.request(method, path, headers={"X-Said": "an echo of this"})
    assert reply.status in (404, 405), (method, path)
    assert b"an echo of this" not in reply.body


@pytest.mark.parametrize("path", NOT_SERVED)
def test_nothing_of_the_tree_or_the_data_can_be_fetched(site: RunningSite, path: str) -> None:
    for reply in (site.request("GET", path), make_visitor(site).get(path)):
        assert reply.status == 404
        assert b"[project]" not in reply.body
        assert b"root:" not in reply.body


@pytest.mark.parametrize("path", FOLDERS)
def test_no_folder_is_listed(site: RunningSite, path: str) -> None:
    reply = make_visitor(site).get(path)
    assert reply.status == 404
    assert b"app.css" not in reply.body.replace(b"/static/app.css", b"")
    assert CAT.name.encode() not in reply.body


@pytest.mark.parametrize(("path", "kind"), TYPES.items())
def test_every_answer_says_what_it_is_and_in_which_letters(site: RunningSite, path: str, kind: str) -> None:
    assert site.request("GET", path).headers["Content-Type"] == kind


def test_no_program_is_led_on_to_https_unnoticed(tmp_path: Path) -> None:
    clear = {"Host": "photos.example.org", "X-Forwarded-Proto": "http", "X-Forwarded-For": "192.0.2.1"}
    settings = {"public_url": "https://photos.example.org", "trusted_proxies": "1", "workers": "1"}
    with RunningSite(tmp_path, **settings) as behind_a_proxy:
        for method, path in (("GET", "/api/v1/models"), ("POST", "/api/v1/predict"), ("GET", "/livez")):
            reply = behind_a_proxy.request(method, path, headers=clear)
            assert not 300 <= reply.status < 400, path


def test_a_variable_of_flasks_does_not_switch_debugging_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    app = create_app(make_settings(tmp_path))
    assert not app.debug
    assert not app.testing
    assert app.test_client().get("/login?__debugger__=yes&cmd=resource&f=debugger.js").mimetype == "text/html"
