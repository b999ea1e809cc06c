"""Who may read and write what the site stands on, on a real file system."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from app.cli.checks import permissions
from app.cli.checks.finding import Level
from app.cli.checks.permissions import data_folder, foreign_files, key_of_the_site, may_write, user_name, writers_of_models
from app.composition import signing_key
from app.config import Settings
from app.inference.repository import Repository
from tests.cli.checks.looking import assert_well, only
from tests.factories import make_settings, publish

GIVEN = "kW3-vT9_qLx7ZbN2mRf8sYc4HdJ6gPa0"
NOBODY = 54_321


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give settings over a data folder as the first start makes it."""
    made = make_settings(tmp_path, models=tmp_path / "shipped")
    signing_key(made)
    return made


def test_a_site_as_it_was_made_is_well(settings: Settings) -> None:
    publish(Repository(shipped=settings.models, own=settings.data / "models"))
    for check in (key_of_the_site, data_folder, writers_of_models):
        assert_well(check, settings)


def test_a_key_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    found = only(key_of_the_site, make_settings(tmp_path))
    assert (found.level, "vitrine prepare" in found.mend) == (Level.WARNING, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o666])
def test_a_key_that_everybody_may_read_is_an_error_with_the_way_out(settings: Settings, mode: int) -> None:
    (settings.data / "secret_key").chmod(mode)
    found = only(key_of_the_site, settings)
    assert (found.level, "chmod 600" in found.what) == (Level.ERROR, True)


def test_a_key_that_a_whole_group_may_read_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    (settings.data / "secret_key").chmod(0o640)
    assert_well(key_of_the_site, settings)  # a group of one's own has nobody else in it
    monkeypatch.setattr(permissions, "_own_group", lambda _: NOBODY)
    found = only(key_of_the_site, settings)
    assert (found.level, found.mend) == (Level.WARNING, f"chmod 600 {settings.data / 'secret_key'}")


@pytest.mark.parametrize("weak", ["brief", "change-me-0123456789-abcdefghijklm", "a" * 40])
def test_a_key_that_can_be_guessed_is_an_error_and_not_repeated(tmp_path: Path, settings: Settings, weak: str) -> None:
    file = tmp_path / "key"
    file.write_text(weak)
    file.chmod(0o600)
    for given in ({"secret_key": weak}, {"secret_key_file": file}):
        found = only(key_of_the_site, make_settings(tmp_path, **given))
        assert (found.level, weak in found.what) == (Level.ERROR, False)
    assert_well(key_of_the_site, make_settings(tmp_path, secret_key=GIVEN))


def test_a_key_file_that_is_named_and_not_there_is_an_error(tmp_path: Path) -> None:
    found = only(key_of_the_site, make_settings(tmp_path, secret_key_file=tmp_path / "key"))
    assert (found.level, "cannot be read" in found.what) == (Level.ERROR, True)


def test_a_folder_that_is_not_there_is_made_by_a_start_or_cannot_be(tmp_path: Path) -> None:
    assert only(data_folder, make_settings(tmp_path / "not" / "yet")).level is Level.WARNING
    (tmp_path / "file").touch()
    found = only(data_folder, make_settings(tmp_path / "file"))
    assert (found.level, "is not there" in found.what) == (Level.ERROR, True)
    assert only(data_folder, make_settings(tmp_path, data=tmp_path / "file")).level is Level.ERROR
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("mode", [0o755, 0o701, 0o707])
def test_a_folder_that_everybody_may_look_into_is_an_error(settings: Settings, mode: int) -> None:
    settings.data.chmod(mode)
    found = only(data_folder, settings)
    assert (found.level, found.mend) == (Level.ERROR, f"chmod 700 {settings.data}")


def test_a_folder_that_a_whole_group_may_look_into_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.data.chmod(0o750)
    assert_well(data_folder, settings)
    monkeypatch.setattr(permissions, "_own_group", lambda _: NOBODY)
    monkeypatch.setattr(os, "getgroups", list)
    assert only(data_folder, settings).level is Level.WARNING


def test_files_of_somebody_else_are_found(settings: Settings) -> None:
    assert foreign_files(settings.data, os.geteuid()) == []
    assert [path.name for path in foreign_files(settings.data, NOBODY)] == ["secret_key"]


def test_who_may_write_is_told_by_the_mode(tmp_path: Path) -> None:
    for mode, others in ((0o700, False), (0o755, False), (0o702, True), (0o777, True)):
        tmp_path.chmod(mode)
        assert (may_write(tmp_path, os.geteuid()), may_write(tmp_path, NOBODY)) == (True, others)


def test_users_are_called_by_their_names() -> None:
    assert user_name(os.geteuid()) == pwd.getpwuid(os.geteuid()).pw_name
    assert user_name(NOBODY) == str(NOBODY)


@pytest.mark.parametrize("shipped", [True, False])
def test_a_model_that_others_may_change_is_told(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, shipped: bool
) -> None:
    root = settings.models if shipped else settings.data / "models"
    file = publish(Repository(shipped=None, own=root)).folder / "manifest.json"
    file.chmod(0o664)
    assert_well(writers_of_models, settings)
    monkeypatch.setattr(permissions, "_own_group", lambda _: NOBODY)
    found = only(writers_of_models, settings)
    assert (found.level, str(file) in found.what, found.mend) == (Level.WARNING, True, f"chmod -R g-w {root}")
    file.chmod(0o646)
    found = only(writers_of_models, settings)
    assert (found.level, str(file) in found.what, found.mend) == (Level.ERROR, True, f"chmod -R o-w {root}")


def test_links_are_not_taken_for_what_they_lead_to(settings: Settings) -> None:
    folder = settings.data / "models"
    folder.mkdir()
    (folder / "link").symlink_to(settings.data)  # whose own mode is open to all
    assert_well(writers_of_models, settings)
