"""Writing that survives a power cut: what must be on the disk is there before anything relies on it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from app.inference.durable import make_folder, replace_durably, settle, write_durably
from app.inference.package import MANIFEST
from app.inference.repository import Repository
from tests.factories import make_manifest, publish


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Give what has been waited for, in order: a power cut cannot be had, so the calls that guard against it are watched."""
    order: list[Path] = []
    sync = os.fsync

    def watched(descriptor: int) -> None:
        order.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    return order


def test_a_new_folder_is_written_down_in_the_one_above(synced: list[Path], tmp_path: Path) -> None:
    make_folder(tmp_path / "one" / "two")
    assert (tmp_path / "one" / "two").is_dir()
    assert synced == [tmp_path, tmp_path / "one"]
    make_folder(tmp_path / "one" / "two")
    assert len(synced) == 2


def test_a_file_is_on_the_disk_when_the_call_returns(synced: list[Path], tmp_path: Path) -> None:
    write_durably(tmp_path / "file", b"content")
    assert (tmp_path / "file").read_bytes() == b"content"
    assert synced == [tmp_path / "file"]


def test_a_file_is_replaced_only_by_one_that_is_on_the_disk(synced: list[Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    replace_durably(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"
    staged, folder = synced
    assert staged.name.startswith(".file-")
    assert folder == tmp_path
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_replacement_that_fails_leaves_the_old_file_alone(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_durably(tmp_path / "file", b"new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(("number", "passes"), [(errno.EINVAL, True), (errno.ENOTSUP, True), (errno.EIO, False)])
def test_a_file_system_that_cannot_sync_folders_is_put_up_with_and_a_broken_disk_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int, passes: bool
) -> None:
    def refuse(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    if passes:
        settle(tmp_path)
    else:
        with pytest.raises(OSError, match=os.strerror(number)):
            settle(tmp_path)


def test_a_version_is_whole_on_the_disk_before_it_has_its_name_and_an_activation_before_it_is_told(
    synced: list[Path], tmp_path: Path
) -> None:
    repository = Repository(shipped=None, own=tmp_path)
    publish(repository)
    synced.clear()
    package = repository.publish(make_manifest(), {"source.pkl": b"source", "samples/a.png": b"sample"})
    shade = tmp_path / "shade"
    last = max(index for index, path in enumerate(synced) if path == shade)
    below = [path.relative_to(shade) for path in synced[:last] if path.is_relative_to(shade) and path != shade]
    written = {Path(*path.parts[1:]) for path in below if path.parts[0].startswith(".staging-")}
    assert written == {Path(), Path("samples"), Path("samples/a.png"), Path("source.pkl"), Path(MANIFEST)}
    assert last == len(synced) - 1
    synced.clear()
    repository.activate("shade", package.manifest.version)
    assert [path.name.split("-")[0] for path in synced] == [".active", "shade"]
