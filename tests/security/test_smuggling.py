"""Requests that two parsers could understand differently, and worse, raw on the socket of real Gunicorn."""

from __future__ import annotations

import http.client
import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.asking import assert_problem
from tests.factories import EIGHT
from tests.serving import Reply, RunningSite
from tests.waiting import wait_until

PHOTO = EIGHT.read_bytes()
DIGITS = "/api/v1/models/digits/predict"
LENGTH = f"Content-Length: {len(PHOTO)}"
CHUNKED = "Transfer-Encoding: chunked"
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(PHOTO), PHOTO)
HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000")
TLS = bytes.fromhex("16030100c8010000c40303") + bytes(200)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Give a running site without a limit of pictures."""
    with RunningSite(tmp_path_factory.mktemp("smuggling"), workers="2", key_limit="0") as running:
        assert running.key
        wait_until(lambda: len(running.workers) == 2)
        yield running


def picture(site: RunningSite, *lines: str, body: bytes = PHOTO, version: str = "1.1") -> bytes:
    """Give a request that brings a picture, but for the lines that say where it ends."""
    given = [f"POST {DIGITS} HTTP/{version}", f"Host: 127.0.0.1:{site.port}", f"Authorization: Bearer {site.key}", *lines]
    return "\r\n".join([*given, "", ""]).encode("latin-1") + body


def question(site: RunningSite, *lines: str, first: str = "GET /livez HTTP/1.1", host: bool = True) -> bytes:
    """Give a request without a body."""
    return "\r\n".join([first, *([f"Host: 127.0.0.1:{site.port}"] if host else []), *lines, "", ""]).encode("latin-1")


def say(site: RunningSite, sent: bytes) -> bytes:
    """Send bytes as they are, and give all that comes back until the server closes its end."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=30) as connection:
        connection.sendall(sent)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.\d (\d{3}) ", answer)]


