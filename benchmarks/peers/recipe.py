"""What every peer does with a picture: file -> row of 3072 numbers -> label and probabilities.

The models are trained with `row_of` too, so no server can be asked for something it was not made for.
"""

from __future__ import annotations

import os
from io import BytesIO
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

SIDE = 32
# The report's second table: the decoder skips most of a large JPEG, down to no less than twice the model's size.
DRAFT = os.environ.get("BENCH_DRAFT") == "yes"


def row_of(image: Image.Image, *, draft: bool = DRAFT) -> NDArray[np.float32]:
    """Give the model's input for an opened picture: RGB stretched to 32 by 32, value / 255, shape (3072,)."""
    if draft:
        image.draft("RGB", (2 * SIDE, 2 * SIDE))
    small = ImageOps.exif_transpose(image).convert("RGB").resize((SIDE, SIDE))
    return np.asarray(small, dtype=np.float32).ravel() / np.float32(255)


def decode(file: bytes) -> NDArray[np.float32]:
    """Give the model's input for the bytes of a picture file."""
    with Image.open(BytesIO(file)) as image:
        return row_of(image)


class Classifier:
    """The model that every server of a run opens: the joblib file named by `BENCH_MODEL`."""

    def __init__(self, path: str | None = None) -> None:
        self._model = joblib.load(path or os.environ["BENCH_MODEL"])
        self.classes = [str(name) for name in self._model.classes_]

    def answers(self, rows: NDArray[np.float32]) -> list[dict[str, Any]]:
        """Answer for rows of shape (n, 3072) with one call of the model."""
        return [
            {"label": self.classes[int(row.argmax())], "probabilities": dict(zip(self.classes, row.tolist(), strict=True))}
            for row in self._model.predict_proba(rows)
        ]

    def answer(self, file: bytes) -> dict[str, Any]:
        """Answer for one picture file."""
        return self.answers(decode(file)[np.newaxis])[0]
