"""FlatPixels: area averages from 0 to 1."""

from __future__ import annotations

import numpy as np
import pytest

from app.estimators import FlatPixels


def test_averages_whole_areas() -> None:
    picture = np.random.default_rng(2).integers(0, 256, (1, 64, 96, 3), dtype=np.uint8)
    blocks = picture.reshape(1, 8, 8, 8, 12, 3).mean(axis=(2, 4)) / 255
    assert np.allclose(FlatPixels(size=8).fit_transform(picture), blocks.reshape(1, -1), atol=1e-6)


def test_shares_a_pixel_that_lies_across_two_areas() -> None:
    row = np.array([0, 255, 0], dtype=np.uint8)
    picture = np.broadcast_to(row[np.newaxis, np.newaxis, :, np.newaxis], (1, 3, 3, 3))
    assert np.allclose(FlatPixels(size=2).fit_transform(picture), 1 / 3, atol=1e-6)


def test_leaves_pixels_alone_at_their_own_size_and_repeats_them_above() -> None:
    picture = np.random.default_rng(3).integers(0, 256, (1, 8, 8, 3), dtype=np.uint8)
    assert np.allclose(FlatPixels(size=8).fit_transform(picture), picture.reshape(1, -1) / 255, atol=1e-6)
    repeated = picture.repeat(2, axis=1).repeat(2, axis=2)
    assert np.allclose(FlatPixels(size=16).fit_transform(picture), repeated.reshape(1, -1) / 255, atol=1e-6)


def test_white_is_one_and_black_is_zero() -> None:
    pictures = np.stack([np.zeros((50, 50, 3), np.uint8), np.full((50, 50, 3), 255, np.uint8)])
    features = FlatPixels().fit_transform(pictures)
    assert np.allclose(features, [[0.0], [1.0]], atol=1e-6)


def test_refuses_a_size_of_nothing() -> None:
    with pytest.raises(ValueError, match="at least one pixel"):
        FlatPixels(size=0).fit(np.zeros((1, 8, 8, 3), np.uint8))
