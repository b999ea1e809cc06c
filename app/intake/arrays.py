"""NumPy arrays as they stand in a pickle: their values where these are few, and the raw bytes joblib writes between opcodes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app.errors import InvalidModel
from app.intake.described import Global, Made, Pairs
from app.intake.opcodes import PickleMachine

_SIMPLE = re.compile(r"[<>|=]?([biufcSUV?])(\d{0,9})")
_OBJECTS = ("O", "O8", "|O")
_DTYPE = Global("numpy", "dtype")
_HOLDS_OBJECTS = 1  # a flag of NumPy's
_MOST_CLASSES = 10_000


@dataclass(frozen=True, eq=False, slots=True)
class RawArray:
    """An array that joblib wrote as raw bytes: how they are to be read."""

    dtype: str
    shape: tuple[int, ...]
    raw: bytes


def joblib_array(
    machine: PickleMachine, wrapper: Made, after_build: Callable[[PickleMachine, Made], object]
) -> RawArray | object:
    """Read the array that follows its description in a joblib file, and give what stands in its place.

    An array of objects is a pickle of its own in the middle of the file: it is read by a machine of its own, whose names and
    faults count as the file's. Raises InvalidModel where the description is none.
    """
    # Raw bytes are never framed: a frame that reaches over them would show two readers two files.
    machine.leave_frame()
    state = wrapper.state if isinstance(wrapper.state, Pairs) else Pairs()
    shape, dtype = state.get("shape"), state.get("dtype")
    if not isinstance(shape, tuple) or not all(isinstance(side, int) and side >= 0 for side in shape):
        raise InvalidModel("An array in the file has no shape.")
    if _code(dtype) in _OBJECTS:
        nested = PickleMachine(machine.file, after_build)
        found = nested.run()
        machine.globals |= nested.globals
        machine.faults += nested.faults
        return found
    itemsize = _itemsize(dtype)
    if state.get("numpy_array_alignment_bytes") is not None:
        padding = machine.file.read(1)
        machine.file.read(padding[0] if padding else 0)
    size = math.prod(shape) * itemsize
    raw = machine.file.read(size)
    if len(raw) != size:
        raise InvalidModel("The file ends within an array.")
    return RawArray(str(_code(dtype)), tuple(int(side) for side in shape), raw)


def described_values(found: object) -> tuple[str, ...] | None:
    """Give the values of a described one-dimensional array as text, or None where they cannot be read without opening it."""
    if isinstance(found, Made):
        found = _plain(found)
    if isinstance(found, RawArray):
        return _decoded(found.raw, found.dtype, found.shape)
    if isinstance(found, list) and len(found) <= _MOST_CLASSES and all(isinstance(value, (str, int)) for value in found):
        return tuple(str(value) for value in found)
    return None


def _plain(made: Made) -> object:
    """Bring NumPy's two ways of pickling an array to a RawArray, or to a list where it holds objects."""
    state = made.state if made.state is not None else made.arguments
    match state:
        case (int(), tuple() as shape, Made() as dtype, _, (bytes() | Made()) as raw) if _sides(shape):
            return RawArray(_typed(dtype), shape, _encoded(raw))
        case (int(), tuple(), Made(), _, list() as values):
            return values
        case (bytes() | bytearray() as raw, Made() as dtype, tuple() as shape, str()) if _sides(shape):
            return RawArray(_typed(dtype), shape, bytes(raw))
    return None


def _encoded(raw: bytes | Made) -> bytes:
    """Give the bytes that protocols before 3 write as a text to be encoded."""
    if isinstance(raw, bytes):
        return raw
    match raw.callee, raw.arguments:
        case Global("_codecs", "encode"), (str() as text, "latin1"):
            return text.encode("latin1", "replace")
    return b""


def _sides(shape: tuple[object, ...]) -> bool:
    return all(isinstance(side, int) for side in shape)


def _decoded(raw: bytes, code: str, shape: tuple[int, ...]) -> tuple[str, ...] | None:
    if len(shape) != 1 or not 0 < shape[0] <= _MOST_CLASSES or not _SIMPLE.fullmatch(code) or "V" in code:
        return None
    try:
        return tuple(str(value) for value in np.frombuffer(raw, dtype=np.dtype(code), count=shape[0]).tolist())
    except (ValueError, TypeError):
        return None


def _typed(dtype: Made) -> str:
    """Give a described type's code with its byte order, which stands in its state."""
    code = _code(dtype) or ""
    order = dtype.state[1] if isinstance(dtype.state, tuple) and len(dtype.state) > 1 else ""
    return f"{order}{code}" if isinstance(order, str) and order in ("<", ">") and not code.startswith(("<", ">")) else code


def _code(dtype: object) -> str | None:
    first = dtype.arguments[0] if isinstance(dtype, Made) and dtype.callee == _DTYPE and dtype.arguments else None
    return first if isinstance(first, str) else None


def _itemsize(dtype: object) -> int:
    code = _code(dtype) or ""
    if not _SIMPLE.fullmatch(code) or _holds_objects(dtype):
        raise InvalidModel("An array in the file is of a type that no trained classifier has.")
    return np.dtype(code).itemsize


def is_false_type(made: Made) -> bool:
    """Tell whether the state of a type of numbers belies it: numbers called objects would be taken for addresses."""
    if made.callee != _DTYPE:
        return False
    code = (_code(made) or "").lstrip("<>|=")
    match made.arguments, made.state:
        case (_, shared, copied), (int(), str(), _, _, _, int() as size, int(), int() as flags, *_) if copied and not shared:
            sized = code[:1] not in ("S", "U", "V") or size == np.dtype(code).itemsize
            return not sized or bool(flags & _HOLDS_OBJECTS) != _holds_objects(made)
    return True


def _holds_objects(dtype: object) -> bool:
    """Tell whether a type is of objects, or has a field of them; what cannot be told counts as such."""
    waiting = [dtype]
    while waiting:
        found = waiting.pop()
        if isinstance(found, Made):
            code = _code(found)
            if code is None or not (_SIMPLE.fullmatch(code) or code.lstrip("<>|=")[:1] in ("M", "m")):
                return True
            waiting.append(found.state)
        elif isinstance(found, Global):
            return True
        elif isinstance(found, Pairs):
            waiting += [part for pair in found.pairs for part in pair]
        elif isinstance(found, (list, tuple)):
            waiting += found
    return False
