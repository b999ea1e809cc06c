"""The runtime of tree ensembles: exact arithmetic on the row where a scaler stood, then the forest itself in treelite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Literal, get_args
from zipfile import BadZipFile

import numpy as np
import treelite
from numpy.typing import NDArray

from app.errors import InvalidPackage

Operation = Literal["subtract", "divide", "multiply", "add", "subtract-rounded", "divide-rounded", "clip", "take"]
_OPERATIONS: tuple[Operation, ...] = get_args(Operation)


@dataclass(frozen=True, eq=False, slots=True)
class Step:
    """One operation on every row: with a number a feature, with (low, high) to clip, or with the features to take.

    Single-precision rows stay so. Some of scikit-learn's scalers round their own numbers to the rows' width first, others
    compute in double precision and round what comes out: the last bit depends on it, and so may a tree's decision.
    """

    operation: Operation
    values: NDArray[np.generic]

    def apply(self, rows: NDArray[np.floating]) -> NDArray[np.floating]:
        """Give the rows, shape (n, n_features), after the operation, as wide as before."""
        match self.operation:
            case "subtract" | "divide" | "multiply" | "add":
                result = getattr(np, self.operation)(rows, self.values)
            case "subtract-rounded" | "divide-rounded":
                result = getattr(np, self.operation.removesuffix("-rounded"))(rows, self.values.astype(rows.dtype))
            case "clip":
                result = np.clip(rows, self.values[0], self.values[1])
            case "take":
                result = rows[:, self.values]
        return np.asarray(result, rows.dtype)


def pack_forest(forest: treelite.Model, steps: Sequence[Step], thresholds: Literal["float32", "float64"]) -> bytes:
    """Give the artifact: the forest, the steps before it, and the width of the numbers it compares with its thresholds."""
    arrays = {f"step{number:03}_{step.operation}": step.values for number, step in enumerate(steps)}
    file = BytesIO()
    np.savez_compressed(
        file, allow_pickle=False, forest=np.frombuffer(forest.serialize_bytes(), np.uint8), thresholds=thresholds, **arrays
    )
    return file.getvalue()


class TreeliteRuntime:
    """A forest that answers as the scikit-learn one did: same thresholds, same leaves, same order of addition."""

    def __init__(self, artifact: bytes) -> None:
        try:
            with np.load(BytesIO(artifact), allow_pickle=False) as arrays:
                self._forest = treelite.Model.deserialize_bytes(arrays["forest"].tobytes())
                self._dtype = np.dtype({"float32": np.float32, "float64": np.float64}[str(arrays["thresholds"])])
                self._steps = [_step(name, arrays[name]) for name in sorted(arrays.files) if name.startswith("step")]
        except (ValueError, KeyError, OSError, EOFError, BadZipFile, treelite.TreeliteError) as error:
            raise InvalidPackage("The forest cannot be opened.") from error

    def probabilities(self, batch: NDArray[np.generic]) -> NDArray[np.float64]:
        """Give the probability of every class, shape (n, n_classes), for rows of shape (n, n_features)."""
        rows: NDArray[np.floating] = batch.astype(np.float32 if batch.dtype == np.float32 else np.float64, copy=False)
        for step in self._steps:
            rows = step.apply(rows)
        # One thread: a pool of them would not survive a fork, and requests already run beside each other.
        answers = treelite.gtil.predict(self._forest, np.ascontiguousarray(rows, dtype=self._dtype), nthread=1)
        found = np.asarray(answers, np.float64).reshape(len(rows), -1)
        return np.column_stack([1 - found, found]) if found.shape[1] == 1 else found


def _step(name: str, values: NDArray[np.generic]) -> Step:
    operation = name.partition("_")[2]
    for known in _OPERATIONS:
        if operation == known:
            return Step(known, values)
    raise ValueError(f"no step is called {name}")
