"""What the transformers of pictures share: which arrays they take, and that they remember the size of what they saw."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import isqrt
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

# Pictures worked on at a time, so that memory does not grow with the data set.
_CHUNK = 32


class PictureTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """A transformer of RGB pictures, given as (n, height, width, 3) or as flat rows of square ones, uint8 from 0 to 255."""

    def fit(self, X: NDArray[np.uint8], y: object = None) -> Self:  # noqa: ARG002, N803 - scikit-learn's signature
        """Learn the size of the pictures; `y` is not used."""
        pixels = np.asarray(X)
        self.picture_shape_ = _picture_shape(pixels.shape)
        self.n_features_in_ = self.picture_shape_[0] * self.picture_shape_[1] * 3
        first = self._pictures(pixels)[:1]
        if not len(first):
            raise ValueError(f"{type(self).__name__} cannot learn from no pictures.")
        self._learn()
        self._n_features_out = self._features(first).shape[1]
        return self

    def transform(self, X: NDArray[np.uint8]) -> NDArray[np.float32]:  # noqa: N803 - scikit-learn's signature
        """Give the features of each picture, shape (n, n_features_out); the pictures must be of the size learned."""
        check_is_fitted(self)
        pixels = self._pictures(np.asarray(X))
        result = np.empty((len(pixels), self._n_features_out), np.float32)
        for start in range(0, len(pixels), _CHUNK):
            result[start : start + _CHUNK] = self._features(pixels[start : start + _CHUNK])
        return result

    def _learn(self) -> None:
        """Learn what else the transformer needs, and check its parameters, once the size is known."""

    @abstractmethod
    def _features(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Give the features, shape (n, n_features_out), of pictures of shape (n, height, width, 3)."""

    def _pictures(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        # Other dtypes are refused, not converted: levels from 0 to 1 would be taken for black pictures without a word.
        if pixels.dtype != np.uint8:
            raise ValueError(f"{type(self).__name__} takes pictures as uint8 from 0 to 255, not {pixels.dtype}.")
        shape = (*self.picture_shape_, 3)
        if pixels.shape[1:] not in (shape, (self.n_features_in_,)):
            raise ValueError(f"{type(self).__name__} learned pictures of shape {shape}, not {pixels.shape[1:]}.")
        return pixels.reshape(-1, *shape)


def _picture_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    match shape:
        case (_, height, width, 3) if height and width:
            return height, width
        case (_, length) if length and length == 3 * isqrt(length // 3) ** 2:
            return isqrt(length // 3), isqrt(length // 3)
    raise ValueError(f"Pictures have the shape (n, height, width, 3), or are flat rows of square ones, not {shape}.")
