"""PostgreSQL, also one that answers nobody: few wait for it, none for long, and it is asked again once a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from psycopg import Connection, Error
from psycopg.abc import RV, PQGen
from psycopg.errors import ConnectionTimeout

# A statement that takes longer than this is let go on, as long as the server answers others meanwhile.
_PATIENCE_SECONDS = 1.0
_CONNECTED_WITHIN_SECONDS = 2
_AGAIN_AFTER_SECONDS = 1.0
_ASKED_WITHIN_SECONDS = _CONNECTED_WITHIN_SECONDS + _PATIENCE_SECONDS
# As SQLite waits for its lock; a statement that needs none may take as long as it takes.
_PREPARE = "SET lock_timeout = 5000"
# A server that is cut off without a word is noticed by the system itself; PgBouncer keeps no statement between transactions.
_USUAL: dict[str, Any] = {
    "connect_timeout": _CONNECTED_WITHIN_SECONDS,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "prepare_threshold": None,
}
_SILENT = "the server answers nobody"


class Watch:
    """Opens connections, and tells a server that takes its time from one that is frozen or cut off and will never answer."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asking = threading.Lock()
        self._silent, self._again_at = False, 0.0

    def connect(self, _dialect: object, _record: object, arguments: Any, options: Any) -> Connection[Any]:
        """Open a connection; while the server answers nobody one waits for it in vain, and all others are told at once."""
        self._check()
        connection = None
        try:
            connection = _Watched.connect(*arguments, **{**_USUAL, **options, "autocommit": True})
            connection.execute(_PREPARE)
            connection.autocommit = False
        except ConnectionTimeout:
            self._silent, self._again_at = True, self._clock() + _AGAIN_AFTER_SECONDS
            raise
        except Error:
            self._silent = False
            if connection is not None:
                connection.close()
            raise
        self._silent = False
        connection.overdue = lambda: self._ask(arguments, options)
        return connection

    def _check(self) -> None:
        if self._silent:
            now = self._clock()
            if now < self._again_at:
                raise ConnectionTimeout(_SILENT)
            self._again_at = now + _ASKED_WITHIN_SECONDS + _AGAIN_AFTER_SECONDS

    def _ask(self, arguments: Any, options: Any) -> None:
        """Raise where the server answers nobody; where somebody else is asking, go on waiting until that is known."""
        if not self._asking.acquire(blocking=False):
            if self._silent:
                raise ConnectionTimeout(_SILENT)
            return
        try:
            self.connect(None, None, arguments, options).close()
        except ConnectionTimeout:
            raise
        except Error:
            pass  # it refuses, and so it answers: what became of the statement is told on its own connection
        finally:
            self._asking.release()


def _give_up() -> None:
    raise ConnectionTimeout(_SILENT)


class _Watched(Connection[Any]):
    """A connection that asks what to do, every now and then, while an answer is overdue; it is gone where that raises."""

    overdue: Callable[[], None] = staticmethod(_give_up)

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait for an answer, and not forever."""
        return super().wait(self._patiently(gen), interval, timeout)

    def _patiently(self, gen: PQGen[RV]) -> PQGen[RV]:
        overdue_at = time.monotonic() + _PATIENCE_SECONDS
        try:
            state = next(gen)
            while True:
                ready = yield state
                if not ready and time.monotonic() >= overdue_at:
                    self._ask()
                state = gen.send(ready)
        except StopIteration as end:
            answer: RV = end.value
            return answer

    def _ask(self) -> None:
        try:
            self.overdue()
        except ConnectionTimeout:
            self.close()
            raise
