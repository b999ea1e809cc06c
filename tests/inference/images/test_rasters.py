from __future__ import annotations

import gc
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.inference.images import decode
from tests.pictures import FORMATS, drawn, drawn_in, heic, stored

ROOT = Path(__file__).parents[2]


def test_heic_is_turned_once_though_both_its_container_and_its_exif_say_so() -> None:
    image = decode(heic())

    assert (image.width, image.height) == (96, 64)
    assert np.abs(image.pixels.astype(int) - np.asarray(drawn(), dtype=int)).mean() < 4


def test_heic_pixels_outlive_their_reader() -> None:
    first = decode(heic()).pixels.copy()
    for _ in range(50):
        assert np.array_equal(decode(heic()).pixels, first)
        gc.collect()


def test_heic_metadata_of_any_kind_does_no_harm() -> None:
    assert decode(heic().replace(b"Exif", b"E\xff\xd9f")).width == 96


@pytest.mark.parametrize("format", FORMATS)
def test_pictures_are_read_by_many_threads_at_once(format: str) -> None:
    data = drawn_in(format)
    alone = decode(data)

    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(decode, [data] * 64))

    assert all(np.array_equal(image.pixels, alone.pixels) and image.steps == alone.steps for image in together)


def test_pillows_own_bomb_warning_is_an_error_in_any_process() -> None:
    code = """
from app.errors import InvalidImage
from app.inference.images import ImageLimits, decode
from tests.bombs import png
try:
    decode(png(10_000, 10_000), limits=ImageLimits(pixels=10**9, memory_bytes=10**10))
except InvalidImage as refused:
    print(type(refused.__cause__).__name__)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout == "DecompressionBombWarning\n"


def test_decoding_leaves_the_filters_of_warnings_alone() -> None:
    before = list(warnings.filters)

    decode(stored(Image.new("P", (4, 4)), "PNG", transparency=b"\0\1"))

    assert list(warnings.filters) == before
