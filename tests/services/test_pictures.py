"""Kept pictures: small, re-encoded, without what a camera tells of its owner."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from app.errors import InvalidImage
from app.inference.images import DEFAULT_LIMITS
from app.services.pictures import Folder, PictureStore
from tests.factories import make_picture, make_prediction


@pytest.fixture
def store(tmp_path: Path) -> PictureStore:
    return PictureStore(objects=Folder(tmp_path), limits=DEFAULT_LIMITS)


def opened(content: bytes | None) -> Image.Image:
    assert content is not None
    return Image.open(BytesIO(content))


def test_two_small_copies_are_kept(store: PictureStore) -> None:
    number = make_prediction().id
    assert store.keep(number, make_picture(size=(3000, 1500)))
    for size, expected in (("picture", (1024, 512)), ("thumbnail", (320, 160))):
        with opened(store.read(number, size)) as copy:  # type: ignore[arg-type]
            assert (copy.format, copy.size) == ("JPEG", expected)
    assert store.has(number)


def test_a_small_picture_is_not_blown_up(store: PictureStore) -> None:
    number = make_prediction().id
    store.keep(number, make_picture(size=(32, 24)))
    with opened(store.read(number, "picture")) as copy:
        assert copy.size == (32, 24)


def test_no_metadata_is_kept_and_the_picture_is_upright(store: PictureStore) -> None:
    file, exif = BytesIO(), Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "A camera"
    Image.new("RGB", (60, 30), (200, 30, 30)).save(file, "JPEG", exif=exif, comment=b"my address")
    number = make_prediction().id
    store.keep(number, file.getvalue())
    content = store.read(number, "picture")
    assert content is not None
    assert b"A camera" not in content
    assert b"my address" not in content
    with opened(content) as copy:
        assert copy.size == (30, 60)
        assert not copy.getexif()


def test_the_folders_are_private(store: PictureStore, tmp_path: Path) -> None:
    store.keep(make_prediction().id, make_picture())
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "pictures").iterdir()] == [0o700]


def test_what_was_never_kept_is_not_there(store: PictureStore) -> None:
    number = make_prediction().id
    assert not store.has(number)
    assert store.read(number, "picture") is None
    store.drop(number)
    assert not store.has(number)


def test_dropping_takes_both_copies_and_no_others(store: PictureStore) -> None:
    gone, kept = make_prediction().id, make_prediction().id
    for number in (gone, kept):
        store.keep(number, make_picture())
    store.drop(gone)
    assert store.read(gone, "picture") is store.read(gone, "thumbnail") is None
    assert store.has(kept)


def test_a_disk_that_takes_nothing_is_said_not_raised(tmp_path: Path) -> None:
    (tmp_path / "pictures").write_text("a file where the folder should be")
    number = make_prediction().id
    store = PictureStore(objects=Folder(tmp_path), limits=DEFAULT_LIMITS)
    assert store.keep(number, make_picture()) is False
    assert not store.has(number)


def test_a_copy_that_fails_takes_the_other_with_it(store: PictureStore, tmp_path: Path) -> None:
    number = make_prediction().id
    (tmp_path / "pictures" / number[-2:] / f"{number}.thumbnail.jpg").mkdir(parents=True)
    assert store.keep(number, make_picture()) is False
    assert not store.has(number)


def test_what_is_no_picture_is_not_kept(store: PictureStore) -> None:
    number = make_prediction().id
    with pytest.raises(InvalidImage):
        store.keep(number, b"I am a cat.")
    assert not store.has(number)


def test_whoever_looks_meanwhile_finds_all_of_a_copy_or_none(
    store: PictureStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, write = make_prediction().id, Path.write_bytes
    seen = []

    def look_and_write(path: Path, content: bytes) -> int:
        seen.append([store.read(number, size) for size in ("picture", "thumbnail")])
        return write(path, content[:10]) and write(path, content)

    monkeypatch.setattr(Path, "write_bytes", look_and_write)
    assert store.keep(number, make_picture())
    whole = [store.read(number, size) for size in ("picture", "thumbnail")]
    assert seen == [[None, None], [whole[0], None]]
    assert len(list(tmp_path.rglob("*.jpg"))) == 2
