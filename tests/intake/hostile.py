"""Every hostile model file, by a name that tells what it tries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.intake import hostile_calls, hostile_files, hostile_opcodes
from tests.intake.opcodes import Canary, pickled

_PROTOCOL = b"\x80\x04"


@dataclass(frozen=True)
class Hostile:
    """A model file: what it tries, how it is made, what its refusal must name, and whether it touches the canary when run."""

    name: str
    make: Callable[[Canary], bytes]
    named: str | None
    touches: bool


def _all() -> Iterator[Hostile]:
    for name, call in hostile_calls.calling().items():
        yield Hostile(name, call[1], call[0], touches=True)
    for name, call in hostile_calls.calling_others().items():
        yield Hostile(name, call[1], call[0], touches=False)
    for name, indirect in hostile_calls.INDIRECT.items():
        yield Hostile(name, _then(pickled, indirect[1]), indirect[0], touches=True)
    for name, opcodes in hostile_opcodes.TOUCHING.items():
        yield Hostile(name, _then(_PROTOCOL.__add__, opcodes[1]), opcodes[0], touches=True)
    for name, body in hostile_opcodes.OTHERS.items():
        yield Hostile(name, _always(_PROTOCOL + body[1]), body[0], touches=False)
    for name, file in hostile_files.TOUCHING.items():
        yield Hostile(name, file[1], file[0], touches=True)
    for name, ready in hostile_files.OTHERS.items():
        yield Hostile(name, _later(ready[1]), ready[0], touches=False)


def _then(last: Callable[[Any], bytes], first: Callable[[Canary], object]) -> Callable[[Canary], bytes]:
    return lambda canary: last(first(canary))


def _always(content: bytes) -> Callable[[Canary], bytes]:
    return lambda _: content


def _later(make: Callable[[], bytes]) -> Callable[[Canary], bytes]:
    kept = cache(make)
    return lambda _: kept()


HOSTILE = tuple(_all())
