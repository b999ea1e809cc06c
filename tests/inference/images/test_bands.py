from __future__ import annotations

import numpy as np
import pytest

from app.inference.images import decode
from tests.pictures import noise, stored, turned


@pytest.fixture(scope="module")
def large() -> bytes:
    return stored(noise(1_501, 1_403), "PNG", compress_level=0)  # several bands


@pytest.mark.parametrize("fit", [None, (300, 300)])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_large_picture_is_put_together_from_bands(large: bytes, orientation: int, fit: tuple[int, int] | None) -> None:
    data = turned(noise(1_501, 1_403), orientation, "PNG", compress_level=0)

    assert np.array_equal(decode(data, fit=fit).pixels, decode(large, fit=fit).pixels)


def test_bands_meet_without_a_seam(large: bytes) -> None:
    assert np.array_equal(decode(large).pixels, np.asarray(noise(1_501, 1_403)))
    assert np.array_equal(decode(large, fit=(300, 300)).pixels, np.asarray(noise(1_501, 1_403).reduce(2)))
