"""What a hostile file would do to the process that opens it: loaded by the confined process itself, as `work` is."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Callable

from app.intake.wire import Message

ANSWER = 3  # the descriptor that the answer leaves by


def misbehave(job: Message) -> Message:
    """Do the one thing that the job asks for."""
    _MISDEEDS[job.values["how"]]()
    return Message({})


def say(job: Message) -> Message:
    """Answer with the very bytes of the job, instead of what an answer is, and end well."""
    left = memoryview(job.blobs["answer"])
    while left:
        left = left[os.write(ANSWER, left) :]
    os._exit(0)


def _spin() -> None:
    while True:
        pass


def _flood() -> None:
    while True:
        os.write(ANSWER, bytes(1 << 16))


def _drip() -> None:
    for _ in range(300_000):
        os.write(ANSWER, b"no")
    os._exit(0)


def _close_and_stay() -> None:
    os.close(ANSWER)
    time.sleep(1000)


class _Strange(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def _raise(error: BaseException) -> None:
    raise error


_MISDEEDS: dict[str, Callable[[], object]] = {
    "nothing": lambda: None,
    "crash": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "leave": lambda: os._exit(3),
    "exit": lambda: sys.exit(0),
    "exit with a text": lambda: sys.exit("I am the answer"),
    "interrupt": lambda: _raise(KeyboardInterrupt()),
    "spin": _spin,
    "sleep": lambda: time.sleep(1000),
    "balloon": lambda: bytearray(3_000_000_000),
    "grow": lambda: [bytearray(10_000_000) for _ in range(1000)],
    "flood": _flood,
    "drip": _drip,
    "close and stay": _close_and_stay,
    "raise": lambda: _raise(LookupError("\x1b[2Jnone\nof it " + "x" * 10_000_000)),
    "raise something strange": lambda: _raise(_Strange()),
}
