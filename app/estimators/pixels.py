"""Pictures described by their pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.estimators.pictures import PictureTransformer
from app.inference.features import flat_pixels


class FlatPixels(PictureTransformer):
    """Shrink pictures to a square by averaging areas, and give their levels as flat rows from 0 to 1.

    Parameters
    ----------
    size : int, default=32
        Side of the square, in pixels; a picture of another shape is stretched.

    Attributes
    ----------
    picture_shape_ : tuple of int
        Height and width of the pictures, in pixels.
    n_features_in_ : int
        Numbers in one picture: height * width * 3.

    Examples
    --------
    >>> import numpy as np
    >>> from app.estimators import FlatPixels
    >>> picture = np.array([[[[255, 0, 0], [0, 0, 0]], [[255, 0, 0], [0, 0, 0]]]], dtype=np.uint8)
    >>> FlatPixels(size=1).fit_transform(picture).tolist()
    [[0.5, 0.0, 0.0]]
    """

    def __init__(self, size: int = 32) -> None:
        self.size = size

    def _learn(self) -> None:
        if self.size < 1:
            raise ValueError("FlatPixels needs a size of at least one pixel.")

    def _features(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        return flat_pixels(pixels, self.size)
