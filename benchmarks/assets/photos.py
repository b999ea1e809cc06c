"""Pictures to learn from: somebody's labelled photos, or made-up ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from app.training.dataset import read_dataset

SEED = 20_261_125
MADE_UP = 800
_HELD_OUT = 5  # every fifth, where nobody says which
# So many of the made-up ones carry the wrong label: a forest on perfectly told classes would be shallow and too quick.
_MISLABELLED = 0.12


@dataclass(frozen=True)
class Photo:
    """A labelled picture that is opened when it is needed."""

    label: str
    held_out: bool
    opened: Callable[[], Image.Image]

    def upright(self) -> Image.Image:
        """Give the picture in RGB, turned as its EXIF says."""
        return ImageOps.exif_transpose(self.opened()).convert("RGB")


def read_photos(folder: Path) -> list[Photo]:
    """Give the photos of a folder with a sub-folder a class, or with a labels.csv, in a fixed mixed order."""
    photos = [
        Photo(
            photo.label,
            number % _HELD_OUT == 0 if photo.split is None else photo.split == "test",
            partial(Image.open, folder / photo.file),
        )
        for number, photo in enumerate(read_dataset(folder).photos)
    ]
    return [photos[place] for place in np.random.default_rng(SEED).permutation(len(photos))]


def make_photos(count: int = MADE_UP) -> list[Photo]:
    """Make pictures up: two classes that differ in hue and in how fine their texture is."""
    wrong = np.random.default_rng(SEED).random(count) < _MISLABELLED
    photos = []
    for number in range(count):
        warm, held_out = number % 2 == 0, number // 2 % _HELD_OUT == 0
        label = "warm" if warm ^ bool(wrong[number] and not held_out) else "cool"
        photos.append(Photo(label, held_out, partial(_made_up, warm, number)))
    return photos


def grained(image: Image.Image, strength: float, seed: int = SEED) -> Image.Image:
    """Add the fine noise of a sensor, which stands in for detail that enlarging cannot give."""
    pixels = np.asarray(image, dtype=np.float32)
    noise = np.random.default_rng(seed).standard_normal(pixels.shape[:2], dtype=np.float32)
    return Image.fromarray((pixels + strength * noise[..., np.newaxis]).clip(0, 255).astype(np.uint8))


def _made_up(warm: bool, seed: int) -> Image.Image:
    chance = np.random.default_rng([SEED, seed])
    tint, cells = ((140, 112, 96), 5) if warm else ((104, 116, 132), 9)
    blobs = chance.normal(tint, 40, (cells, cells, 3)).clip(0, 255).astype(np.uint8)
    return grained(Image.fromarray(blobs).resize((240, 180), Image.Resampling.BICUBIC), 12, seed)
