"""A bucket of an object store (S3, Google Cloud Storage, Azure, and what speaks like S3), below one prefix."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog

from app.errors import InvalidSettings, StoreUnavailable

# One that does not answer by then is as good as none: a visitor waits for it.
_ANSWER_SECONDS = 2.0
_CONNECT_SECONDS = 1.0
# Of a large object, from one piece to the next.
_PIECE_SECONDS = 10.0
_AT_ONCE = 16
_LONGEST_REASON = 200

_Answer = TypeVar("_Answer")

log = structlog.get_logger(__name__)


class ObjectChanged(Exception):
    """An object is not, or no longer, what a conditional write expected it to be."""


@dataclass(frozen=True, slots=True)
class Tag:
    """Which state of an object it was: stores differ in whether they say so by an entity tag or a version."""

    e_tag: str | None
    version: str | None


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as it was read."""

    content: bytes
    tag: Tag


class Bucket:
    """Connects on first use, and then starts threads: never use one before a fork.

    Credentials and the address of what only speaks like S3 are read from the environment by obstore itself. A store that fails
    or does not answer in time is left alone for `silent_seconds`, so that visitors do not wait for it one by one. One that
    is busy is asked again `retries` times within the same time, which is not for conditions: they may have been met.
    """

    def __init__(
        self,
        url: str,
        *,
        seconds: float = _ANSWER_SECONDS,
        silent_seconds: float = 0.0,
        retries: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        try:
            import obstore
            import obstore.exceptions
            import obstore.store
        except ImportError as error:
            raise InvalidSettings("VITRINE_STORE needs obstore: install Vitrine's extra 'objects'.") from error
        faults = obstore.exceptions
        self._obstore, self._faults = obstore, faults.BaseError
        self._unexpected = (faults.AlreadyExistsError, faults.PreconditionError)
        self._unchanged = faults.NotModifiedError
        within = timedelta(seconds=seconds)
        connected, piece = timedelta(seconds=_CONNECT_SECONDS), timedelta(seconds=_PIECE_SECONDS)
        try:
            self._store = obstore.store.from_url(
                url,
                # Over plain http where the operator's own endpoint says so, as it may beside the store.
                client_options={
                    "timeout": within,
                    "connect_timeout": connected,
                    "read_timeout": piece,
                    "allow_http": True,
                },
                retry_config={"max_retries": retries, "retry_timeout": within},
            )
        except (faults.BaseError, ValueError) as error:
            raise InvalidSettings(f"VITRINE_STORE cannot be used: {_reason(error)}.") from error
        self._clock = clock
        self._silent_seconds = silent_seconds
        self._silent = False
        self._ask_again_at = 0.0

    def read(self, key: str) -> bytes:
        """Give an object, or raise FileNotFoundError or StoreUnavailable."""
        return self._asked(lambda: bytes(self._obstore.get(self._store, key).bytes()))

    def fetch(self, key: str, unless: Tag | None = None) -> Stored | None:
        """Give an object with its tag, or None where it is still in a state that is known already."""
        options = {"if_none_match": unless.e_tag} if unless is not None and unless.e_tag else None

        def ask() -> Stored | None:
            try:
                found = self._obstore.get(self._store, key, options=options)
            except self._unchanged:
                return None
            meta = found.meta
            return Stored(bytes(found.bytes()), Tag(meta["e_tag"], meta["version"]))

        return self._asked(ask)

    def write(self, key: str, content: bytes) -> None:
        """Write an object, in place of one that is there."""
        self._asked(lambda: self._obstore.put(self._store, key, content))

    def exchange(self, key: str, content: bytes, expected: Tag | None) -> Tag:
        """Write an object if it is still in the state that is expected, None for not there; else raise ObjectChanged."""
        known = {} if expected is None else {"e_tag": expected.e_tag, "version": expected.version}
        mode: Any = "create" if expected is None else {name: value for name, value in known.items() if value is not None}
        put = self._asked(lambda: self._obstore.put(self._store, key, content, mode=mode))
        return Tag(put["e_tag"], put["version"])

    def present(self, keys: Sequence[str]) -> frozenset[str]:
        """Give those that are there, as far as the store tells; they are asked for beside each other."""
        if not keys:
            return frozenset()
        with ThreadPoolExecutor(min(_AT_ONCE, len(keys))) as pool:
            return frozenset(key for key, there in zip(keys, pool.map(self._is_there, keys), strict=True) if there)

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; none there is no error, and what cannot be deleted now stays, which is logged."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in pool.map(self._delete, keys):
                pass

    def listed(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        """Give all keys below a prefix, with when each was written."""
        for some in self._asked(lambda: list(self._obstore.list(self._store, prefix))):
            for found in some:
                yield found["path"], found["last_modified"]

    def _delete(self, key: str) -> None:
        try:
            self._asked(lambda: self._obstore.delete(self._store, key))
        except FileNotFoundError:
            pass
        except StoreUnavailable:
            log.error("object_not_deleted", key=key)

    def _is_there(self, key: str) -> bool:
        try:
            self._asked(lambda: self._obstore.head(self._store, key))
        except (FileNotFoundError, StoreUnavailable):
            return False
        return True

    def _asked(self, question: Callable[[], _Answer]) -> _Answer:
        if self._silent:
            now = self._clock()
            if now < self._ask_again_at:
                raise StoreUnavailable
            self._ask_again_at = now + self._silent_seconds  # before asking, so that others do not wait for the answer too
        try:
            answer = question()
        except FileNotFoundError:
            raise
        except self._unexpected as error:
            raise ObjectChanged from error
        except self._faults as error:
            self._note_silence(error)
            raise StoreUnavailable from error
        if self._silent:
            self._silent = False
            log.info("store_is_back")
        return answer

    def _note_silence(self, error: Exception) -> None:
        self._ask_again_at = self._clock() + self._silent_seconds
        if not self._silent:
            self._silent = True
            log.error("store_unavailable", reason=_reason(error))


def _reason(error: Exception) -> str:
    # The first line's end: before it stands the address, which may hold what nobody is to read.
    return str(error).partition("\n")[0].rpartition(" - ")[2].rstrip(". ")[:_LONGEST_REASON]
