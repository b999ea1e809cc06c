"""The headers of every kind of answer, through real Gunicorn."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import pytest
from werkzeug.datastructures import Headers
from werkzeug.test import Client

from app.http.headers import AddedHeaders, server_timing
from app.inference.prediction import STAGES, Timings
from tests.factories import CAT
from tests.serving import RunningSite

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

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
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert {name: headers.get(name) for name in HEADERS} == HEADERS


def answering(*headers: tuple[str, str]) -> WSGIApplication:
    """Give an application that answers with these headers."""

    def application(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", list(headers))
        return [b"answer"]

    return application


def headers_of(application: WSGIApplication) -> Headers:
    """Ask an application, and give the headers of its answer."""
    answer = Client(application).get("/")
    assert (answer.status_code, answer.data) == (200, b"answer")
    return answer.headers


def test_what_an_answer_lacks_is_added_and_the_rest_stays_as_it_was() -> None:
    own = [("Set-Cookie", "a=1"), ("X-One", "1"), ("Set-Cookie", "b=2")]
    added = headers_of(AddedHeaders(answering(*own), {"X-Two": "2", "X-Three": "3"}))
    assert list(added) == [*own, ("X-Two", "2"), ("X-Three", "3")]


@pytest.mark.parametrize("name", ["Cache-Control", "cache-control", "CACHE-CONTROL"])
def test_what_an_answer_says_itself_is_not_said_again(name: str) -> None:
    layered = AddedHeaders(answering((name, "public")), {"Cache-Control": "no-store", "X-Frame-Options": "DENY"})
    assert list(headers_of(layered)) == [(name, "public"), ("X-Frame-Options", "DENY")]


def test_of_two_layers_the_inner_one_has_its_say() -> None:
    inner = AddedHeaders(answering(), {"Cache-Control": "no-store"})
    assert list(headers_of(AddedHeaders(inner, {"Cache-Control": "public"}))) == [("Cache-Control", "no-store")]


def test_one_answer_leaves_nothing_behind_for_the_next() -> None:
    layered = AddedHeaders(answering(), {"X-Two": "2"})
    assert [list(headers_of(layered)) for _ in range(3)] == [[("X-Two", "2")]] * 3


def test_an_answer_that_is_begun_again_after_an_error_has_them_too() -> None:
    begun: list[tuple[object, ...]] = []

    def application(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        try:
            raise ArithmeticError
        except ArithmeticError:
            start_response("500 Internal Server Error", [("X-One", "1")], sys.exc_info())
        return [b"error"]

    def start(status: str, headers: list[tuple[str, str]], error: object = None, /) -> Callable[[bytes], object]:
        begun.append((status, headers, isinstance(error, tuple) and error[0]))
        return lambda _: None

    assert list(AddedHeaders(application, {"X-Two": "2"})({}, start)) == [b"error"]
    assert begun == [
        ("200 OK", [("X-Two", "2")], False),
        ("500 Internal Server Error", [("X-One", "1"), ("X-Two", "2")], ArithmeticError),
    ]


def test_the_timings_of_an_answer_are_told_to_browsers_stage_by_stage() -> None:
    timings = Timings(decode=1.0, queue=0.25, model=12.3456, store=0.0004, total=13.6)
    assert server_timing(timings) == "decode;dur=1.000, queue;dur=0.250, model;dur=12.346, store;dur=0.000, total;dur=13.600"


def test_the_header_and_the_answer_tell_the_same_timings(site: RunningSite) -> None:
    for _ in range(5):
        reply = site.predict(CAT.read_bytes())
        told = dict(metric.split(";dur=") for metric in reply.headers["Server-Timing"].split(", "))
        assert list(told) == list(STAGES)
        assert {stage: float(milliseconds) for stage, milliseconds in told.items()} == reply.json["timings_ms"]