def as_reply(answer: bytes) -> Reply:
    """Read the one answer that came."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return Reply(int(first.split(" ")[1]), dict(line.split(": ", 1) for line in lines), body)


def assert_unharmed(site: RunningSite, before: list[int]) -> None:
    """See that the same workers answer the next good request, and that nothing was an error of ours."""
    answer = site.predict(PHOTO, DIGITS)
    assert (answer.status, answer.json["label"]) == (200, "8")
    assert site.workers == before
    assert '"level":"error"' not in site.log
    assert "Traceback" not in site.log


LENGTHS = {
    "two that differ": (LENGTH, "Content-Length: 5"),
    "twice the same": (LENGTH, LENGTH),
    "a list": (f"{LENGTH}, {len(PHOTO)}",),
    "a sign": ("Content-Length: +10",),
    "negative": ("Content-Length: -1",),
    "hexadecimal": ("Content-Length: 0x10",),
    "an underscore": ("Content-Length: 1_0",),
    "another alphabet's digit": ("Content-Length: ²",),
    "empty": ("Content-Length: ",),
    "astronomical": ("Content-Length: " + "9" * 30,),
    "thousands of digits": ("Content-Length: " + "9" * 5000,),
    "with chunks": (LENGTH, CHUNKED),
    "after chunks": (CHUNKED, LENGTH),
}
CODINGS = {
    "unknown": "Transfer-Encoding: xchunked",
    "chunked twice": "Transfer-Encoding: chunked, chunked",
    "in two lines": f"{CHUNKED}\r\n{CHUNKED}",
    "not the last": "Transfer-Encoding: chunked, identity",
    "none": "Transfer-Encoding: identity",
    "not chunked": "Transfer-Encoding: gzip",
    "compressed too": "Transfer-Encoding: gzip, chunked",
    "quoted": 'Transfer-Encoding: "chunked"',
    "a space before the colon": "Transfer-Encoding : chunked",
    "a vertical tab": "Transfer-Encoding: \x0bchunked",
    "folded": "Transfer-Encoding:\r\n chunked",
    "a null byte": "Transfer-Encoding: chunked\x00",
    "a carriage return": "X: y\rTransfer-Encoding: chunked",
}
CHUNK_BODIES = {
    "a bare line feed": CHUNKS.replace(b"\r\n", b"\n", 1),
    "a negative size": b"-3\r\nabc\r\n0\r\n\r\n",
    "a prefix": b"0x3\r\nabc\r\n0\r\n\r\n",
    "a space": b" 3\r\nabc\r\n0\r\n\r\n",
    "no size": b"\r\nabc\r\n0\r\n\r\n",
    "a size beyond numbers": b"f" * 18 + b"\r\nabc\r\n0\r\n\r\n",
    "an endless size": b"f" * 100_000,
    "more than its size": b"3\r\nabcdef\r\n0\r\n\r\n",
    "a line feed in an extension": b"3;a\nb\r\nabc\r\n0\r\n\r\n",
    "a null byte in an extension": b"3;\x00\r\nabc\r\n0\r\n\r\n",
    "an endless extension": b"3;" + b"a" * 100_000,
    "a length in the trailer": CHUNKS[:-2] + b"Content-Length: 5\r\n\r\n",
    "line feeds in the trailer": CHUNKS[:-2] + b"X: 5\n\n",
    "crumbs": b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n",
    "an endless trailer": b"0\r\n" + b"X: y\r\n" * 100_000,
}
HEADS = {
    "bare line feeds": b"GET /livez HTTP/1.1\nHost: localhost\n\n",
    "one bare line feed": b"GET /livez HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n",
    "two hosts": b"GET /livez HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    "no host": b"GET /livez HTTP/1.1\r\n\r\n",
    "an empty host": b"GET /livez HTTP/1.1\r\nHost:\r\n\r\n",
    "another host in the address": b"GET http://evil.example/livez HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "another port in the address": b"GET http://localhost:81/livez HTTP/1.1\r\nHost: localhost:80\r\n\r\n",
    "a tunnel": b"GET evil.example:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a long header": b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 65_536 + b"\r\n\r\n",
    "long headers": b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + b"X: %b\r\n" % (b"a" * 1000) * 65 + b"\r\n",
    "many headers": b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    "endless headers": b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 20_000,
    "a long address": b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "an endless address": b"GET /" + b"a" * 100_000,
    "a null byte in a value": b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
    "a null byte in a name": b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX\x00: ab\r\n\r\n",
    "a null byte in the address": b"GET /li\x00vez HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a space in a name": b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX Y: z\r\n\r\n",
    "a space before a colon": b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX : z\r\n\r\n",
    "a space at the beginning": b"GET /livez HTTP/1.1\r\n X: y\r\nHost: localhost\r\n\r\n",
    "no colon": b"GET /livez HTTP/1.1\r\nHost: localhost\r\nXY\r\n\r\n",
    "no name": b"GET /livez HTTP/1.1\r\nHost: localhost\r\n: y\r\n\r\n",
    "HTTP/0.9": b"GET /livez\r\n",
    "HTTP/2": HTTP2,
    "HTTP/3": b"GET /livez HTTP/3.0\r\nHost: localhost\r\n\r\n",
    "no HTTP": b"GET /livez FTP/1.1\r\nHost: localhost\r\n\r\n",
    "tabs": b"GET\t/livez\tHTTP/1.1\r\nHost: localhost\r\n\r\n",
    "two spaces": b"GET  /livez HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a space in the address": b"GET /li vez HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a small method": b"get /livez HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "TLS": TLS,
    "every byte": bytes(range(256)),
    "empty lines": b"\r\n\r\n\r\n",
    "a proxy's greeting": b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "another expectation": b"GET /livez HTTP/1.1\r\nHost: localhost\r\nExpect: miracles\r\n\r\n",
    "two types": b"GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n\r\n",
}


def assert_refused(site: RunningSite, sent: bytes) -> None:
    """See that it gets one answer that refuses it, at once, and that the connection is closed: nothing behind it is read."""
    before = site.workers
    answer = say(site, sent + question(site))
    (status,) = statuses(answer)
    assert 400 <= status < 500 or status == 501
    assert status != 408, "nobody waits for the rest of it"
    assert_problem(as_reply(answer), status, "image_too_large" if status == 413 else "invalid_request")
    assert_unharmed(site, before)


@pytest.mark.parametrize("fault", LENGTHS)
def test_a_length_that_is_not_clear_is_refused(site: RunningSite, fault: str) -> None:
    assert_refused(site, picture(site, *LENGTHS[fault], body=CHUNKS if CHUNKED in LENGTHS[fault] else PHOTO))


@pytest.mark.parametrize("fault", CODINGS)
def test_a_coding_that_is_not_plain_is_refused(site: RunningSite, fault: str) -> None:
    assert_refused(site, picture(site, CODINGS[fault], body=CHUNKS))


def test_chunks_of_the_old_version_are_refused(site: RunningSite) -> None:
    assert_refused(site, picture(site, CHUNKED, body=CHUNKS, version="1.0"))


@pytest.mark.parametrize("fault", CHUNK_BODIES)
def test_chunks_that_are_not_well_formed_are_refused(site: RunningSite, fault: str) -> None:
    assert_refused(site, picture(site, CHUNKED, body=CHUNK_BODIES[fault]))


@pytest.mark.parametrize("fault", HEADS)
def test_a_head_that_is_not_well_formed_is_refused(site: RunningSite, fault: str) -> None:
    assert_refused(site, HEADS[fault])


def test_chunks_with_extensions_and_a_trailer_are_as_good_as_any_body(site: RunningSite) -> None:
    parts = [PHOTO[:7], PHOTO[7:8], PHOTO[8:]]
    body = b"".join(b"%x;name=value\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\nX-Trailer: y\r\n\r\n"
    answer = say(site, picture(site, CHUNKED, body=body) + question(site, "Connection: close"))
    assert statuses(answer) == [200, 200]
    assert b'"label":"8"' in answer


def test_a_name_with_an_underscore_is_not_taken_for_one_with_a_dash(site: RunningSite) -> None:
    sent = picture(site, "Content_Length: 3", LENGTH, "Transfer_Encoding: chunked", "Connection: close")
    assert statuses(say(site, sent)) == [200]


def test_a_good_request_before_a_bad_one_is_answered(site: RunningSite) -> None:
    before = site.workers
    bad = picture(site, LENGTH, CHUNKED, body=CHUNKS)
    assert statuses(say(site, question(site) + bad + question(site))) == [200, 400]
    assert_unharmed(site, before)


def test_what_looks_like_a_request_inside_a_body_is_none(site: RunningSite) -> None:
    inside = question(site)
    sent = question(site, f"Content-Length: {len(inside)}") + inside + question(site, "Connection: close")
    assert statuses(say(site, sent)) == [200, 200]


def test_a_request_names_its_host_in_its_address_as_it_does_in_its_header(site: RunningSite) -> None:
    same = f"GET http://127.0.0.1:{site.port}/livez HTTP/1.1"
    assert statuses(say(site, question(site, "Connection: close", first=same))) == [200]


def test_the_old_version_needs_no_host(site: RunningSite) -> None:
    assert statuses(say(site, question(site, first="GET /livez HTTP/1.0", host=False))) == [200]


def test_thousands_that_are_refused_leave_no_file_open(site: RunningSite) -> None:
    before = site.workers
    faults = [head + question(site) for head in HEADS.values()]
    faults += [picture(site, CHUNKED, body=body) for body in CHUNK_BODIES.values()]
    for _ in range(20):
        for sent in faults:
            say(site, sent)
    assert_unharmed(site, before)
    deadline = time.monotonic() + 10
    while any(len(list(Path(f"/proc/{pid}/fd").iterdir())) > 100 for pid in before):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_what_the_server_says_itself_has_the_form_of_the_api(site: RunningSite) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=30) as connection:
        connection.sendall(HEADS["no host"])
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        problem = json.loads(answer.read())
    assert (answer.status, answer.getheader("Content-Type")) == (400, "application/problem+json")
    assert (problem["status"], problem["code"], problem["request_id"]) == (
        400,
        "invalid_request",
        answer.getheader("X-Request-Id"),
    )
