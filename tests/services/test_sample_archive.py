"""An archive of samples is unpacked into folders of labels, and nothing in it leads elsewhere."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from app.errors import InvalidRequest
from app.services import sample_archive
from app.services.sample_archive import unpack_samples
from tests.factories import make_picture

PHOTO = make_picture()


def archive(folder: Path, *names: str, content: bytes = PHOTO) -> Path:
    path = folder / "samples.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in names:
            file.writestr(name, content)
    return path


def unpacked(folder: Path, *names: str) -> list[str]:
    unpack_samples(archive(folder, *names), folder / "samples")
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and path.suffix != ".zip")


def test_the_folder_of_a_picture_is_its_label(tmp_path: Path) -> None:
    names = (
        "cat/a.png",
        "all/dog/b.PNG",
        "dog\\c.png",
        "loose.png",
        "readme.txt",
        "cat/.hidden.png",
        "__MACOSX/cat/a.png",
        "cat/",
    )
    expected = ["samples/0004.png", "samples/cat/0001.png", "samples/dog/0002.png", "samples/dog/0003.png"]
    assert unpacked(tmp_path, *names) == expected


@pytest.mark.parametrize("name", ["../../evil.png", "/etc/evil.png", "..\\..\\evil.png", "C:\\x\\evil.png", "a/../evil.png"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    found = unpacked(tmp_path, "cat/good.png", name)
    assert all(path.startswith("samples/") and ".." not in path for path in found)
    assert not (tmp_path.parent / "evil.png").exists()


def test_labels_that_no_page_could_show_are_passed_over(tmp_path: Path) -> None:
    assert unpacked(tmp_path, "cat/a.png", "x" * 101 + "/b.png", "a\nb/c.png") == ["samples/cat/0001.png"]


@pytest.mark.parametrize("content", [b"no archive", b"PK\x05\x06" + bytes(18), b"PK\x03\x04" + bytes(40)])
def test_what_is_no_archive_or_holds_nothing_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "samples.zip").write_bytes(content)
    with pytest.raises(InvalidRequest, match=r"no ZIP archive|no picture"):
        unpack_samples(tmp_path / "samples.zip", tmp_path / "samples")


def test_a_damaged_picture_in_it_is_told(tmp_path: Path) -> None:
    path = archive(tmp_path, "cat/a.png", content=bytes(5000))
    content = bytearray(path.read_bytes())
    content[45] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(InvalidRequest, match="no ZIP archive that can be read"):
        unpack_samples(path, tmp_path / "samples")


def test_it_is_read_to_a_bound_whatever_it_says_of_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidRequest, match="more than 20 MB"):
        unpack_samples(archive(tmp_path, "cat/bomb.png", content=bytes(20_000_001)), tmp_path / "one")
    monkeypatch.setattr(sample_archive, "_MOST_BYTES", 10_000)
    with pytest.raises(InvalidRequest, match="more than 200 MB"):
        unpack_samples(archive(tmp_path, *(f"cat/{n}.png" for n in range(3)), content=bytes(4_000)), tmp_path / "two")
    monkeypatch.setattr(sample_archive, "_MOST_FILES", 2)
    with pytest.raises(InvalidRequest, match="more than 2 pictures"):
        unpack_samples(archive(tmp_path, *(f"cat/{n}.png" for n in range(3)), content=b"x"), tmp_path / "three")
