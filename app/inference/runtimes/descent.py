"""From the roots to the leaves: all trees at once, since NumPy costs by the call and hardly by the number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.inference.runtimes.trees import Trees

# After so many levels, what has reached a leaf is taken out. Fewer cost more calls, more walk on the spot (measured: 3 to 8).
_LEVELS = 6
# To compare at one fork ahead of time costs as much as to take one row down one level of one tree; a level's calls cost as much
# as so many forks (measured on forests of 1 to 300 trees, 3 to 35 levels deep, and on 1 to 32 rows).
_CALLS = 2400
# Nodes times rows, about 20 bytes each: above so many nothing is compared ahead of time.
_MOST_AHEAD = 1 << 18


class Descent:
    """Takes rows down the trees; holds no state, so that several threads may use one.

    A leaf is followed by itself, so that a row that has arrived can take part in further steps and stays where it is.
    """

    def __init__(self, trees: Trees) -> None:
        self._n_forks = trees.n_forks
        self._leaves = np.arange(trees.n_forks, trees.n_forks + len(trees.leaves))
        stay = np.repeat(self._leaves, 2).astype(np.int32)
        self._features = np.concatenate([trees.features, np.zeros(len(self._leaves), np.int32)])
        self._thresholds = np.concatenate([trees.thresholds, np.full(len(self._leaves), np.inf, trees.thresholds.dtype)])
        self._children = np.concatenate([trees.children.ravel(), stay])
        self._roots = trees.roots.ravel().astype(np.intp)
        self._levels = trees.levels
        # What a comparison adds to the one child's number to give the other's: cheaper than choosing, which guesses wrong.
        self._above, self._below = trees.children[:, 0].copy(), np.subtract(trees.children[:, 1], trees.children[:, 0])

    def arrivals(self, rows: NDArray[np.floating]) -> NDArray[np.intp]:
        """Give the leaf that each row reaches in each tree, shape (n_trees, n), for contiguous rows (n, n_features)."""
        n = len(rows)
        level_by_level = self._levels * (_CALLS + len(self._roots) * n)
        if self._n_forks * n <= level_by_level and len(self._features) * n <= _MOST_AHEAD:
            return self._compared_ahead(rows)
        return self._level_by_level(rows)

    def _compared_ahead(self, rows: NDArray[np.floating]) -> NDArray[np.intp]:
        """Compare at every fork first, even where no row will come by: then a step down is one look-up."""
        n, nodes = len(rows), len(self._features)
        following = np.empty((n, nodes), np.intp)
        at_most = rows.take(self._features[: self._n_forks], axis=1) <= self._thresholds[: self._n_forks]
        following[:, : self._n_forks] = self._above + at_most * self._below
        following[:, self._n_forks :] = self._leaves
        first = np.arange(0, n * nodes, nodes)
        following += first[:, np.newaxis]
        flat, node = following.ravel(), self._roots[:, np.newaxis] + first
        for _ in range(self._levels):
            node = flat[node]
        return np.asarray(node - first - self._n_forks)

    def _level_by_level(self, rows: NDArray[np.floating]) -> NDArray[np.intp]:
        """Compare where the rows are, level by level, and take out those that have arrived every few levels."""
        n, width = rows.shape
        numbers = rows.ravel()
        node = np.repeat(self._roots, n)
        first = np.tile(np.arange(0, n * width, width), len(self._roots))
        arrived, on_the_way = np.empty_like(node), np.arange(len(node))
        while len(on_the_way):
            for _ in range(min(_LEVELS, self._levels)):
                at_most = numbers.take(first + self._features.take(node)) <= self._thresholds.take(node)
                node = self._children.take(node + node + at_most).astype(np.intp)
            arrived[on_the_way] = node
            left = np.flatnonzero(node < self._n_forks)
            node, first, on_the_way = node.take(left), first.take(left), on_the_way.take(left)
        return (arrived - self._n_forks).reshape(-1, n)
