"""Which photos are held out: fixed by their content, and never with a near copy on the other side."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from app.training.dataset import LeftOut, Photo

_TEST_SHARE = 0.2
_NEAR_BITS = 4


@dataclass(frozen=True, slots=True)
class FixedSplit:
    """Indices of the photos learned from and held out; `groups` numbers near copies alike."""

    train: NDArray[np.intp]
    test: NDArray[np.intp]
    groups: NDArray[np.intp]
    left_out: tuple[LeftOut, ...]
    digest: str


def difference_hash(pixels: NDArray[np.uint8]) -> np.uint64:
    """Give 64 bits that near copies of a picture share: 9 by 8 grey levels, each against its right neighbour.

    `pixels` has shape (height, width, 3). The method is the "dHash" of N. Krawetz (2013).
    """
    small = PillowImage.fromarray(pixels).convert("L").resize((9, 8), PillowImage.Resampling.LANCZOS)
    levels = np.asarray(small, dtype=np.int16)
    bits = np.packbits(levels[:, :-1] > levels[:, 1:])
    return np.uint64(int.from_bytes(bits.tobytes(), "big"))


def split_photos(photos: Sequence[Photo], hashes: NDArray[np.uint64]) -> FixedSplit:
    """Divide photos into those learned from and those held out.

    A given split is kept, less the held-out photos that have a near copy among those learned from. Otherwise a fifth is
    held out, chosen by each photo's own digest: whoever adds photos later leaves the others on their sides.
    """
    groups = _near_copies(hashes)
    given = all(photo.split is not None for photo in photos)
    held_out = _given(photos) if given else _chosen(photos, groups)
    learned = set(groups[~held_out].tolist())
    leaking = held_out & np.fromiter((group in learned for group in groups), bool, len(groups))
    left_out = tuple(
        LeftOut(photos[i].file, "a near copy of a photo that is learned from") for i in np.flatnonzero(leaking).tolist()
    )
    test = np.flatnonzero(held_out & ~leaking)
    digest = hashlib.sha256("".join(sorted(photos[i].sha256 for i in test.tolist())).encode()).hexdigest()
    return FixedSplit(np.flatnonzero(~held_out), test, groups, left_out, digest)


def _given(photos: Sequence[Photo]) -> NDArray[np.bool_]:
    return np.array([photo.split == "test" for photo in photos])


def _chosen(photos: Sequence[Photo], groups: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Hold out whole groups whose smallest digest lies in the lowest fifth, and at least one photo of every class."""
    lowest: dict[int, float] = {}
    for photo, group in zip(photos, groups.tolist(), strict=True):
        place = int(photo.sha256[:12], 16) / 16**12
        lowest[group] = min(place, lowest.get(group, 1.0))
    places = np.array([lowest[group] for group in groups.tolist()])
    held_out = places < _TEST_SHARE
    by_label: dict[str, list[int]] = defaultdict(list)
    for index, photo in enumerate(photos):
        by_label[photo.label].append(index)
    # A group with photos of two classes is seen twice: in a fixed order, or its side would follow from the files' names.
    for _, indices in sorted(by_label.items()):
        if not held_out[indices].any():
            held_out[groups == groups[min(indices, key=lambda i: places[i])]] = True
        if held_out[indices].all():
            held_out[groups == groups[max(indices, key=lambda i: places[i])]] = False
    return held_out


def _near_copies(hashes: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Number photos so that near copies, and near copies of those, bear one number."""
    numbers = np.arange(len(hashes))
    for index in range(len(hashes)):
        apart = np.bitwise_count(hashes[index + 1 :] ^ hashes[index])
        for other in np.flatnonzero(apart <= _NEAR_BITS) + index + 1:
            numbers[numbers == numbers[other]] = numbers[index]
    return numbers
