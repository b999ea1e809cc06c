"""One JSON line an event, whatever the input holds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.config import TREE
from tests.factories import CAT
from tests.serving import Reply, RunningSite
from tests.web.visiting import make_visitor

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


def logged(site: RunningSite, reply: Reply) -> dict[str, Any]:
    """Give the one event of a request."""
    found = [event for event in events(site) if event.get("request_id") == reply.headers["X-Request-Id"]]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("path", ["/login", "/nothing", "/api/v1/models", "/livez"])
def test_an_answer_and_its_line_bear_the_same_identifier(site: RunningSite, path: str) -> None:
    reply = site.request("GET", path)
    event = logged(site, reply)
    assert (event["event"], event["method"], event["path"], event["status"]) == ("request", "GET", path, reply.status)


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
