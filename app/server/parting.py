"""Connections that have had their last answer, until their clients have seen it."""

from __future__ import annotations

import contextlib
import selectors
import socket
import time

# What a client still sends is read and thrown away for so long: closed at once, it might not see the answer.
_SECONDS, _MOST = 2.0, 256
_PIECE = 65_536


class Parting:
    """Closes connections when their clients do, or when they have had time to, without anybody waiting for it."""

    def __init__(self, poller: selectors.BaseSelector) -> None:
        self._poller = poller
        self._until: dict[socket.socket, float] = {}  # in the order in which they came

    def part(self, client: socket.socket) -> None:
        """Say that nothing more will come, and close in a while."""
        try:
            client.setblocking(False)
            client.shutdown(socket.SHUT_WR)
            if len(self._until) < _MOST:
                self._poller.register(client, selectors.EVENT_READ, self._discard)
                self._until[client] = time.monotonic() + _SECONDS
                return
        except (OSError, ValueError):
            pass  # it has gone already
        client.close()

    def sweep(self) -> None:
        """Close those that have had their time."""
        while self._until:
            client, until = next(iter(self._until.items()))
            if until > time.monotonic():
                break
            self._close(client)

    def _discard(self, client: socket.socket) -> None:
        try:
            over = not client.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            over = True
        if over:
            self._close(client)

    def _close(self, client: socket.socket) -> None:
        del self._until[client]
        with contextlib.suppress(KeyError, ValueError):
            self._poller.unregister(client)
        client.close()
