"""An answer's head leaves together with what follows it, and never later than it must."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.server.gathering import Gathered, gathered

HEAD, BODY = b"HTTP/1.1 200 OK\r\n\r\n", b"body"


class Pieces(socket.socket):
    """A socket that remembers what was sent at once."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(fileno=descriptor)
        self.pieces: list[bytes] = []

    def sendall(self, content: Any, *flags: int) -> None:
        self.pieces.append(bytes(content))
        super().sendall(content, *flags)


@pytest.fixture
def pair() -> Iterator[tuple[Pieces, socket.socket]]:
    one, other = socket.socketpair()
    ours = Pieces(one.detach())
    with ours, other:
        other.settimeout(5)
        yield ours, other


def test_head_and_body_are_sent_at_once_and_what_follows_by_itself(pair: tuple[Pieces, socket.socket]) -> None:
    client = Gathered(pair[0])
    client.sendall(HEAD)
    assert pair[0].pieces == []
    for piece in (BODY, b"more", b"still more"):
        client.sendall(piece)
    assert pair[0].pieces == [HEAD + BODY, b"more", b"still more"]
    assert pair[1].recv(100) == HEAD + BODY + b"morestill more"


def test_a_large_body_is_not_copied(pair: tuple[Pieces, socket.socket]) -> None:
    body = bytes(65_537)
    client = Gathered(pair[0])
    client.sendall(HEAD)
    client.sendall(body)
    assert pair[0].pieces == [HEAD, body]


def test_a_head_without_a_body_is_sent_at_the_end_of_the_block(pair: tuple[Pieces, socket.socket]) -> None:
    connection: Any = SimpleNamespace(sock=pair[0])
    with gathered(connection):
        connection.sock.sendall(HEAD)
        assert pair[0].pieces == []
    assert (pair[0].pieces, connection.sock) == ([HEAD], pair[0])


def test_whoever_does_anything_else_finds_everything_sent(pair: tuple[Pieces, socket.socket], tmp_path: Path) -> None:
    client = Gathered(pair[0])
    client.sendall(HEAD)
    file = tmp_path / "body"
    file.write_bytes(BODY)
    with file.open("rb") as content:
        client.sendfile(content)
    client.shutdown(socket.SHUT_WR)
    received = b"".join(iter(lambda: pair[1].recv(100), b""))
    assert received == HEAD + BODY


def test_the_socket_is_given_back_when_the_block_fails_and_nothing_was_sent(pair: tuple[Pieces, socket.socket]) -> None:
    connection: Any = SimpleNamespace(sock=pair[0])

    def fail() -> None:
        with gathered(connection):
            connection.sock.sendall(HEAD)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (pair[0].pieces, connection.sock) == ([], pair[0])
