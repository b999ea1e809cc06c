"""Fuzzing with Atheris: it changes files towards code that was not reached yet, and reports what fails otherwise than it may.

`python -m tests.hard.fuzzing pictures|models --seconds 600` runs it by itself; where something is found, the file that shows
it is kept, and the exit status is not 0.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import atheris

# Its own code is what it should look into: the walkers of headers and of opcodes, not Pillow's C.
with atheris.instrument_imports(include=["app.inference.images", "app.intake"]):
    from app.errors import InvalidImage, InvalidModel
    from app.inference.images import ImageLimits, decode
    from app.intake.scan import scan
    from app.intake.source import recognise

from tests.intake.kept import good
from tests.pictures import animation, drawn, drawn_in, heic, stored, turned

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
LARGEST = 65_536


def picture(data: bytes) -> None:
    """Decode, or refuse as a picture is refused."""
    with suppress(InvalidImage):
        decode(data, fit=(8, 8), limits=ImageLimits(pixels=250_000))


def model(data: bytes) -> None:
    """Read a model file without running it, or refuse it as one is refused."""
    with suppress(InvalidModel):
        scan(recognise("model.pkl", data))


def pictures() -> list[bytes]:
    """Give a file of every form to begin with."""
    seeds = [*map(drawn_in, FORMATS), heic(), *(animation(form, 2) for form in ("GIF", "WEBP", "PNG", "AVIF"))]
    return [*seeds, turned(drawn(40, 30), 6, "JPEG", progressive=True), stored(drawn(40, 30), "TIFF", compression="tiff_lzw")]


def models() -> list[bytes]:
    """Give good files of every form to begin with."""
    return [content for content in good() if len(content) <= LARGEST]


WHAT: dict[str, tuple[Callable[[bytes], None], Callable[[], list[bytes]]]] = {
    "pictures": (picture, pictures),
    "models": (model, models),
}


def main(arguments: Sequence[str]) -> None:
    """Fuzz one of the two for so many seconds; ends the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=WHAT)
    parser.add_argument("--seconds", type=int, default=60)
    chosen = parser.parse_args(arguments)
    target, seeds = WHAT[chosen.what]
    folder = Path(tempfile.mkdtemp(prefix="vitrine-fuzz-"))
    for number, seed in enumerate(seeds()):
        (folder / str(number)).write_bytes(seed)
    found = f"-artifact_prefix={folder}/found-"
    limits = [f"-max_total_time={chosen.seconds}", f"-max_len={LARGEST}", "-timeout=10", "-rss_limit_mb=2048"]
    atheris.Setup([sys.argv[0], *limits, found, "-print_final_stats=1", str(folder)], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
