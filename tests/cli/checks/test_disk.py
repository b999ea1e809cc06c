"""Room on the disks."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.cli.checks import disk as module
from app.cli.checks.disk import disk
from app.cli.checks.finding import Level
from tests.cli.checks.looking import assert_well, look
from tests.factories import make_settings

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be room, whatever the disk of these tests has."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**11, 0, 10**11))
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_files=0, f_favail=0))


def test_with_room_it_is_told_what_the_pictures_take(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    pictures = settings.data / "pictures" / "ab"
    pictures.mkdir(parents=True)
    (pictures / "a.jpg").write_bytes(bytes(1_500_000))
    assert_well(disk, settings)
    assert look(disk, settings)[0].what == "100.0 GB are free for the data; pictures take 1.5 MB."


def test_pictures_that_take_too_long_to_count_are_counted_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_COUNT_SECONDS", -1.0)
    (tmp_path / "data" / "pictures").mkdir(parents=True)
    assert "pictures take more than 0.0 MB" in look(disk, make_settings(tmp_path))[0].what


@pytest.mark.parametrize(("free", "level"), [(199_999_999, Level.ERROR), (200_000_000, Level.WARNING), (10**9, Level.GOOD)])
def test_little_room_is_told_of_both_disks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: Level) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**11, 0, free))
    assert [finding.level for finding in look(disk, make_settings(tmp_path))] == [level, level]


@pytest.mark.parametrize(("files", "level"), [(0, Level.ERROR), (9_999, Level.WARNING), (10_000, Level.GOOD)])
def test_a_disk_that_takes_few_more_files_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: int, level: Level
) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_files=10**6, f_favail=files))
    assert look(disk, make_settings(tmp_path))[0].level is level


def test_without_a_folder_for_temporary_files_that_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> str:
        raise FileNotFoundError

    monkeypatch.setattr(tempfile, "gettempdir", none)
    found = look(disk, make_settings(tmp_path))[1]
    assert (found.level, "TMPDIR" in found.mend) == (Level.ERROR, True)
