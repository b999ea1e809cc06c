"""Lets the head of an answer leave together with its body."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

from app.server.waiting import Connection

# More than this is not copied only to send two packets less.
_MOST_JOINED = 65_536


class Gathered:
    """A client's socket that keeps the first bytes of an answer, which are its head, until the next ones come.

    Sent one by one they would wake the client twice, and this thread would let go of the interpreter twice. Whoever does
    anything with it but to send finds that everything has been sent.
    """

    def __init__(self, client: socket.socket) -> None:
        self.client = client
        self._head: bytes | None = None
        self._begun = False

    def sendall(self, content: bytes) -> None:
        """Send, or keep what comes first."""
        if not self._begun:
            self._begun, self._head = True, content
        elif self._head is not None and len(content) <= _MOST_JOINED:
            head, self._head = self._head, None
            self.client.sendall(head + content)
        else:
            self.flush()
            self.client.sendall(content)

    def flush(self) -> None:
        """Send what is kept."""
        if self._head is not None:
            head, self._head = self._head, None
            self.client.sendall(head)

    def __getattr__(self, name: str) -> Any:
        """Give what the socket has."""
        self.flush()
        return getattr(self.client, name)


@contextlib.contextmanager
def gathered(connection: Connection) -> Iterator[None]:
    """Gather what a connection is sent in a block."""
    gathering = connection.sock = Gathered(connection.sock)
    try:
        yield
        gathering.flush()
    finally:
        connection.sock = gathering.client
