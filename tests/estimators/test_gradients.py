"""OrientedGradients: the directions of edges, whatever the light."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.estimators import OrientedGradients


def ramp(degrees: float) -> NDArray[np.uint8]:
    """Draw a picture that grows lighter in one direction, so that all gradients agree; its square root is linear."""
    down, right = np.mgrid[0:32, 0:32]
    slope = np.cos(np.radians(degrees)) * right + np.sin(np.radians(degrees)) * down
    levels = np.square((slope - slope.min()) / np.ptp(slope)) * 255
    return np.asarray(np.broadcast_to(levels.round()[np.newaxis, :, :, np.newaxis], (1, 32, 32, 3)), np.uint8)


@pytest.mark.parametrize(("degrees", "bin_"), [(10, 0), (50, 2), (90, 4), (130, 6), (170, 8), (230, 2)])
def test_finds_the_direction_of_a_ramp(degrees: float, bin_: int) -> None:
    histogram = OrientedGradients(cell=16, clip=1.0).fit_transform(ramp(degrees)).reshape(9, 4).sum(axis=1)
    assert histogram.argmax() == bin_
    assert histogram[bin_] > 0.8 * histogram.sum()


def test_shares_a_direction_between_its_two_neighbours() -> None:
    histogram = OrientedGradients(cell=16, clip=1.0).fit_transform(ramp(0)).reshape(9, 4).sum(axis=1)
    assert np.allclose(histogram[0], histogram[8], rtol=1e-3)
    assert histogram[[0, 8]].sum() > 0.9 * histogram.sum()


def test_blocks_have_length_one_and_flat_ones_zero() -> None:
    pictures = np.random.default_rng(4).integers(0, 256, (2, 48, 64, 3), dtype=np.uint8)
    pictures[1] = 77
    lengths = np.linalg.norm(OrientedGradients(cell=8).fit_transform(pictures).reshape(2, 5 * 7, 36), axis=2)
    assert np.allclose(lengths[0], 1, atol=1e-3)
    assert not lengths[1].any()


def test_the_light_changes_little() -> None:
    bright = np.random.default_rng(5).integers(0, 256, (1, 64, 64, 3), dtype=np.uint8) // 4 * 4
    features = OrientedGradients().fit_transform(np.concatenate([bright, bright // 4]))
    assert np.allclose(features[0], features[1], atol=1e-3)


@pytest.mark.parametrize("parameters", [{"orientations": 1}, {"cell": 0}, {"block": 0}, {"clip": 0.0}, {"clip": 1.5}])
def test_refuses_impossible_parameters(parameters: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="OrientedGradients needs"):
        OrientedGradients(**parameters).fit(np.zeros((1, 64, 64, 3), np.uint8))


def test_refuses_pictures_smaller_than_a_block() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        OrientedGradients(cell=32).fit(np.zeros((1, 64, 48, 3), np.uint8))
