"""Where connections wait in which a request has begun to arrive: they need no thread, and not for ever."""

from __future__ import annotations

import io
import re
import select
import selectors
import socket
import time
from collections.abc import Callable
from typing import Any

from gunicorn.http import get_parser
from gunicorn.http.message import Request
from gunicorn.workers.gthread import TConn

from app.server.bodies import AbsurdChunks, Arriving
from app.server.refusals import ABSURD_CHUNKS, HEAD_TOO_LONG, NO_HTTP, OVERLOADED, TOO_SLOW, Reason

# How long a sender may take: this, and a second more for every so many bytes that have come.
_SECONDS, _BYTES_A_SECOND = 10.0, 10_000
_SWEEP_SECONDS = 1.0
# The parser copies all it is given several times: what comes after a head is better received by itself.
_PIECE = 8_192
_LONGEST_HEAD = 32_768
# Twice this at most is kept of bodies that nobody reads yet, by all connections together.
_MOST_HELD = 134_217_728
# How long a thread waits for the next piece of a body, and in all: to change to the main thread and back costs less than more.
_PATIENCE_MS, _IN_THREAD_SECONDS = 5, 0.25
_REQUEST_LINE = re.compile(rb"(?:\r\n)?[!-~]+ [!-~]+ HTTP/1\.\d\r\n")
_LONGEST_LINE = 8_192


