"""All trees of an ensemble in one set of arrays: the plain data that a forest is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, slots=True)
class Trees:
    """Forks, which compare one number of a row, and leaves; raises ValueError where following them would not end well.

    Forks are numbered from 0, each before what it leads to; the leaves come after all forks, so that number n_forks + k is row
    k of `leaves`. Leaves that hold the same are one, which makes them few where trees grew until each leaf was pure. Fork i
    sends a row to children[i, 1] where its number features[i] is at most thresholds[i], and else to children[i, 0].

    `roots` has the trees of one round in each row: their leaves stand side by side, and rounds are added one after another.

    features int32 (n_forks,); thresholds float32 or float64 (n_forks,), as wide as the rows that they are compared with;
    children int32 (n_forks, 2); roots int32 (n_rounds, n_groups); leaves float64 (n_leaves, width).
    """

    n_features: int
    features: NDArray[np.int32]
    thresholds: NDArray[np.float32] | NDArray[np.float64]
    children: NDArray[np.int32]
    roots: NDArray[np.int32]
    leaves: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Refuse what could lead in circles or outside of the arrays: nothing looks at either again."""
        if not (self._are_shaped() and self._lead_onwards() and self._meet_once()):
            raise ValueError("these are no trees")

    @property
    def n_forks(self) -> int:
        """How many nodes compare something."""
        return len(self.features)

    @property
    def levels(self) -> int:
        """How many forks the longest way from a root to a leaf has."""
        here, count = self.roots[self.roots < self.n_forks], 0
        while len(here):
            below = self.children.take(here, axis=0)
            here, count = below[below < self.n_forks], count + 1
        return count

    def _are_shaped(self) -> bool:
        indices = (self.features, self.children, self.roots)
        return (
            all(array.dtype == np.int32 for array in indices)
            and self.thresholds.dtype in (np.float32, np.float64)
            and self.leaves.dtype == np.float64
            and self.features.ndim == 1
            and self.thresholds.shape == self.features.shape
            and self.children.shape == (self.n_forks, 2)
            and self.roots.ndim == self.leaves.ndim == 2
            and min(self.n_features, self.roots.size, self.leaves.size) > 0
        )

    def _lead_onwards(self) -> bool:
        end = self.n_forks + len(self.leaves)
        return bool(
            ((self.features >= 0) & (self.features < self.n_features)).all()
            and ((self.children > np.arange(self.n_forks)[:, np.newaxis]) & (self.children < end)).all()
            and ((self.roots >= 0) & (self.roots < end)).all()
        )

    def _meet_once(self) -> bool:
        """Tell whether one way leads to each fork, so that no level has more forks than there are."""
        met = np.concatenate([self.children.ravel(), self.roots.ravel()])
        return bool((np.bincount(met[met < self.n_forks], minlength=self.n_forks) == 1).all())
