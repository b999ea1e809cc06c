"""Gunicorn's threaded worker, with connections shared evenly, fewer changes of thread, and a bounded line of requests.

A thread is given to a request when its head has come, and waits for its body only while that costs less than to change threads.
What is slow to come waits in a room of its own: however many slow clients there are, they keep no thread from others.

The application does not need it: any WSGI server may serve it.
"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import selectors
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.http.message import Request
from gunicorn.workers.gthread import ThreadWorker

from app.server.bodies import AbsurdChunks
from app.server.gathering import gathered
from app.server.parting import Parting
from app.server.refusals import ABSURD_CHUNKS, OVERLOADED, Reason, ambiguity_of, reason_of
from app.server.waiting import Again, Connection, WaitingRoom, head_has_come

# How long a thread stays with its connection for the next request, while nobody else waits for a thread. To hand it to the
# main thread and to get it back takes two changes of thread, and the interpreter's lock with each.
_STAY_MS = 5
# How long a worker leaves a new connection to others that have fewer. One that is stopped does not take it: then this one does.
_LEAVE_SECONDS = 0.003
# Requests that may wait for a thread; to one more it is said at once that there are too many.
_LONGEST_LINE = 128
# How long a thread waits for a client that takes nothing of its answer, as two numbers of a C struct.
_TAKEN_WITHIN = struct.pack("ll", 10, 0)
_NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_ARRIVING = object()

# How many connections each worker holds, plus one; 0 where there is no such worker. Made before the fork, so all see it.
_SLOTS = 64
_board = memoryview(mmap.mmap(-1, 4 * _SLOTS)).cast("I")


class Logs(Logger):  # type: ignore[misc] # Gunicorn has no types
    """Gunicorn's own events; requests are written by the application, with their identifiers."""

    @property
    def access_log_enabled(self) -> bool:
        """Nothing is prepared for a log that is not written, which a configuration of logging alone would switch on."""
        return False


def forget(age: int) -> None:
    """Take a worker that has ended off the board; `age` is Gunicorn's number for it."""
    _board[age % _SLOTS] = 0


