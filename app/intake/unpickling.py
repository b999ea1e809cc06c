"""Opens a pickle or a joblib file with nothing but the names on the allow-list. Runs in the confined process only."""

from __future__ import annotations

import copyreg
import math
import pickle
from collections.abc import Callable
from io import BytesIO
from typing import Any, BinaryIO, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from app.errors import InvalidModel, UnsafeModel
from app.inference.allow_list import allowed

_WRAPPER = ("joblib.numpy_pickle", "NumpyArrayWrapper")
# What that name gives: nothing can be made of it but in the two ways that joblib uses, which the scan reads likewise.
_NAMED = object()


def open_listed(body: bytes) -> object:
    """Open a pickle, joblib arrays included; raises UnsafeModel for a name that is not on the list, InvalidModel if broken."""
    file = BytesIO(body)
    # joblib's files have raw bytes between their opcodes, which only a reader in Python can step over; C is for all others.
    kind = _JoblibUnpickler if b"NumpyArrayWrapper" in body else _ListedUnpickler
    try:
        found = kind(file).load()
        if file.tell() != len(body):
            raise InvalidModel("The file goes on after its end.")
        return found
    except InvalidModel:
        raise
    except Exception as error:  # whatever a broken file does to the objects in it
        raise InvalidModel(f"The file cannot be opened: {type(error).__name__}: {error}") from error


def _find(module: str, name: str) -> Any:
    row = allowed(module, name)
    if row is None:
        raise UnsafeModel(
            f"The file would use {module}.{name}, which a trained classifier does not need.", (f"{module}.{name}",)
        )
    return row.resolve()


class _ListedUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == _WRAPPER:
            raise UnsafeModel("The file hides that joblib wrote it.")
        return _find(module, name)


class _Wrapper:
    """Stands for joblib's description of an array, whose attributes the pickle sets."""

    shape: tuple[int, ...]
    order: str
    dtype: np.dtype[Any]


def _read_array(described: _Wrapper, file: BinaryIO, nested: Callable[[], object]) -> object:
    """Read the array that follows in the file."""
    dtype = described.dtype
    if dtype.kind == "O":
        return nested()
    if dtype.hasobject:
        raise InvalidModel("An array in the file is of a type that no trained classifier has.")
    if getattr(described, "numpy_array_alignment_bytes", None) is not None:
        file.read(file.read(1)[0])
    count = math.prod(described.shape)
    raw = file.read(count * dtype.itemsize)
    flat: NDArray[Any] = np.frombuffer(raw, dtype=dtype, count=count).copy()
    # Written column by column, an array is the transpose of one written row by row.
    shaped = flat.reshape(described.shape[::-1]).transpose() if described.order == "F" else flat.reshape(described.shape)
    return shaped.astype(shaped.dtype.newbyteorder("="), copy=False)


# The reader in Python, whose steps can be replaced one by one; the one in C cannot be stopped between two opcodes.
_Unpickler: Any = vars(pickle)["_Unpickler"]


class _JoblibUnpickler(_Unpickler):  # type: ignore[misc] # typeshed hides this class
    dispatch: ClassVar[dict[int, Callable[..., None]]] = dict(_Unpickler.dispatch)

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._file = file

    def find_class(self, module: str, name: str) -> Any:
        return _NAMED if (module, name) == _WRAPPER else _find(module, name)

    def load_newobj(self) -> None:
        if len(self.stack) > 1 and self.stack[-2] is _NAMED:
            self.stack[-2:] = [_Wrapper()]
        else:
            super().load_newobj()

    def load_reduce(self) -> None:
        match self.stack[-2:]:
            case [callee, (kind, *_)] if callee is copyreg._reconstructor and kind is _NAMED:  # type: ignore[attr-defined]
                self.stack[-2:] = [_Wrapper()]
            case _:
                super().load_reduce()

    def load_build(self) -> None:
        super().load_build()
        if isinstance(self.stack[-1], _Wrapper):
            described = cast(_Wrapper, self.stack.pop())
            self.stack.append(_read_array(described, self._file, lambda: _JoblibUnpickler(self._file).load()))

    dispatch[pickle.NEWOBJ[0]] = load_newobj
    dispatch[pickle.REDUCE[0]] = load_reduce
    dispatch[pickle.BUILD[0]] = load_build
