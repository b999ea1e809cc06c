"""The runtime of tree ensembles: exact arithmetic on the row where a scaler stood, then all trees at once, in NumPy alone."""

from __future__ import annotations

from dataclasses import dataclass, fields
from io import BytesIO
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from app.errors import InvalidModel, InvalidPackage
from app.inference.answers import softmax
from app.inference.runtimes.descent import Descent
from app.inference.runtimes.steps import Step, from_arrays, to_arrays
from app.inference.runtimes.trees import Trees

# How the sum over all rounds becomes probabilities.
Link = Literal["mean", "logistic", "softmax"]
_LINKS: dict[str, Link] = {link: link for link in get_args(Link)}
# Rows are taken together until they have so many leaves to reach: about 60 bytes each.
_MOST_ARRIVALS = 1 << 17
# Above so many numbers, leaves are added a round at a time and not laid side by side first.
_MOST_NUMBERS = 1 << 18


@dataclass(frozen=True, eq=False, slots=True)
class Forest:
    """The trees, what is done to a row before them, and what to the sum of the leaves that it reaches."""

    trees: Trees
    link: Link
    steps: tuple[Step, ...] = ()


def pack_forest(forest: Forest) -> bytes:
    """Give the artifact: named arrays, as they are, since compressed ones take a tenth to a third longer to open."""
    arrays = {field.name: np.asarray(getattr(forest.trees, field.name)) for field in fields(forest.trees)}
    file = BytesIO()
    np.savez(file, allow_pickle=False, link=np.asarray(forest.link), **arrays, **to_arrays(forest.steps))
    return file.getvalue()


def unpack_forest(artifact: bytes) -> Forest:
    """Give the forest of an artifact, or raise InvalidPackage where it could not be followed to its leaves."""
    try:
        with np.load(BytesIO(artifact), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        names = [field.name for field in fields(Trees) if field.name != "n_features"]
        trees = Trees(int(arrays["n_features"]), *(arrays[name] for name in names))
        return Forest(trees, _LINKS[str(arrays["link"])], from_arrays(arrays))
    except Exception as error:  # the artifact may be anything
        raise InvalidPackage("The forest cannot be opened.") from error


class ForestRuntime:
    """A forest that answers as the scikit-learn one did: same thresholds, same leaves, same order of addition."""

    def __init__(self, artifact: bytes) -> None:
        forest = unpack_forest(artifact)
        self._steps, self._link = forest.steps, forest.link
        self._n_features, self._width = forest.trees.n_features, forest.trees.thresholds.dtype
        self._rounds, self._groups = forest.trees.roots.shape
        self._leaves = forest.trees.leaves
        self._descent = Descent(forest.trees)
        self._at_a_time = max(1, _MOST_ARRIVALS // forest.trees.roots.size)

    def probabilities(self, batch: NDArray[np.generic]) -> NDArray[np.float64]:
        """Give the probability of every class, shape (n, n_classes), for rows of shape (n, n_features)."""
        rows: NDArray[np.floating] = batch.astype(np.float32 if batch.dtype == np.float32 else np.float64, copy=False)
        for step in self._steps:
            rows = step.apply(rows)
        if rows.ndim != 2 or rows.shape[1] != self._n_features:
            raise InvalidModel(f"The forest takes rows of {self._n_features} numbers.")
        rows = np.ascontiguousarray(rows, dtype=self._width)
        parts = range(0, max(1, len(rows)), self._at_a_time)
        return self._linked(np.concatenate([self._sums(rows[start : start + self._at_a_time]) for start in parts]))

    def _sums(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        """Add up the leaves of all rounds, from the first to the last: shape (n, n_groups * width)."""
        leaves = self._descent.arrivals(rows).reshape(self._rounds, -1)
        width = self._leaves.shape[1]
        if leaves.size * width > _MOST_NUMBERS:
            sums = np.zeros((leaves.shape[1], width))
            for of_a_round in leaves:
                sums += self._leaves.take(of_a_round, axis=0)
        elif leaves.shape[1] * width == 1:
            # NumPy adds a single column in halves, which rounds differently.
            sums = np.add.accumulate(self._leaves.take(leaves.ravel()))[-1:]
        else:
            sums = self._leaves.take(leaves, axis=0).sum(axis=0)
        side_by_side = sums.reshape(self._groups, -1, width).transpose(1, 0, 2).reshape(len(rows), self._groups * width)
        # A row's numbers next to each other, so that a softmax adds them in one order however many rows there are.
        return np.ascontiguousarray(side_by_side)

    def _linked(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        if self._link == "softmax":
            return softmax(sums)
        if self._link == "mean":
            return np.asarray(sums / self._rounds)
        with np.errstate(over="ignore"):
            raised = 1 / (1 + np.exp(-sums))
        return np.column_stack([1 - raised, raised])
