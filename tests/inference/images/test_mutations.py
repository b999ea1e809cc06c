"""Damaged pictures are refused in a sentence or read, and nothing else happens; ten times ten thousand more in tests/hard."""

from __future__ import annotations

from app.errors import InvalidImage
from app.inference.images import decode
from tests.mutations import mutated, whole

SEEDS = range(2_000)


def test_a_damage_is_the_same_every_time() -> None:
    assert [mutated(seed) for seed in range(20)] == [mutated(seed) for seed in range(20)]
    assert len({mutated(seed) for seed in range(200)}) > 190


def test_whole_pictures_are_read() -> None:
    assert {decode(data).format for data in whole()} == {"JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIC"}


def test_damaged_pictures_are_read_or_refused_in_a_sentence() -> None:
    refusals = [sentence for seed in SEEDS if (sentence := refusal(mutated(seed)))]
    assert all(sentence.endswith(".") for sentence in refusals)
    assert len(SEEDS) // 2 < len(refusals) < len(SEEDS), "most are damaged badly, some hardly"


def refusal(data: bytes) -> str:
    """Decode a picture, and give the sentence of its refusal where there is one."""
    try:
        decode(data, fit=(224, 224))
    except InvalidImage as error:
        return str(error)
    return ""
