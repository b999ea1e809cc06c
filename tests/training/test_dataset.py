"""A folder of photos: what is taken, what is left out and why, and what cannot be learned from."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from app.errors import InvalidDataset
from app.training.dataset import FEWEST_PHOTOS, LeftOut, read_dataset


def put(folder: Path, *files: str, content: bytes | None = None) -> Path:
    """Write files that differ from each other unless a content is given; listing a folder decodes nothing."""
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(file.encode() if content is None else content)
    return folder


def put_classes(folder: Path, **counts: int) -> Path:
    for label, count in counts.items():
        put(folder, *(f"{label}/{number}.png" for number in range(count)))
    return folder


def put_table(folder: Path, rows: list[dict[str, str]], encoding: str = "utf-8") -> Path:
    with (folder / "labels.csv").open("w", encoding=encoding, newline="") as file:
        table = csv.DictWriter(file, rows[0].keys())
        table.writeheader()
        table.writerows(rows)
    return folder


def labelled(folder: Path, **columns: str) -> list[dict[str, str]]:
    """Give the rows of a table for ten photos without folders of their own, and write those."""
    files = [f"{label}{number}.png" for label in ("cat", "dog") for number in range(FEWEST_PHOTOS)]
    put(folder, *files)
    return [{"file": file, "label": file[:3], **columns} for file in files]


def test_each_sub_folder_is_a_class_and_photos_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    dataset = read_dataset(put(put_classes(tmp_path, dog=5, cat=6), "dog/young/9.JPEG"))
    assert dataset.classes == ("cat", "dog")
    assert Counter(photo.label for photo in dataset.photos) == {"cat": 6, "dog": 6}
    assert [photo.file for photo in dataset.photos] == sorted(photo.file for photo in dataset.photos)
    assert dataset.photos[-1].file == "dog/young/9.JPEG"
    assert {photo.split for photo in dataset.photos} == {None}
    assert dataset.left_out == ()


def test_hidden_folders_and_files_that_are_no_photos_are_not_looked_at(tmp_path: Path) -> None:
    put(put_classes(tmp_path, cat=5, dog=5), ".thumbnails/0.png", "cat/notes.txt", "cat/Thumbs.db", "readme.png")
    dataset = read_dataset(tmp_path)
    assert dataset.classes == ("cat", "dog")
    assert len(dataset.photos) == 10


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataset, match=r"There is no folder .*missing"):
        read_dataset(tmp_path / "missing")


def test_a_folder_without_photos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataset, match=r"Found no photos: make one sub-folder for each class"):
        read_dataset(tmp_path)


def test_one_class_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataset, match=r"Found only the class 'cat': .* at least two"):
        read_dataset(put_classes(tmp_path, cat=9))


def test_fewer_than_five_photos_of_a_class_are_refused_and_five_are_enough(tmp_path: Path) -> None:
    put_classes(tmp_path, cat=7, dog=4, emu=5)
    with pytest.raises(InvalidDataset, match="The class 'dog' has 4 readable photos: at least 5 are needed"):
        read_dataset(tmp_path)
    assert len(read_dataset(put(tmp_path, "dog/fifth.png")).photos) == 17


def test_a_photo_in_two_classes_is_left_out_of_both_and_told_with_the_other(tmp_path: Path) -> None:
    put(put_classes(tmp_path, cat=5, dog=5), "cat/same.png", "dog/other name.png", content=b"one photo")
    dataset = read_dataset(tmp_path)
    assert len(dataset.photos) == 10
    assert dataset.left_out == (
        LeftOut("cat/same.png", "the same photo stands in another class: dog/other name.png"),
        LeftOut("dog/other name.png", "the same photo stands in another class: cat/same.png"),
    )


def test_of_copies_within_a_class_the_first_is_kept(tmp_path: Path) -> None:
    put(put_classes(tmp_path, cat=4, dog=5), "cat/copy a.png", "cat/copy b.png", "cat/copy c.png", content=b"one photo")
    dataset = read_dataset(tmp_path)
    assert [photo.file for photo in dataset.photos if "copy" in photo.file] == ["cat/copy a.png"]
    assert dataset.left_out == tuple(LeftOut(f"cat/copy {c}.png", "a copy of cat/copy a.png") for c in "bc")


def test_copies_do_not_count_towards_the_five(tmp_path: Path) -> None:
    put(put_classes(tmp_path, cat=3, dog=5), *(f"cat/copy {number}.png" for number in range(9)), content=b"one photo")
    with pytest.raises(InvalidDataset, match="'cat' has 4 readable photos"):
        read_dataset(tmp_path)


@pytest.mark.parametrize("column", ["split", "official_split"])
@pytest.mark.parametrize(
    ("word", "side"),
    [
        ("train", "train"),
        ("trainval", "train"),
        ("Training ", "train"),
        ("test", "test"),
        ("testing", "test"),
        (" VAL", "test"),
        ("validation", "test"),
    ],
)
def test_the_split_column_of_a_table_is_honoured(tmp_path: Path, column: str, word: str, side: str) -> None:
    rows = labelled(tmp_path, **{column: "train"})
    rows[3][column] = word
    dataset = read_dataset(put_table(tmp_path, rows))
    assert [photo.split for photo in dataset.photos] == ["train"] * 3 + [side] + ["train"] * 6
    assert dataset.classes == ("cat", "dog")


def test_a_table_overrules_the_folders_and_needs_no_split(tmp_path: Path) -> None:
    put_classes(tmp_path, cat=5, dog=5)
    rows = [{"label": label, "file": f"{old}/{n}.png"} for old, label in (("dog", "loud"), ("cat", "quiet")) for n in range(5)]
    dataset = read_dataset(put_table(tmp_path, rows, encoding="utf-8-sig"))
    assert dataset.classes == ("loud", "quiet")
    assert [photo.file for photo in dataset.photos] == sorted(row["file"] for row in rows)
    assert {photo.split for photo in dataset.photos} == {None}


def test_rows_that_cannot_be_used_are_left_out_one_by_one(tmp_path: Path) -> None:
    rows = labelled(tmp_path, split="train")
    rows += [
        {"file": "gone.png", "label": "cat", "split": "test"},
        {"file": "cat0.png", "label": "", "split": "test"},
        {"file": "dog0.png", "label": "dog", "split": "fold 3"},
        {"file": "", "label": "dog", "split": "test"},
        {"file": "nul\0.png", "label": "dog", "split": "test"},
    ]
    dataset = read_dataset(put_table(tmp_path, rows))
    assert len(dataset.photos) == 10
    assert {entry.file: entry.reason for entry in dataset.left_out} == {
        "gone.png": "it cannot be opened (No such file or directory)",
        "cat0.png": "it has no label",
        "dog0.png": "its split is 'fold 3'",
        "": "it cannot be opened (Is a directory)",
        "nul\0.png": "it cannot be opened (embedded null byte)",
    }


@pytest.mark.parametrize("row", [{"file": "a.png", "class": "cat"}, {"path": "a.png", "label": "cat"}, {"file;label": "a"}])
def test_a_table_without_its_columns_is_refused(tmp_path: Path, row: dict[str, str]) -> None:
    with pytest.raises(InvalidDataset, match=r"labels\.csv must have the columns file and label"):
        read_dataset(put_table(tmp_path, [row]))


@pytest.mark.parametrize("content", [b"", b"file,label\n", b"\xff\xfef\0i\0l\0e\0", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"])
def test_a_file_that_is_no_table_is_refused_in_the_same_sentence(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InvalidDataset, match=r"labels\.csv must have the columns file and label"):
        read_dataset(put(tmp_path, "labels.csv", content=content))


def test_a_table_that_cannot_be_parsed_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "labels.csv", content=b'file,label\n"' + b"never closed\n" * 20_000)
    with pytest.raises(InvalidDataset, match=r"labels\.csv cannot be read: field larger than field limit"):
        read_dataset(tmp_path)


def test_a_table_of_unknown_splits_is_refused_with_the_first_of_them(tmp_path: Path) -> None:
    rows = labelled(tmp_path, split="2")
    with pytest.raises(InvalidDataset, match=r"No row of labels\.csv can be used: for cat0\.png, its split is '2'\."):
        read_dataset(put_table(tmp_path, rows))


@pytest.mark.parametrize("name", ["ATTRIBUTION", "ATTRIBUTION.txt", "ATTRIBUTION.md"])
def test_the_attribution_beside_the_photos_is_read(tmp_path: Path, name: str) -> None:
    put_classes(tmp_path, cat=5, dog=5)
    assert read_dataset(tmp_path).attribution == ""
    (tmp_path / name).write_text("\nPhotos: Zoë, CC BY 4.0\n", encoding="utf-8")
    assert read_dataset(tmp_path).attribution == "Photos: Zoë, CC BY 4.0"
