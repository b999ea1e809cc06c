"""Clients that send slowly, or stop half-way, at bare Gunicorn: they keep nobody else from being answered, and not for ever."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.factories import EIGHT
from tests.serving import RunningSite
from tests.waiting import wait_until

DIGITS = "/api/v1/models/digits/predict"
PHOTO = EIGHT.read_bytes()
# What a good request may take beside hundreds of bad ones; alone it takes some milliseconds.
WITHIN = 15.0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Give a running site with as many threads as a small machine has."""
    with RunningSite(tmp_path_factory.mktemp("slow"), workers="2", key_limit="0") as running:
        assert running.key
        yield running


def head_of(site: RunningSite, length: int | None, kind: str = "image/png") -> bytes:
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    lines = [f"POST {DIGITS} HTTP/1.1", f"Host: 127.0.0.1:{site.port}", f"Authorization: Bearer {site.key}"]
    return "\r\n".join([*lines, f"Content-Type: {kind}", framing, "", ""]).encode()


def half_head(site: RunningSite) -> bytes:
    return head_of(site, 1000)[:60]


def half_raw(site: RunningSite) -> bytes:
    return head_of(site, len(PHOTO)) + PHOTO[: len(PHOTO) // 2]


def half_form(site: RunningSite) -> bytes:
    part = b'--x\r\nContent-Disposition: form-data; name="image"; filename="8.png"\r\n\r\n' + PHOTO
    return head_of(site, 1_000_000, "multipart/form-data; boundary=x") + part


def half_chunks(site: RunningSite) -> bytes:
    return head_of(site, None) + b"40\r\n" + PHOTO[:32]


def too_large(site: RunningSite) -> bytes:
    return head_of(site, 150_000_000) + bytes(1000)


HALVES: dict[str, Callable[[RunningSite], bytes]] = {
    "head": half_head,
    "raw": half_raw,
    "form": half_form,
    "chunks": half_chunks,
    "too large": too_large,
}


def connect(site: RunningSite, *sent: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", site.port), timeout=60)
    for content in sent:
        connection.sendall(content)
    return connection


@contextmanager
def beside(site: RunningSite, number: int, *halves: bytes) -> Iterator[list[socket.socket]]:
    """Have so many clients that have sent a part of a request each."""
    with ExitStack() as opened:
        yield [opened.enter_context(connect(site, halves[n % len(halves)])) for n in range(number)]


def assert_answered(site: RunningSite) -> None:
    """See that a good request is answered in time."""
    headers = {"Authorization": f"Bearer {site.key}", "Content-Type": "image/png"}
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=WITHIN)
    connection.request("POST", DIGITS, PHOTO, headers)
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status == 200, content
    assert json.loads(content)["label"] == "8"
    connection.close()


def is_past_the_rush(site: RunningSite) -> bool:
    """Tell whether somebody is answered; of hundreds that come at once, some may be told that they are too many."""
    return site.request("GET", "/livez").status == 200


def answer_on(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return answer.status, dict(answer.headers), answer.read()


@pytest.mark.parametrize("half", HALVES)
def test_two_hundred_that_stop_half_way_keep_nobody_from_being_answered(site: RunningSite, half: str) -> None:
    with beside(site, 200, HALVES[half](site)):
        wait_until(lambda: is_past_the_rush(site), seconds=5)  # before any of them is sent away for being slow
        for _ in range(3):
            assert_answered(site)


def test_two_hundred_that_do_not_close_their_end_keep_nobody_from_being_answered(site: RunningSite) -> None:
    bad = b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"
    last = f"GET /livez HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nConnection: close\r\n\r\n".encode()
    with beside(site, 200, bad, last):
        for _ in range(3):
            assert_answered(site)


def test_who_stops_half_way_is_told_and_closed(site: RunningSite) -> None:
    with beside(site, 4, *(HALVES[half](site) for half in ("head", "raw", "form", "chunks"))) as connections:
        for connection in connections:
            status, headers, body = answer_on(connection)
            assert (status, headers["Connection"], json.loads(body)["code"]) == (408, "close", "too_slow")
            assert connection.recv(1) == b""


@pytest.mark.parametrize("pieces", [20, 200])
def test_who_is_slow_but_comes_to_an_end_is_answered(site: RunningSite, pieces: int) -> None:
    request = head_of(site, len(PHOTO)) + PHOTO
    chunked = head_of(site, None) + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (PHOTO[:100], PHOTO[100:]))
    for sent in (request, chunked + b"0\r\nX-Trailer: 1\r\n\r\n"):
        size = max(1, len(sent) // pieces)
        with connect(site) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for begin in range(0, len(sent), size):
                connection.sendall(sent[begin : begin + size])
                time.sleep(0.01)  # longer than a thread waits
            status, _, body = answer_on(connection)
            assert (status, json.loads(body)["label"]) == (200, "8")
            # And the connection is as good as before.
            connection.sendall(request)
            assert answer_on(connection)[0] == 200
