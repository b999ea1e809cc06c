"""What describes a picture before a model sees it: the very numbers the transformers give."""

from __future__ import annotations

import numpy as np
import pytest

from app.errors import InvalidPackage
from app.estimators import FlatPixels, ImageEmbedding, OrientedGradients
from app.inference.features import flat_pixels, open_features
from app.inference.provenance import Features

PICTURES = np.random.default_rng(0).integers(0, 256, (3, 64, 48, 3), dtype=np.uint8)


def test_gradients_are_those_of_the_transformer() -> None:
    describe = open_features(Features("gradients", {"orientations": 6, "cell": 8, "block": 2, "clip": 0.3}))
    assert np.array_equal(describe(PICTURES), OrientedGradients(6, 8, 2, 0.3).fit_transform(PICTURES))


def test_pixels_are_those_of_the_transformer() -> None:
    assert np.array_equal(open_features(Features("pixels", {"size": 7}))(PICTURES), FlatPixels(7).fit_transform(PICTURES))


def test_an_embedding_is_that_of_the_transformer() -> None:
    transformer = ImageEmbedding().fit(PICTURES)
    describe = open_features(Features("embedding", backbone="efficientnet-lite0", sha256=transformer.sha256_))
    assert np.array_equal(describe(PICTURES), transformer.transform(PICTURES))


def test_a_backbone_of_another_digest_is_refused() -> None:
    with pytest.raises(InvalidPackage, match="not the one asked for"):
        open_features(Features("embedding", backbone="efficientnet-lite0", sha256="0" * 64))


def test_an_even_picture_stays_even_however_it_is_shrunk() -> None:
    assert flat_pixels(np.full((1, 10, 13, 3), 51, np.uint8), 4) == pytest.approx(np.full((1, 48), 0.2))
