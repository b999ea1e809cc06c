"""The scan is worth something only if Python, reading the same bytes, asks for the very names that the scan read."""

from __future__ import annotations

import contextlib
import io
import pickle
import warnings
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import InvalidModel
from app.intake.described import Global
from app.intake.opcodes import PickleMachine
from tests.intake.hostile_opcodes import TOUCHING
from tests.intake.kept import pipeline
from tests.intake.opcodes import Canary

FILES = [pickle.dumps(pipeline(), protocol=protocol) for protocol in range(6)]
HIDDEN = [b"\x80\x04" + make(Canary(Path("canary"))) for _, make in TOUCHING.values()]
OPCODES = [
    b"0",
    b"1",
    b"2",
    b"(",
    b"t",
    b"l",
    b"d",
    b"\x94",
    b"q\x00",
    b"h\x00",
    b"R",
    b"b",
    b"\x81",
    b"\x93",
    b"a",
    b"s",
    b"N",
    b"}",
    b"]",
]


class Inert:
    """Stands for whatever is named: it can be called and filled, and does nothing."""

    def __new__(cls, *_: object, **__: object) -> Inert:
        return object.__new__(cls)

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass

    def __setitem__(self, _: object, __: object) -> None:
        pass

    def append(self, _: object) -> None:
        pass


def asked_by(kind: type, body: bytes) -> set[tuple[str, str]]:
    """Give the names that Python asks for until it ends or stumbles."""
    names: set[tuple[str, str]] = set()

    class Asking(kind):  # type: ignore[misc] # either of Python's two readers
        def find_class(self, module: str, name: str) -> type:
            # The scan reads escapes in these, Python does not; there is no module whose name has one.
            if "\\" not in module + name:
                names.add((module, name))
            return Inert

    with contextlib.suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Asking(io.BytesIO(body)).load()
    return names


def read_in(body: bytes) -> set[tuple[str, str]] | None:
    machine = PickleMachine(io.BytesIO(body))
    try:
        machine.run()
    except InvalidModel:
        return None
    return None if machine.faults else {(found.module, found.name) for found in machine.globals if isinstance(found, Global)}


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_python_asks_for_no_name_that_was_not_read(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from([*FILES, *HIDDEN])))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(2, len(content) - 1))
        if data.draw(st.booleans()):
            content[at:at] = data.draw(st.sampled_from(OPCODES))
        else:
            content[at : at + 1] = data.draw(st.binary(min_size=1, max_size=2))
    read = read_in(bytes(content))
    if read is not None:
        for kind in (pickle.Unpickler, pickle._Unpickler):
            assert asked_by(kind, bytes(content)) <= read
