"""A folder of labelled photos: one sub-folder a class, or a `labels.csv` that may also say who is held out."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.errors import InvalidDataset

Split = Literal["train", "test"]
FEWEST_PHOTOS = 5
_SPLIT_COLUMNS = ("split", "official_split")
_SPLITS: dict[str, Split] = {
    "train": "train",
    "trainval": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "val": "test",
    "validation": "test",
}
PICTURE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif"}


@dataclass(frozen=True, slots=True)
class Photo:
    """One labelled file; `split` is None where nobody said on which side it belongs."""

    file: str
    label: str
    sha256: str
    split: Split | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that is not learned from, and why."""

    file: str
    reason: str


@dataclass(frozen=True)
class Dataset:
    """The photos of a folder, in the order of their names."""

    folder: Path
    photos: tuple[Photo, ...]
    left_out: tuple[LeftOut, ...]
    attribution: str

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels, sorted."""
        return tuple(sorted({photo.label for photo in self.photos}))


def read_dataset(folder: Path) -> Dataset:
    """List a folder's photos without decoding them, or raise InvalidDataset where it cannot be learned from."""
    dataset = list_photos(folder)
    check_classes(dataset.photos)
    return dataset


def list_photos(folder: Path) -> Dataset:
    """List a folder's photos without decoding them, however few; raises InvalidDataset where nothing tells their labels.

    A photo whose very bytes stand in two classes is left out of both; of copies within a class the first is kept.
    """
    if not folder.is_dir():
        raise InvalidDataset(f"There is no folder {folder}.")
    labelled = folder / "labels.csv"
    listed, left_out = _from_table(labelled) if labelled.is_file() else (_from_folders(folder), [])
    photos, doubles = _without_doubles(_hashed(folder, listed, left_out))
    return Dataset(folder, tuple(photos), tuple(left_out + doubles), _attribution(folder))


def check_classes(photos: Iterable[Photo]) -> None:
    """Raise InvalidDataset unless there are two classes or more, with enough photos in each."""
    counts = Counter(photo.label for photo in photos)
    if len(counts) < 2:
        found = f"only the class {next(iter(counts))!r}" if counts else "no photos"
        raise InvalidDataset(f"Found {found}: make one sub-folder for each class, at least two, and put its photos in it.")
    label, fewest = min(counts.items(), key=lambda item: (item[1], item[0]))
    if fewest < FEWEST_PHOTOS:
        raise InvalidDataset(f"The class {label!r} has {fewest} readable photos: at least {FEWEST_PHOTOS} are needed.")


def _from_folders(folder: Path) -> list[tuple[str, str, Split | None]]:
    return [
        (path.relative_to(folder).as_posix(), sub.name, None)
        for sub in sorted(folder.iterdir())
        if sub.is_dir() and not sub.name.startswith(".")
        for path in sorted(sub.rglob("*"))
        if path.is_file() and path.suffix.lower() in PICTURE_SUFFIXES
    ]


def _from_table(table: Path) -> tuple[list[tuple[str, str, Split | None]], list[LeftOut]]:
    with table.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        try:
            rows = list(csv.DictReader(file, restval=""))
        except csv.Error as error:
            raise InvalidDataset(f"{table.name} cannot be read: {error}.") from error
    if not rows or not {"file", "label"} <= rows[0].keys():
        raise InvalidDataset(f"{table.name} must have the columns file and label.")
    column = next((name for name in _SPLIT_COLUMNS if name in rows[0]), None)
    listed: list[tuple[str, str, Split | None]] = []
    left_out = []
    for row in rows:
        split = None if column is None else _SPLITS.get(row[column].strip().lower())
        if column is not None and split is None:
            left_out.append(LeftOut(row["file"], f"its split is {row[column]!r}"))
        elif not row["label"]:
            left_out.append(LeftOut(row["file"], "it has no label"))
        else:
            listed.append((row["file"], row["label"], split))
    if not listed:
        raise InvalidDataset(f"No row of {table.name} can be used: for {left_out[0].file}, {left_out[0].reason}.")
    return sorted(listed), left_out


def _hashed(folder: Path, listed: Iterable[tuple[str, str, Split | None]], left_out: list[LeftOut]) -> list[Photo]:
    photos = []
    for file, label, split in listed:
        try:
            content = (folder / file).read_bytes()
        except (OSError, ValueError) as error:  # a table can name what no file can be called
            reason = error.strerror if isinstance(error, OSError) else error
            left_out.append(LeftOut(file, f"it cannot be opened ({reason})"))
            continue
        photos.append(Photo(file, label, hashlib.sha256(content).hexdigest(), split))
    return photos


def _without_doubles(photos: list[Photo]) -> tuple[list[Photo], list[LeftOut]]:
    by_digest: dict[str, list[Photo]] = defaultdict(list)
    for photo in photos:
        by_digest[photo.sha256].append(photo)
    kept, left_out = [], []
    for photo in photos:
        copies = by_digest[photo.sha256]
        if len({copy.label for copy in copies}) > 1:
            others = ", ".join(copy.file for copy in copies if copy is not photo)
            left_out.append(LeftOut(photo.file, f"the same photo stands in another class: {others}"))
        elif photo is not copies[0]:
            left_out.append(LeftOut(photo.file, f"a copy of {copies[0].file}"))
        else:
            kept.append(photo)
    return kept, left_out


def _attribution(folder: Path) -> str:
    for name in ("ATTRIBUTION", "ATTRIBUTION.txt", "ATTRIBUTION.md"):
        if (folder / name).is_file():
            return (folder / name).read_text(encoding="utf-8", errors="replace").strip()
    return ""
