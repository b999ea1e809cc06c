"""How a job reaches the confined process and an answer comes back: JSON, and named runs of bytes behind it. Never a pickle."""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.errors import InvalidModel

_HEAD = struct.Struct(">Q")
# Read as JSON, it can take forty times its length in memory.
_LONGEST_HEAD = 4_000_000


@dataclass(frozen=True)
class Message:
    """Plain values, and bytes by name."""

    values: Mapping[str, Any]
    blobs: Mapping[str, bytes] = field(default_factory=dict)


def pack(message: Message) -> bytes:
    """Give a message as bytes."""
    sizes = {name: len(blob) for name, blob in message.blobs.items()}
    head = json.dumps({"values": message.values, "sizes": sizes}).encode()
    return b"".join((_HEAD.pack(len(head)), head, *message.blobs.values()))


class _Source(Protocol):
    def read(self, size: int, /) -> bytes: ...


def read(file: _Source) -> Message:
    """Read a message; raises InvalidModel for anything that is none, since the other side may be a stranger's."""
    try:
        (length,) = _HEAD.unpack(_exactly(file, _HEAD.size))
        if length > _LONGEST_HEAD:
            raise ValueError("a head that long")
        head = json.loads(_exactly(file, length))
        sizes, values = head["sizes"], head["values"]
        if not isinstance(sizes, dict) or not isinstance(values, dict):
            raise TypeError("no values or no sizes")
        # Half a character pair, which JSON can hold, could be neither shown nor stored.
        json.dumps(head, ensure_ascii=False).encode()
        blobs = {name: _exactly(file, size) for name, size in sizes.items()}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidModel("The confined process gave no answer that can be read.") from error
    return Message(values, blobs)


def unpack(data: bytes | bytearray) -> Message:
    """Read a message from bytes to their end; raises InvalidModel for anything that is none."""
    rest = _Rest(data)
    message = read(rest)
    if rest.read(1):
        raise InvalidModel("The confined process gave more than its answer.")
    return message


class _Rest:
    """Bytes that are read one part after the other, each copied once."""

    def __init__(self, data: bytes | bytearray) -> None:
        self._view = memoryview(data)

    def read(self, size: int, /) -> bytes:
        """Give the next bytes, fewer where there are no more."""
        part, self._view = self._view[:size], self._view[size:]
        return bytes(part)


def _exactly(file: _Source, count: object) -> bytes:
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= sys.maxsize:
        raise ValueError("no size")
    data = file.read(count)
    if len(data) != count:
        raise ValueError("too short")
    return data
