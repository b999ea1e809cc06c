"""Writes pickles opcode by opcode, as those would who do not go through Python's pickler."""

from __future__ import annotations

import pickle
import struct
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Canary:
    """A file that is not there, and two ways to make it: who finds it knows that something was run."""

    path: Path

    @property
    def shell(self) -> str:
        """The command for a shell."""
        return f"touch {self.path}"

    @property
    def python(self) -> str:
        """The statement for Python."""
        return f"open({str(self.path)!r}, 'w').close()"


def value(plain: object) -> bytes:
    """Write a plain value without any use of the memo."""
    match plain:
        case str():
            return b"X" + struct.pack("<I", len(plain.encode())) + plain.encode()
        case bytes():
            return b"B" + struct.pack("<I", len(plain)) + plain
        case tuple():
            return b"(" + b"".join(map(value, plain)) + b"t"
        case list():
            return b"(" + b"".join(map(value, plain)) + b"l"
        case dict():
            return b"(" + b"".join(value(key) + value(held) for key, held in plain.items()) + b"d"
        case Raw():
            return plain.opcodes
        case _:
            return pickle.dumps(plain, 2)[2:-1]


@dataclass(frozen=True)
class Raw:
    """Opcodes where a value may stand."""

    opcodes: bytes


def named(name: str) -> Raw:
    """Write a name, "module:name", by GLOBAL."""
    module, _, inner = name.partition(":")
    return Raw(b"c" + module.encode() + b"\n" + inner.encode() + b"\n")


def named_by_stack(name: str) -> Raw:
    """Write a name, "module:name", by STACK_GLOBAL."""
    module, _, inner = name.partition(":")
    return Raw(value(module) + value(inner) + b"\x93")


def call(callee: str | Raw, *arguments: object) -> Raw:
    """Write a call of a name, or of what opcodes leave on the stack."""
    made = named_by_stack(callee) if isinstance(callee, str) else callee
    return Raw(made.opcodes + value(arguments) + b"R")


def built(made: Raw, state: object) -> Raw:
    """Write an object and the setting of its state."""
    return Raw(made.opcodes + value(state) + b"b")


def pickled(held: object, protocol: int = 4) -> bytes:
    """Write a whole pickle."""
    return b"\x80" + bytes([protocol]) + value(held) + b"."


def framed(opcodes: bytes, length: int | None = None) -> bytes:
    """Write opcodes in a frame, whose length may lie."""
    return b"\x95" + struct.pack("<Q", len(opcodes) if length is None else length) + opcodes
