"""Pictures described by the directions of their edges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.estimators.pictures import PictureTransformer
from app.inference.features import oriented_gradients


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

    def _features(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        return oriented_gradients(pixels, self.orientations, self.cell, self.block, self.clip)
