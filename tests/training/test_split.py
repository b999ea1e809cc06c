"""The split: fixed by the photos themselves, and no near copy of what is learned from among what is held out."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageEnhance

from app.training.dataset import LeftOut, Photo, Split
from app.training.split import FixedSplit, difference_hash, split_photos
from tests.factories import CAT, DOG

# How quick a busy machine is tells nothing of what is tested.


def make_photo(number: int, label: str = "cat", split: Split | None = None) -> Photo:
    return Photo(f"{label}/{number}.png", label, hashlib.sha256(f"{label} {number}".encode()).hexdigest(), split)


def unlike(count: int) -> NDArray[np.uint64]:
    """Give hashes that are far from each other."""
    return np.random.default_rng(0).integers(0, 2**64, count, dtype=np.uint64)


def make_photos(**counts: int) -> list[Photo]:
    return [make_photo(number, label) for label, count in counts.items() for number in range(count)]


def held_out(photos: Sequence[Photo], split: FixedSplit) -> set[str]:
    return {photos[index].sha256 for index in split.test.tolist()}


@st.composite
def crowds(draw: st.DrawFn) -> tuple[list[Photo], list[int]]:
    """Draw photos of two or three classes, many of them near copies, some across classes."""
    labels = draw(st.lists(st.sampled_from(["cat", "dog", "emu"]), min_size=2, max_size=30))
    photos = [make_photo(number, label) for number, label in enumerate(labels)]
    hashes = st.sampled_from([int(h) ^ flip for h in unlike(6) for flip in (0, 0b11, 0b111100)])
    return photos, draw(st.lists(hashes, min_size=len(photos), max_size=len(photos)))


def reencoded(picture: PillowImage.Image, side: int, quality: int) -> NDArray[np.uint8]:
    file = BytesIO()
    picture.resize((side, side)).save(file, "JPEG", quality=quality)
    return np.asarray(PillowImage.open(file).convert("RGB"))


def test_the_hash_is_the_one_worked_out_by_hand() -> None:
    levels = np.zeros((8, 9), dtype=np.uint8)
    levels[0, 0] = 200  # brighter than its right neighbour: the first bit
    levels[7, 7] = 200  # the last bit; its left neighbour is darker, which is no bit
    pixels = np.repeat(levels[:, :, np.newaxis], 3, axis=2)
    assert difference_hash(pixels) == 2**63 + 1
    assert difference_hash(np.full((40, 30, 3), 77, np.uint8)) == 0


@pytest.mark.parametrize("file", [CAT, DOG], ids=["cat", "dog"])
def test_a_photo_saved_again_smaller_or_brighter_is_a_near_copy_and_its_mirror_is_none(file: object) -> None:
    photo = PillowImage.open(str(file)).convert("RGB")
    first = difference_hash(np.asarray(photo.resize((224, 224))))
    brighter = ImageEnhance.Brightness(photo).enhance(1.1)
    for copy in (reencoded(photo, 224, 60), reencoded(photo, 112, 90), reencoded(brighter, 224, 90)):
        assert int(np.bitwise_count(difference_hash(copy) ^ first)) <= 4
    assert np.bitwise_count(difference_hash(np.asarray(photo.resize((224, 224)))[:, ::-1]) ^ first) > 10


def test_a_chain_of_near_copies_is_one_group_and_five_bits_apart_is_another() -> None:
    photos = make_photos(cat=4)
    split = split_photos(photos, np.array([0b0, 0b1111_1111, 0b1111, 0b1_1111_0000_0000_0000], dtype=np.uint64))
    one, two, between, apart = split.groups.tolist()
    assert one == two == between != apart


@given(crowds())
def test_near_copies_stay_on_one_side(case: tuple[list[Photo], list[int]]) -> None:
    photos, hashes = case
    split = split_photos(photos, np.array(hashes, dtype=np.uint64))
    assert sorted([*split.train, *split.test]) == list(range(len(photos)))
    for i in split.train.tolist():
        for j in split.test.tolist():
            assert (hashes[i] ^ hashes[j]).bit_count() > 4, (photos[i].file, photos[j].file)


@given(crowds(), st.randoms(use_true_random=False))
def test_the_order_of_the_files_changes_nothing(case: tuple[list[Photo], list[int]], random: object) -> None:
    photos, hashes = case
    order = list(range(len(photos)))
    random.shuffle(order)  # type: ignore[attr-defined]
    first = split_photos(photos, np.array(hashes, dtype=np.uint64))
    shuffled = [photos[i] for i in order]
    second = split_photos(shuffled, np.array([hashes[i] for i in order], dtype=np.uint64))
    assert held_out(shuffled, second) == held_out(photos, first)
    assert second.digest == first.digest


def test_new_names_change_nothing() -> None:
    photos, hashes = make_photos(cat=30, dog=30), unlike(60)
    renamed = [replace(photo, file=f"{60 - number}.png") for number, photo in enumerate(photos)]
    first, second = split_photos(photos, hashes), split_photos(renamed, hashes)
    assert second.test.tolist() == first.test.tolist()
    assert second.digest == first.digest


def test_photos_that_come_later_leave_the_others_on_their_sides() -> None:
    few, many, hashes = make_photos(cat=40, dog=40), make_photos(cat=40, dog=40, emu=40), unlike(120)
    before, after = split_photos(few, hashes[:80]), split_photos(many, hashes)
    assert after.test[after.test < 80].tolist() == before.test.tolist()
    assert (after.test >= 80).any()
    assert after.digest != before.digest


def test_about_a_fifth_is_held_out() -> None:
    photos = make_photos(cat=500, dog=500)
    split = split_photos(photos, unlike(1000))
    assert 160 < len(split.test) < 240
    assert min(Counter(photos[i].label for i in split.test).values()) > 70
    assert split.left_out == ()


@given(st.lists(st.integers(5, 9), min_size=2, max_size=8), st.integers(0, 1000))
def test_every_class_is_learned_from_and_held_out(counts: list[int], start: int) -> None:
    photos = [make_photo(start + n, f"class {c}") for c, count in enumerate(counts) for n in range(count)]
    split = split_photos(photos, unlike(len(photos)))
    for side in (split.train, split.test):
        assert {photos[i].label for i in side} == {photo.label for photo in photos}


def test_a_class_of_near_copies_only_is_learned_from() -> None:
    photos = make_photos(cat=5, dog=20)
    hashes = unlike(25)
    hashes[:5] = hashes[0]
    split = split_photos(photos, hashes)
    assert set(range(5)) <= set(split.train.tolist())
    assert len(split.test) > 0


def test_a_given_split_is_kept() -> None:
    photos = [make_photo(number, split="test" if number % 3 == 0 else "train") for number in range(12)]
    split = split_photos(photos, unlike(12))
    assert split.test.tolist() == [0, 3, 6, 9]
    assert split.train.tolist() == [1, 2, 4, 5, 7, 8, 10, 11]
    assert split.digest == hashlib.sha256("".join(sorted(photos[i].sha256 for i in (0, 3, 6, 9))).encode()).hexdigest()


def test_a_held_out_photo_with_a_near_copy_among_those_learned_from_is_left_out() -> None:
    photos = [make_photo(number, split="train" if number < 8 else "test") for number in range(12)]
    hashes = unlike(12)
    hashes[9] = hashes[2] ^ np.uint64(0b101)
    split = split_photos(photos, hashes)
    assert split.test.tolist() == [8, 10, 11]
    assert split.train.tolist() == list(range(8))
    assert split.left_out == (LeftOut("cat/9.png", "a near copy of a photo that is learned from"),)
    assert split.digest == split_photos([*photos[:9], *photos[10:]], np.delete(hashes, 9)).digest
