"""Gunicorn's threaded worker, with connections shared evenly, fewer changes of thread, and a bounded line of requests.

The application does not need it: any WSGI server may serve it.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import secrets
import select
import selectors
import socket
import time
from collections import deque
from functools import partial
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.http.message import Request
from gunicorn.workers.gthread import TConn, ThreadWorker

# How long a thread stays with its connection for the next request, while nobody else waits for a thread. To hand it to the
# main thread and to get it back takes two changes of thread, and the interpreter's lock with each.
_STAY_MS = 5
# How long a worker leaves a new connection to others that have fewer. One that is stopped does not take it: then this one does.
_LEAVE_SECONDS = 0.003
# Requests that may wait for a thread; to one more it is said at once that there are too many.
_LONGEST_LINE = 128
_REFUSED_SECONDS, _MOST_REFUSED = 2.0, 256
_PIECE = 65_536

# How many connections each worker holds, plus one; 0 where there is no such worker. Made before the fork, so all see it.
_SLOTS = 64
_board = memoryview(mmap.mmap(-1, 4 * _SLOTS)).cast("I")


def _refusal() -> bytes:
    """Give what the application would answer, which is not asked."""
    identifier = secrets.token_hex(8)
    body = (
        '{"type":"about:blank","title":"Service Unavailable","status":503,"code":"overloaded","detail":"More requests wait '
        f'here than can be answered soon; please try again in a moment.","request_id":"{identifier}"}}'
    )
    head = (
        "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 2\r\nCache-Control: no-store\r\n"
        f"X-Content-Type-Options: nosniff\r\nX-Request-Id: {identifier}\r\n"
        f"Content-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode("ascii")


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
    """What Gunicorn calls gthread, for requests that take a millisecond."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._line: deque[TConn] = deque()
        # Appending and popping cannot be torn apart between threads, as adding can.
        self._staying: list[TConn] = []
        self._has_left, self._left_until = False, 0.0
        self._refused: deque[tuple[float, socket.socket]] = deque()

    def init_process(self) -> None:
        """Begin, after the fork."""
        self._called_back, self._call_back = os.pipe()
        os.set_blocking(self._called_back, False)
        os.set_blocking(self._call_back, False)
        super().init_process()

    def load_wsgi(self) -> None:
        """Load the application; what it answers leaves in full packets, its head together with its body."""
        super().load_wsgi()
        application = self.wsgi  # type: ignore[has-type] # Gunicorn has no types

        def corked(environ: dict[str, Any], start_response: Any) -> Any:
            # Only now: what Gunicorn itself says before (100 Continue) must not wait.
            _cork(environ["gunicorn.socket"], 1)
            return application(environ, start_response)

        self.wsgi = corked

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
            if isinstance(error, (BlockingIOError, ConnectionAbortedError)):
                return
            raise
        self.nr_conns += 1
        self._tell()
        connection = TConn(self.cfg, client, address, listener.getsockname())
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
        while self._refused and self._refused[0][0] <= now:
            self._let_go(self._refused.popleft()[1])
        if now < self._left_until:
            timeout = min(timeout, self._left_until - now)
        super().wait_for_and_dispatch_events(timeout)

    def enqueue_req(self, connection: TConn) -> None:
        """Have a thread handle the request that has begun to arrive, or say that there are too many."""
        if len(self._line) >= _LONGEST_LINE:
            self._refuse(connection)
            return
        self._line.append(connection)
        if self._staying:
            with contextlib.suppress(BlockingIOError):  # enough were called back
                os.write(self._call_back, b"x")
        super().enqueue_req(connection)

    def _others_have_fewer(self) -> bool:
        own = self.age % _SLOTS
        fewest = min((held for slot, held in enumerate(_board) if held and slot != own), default=None)
        return fewest is not None and fewest < self.nr_conns + 1

    def _tell(self) -> None:
        _board[self.age % _SLOTS] = self.nr_conns + 1

    def _refuse(self, connection: TConn) -> None:
        client = connection.sock
        self.nr_conns -= 1
        try:
            client.setblocking(False)
            client.send(_refusal())
            if len(self._refused) >= _MOST_REFUSED:
                client.close()
                return
            client.shutdown(socket.SHUT_WR)
            # What it still sends is read and thrown away: closed at once, it might not see the answer.
            self.poller.register(client, selectors.EVENT_READ, self._discard)
            self._refused.append((time.monotonic() + _REFUSED_SECONDS, client))
        except OSError:
            client.close()

    def _discard(self, client: socket.socket) -> None:
        try:
            over = not client.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            over = True
        if over:
            self._let_go(client)

    def _let_go(self, client: socket.socket) -> None:
        with contextlib.suppress(KeyError, ValueError):  # it has gone already
            self.poller.unregister(client)
        client.close()

    # In the threads.

    def handle(self, connection: TConn) -> object:
        """Handle requests of a connection, for as long as they follow each other closely and nobody else waits."""
        self._line.popleft()
        kept = super().handle(connection)
        while kept is True and self._stays(connection):
            kept = super().handle(connection)
        return kept

    def handle_request(self, request: Request, connection: TConn) -> object:
        """Answer one request."""
        try:
            return super().handle_request(request, connection)
        finally:
            _cork(connection.sock, 0)

    def _stays(self, connection: TConn) -> bool:
        """Tell whether the next request has come, and this thread may handle it."""
        if not self.alive or self._line or connection.is_http2:
            return False
        if connection.parser.unreader.buf.getvalue():  # it came together with the last one
            return True
        self._staying.append(connection)
        try:
            poll = select.poll()
            poll.register(connection.sock, select.POLLIN)
            poll.register(self._called_back, select.POLLIN)
            ready = {descriptor for descriptor, _ in poll.poll(_STAY_MS)}
        finally:
            self._staying.remove(connection)
        if self._called_back in ready:
            with contextlib.suppress(BlockingIOError):  # another thread has followed the call
                os.read(self._called_back, 1)
                return False
        return connection.sock.fileno() in ready and not self._line


def _cork(client: socket.socket, on: int) -> None:
    """Hold back packets that are not full, or let go of them; sent one by one, head and body would wake a client twice."""
    if hasattr(socket, "TCP_CORK"):
        with contextlib.suppress(OSError):  # a Unix socket, or one that the client has closed
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, on)
