"""What describes a picture before a model sees it: a backbone's embedding, oriented gradients or shrunken pixels.

The transformers in `app.estimators` compute with these same functions, so a served model gets the very numbers its pickle got.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from app.inference.backbones import open_backbone
from app.inference.provenance import Features

_Floats = NDArray[np.float32]
Describe = Callable[[NDArray[np.uint8]], _Floats]

_DARK = 1e-3  # keeps blocks without any edge at zero instead of dividing by it


def open_features(features: Features) -> Describe:
    """Give the function from RGB pictures, uint8 (n, height, width, 3), to float32 (n, n_features).

    Raises InvalidPackage where the backbone is missing or is not the one of that digest.
    """
    given = features.parameters
    match features.kind:
        case "embedding":
            return open_backbone(features.backbone, features.sha256).embed
        case "gradients":
            cells = {"orientations": int(given["orientations"]), "cell": int(given["cell"]), "block": int(given["block"])}
            return partial(oriented_gradients, **cells, clip=given["clip"])  # type: ignore[arg-type] # mypy: pixels come later
        case "pixels":
            return partial(flat_pixels, size=int(given["size"]))


def flat_pixels(pixels: NDArray[np.uint8], size: int) -> _Floats:
    """Give pictures shrunk to a square by averaging areas, as rows of levels from 0 to 1, shape (n, size * size * 3)."""
    count, height, width, _ = pixels.shape
    rows, columns = _area_weights(height, size), _area_weights(width, size)
    squeezed = rows @ (pixels.reshape(count, height, -1) / np.float32(255))
    square = columns @ squeezed.reshape(count, size, width, 3)
    return np.asarray(square.reshape(count, -1), np.float32)


def oriented_gradients(pixels: NDArray[np.uint8], orientations: int, cell: int, block: int, clip: float) -> _Floats:
    """Give histograms of oriented gradients, shape (n, n_features): Dalal and Triggs, CVPR 2005.

    The square root of the levels is taken, each pixel votes for the direction of its strongest colour channel's gradient,
    votes are shared between neighbouring directions and cells, and overlapping blocks of cells are normalised (L2-Hys).
    """
    strength, position = _gradients(np.sqrt(pixels, dtype=np.float32), orientations)
    rows, columns = (_cell_weights(length, cell) for length in pixels.shape[1:3])
    votes = [rows @ (strength * _share(position, bin_, orientations)) @ columns.T for bin_ in range(orientations)]
    windows = sliding_window_view(np.stack(votes, axis=-1), (block, block), axis=(1, 2))
    blocks = windows.reshape(*windows.shape[:3], -1)
    clipped = np.minimum(_normalised(blocks), clip)
    return _normalised(clipped).reshape(len(pixels), -1)


def _area_weights(length: int, size: int) -> NDArray[np.float32]:
    """Give the matrix (size, length) whose rows average the pixels that each of `size` equal stretches covers."""
    ends = np.arange(size + 1)[:, np.newaxis] * (length / size)
    pixels = np.arange(length)
    covered = np.minimum(ends[1:], pixels + 1) - np.maximum(ends[:-1], pixels)
    return np.asarray(covered.clip(0) * (size / length), np.float32)


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
