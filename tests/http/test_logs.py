"""One JSON line an event, whatever the input holds."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from structlog.testing import capture_logs
from werkzeug.test import Client

from app.config import TREE
from app.http.logs import RequestLog
from tests.factories import CAT
from tests.serving import Reply, RunningSite
from tests.web.visiting import make_visitor

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_TELLING = "import ast, sys; structlog.get_logger().info('told', value=ast.literal_eval(sys.argv[1]))"
_FORGED = '{"event": "forged"}'
_FAILING = """
import logging, structlog, sys
from app.http.logs import configure_logs

configure_logs(sys.argv[1])

def check(password):
    raise ValueError("two\\nlines")

try:
    check("open " + "sesame")
except ValueError as error:
    structlog.get_logger().error("ours", exc_info=error)
    logging.getLogger("library").exception("theirs")
"""


def events(site: RunningSite) -> list[dict[str, Any]]:
    """Give the events of a log; what stands before them greets the operator."""
    lines = site.log.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("{"))
    return [json.loads(line) for line in lines[first:]]


def told_of(site: RunningSite, reply: Reply) -> list[dict[str, Any]]:
    """Give everything that was written while a request was answered."""
    return [event for event in events(site) if event.get("request_id") == reply.headers["X-Request-Id"]]


def logged(site: RunningSite, reply: Reply) -> dict[str, Any]:
    """Give the one line that tells of a request itself."""
    found = [event for event in told_of(site, reply) if event["event"] == "request"]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("path", ["/login", "/nothing", "/api/v1/models", "/livez"])
def test_an_answer_and_its_line_bear_the_same_identifier(site: RunningSite, path: str) -> None:
    reply = site.request("GET", path)
    event = logged(site, reply)
    assert (event["event"], event["method"], event["path"], event["status"]) == ("request", "GET", path, reply.status)


def test_a_line_tells_when_in_utc_and_from_where(site: RunningSite) -> None:
    event = logged(site, site.request("GET", "/login"))
    assert event["address"] == "127.0.0.1"
    assert datetime.fromisoformat(event["timestamp"]).utcoffset() == timedelta(0)


def test_a_line_cannot_be_forged_by_an_address(site: RunningSite) -> None:
    reply = site.request("GET", "/nothing%0A%0D%E2%80%A8%1B[2J" + _FORGED.replace('"', "%22").replace(" ", "%20"))
    assert logged(site, reply)["path"] == f"/nothing\n\r\u2028\x1b[2J{_FORGED}"
    assert "forged" not in {event["event"] for event in events(site)}


def test_a_line_cannot_be_forged_by_the_name_of_a_file(site: RunningSite) -> None:
    name = f"cat%0A{_FORGED}.jpg".replace('"', "%22")
    for visitor_headers in ({}, {"User-Agent": _FORGED, "Referer": _FORGED, "X-Request-Id": _FORGED}):
        ada = make_visitor(site)
        reply = ada.submit("/", {"model": "cats-vs-dogs"}, [("images", name, CAT.read_bytes())], headers=visitor_headers)
        assert logged(site, reply)["status"] == 303
    assert "forged" not in {event["event"] for event in events(site)}


def answering(status: str) -> WSGIApplication:
    """Give an application that answers with a status."""

    def application(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response(status, [])
        return [b""]

    return application


@pytest.mark.parametrize(
    ("failures_only", "told"),
    [(False, [("info", 200), ("info", 404), ("error", 500), ("error", 503)]), (True, [("error", 500), ("error", 503)])],
)
def test_where_a_proxy_logs_requests_only_what_failed_is_written(failures_only: bool, told: list[tuple[str, int]]) -> None:
    with capture_logs() as written:
        for status in ("200 OK", "404 Not Found", "500 Internal Server Error", "503 Service Unavailable"):
            answer = Client(RequestLog(answering(status), failures_only=failures_only)).get("/a")
            assert re.fullmatch("[0-9a-f]{16}", answer.headers["X-Request-Id"])
    assert [(event["log_level"], event["status"]) for event in written] == told
    assert {(event["event"], event["method"], event["path"]) for event in written} == {("request", "GET", "/a")}


def test_whoever_asked_for_too_much_or_was_failed_is_told_of_and_nobody_else() -> None:
    told: list[int] = []
    for status in ("200 OK", "404 Not Found", "429 Too Many Requests", "500 Internal Server Error", "503 Service Unavailable"):
        for path in ("/a", "/readyz"):
            Client(RequestLog(answering(status), failed=told.append)).get(path)
    assert told == [429, 500, 503]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/recover/abc", "/recover/(secret)"),
        ("/recover//abc/def%0Aghi", "/recover//(secret)"),
        ("/invitation/abc", "/invitation/(secret)"),
        ("/recover/", "/recover/"),
        ("/recovered/abc", "/recovered/abc"),
        ("/models/recover", "/models/recover"),
    ],
)
def test_a_link_that_lets_somebody_in_is_not_written(path: str, told: str) -> None:
    with capture_logs() as written:
        Client(RequestLog(answering("200 OK"), secret=("/recover/", "/invitation/"))).get(path)
    assert written[0]["path"] == told


def test_a_request_whose_application_fails_before_it_answers_leaves_nothing_for_the_next() -> None:
    def failing(_environ: WSGIEnvironment, _start: StartResponse) -> Iterable[bytes]:
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        Client(RequestLog(failing)).get("/a")
    assert structlog.contextvars.get_contextvars() == {}


@pytest.mark.parametrize("value", ["half a character \ud800", 2**70, {"a": {1, 2}}], ids=["text", "number", "set"])
def test_a_line_is_written_whatever_an_event_holds(value: object) -> None:
    program = f"import structlog; from app.http.logs import configure_logs; configure_logs('json')\n{_TELLING}"
    made = subprocess.run([sys.executable, "-c", program, repr(value)], cwd=TREE, capture_output=True, text=True, check=True)
    (line,) = made.stderr.splitlines()
    assert json.loads(line)["event"] == "told"


def test_gunicorns_own_events_are_lines_like_ours(site: RunningSite) -> None:
    assert site.request("GET", "/", headers={"Bad Name": "value"}).status == 400
    assert any("Bad Name" in event["event"] for event in events(site))


def test_a_traceback_is_one_line_and_tells_no_variables() -> None:
    lines = _fail("json").splitlines()
    told = [json.loads(line) for line in lines]
    assert [event["event"] for event in told] == ["ours", "theirs"]
    assert {event["exception"][0]["exc_value"] for event in told} == {"two\nlines"}
    assert "sesame" not in "".join(lines)


def test_a_traceback_on_a_terminal_tells_no_variables() -> None:
    told = _fail("text")
    assert told.count("ValueError: two") == 2
    assert "sesame" not in told


def _fail(form: str) -> str:
    made = subprocess.run(
        [sys.executable, "-c", _FAILING, form], cwd=Path(TREE), capture_output=True, text=True, timeout=60, check=True
    )
    return made.stderr.replace('check("open " + "sesame")', "")
