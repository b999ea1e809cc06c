"""How a job reaches the confined process and an answer comes back: JSON, and named runs of bytes behind it. Never a pickle."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, BinaryIO

from app.errors import InvalidModel

_HEAD = struct.Struct(">Q")
_LONGEST_HEAD = 64_000_000


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


def read(file: BinaryIO) -> Message:
    """Read a message to its end; raises InvalidModel for anything that is none, since the other side may be a stranger's."""
    try:
        (length,) = _HEAD.unpack(_exactly(file, _HEAD.size))
        if length > _LONGEST_HEAD:
            raise ValueError("a head that long")
        head = json.loads(_exactly(file, length))
        blobs = {str(name): _exactly(file, int(size)) for name, size in head["sizes"].items()}
        values = head["values"]
        if not isinstance(values, dict):
            raise TypeError("no values")
    except (ValueError, KeyError, TypeError, AttributeError, struct.error, RecursionError) as error:
        raise InvalidModel("The confined process gave no answer that can be read.") from error
    return Message(values, blobs)


def unpack(data: bytes) -> Message:
    """Read a message from bytes; raises InvalidModel for anything that is none."""
    return read(BytesIO(data))


def _exactly(file: BinaryIO, count: int) -> bytes:
    if count < 0:
        raise ValueError("a size below nothing")
    data = file.read(count)
    if len(data) != count:
        raise ValueError("too short")
    return data
