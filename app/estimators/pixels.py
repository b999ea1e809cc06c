"""Pictures described by their pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.estimators.pictures import PictureTransformer


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
        count, height, width, _ = pixels.shape
        rows, columns = _area_weights(height, self.size), _area_weights(width, self.size)
        squeezed = rows @ (pixels.reshape(count, height, -1) / np.float32(255))
        square = columns @ squeezed.reshape(count, self.size, width, 3)
        return np.asarray(square.reshape(count, -1), np.float32)


def _area_weights(length: int, size: int) -> NDArray[np.float32]:
    """Give the matrix (size, length) whose rows average the pixels that each of `size` equal stretches covers."""
    ends = np.arange(size + 1)[:, np.newaxis] * (length / size)
    pixels = np.arange(length)
    covered = np.minimum(ends[1:], pixels + 1) - np.maximum(ends[:-1], pixels)
    return np.asarray(covered.clip(0) * (size / length), np.float32)
