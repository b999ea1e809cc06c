"""What the checks stand on: whose the site is, and a database that is asked once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.cli.checks import finding as module
from app.cli.checks.finding import Case, megabytes
from app.errors import DatabaseUnavailable, InvalidSettings
from tests.factories import make_settings


def test_the_site_is_run_by_whose_the_folder_is_or_by_who_may_write_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = Case(make_settings(tmp_path))
    assert case.keeper == os.geteuid()
    case.settings.data.mkdir()
    owner = case.settings.data.stat().st_uid
    assert case.keeper == owner
    monkeypatch.setattr(os, "geteuid", lambda: 54_321)
    for may, keeper in ((True, 54_321), (False, owner)):  # as by a group that a platform gives
        monkeypatch.setattr(os, "access", lambda _path, _how, may=may: may)
        assert case.keeper == keeper


def test_the_database_is_asked_once_whatever_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def refuse(url: str) -> None:
        asked.append(url)
        raise DatabaseUnavailable("it is away")

    monkeypatch.setattr(module, "look_at", refuse)
    case = Case(make_settings(tmp_path))
    assert [str(case.seen) for _ in range(3)] == ["it is away"] * 3
    assert len(asked) == 1
    monkeypatch.undo()
    assert isinstance(Case(make_settings(tmp_path, database_url="nonsense")).seen, InvalidSettings)


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0.0 MB"), (999_949_999, "999.9 MB"), (10**9, "1.0 GB"), (1.5e12, "1,500.0 GB")]
)
def test_sizes_are_told_as_people_read_them(size: int, text: str) -> None:
    assert megabytes(size) == text
