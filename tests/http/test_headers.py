"""The headers of every kind of answer, through real Gunicorn."""

from __future__ import annotations

import pytest

from tests.serving import RunningSite

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}
ANSWERS = {
    "page": ("GET", "/login", 200),
    "redirect": ("GET", "/history", 302),
    "page's error": ("GET", "/nothing", 404),
    "refused form": ("POST", "/login", 400),
    "wrong method": ("PUT", "/login", 405),
    "static file": ("GET", "/static/app.css", 200),
    "static file of a wheel": ("GET", "/static/swagger-ui/swagger-ui-bundle.js", 200),
    "static error": ("GET", "/static/nothing.css", 404),
    "API": ("GET", "/api/v1/openapi.json", 200),
    "API's error": ("POST", "/api/v1/predict", 401),
    "health": ("GET", "/livez", 200),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_every_answer_says_what_a_browser_may_do_with_it(site: RunningSite, kind: str) -> None:
    method, path, status = ANSWERS[kind]
    reply = site.request(method, path)
    assert reply.status == status
    assert {name: reply.headers.get(name) for name in HEADERS} == HEADERS
    assert "Strict-Transport-Security" not in reply.headers
    assert "Access-Control-Allow-Origin" not in reply.headers


@pytest.mark.parametrize("kind", ANSWERS)
def test_what_depends_on_the_visitor_is_never_kept_by_a_cache(site: RunningSite, kind: str) -> None:
    method, path, _ = ANSWERS[kind]
    expected = "max-age=86400, public" if kind.startswith("static file") else "no-store"
    assert site.request(method, path).headers["Cache-Control"] == expected


@pytest.mark.parametrize("path", ["/login", "/static/app.css", "/nothing", "/api/v1/openapi.json"])
def test_over_https_the_browser_is_told_to_stay_there(https_site: RunningSite, path: str) -> None:
    headers = https_site.request("GET", path).headers
    assert headers["Strict-Transport-Security"] == "max-age=15768000"
    assert {name: headers.get(name) for name in HEADERS} == HEADERS
