"""Pictures described by the directions of their edges."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from app.estimators.pictures import PictureTransformer

_Floats = NDArray[np.float32]
_DARK = 1e-3  # keeps blocks without any edge at zero instead of dividing by it


class OrientedGradients(PictureTransformer):
    """Describe pictures by histograms of oriented gradients.

    The square root of the levels is taken, each pixel votes for the direction of its strongest colour channel's gradient,
    votes are shared between neighbouring directions and cells, and overlapping blocks of cells are normalised (L2-Hys).

    Parameters
    ----------
    orientations : int, default=9
        Directions told apart between 0 and 180 degrees.
    cell : int, default=16
        Side of a cell, in pixels.
    block : int, default=2
        Side of a block, in cells.
    clip : float, default=0.2
        Largest share of a block that one direction of one cell may have before it is normalised again.

    Attributes
    ----------
    picture_shape_ : tuple of int
        Height and width of the pictures, in pixels.
    n_features_in_ : int
        Numbers in one picture: height * width * 3.

    References
    ----------
    N. Dalal and B. Triggs. Histograms of Oriented Gradients for Human Detection. CVPR, 2005.

    Examples
    --------
    >>> import numpy as np
    >>> from app.estimators import OrientedGradients
    >>> pictures = np.zeros((2, 64, 64, 3), dtype=np.uint8)
    >>> OrientedGradients(cell=16).fit_transform(pictures).shape  # 3 x 3 blocks of 2 x 2 cells of 9 directions
    (2, 324)
    """

    def __init__(self, orientations: int = 9, cell: int = 16, block: int = 2, clip: float = 0.2) -> None:
        self.orientations = orientations
        self.cell = cell
        self.block = block
        self.clip = clip

    def _learn(self) -> None:
        if self.orientations < 2 or min(self.cell, self.block) < 1 or not 0 < self.clip <= 1:
            raise ValueError("OrientedGradients needs two orientations or more, positive sizes and a clip up to 1.")
        if min(self.picture_shape_) < self.cell * self.block:
            raise ValueError(f"A block of {self.cell * self.block} pixels does not fit into pictures of {self.picture_shape_}.")

    def _features(self, pixels: NDArray[np.uint8]) -> _Floats:
        strength, position = _gradients(np.sqrt(pixels, dtype=np.float32), self.orientations)
        rows, columns = (_cell_weights(length, self.cell) for length in pixels.shape[1:3])
        votes = [rows @ (strength * _share(position, bin_, self.orientations)) @ columns.T for bin_ in range(self.orientations)]
        windows = sliding_window_view(np.stack(votes, axis=-1), (self.block, self.block), axis=(1, 2))
        blocks = windows.reshape(*windows.shape[:3], -1)
        clipped = np.minimum(_normalised(blocks), self.clip)
        return _normalised(clipped).reshape(len(pixels), -1)


def _gradients(levels: _Floats, orientations: int) -> tuple[_Floats, _Floats]:
    """Give strength and direction, each (n, height, width), of the strongest channel's gradient.

    The direction counts in bins from 0 to `orientations`, which is 0 again; the outermost pixels have no gradient.
    """
    down, right = np.zeros_like(levels), np.zeros_like(levels)
    down[:, 1:-1, 1:-1] = levels[:, 2:, 1:-1] - levels[:, :-2, 1:-1]
    right[:, 1:-1, 1:-1] = levels[:, 1:-1, 2:] - levels[:, 1:-1, :-2]
    strength = np.hypot(down, right)
    channel = strength.argmax(axis=-1)[..., np.newaxis]
    strength, down, right = (np.take_along_axis(part, channel, axis=-1)[..., 0] for part in (strength, down, right))
    return strength, np.arctan2(down, right) % np.float32(np.pi) * np.float32(orientations / np.pi)


def _share(position: _Floats, bin_: int, orientations: int) -> _Floats:
    """Give the part of each vote that goes to a bin: all at its centre, none at the centre of the next."""
    distance = np.abs(position - np.float32(bin_ + 0.5))
    return np.asarray(np.maximum(0, 1 - np.minimum(distance, orientations - distance)), np.float32)


def _cell_weights(length: int, cell: int) -> _Floats:
    """Give the matrix (cells, length) that shares each pixel between the two cells whose centres are nearest."""
    centres = (np.arange(length // cell)[:, np.newaxis] + 0.5) * cell
    distance = np.abs(np.arange(length) + 0.5 - centres) / cell
    return np.asarray(np.maximum(0, 1 - distance), np.float32)


def _normalised(blocks: _Floats) -> _Floats:
    return np.asarray(blocks / np.sqrt(np.square(blocks).sum(axis=-1, keepdims=True) + _DARK**2), np.float32)
