"""The arithmetic on rows that stands before a forest: exactly what scikit-learn's scalers and selections compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Operation = Literal["subtract", "divide", "multiply", "add", "subtract-rounded", "divide-rounded", "clip", "take"]
_OPERATIONS: dict[str, Operation] = {operation: operation for operation in get_args(Operation)}
_PREFIX = "step"


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


def to_arrays(steps: Sequence[Step]) -> dict[str, NDArray[np.generic]]:
    """Give the arrays that hold steps, by names that sort as the steps stand."""
    return {f"{_PREFIX}{number:03}_{step.operation}": step.values for number, step in enumerate(steps)}


def from_arrays(arrays: Mapping[str, NDArray[np.generic]]) -> tuple[Step, ...]:
    """Give the steps among named arrays, or raise ValueError."""
    return tuple(_step(name, arrays[name]) for name in sorted(arrays) if name.startswith(_PREFIX))


def _step(name: str, values: NDArray[np.generic]) -> Step:
    operation = _OPERATIONS.get(name.partition("_")[2])
    if operation is None or values.ndim != 1 or values.dtype.kind not in ("iu" if operation == "take" else "iuf"):
        raise ValueError(f"{name} is no step with one row of numbers")
    return Step(operation, values)