class Worker(ThreadWorker):  # type: ignore[misc] # Gunicorn has no types
    """What Gunicorn calls gthread, for requests that take a millisecond.

    The settings may say how large a body is kept while it arrives (`most`), and who counts refusals by their codes (`refused`).
    """

    most = 100_000_000
    refused: Callable[[str], None] | None = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # Each look into Gunicorn's configuration costs a microsecond.
        self._threads, self._over_tls = int(self.cfg.threads), bool(self.cfg.is_ssl)
        self._line: deque[Connection] = deque()
        # Appending and popping cannot be torn apart between threads, as adding can.
        self._handled: list[Connection] = []
        self._staying: list[Connection] = []
        self._has_left, self._left_until = False, 0.0

    @property
    def waiting(self) -> int:
        """How many requests wait for a thread now."""
        return len(self._line)

    def init_process(self) -> None:
        """Begin, after the fork."""
        self._called_back, self._call_back = os.pipe()
        os.set_blocking(self._called_back, False)
        os.set_blocking(self._call_back, False)
        # As plain attributes: a request looks at some forty of them, and each look through Gunicorn's settings costs more.
        self.cfg.__dict__.update({name: setting.get() for name, setting in self.cfg.settings.items()})
        super().init_process()

    def run(self) -> None:
        """Serve, until the end."""
        self._parting = Parting(self.poller)
        self._room = WaitingRoom(self.poller, ready=self._line_up, refuse=self._refuse, gone=self._lose, most=self.most)
        super().run()

    # In the main thread.

    def accept(self, listener: socket.socket) -> None:
        """Take a new connection, unless another worker has fewer; it gets a thread when its request begins to arrive."""
        if self._others_have_fewer() and not self._has_left:
            self._has_left = True
            self._left_until = time.monotonic() + _LEAVE_SECONDS
            super().set_accept_enabled(False)
            return
        self._has_left = False
        try:
            client, address = listener.accept()
        except OSError as error:
            if isinstance(error, (BlockingIOError, ConnectionAbortedError)) or (error.errno in _NO_ROOM and self._make_room()):
                return
            raise
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _TAKEN_WITHIN)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _TAKEN_WITHIN)
        self.nr_conns += 1
        self._tell()
        connection = Connection(self.cfg, client, address, listener.getsockname())
        connection.set_timeout()
        self.pending_conns.append(connection)
        self.poller.register(client, selectors.EVENT_READ, partial(self.on_pending_socket_readable, connection))

    def set_accept_enabled(self, enabled: bool) -> None:
        """Begin or stop to accept; what was left to others is not taken back before its time."""
        if not enabled or time.monotonic() >= self._left_until:
            super().set_accept_enabled(enabled)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait for what happens next, and let it happen."""
        self._tell()
        now = time.monotonic()
        self._parting.sweep()
        self._room.sweep()
        if self.nr_conns >= self.worker_connections:
            self._make_room()
        if now < self._left_until:
            timeout = min(timeout, self._left_until - now)
        super().wait_for_and_dispatch_events(timeout)

    def enqueue_req(self, connection: Connection) -> None:
        """Have a thread handle the request that has begun to arrive, once its head is there."""
        if self._over_tls:
            self._line_up(connection)
        else:
            self._room.wait_for_head(connection)

    def finish_request(self, connection: Connection, future: Future[object]) -> None:
        """Keep a connection that a thread has done with, for its next request or for the rest of this one, or close it."""
        kept = None if future.cancelled() or future.exception() else future.result()
        if kept is _ARRIVING:
            self._room.wait_for_body(connection)
        elif kept:
            super().finish_request(connection, future)
        else:
            # Gunicorn would wait here for the client to close its end, and let everybody wait.
            self.nr_conns -= 1
            self._parting.part(connection.sock)

    def _line_up(self, connection: Connection) -> None:
        if connection.request is not None:
            connection.parser = Again(connection)
        elif len(self._line) >= _LONGEST_LINE:  # whoever has sent a whole body is not sent away
            self._refuse(connection, OVERLOADED)
            return
        self._line.append(connection)
        if self._staying and self._threads_lack:
            with contextlib.suppress(BlockingIOError):  # enough were called back
                os.write(self._call_back, b"x")
        super().enqueue_req(connection)

    @property
    def _threads_lack(self) -> bool:
        """Whether somebody in the line has to wait for a thread that has a connection now."""
        return len(self._handled) + len(self._line) > self._threads

    def _others_have_fewer(self) -> bool:
        own = self.age % _SLOTS
        fewest = min((held for slot, held in enumerate(_board) if held and slot != own), default=None)
        return fewest is not None and fewest < self.nr_conns + 1

    def _tell(self) -> None:
        _board[self.age % _SLOTS] = self.nr_conns + 1

    def _make_room(self) -> bool:
        """Refuse whoever is slowest, so that somebody else may come; False where there is nobody to refuse."""
        if self._room.make_room():
            return True
        if not self.pending_conns:
            return False
        silent = self.pending_conns.popleft()
        self.poller.unregister(silent.sock)
        self._lose(silent)
        return True

    def _lose(self, connection: Connection) -> None:
        self.nr_conns -= 1
        connection.close()

    def _refuse(self, connection: Connection, reason: Reason) -> None:
        if self.refused is not None:
            self.refused(reason.code)
        self.nr_conns -= 1
        with contextlib.suppress(OSError):
            connection.sock.setblocking(False)
            connection.sock.send(reason.answer())
        self._parting.part(connection.sock)

    # In the threads.

    def handle(self, connection: Connection) -> object:
        """Handle requests of a connection, for as long as they follow each other closely and nobody else waits."""
        self._handled.append(connection)  # before it leaves the line: counted twice for a moment, and never not at all
        self._line.popleft()
        try:
            kept = super().handle(connection)
            while kept is True and self._stays(connection):
                kept = super().handle(connection)
            return kept
        finally:
            self._handled.remove(connection)

    def handle_request(self, request: Request, connection: Connection) -> object:
        """Answer one request, unless its body is slow to come."""
        try:
            if reason := ambiguity_of(request):
                return self._tell_why(connection, reason)
            if not self._over_tls and not connection.body_is_there(request, self.most, hurry=bool(self._line)):
                return _ARRIVING
            with gathered(connection):
                return super().handle_request(request, connection)
        except AbsurdChunks:
            return self._tell_why(connection, ABSURD_CHUNKS)
        except BlockingIOError:
            self.log.debug("Closing connection of a client that takes nothing.")
        return False

    def handle_error(self, request: Request | None, client: socket.socket, address: Any, error: Exception) -> None:
        """Say what is wrong with a request that could not be parsed, in the form of all other errors."""
        reason = reason_of(error)
        if reason is None:
            super().handle_error(request, client, address, error)
            return
        self.log.warning("Invalid request from ip=%s: %s", (address or ("",))[0], error)
        if self.refused is not None:
            self.refused(reason.code)
        with contextlib.suppress(OSError):
            client.sendall(reason.answer())

    def _tell_why(self, connection: Connection, reason: Reason) -> bool:
        if self.refused is not None:
            self.refused(reason.code)
        connection.body = None
        connection.sock.sendall(reason.answer())
        return False

    def _keepalive_after(self, connection: Connection, kept: object) -> object:
        return kept if kept is _ARRIVING else super()._keepalive_after(connection, kept)

    def _stays(self, connection: Connection) -> bool:
        """Tell whether the next request has come, and this thread may handle it."""
        if not self.alive or self._threads_lack or connection.is_http2:
            return False
        if content := connection.buffered:  # it came together with the last one
            return head_has_come(content)
        self._staying.append(connection)
        try:
            ready = dict(connection.poll_beside(self._called_back).poll(_STAY_MS))
        finally:
            self._staying.remove(connection)
        if self._called_back in ready:
            with contextlib.suppress(BlockingIOError):  # another thread has followed the call
                os.read(self._called_back, 1)
                return False
        if connection.sock.fileno() not in ready or self._threads_lack:
            return False
        return connection.receive() is None or head_has_come(connection.buffered)
