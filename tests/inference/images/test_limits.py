from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from time import thread_time

import pytest

from app.errors import ImageTooComplex, InvalidImage
from app.inference.images import ImageLimits, decode
from tests.bombs import BOMBS
from tests.pictures import animation, drawn, drawn_in, many_scans, stored

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", BOMBS)
def test_what_is_over_a_limit_is_refused_before_it_costs_anything(name: str) -> None:
    data = BOMBS[name]()
    seconds = []
    for _ in range(3):
        start = thread_time()
        with pytest.raises(ImageTooComplex, match=r"^(This|Reading this) .*\d.*\.$"):
            decode(data)
        seconds.append(thread_time() - start)

    assert min(seconds) < 0.2


@pytest.mark.parametrize(
    ("limits", "data", "sentence"),
    [
        (ImageLimits(side=95), drawn_in("PNG"), "This picture is 96 by 64 pixels, and a side may have at most 95."),
        (ImageLimits(pixels=1_000), drawn_in("GIF"), "This picture has 0.0 megapixels, and at most 0.001 are taken."),
        (ImageLimits(frames=2), animation("GIF", 3), "This picture has 3 or more frames, and at most 2 are taken."),
        (
            ImageLimits(pixel_scans=61_440),
            many_scans(11),
            "This picture is drawn in 11 or more scans, and at its size at most 10 are taken.",
        ),
        (
            ImageLimits(memory_bytes=2_000_000),
            stored(drawn(1_000, 600), "BMP"),
            "Reading this picture would take 2 MB of memory, and at most 2 MB are given.",
        ),
    ],
)
def test_a_refusal_names_the_limit(limits: ImageLimits, data: bytes, sentence: str) -> None:
    with pytest.raises(ImageTooComplex) as refused:
        decode(data, limits=limits)

    assert str(refused.value) == sentence


def test_what_is_just_within_a_limit_is_read() -> None:
    limits = ImageLimits(side=96, pixels=96 * 64, frames=3, pixel_scans=96 * 64 * 20)

    assert decode(animation("GIF", 3), limits=limits).width == 96
    assert decode(many_scans(20), limits=limits).width == 96


def test_a_picture_without_pixels_is_refused() -> None:
    data = bytearray(drawn_in("PNG"))
    data[16:20] = bytes(4)

    with pytest.raises(InvalidImage, match="no pixels"):
        decode(bytes(data))


MEASURE = """
import gc, sys
from pathlib import Path
from app.errors import InvalidImage
from app.inference.images import decode
from tests.bombs import BOMBS

def kilobytes(name):
    return int(Path("/proc/self/status").read_text().split(name)[1].split()[0])

for name, bomb in BOMBS.items():
    data = bomb()
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
    before = kilobytes("VmRSS:")
    try:
        decode(data)
    except InvalidImage:
        print(kilobytes("VmHWM:") - before, name)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peaks are read from /proc")
def test_what_is_over_a_limit_takes_no_memory() -> None:
    done = subprocess.run([sys.executable, "-c", MEASURE], cwd=ROOT, capture_output=True, text=True, check=True)

    peaks = {name: int(size) / 1_000 for size, name in (line.split(" ", 1) for line in done.stdout.splitlines())}
    assert peaks.keys() == BOMBS.keys()
    assert max(peaks.values()) < 64
