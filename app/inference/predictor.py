"""One loaded version that answers: recipe, runtime and classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.errors import InvalidModel
from app.inference.features import open_features
from app.inference.images import Image
from app.inference.package import PICKLE, ModelPackage
from app.inference.runtimes import open_runtime
from app.inference.runtimes.brought_code import bring


class Predictor:
    """Turns pictures into rows and rows into probabilities; safe to use from several threads."""

    def __init__(self, package: ModelPackage) -> None:
        self.manifest = package.manifest
        manifest, artifact = package.manifest, package.artifact()
        bring({file: package.pinned(file) for file in manifest.digests if file.startswith("code/")})
        self._describe = None if manifest.features is None else open_features(manifest.features)
        self._runtime = open_runtime(
            manifest.runtime,
            artifact,
            answers=manifest.answers,
            n_classes=len(manifest.classes),
            pickled=manifest.artifact == PICKLE,
        )

    def prepare(self, image: Image) -> NDArray[np.generic]:
        """Give the row of one picture, of the recipe's shape."""
        return self.manifest.recipe.array(image)

    def probabilities(self, batch: NDArray[np.generic]) -> NDArray[np.float64]:
        """Give the probability of every class, shape (n, n_classes), each row summing to 1."""
        rows = batch if self._describe is None else self._describe(batch.astype(np.uint8, copy=False))
        result = self._runtime.probabilities(rows)
        expected = (len(batch), len(self.manifest.classes))
        if result.shape != expected or not np.isfinite(result).all():
            raise InvalidModel(f"{self.manifest.name} {self.manifest.version} gave no probabilities for this picture.")
        return result

    def warm_up(self) -> None:
        """Answer once for an empty picture, so that the first visitor does not wait for lazy set-up."""
        recipe = self.manifest.recipe
        dtype = np.uint8 if recipe.scale == "0-255" else np.float64
        self.probabilities(np.zeros((1, *recipe.shape), dtype=dtype))