class Connection(TConn):  # type: ignore[misc] # Gunicorn has no types
    """A connection, and the request of which only a part has come."""

    request: Request | None = None
    body: Arriving | None = None
    _poll: select.poll | None = None

    def begin(self) -> None:
        """Have a parser, without waiting for anything."""
        if self.parser is None:
            self.parser: Any = get_parser(self.cfg, self.sock, self.client)

    def poll_beside(self, descriptor: int) -> select.poll:
        """Give what waits for this connection or for a descriptor, which is always the same."""
        if self._poll is None:
            self._poll = select.poll()
            self._poll.register(self.sock, select.POLLIN)
            self._poll.register(descriptor, select.POLLIN)
        return self._poll

    @property
    def buffered(self) -> bytes:
        """What has been received and not yet read."""
        return self.parser.unreader.buf.getvalue()  # type: ignore[no-any-return]

    @property
    def held(self) -> int:
        """How many bytes of a body are kept that nobody reads yet."""
        return self.body.held if self.body is not None else 0

    def receive(self) -> bool | None:
        """Add to the buffer what has arrived, without waiting; False where nothing has, None where nothing will."""
        try:
            content = self.sock.recv(_PIECE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return None
        buffer = self.parser.unreader.buf
        buffer.seek(0, 2)
        buffer.write(content)
        return True if content else None

    def body_arrives(self) -> bool:
        """Take what there is of the body; True once it is whole."""
        body = self.body
        while body is not None and not body.whole:
            try:
                content = self.sock.recv(body.wanted, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return False
            except OSError:
                content = b""
            if rest := body.add(content):
                self.parser.unreader.unread(rest)
        return True

    def body_is_there(self, request: Request, most: int, *, hurry: bool) -> bool:
        """Have the body of a request whole, to be read at once, or tell that it is slow to come; in a `hurry` all are slow."""
        if self.body is None and self._is_buffered(request):
            return True
        if self.body is None:
            self.body = Arriving(request, most)
            buffered = self.parser.unreader.take_buffered()
            if buffered and (rest := self.body.add(buffered)):
                self.parser.unreader.unread(rest)
            if request._expected_100_continue and not self.body.whole:
                self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            request._expected_100_continue = False
            if not (self.body_arrives() if hurry else self._body_comes_at_once()):
                self.request = request
                return False
        self.body.give()
        self.body = None
        return True

    def _is_buffered(self, request: Request) -> bool:
        length = getattr(request.body.reader, "length", None)
        if length == 0:
            return True
        buffered = self.buffered
        if length is None or length > len(buffered):
            return False
        request.body = io.BytesIO(buffered[:length])
        self.parser.unreader.take_buffered()
        self.parser.unreader.unread(buffered[length:])
        return True

    def _body_comes_at_once(self) -> bool:
        """Wait for the whole body, but for no longer than is worth a thread."""
        if self.body_arrives():
            return True
        limit = time.monotonic() + _IN_THREAD_SECONDS
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        while not self.body_arrives():
            if time.monotonic() > limit or not poll.poll(_PATIENCE_MS):
                return False
        return True


class Again:
    """Stands for a connection's parser, to give once more the request that it gave before its body had come."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._parser = connection.parser

    def __next__(self) -> Request:
        connection, request = self._connection, self._connection.request
        connection.parser, connection.request = self._parser, None
        return request


class WaitingRoom:
    """Holds connections until a request's head, or its body, has come; used by the main thread alone.

    `ready` gets a connection whose request can go on, `refuse` one that is refused, and why, `gone` one whose client has gone.
    """

    def __init__(
        self,
        poller: selectors.BaseSelector,
        *,
        ready: Callable[[Connection], None],
        refuse: Callable[[Connection, Reason], None],
        gone: Callable[[Connection], None],
        most: int,
    ) -> None:
        self._poller = poller
        self._ready, self._refuse, self._gone = ready, refuse, gone
        self._most_held = max(_MOST_HELD, 2 * most)
        self._held = 0
        self._began: dict[Connection, float] = {}  # in the order in which they came
        self._next_sweep = 0.0

    def wait_for_head(self, connection: Connection) -> None:
        """Let a connection on as soon as the next request's head has arrived, which may be now."""
        connection.begin()
        if head_has_come(connection.buffered):
            self._ready(connection)
        elif not self._head_goes_on(connection):
            self._let_in(connection, self._head_goes_on)

    def wait_for_body(self, connection: Connection) -> None:
        """Let a connection on when its request's body is whole."""
        self._held += connection.held
        self._let_in(connection, self._body_goes_on)

    def sweep(self) -> None:
        """Refuse whoever has taken too long."""
        now = time.monotonic()
        if now < self._next_sweep:
            return
        self._next_sweep = now + _SWEEP_SECONDS
        for connection, began in list(self._began.items()):
            came = connection.body.count if connection.body else len(connection.buffered)
            if now > began + _SECONDS + came / _BYTES_A_SECOND:
                self._turn_out(connection, TOO_SLOW)

    def make_room(self) -> bool:
        """Refuse whoever has been here longest, for others; False where nobody is here."""
        for connection in self._began:
            self._turn_out(connection, TOO_SLOW)
            return True
        return False

    def _let_in(self, connection: Connection, goes_on: Callable[[Connection], bool]) -> None:
        self._began[connection] = time.monotonic()
        self._poller.register(connection.sock, selectors.EVENT_READ, lambda _client: goes_on(connection))

    def _let_out(self, connection: Connection) -> None:
        if self._began.pop(connection, None) is not None:
            self._poller.unregister(connection.sock)
            self._held -= connection.held

    def _turn_out(self, connection: Connection, reason: Reason) -> None:
        self._let_out(connection)
        connection.body = connection.request = None
        self._refuse(connection, reason)

    def _head_goes_on(self, connection: Connection) -> bool:
        """Take more of a head; True where there is nothing more to wait for."""
        if connection.receive() is None:
            self._let_out(connection)
            self._gone(connection)
            return True
        content = connection.buffered
        if not content:
            return False
        if content.find(b"\r\n\r\n", 0, _LONGEST_HEAD) < 0 and len(content) > _LONGEST_HEAD:
            self._turn_out(connection, HEAD_TOO_LONG)
        elif content[0] > 126 or (content[0] < 33 and content[0] != 13):
            self._turn_out(connection, NO_HTTP)
        elif head_has_come(content):
            self._let_out(connection)
            self._ready(connection)
        else:
            return False
        return True

    def _body_goes_on(self, connection: Connection) -> bool:
        before = connection.held
        try:
            whole = connection.body_arrives()
        except (AbsurdChunks, OSError) as error:  # the disk fails under what is kept
            self._held += connection.held - before
            self._turn_out(connection, ABSURD_CHUNKS if isinstance(error, AbsurdChunks) else OVERLOADED)
            return True
        self._held += connection.held - before
        if whole:
            self._let_out(connection)
            self._ready(connection)
        while self._held > self._most_held and self._drop_a_body():
            pass
        return whole

    def _drop_a_body(self) -> bool:
        for connection in self._began:
            if connection.held:
                self._turn_out(connection, TOO_SLOW)
                return True
        return False


def head_has_come(content: bytes) -> bool:
    """Tell whether a request's head is whole, or enough of one that its parser refuses it without waiting for more."""
    if b"\r\n\r\n" in content:
        return True
    if content.count(b"\n") != content.count(b"\r\n"):
        return True
    if content.find(b"\r\n", 2) < 0:
        return len(content) > _LONGEST_LINE
    return _REQUEST_LINE.match(content) is None
