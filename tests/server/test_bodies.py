"""Bodies that arrive in pieces: their end is found, large ones go into a file, and a full disk loses nothing."""

from __future__ import annotations

import errno
import io
import os
import tempfile
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser

from app.server.bodies import AbsurdChunks, Arriving

MOST = 10_000_000
CHUNKED = "Transfer-Encoding: chunked"
NEXT = b"GET / HTTP/1.1\r\n"


def begun(framing: str) -> Request:
    """Give a request of which the head has come."""
    head = f"POST / HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n".encode()
    return next(RequestParser(Config(), iter([head]), ("127.0.0.1", 1)))


def arrive(framing: str, content: bytes, size: int) -> tuple[Request, Arriving, bytes]:
    """Let a body come in pieces of a size; give the request, the body, and what came after it."""
    request = begun(framing)
    body, rest = Arriving(request, MOST), b""
    for begin in range(0, len(content), size):
        if body.whole:
            rest += content[begin : begin + size]
        else:
            rest += body.add(content[begin : begin + size])
    return request, body, rest


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_body_of_a_given_length_is_what_came_up_to_it(size: int) -> None:
    request, body, rest = arrive("Content-Length: 100", bytes(range(100)) + NEXT, size)
    assert (body.whole, rest) == (True, NEXT)
    body.give()
    assert request.body.read() == bytes(range(100))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("trailer", [b"", b"X-Trailer: y\r\nZ: a\r\n"])
def test_the_end_of_chunks_is_found_wherever_they_are_cut(size: int, trailer: bytes) -> None:
    parts = [b"abc", b"\r\n0\r\n\r\n", bytes(300), b"x"]
    content = b"".join(b"%x;a=b\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n" + trailer + b"\r\n"
    request, body, rest = arrive(CHUNKED, content + NEXT, size)
    assert (body.whole, rest) == (True, NEXT)
    body.give()
    assert request.body.read() == b"".join(parts)


@pytest.mark.parametrize("content", [b"zz\r\n", b"-1\r\n", b"3\r\nabcdef", b"3\r\nab\r\nc", b"3\nabc", b"\r\n", b"1" * 9000])
@pytest.mark.parametrize("size", [1, 10_000])
def test_nobody_waits_for_the_rest_of_broken_chunks(content: bytes, size: int) -> None:
    request, body, _ = arrive(CHUNKED, content, size)
    assert body.whole
    body.give()
    with pytest.raises(Exception, match=r"(?i)chunk|more data"):
        request.body.read()


@pytest.mark.parametrize("size", [1000, 65_536])
def test_crumbs_are_absurd(size: int) -> None:
    with pytest.raises(AbsurdChunks):
        arrive(CHUNKED, b"1\r\nx\r\n" * 50_000, size)


def test_a_body_that_breaks_off_is_whole_and_its_connection_is_not_kept() -> None:
    request, body, _ = arrive("Content-Length: 100", b"abc", 10)
    assert not body.whole
    assert body.add(b"") == b""
    assert (body.whole, request.should_close()) == (True, True)
    body.give()
    assert request.body.read() == b"abc"


@pytest.mark.parametrize(("length", "waited_for"), [(MOST + 1, True), (2 * MOST + 1, False), (10**40, False)])
def test_of_a_body_that_is_too_large_nothing_is_kept(length: int, waited_for: bool) -> None:
    request, body, _ = arrive(f"Content-Length: {length}", bytes(1000), 100)
    assert (body.whole, body.held) == (not waited_for, 0)
    assert request.should_close() != waited_for


def test_large_bodies_are_in_a_file_without_a_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    content = os.urandom(3_000_000)
    request, body, _ = arrive(f"Content-Length: {len(content)}", content, 70_000)
    assert body.held == len(content)
    assert list(tmp_path.iterdir()) == []
    body.give()
    assert not isinstance(request.body, io.BytesIO)
    assert request.body.read() == content
    assert request.body.read() == b""
    request.body.close()


@pytest.mark.parametrize("room", [0, 1, 2])
def test_a_full_disk_loses_nothing(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    reserve = os.posix_fallocate
    reserved: list[int] = []

    def full(descriptor: int, begin: int, size: int) -> None:
        if len(reserved) >= room:
            raise OSError(errno.ENOSPC, "No space left on device")
        reserved.append(size)
        reserve(descriptor, begin, size)

    monkeypatch.setattr(os, "posix_fallocate", full)
    content = os.urandom(5_000_000)
    request, body, _ = arrive(f"Content-Length: {len(content)}", content, 70_000)
    body.give()
    assert isinstance(request.body, io.BytesIO)
    assert len(reserved) == room
    assert request.body.read() == content
