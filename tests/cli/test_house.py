"""What every command stands on: settings that can be used, a private folder with room, a database of today."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import namedtuple
from functools import partial
from pathlib import Path

import pytest

from app import __version__
from app.cli import house
from app.cli.house import open_house, prepare_folder
from app.composition import Services
from app.errors import InvalidSettings
from app.storage.schema import upgrade
from tests.cli.running import Ran, Run, output_of, refusal_of
from tests.factories import EIGHT, make_settings
from tests.serving import EMAIL, PASSWORD, TREE, VITRINE, RunningSite
from tests.storage.migrating import rows_of
from tests.storage.test_schema import COLUMN, later_migrations

# `serve` has its own tests: where it is not refused it would become Gunicorn, and these tests with it.
READING: list[tuple[str, ...]] = [("predict", str(EIGHT)), ("models", "list")]
WRITING = [
    ("train", "sides", "--data", "photos"),
    ("models", "activate", "digits", "1"),
    ("users", "setup-link"),
    ("keys", "list", "--user", EMAIL),
]
Usage = namedtuple("Usage", "total used free")


def test_the_folder_is_made_for_its_owner_alone_with_the_database_in_it(tmp_path: Path) -> None:
    services = open_house(make_settings(tmp_path / "not" / "yet"))
    assert services.settings.data.stat().st_mode & 0o777 == 0o700
    assert services.accounts.is_empty()


def test_a_folder_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    settings.data.mkdir()
    settings.data.chmod(0o750)
    (settings.data / "note").touch()
    prepare_folder(settings)
    assert [path.name for path in settings.data.iterdir()] == ["note"]
    assert settings.data.stat().st_mode & 0o777 == 0o750


def test_a_second_opening_keeps_what_is_there_without_a_word(tmp_path: Path, vitrine: Run, services: object) -> None:
    number = open_house(make_settings(tmp_path)).accounts.create(EMAIL, PASSWORD)
    assert vitrine("keys", "list", "--user", EMAIL).err == ""
    assert open_house(make_settings(tmp_path)).accounts.number_of(EMAIL) == number
    assert not (tmp_path / "data" / "copies").exists()


def test_an_older_database_is_brought_up_to_date_and_its_copy_is_named(
    vitrine: Run, account: int, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An older database is today's, beside the migrations of tomorrow.
    tomorrow = later_migrations(tmp_path / "later", COLUMN)
    monkeypatch.setattr(house, "upgrade", partial(upgrade, migrations=tomorrow))
    ran = vitrine("keys", "create", "--user", EMAIL, "--name", "tests")
    assert re.fullmatch(r"vtr_\w+\n", output_of(ran))
    (copy,) = (data / "copies").iterdir()
    assert ran.err.count("\n") == 1
    assert str(copy) in ran.err


def test_the_database_of_a_newer_vitrine_is_refused_by_whatever_would_write_to_it(
    vitrine: Run, services: Services, data: Path, tmp_path: Path
) -> None:
    services.accounts.create(EMAIL, PASSWORD)
    upgrade(services.engine, copies=tmp_path, migrations=later_migrations(tmp_path / "later", COLUMN))
    services.engine.dispose()
    before = rows_of(f"sqlite:///{data / 'vitrine.db'}")
    for words in [("upgrade",), ("prepare",), ("users", "list"), ("audit", "export"), *WRITING[1:]]:
        assert refusal_of(vitrine(*words)).startswith("The database was made by a newer Vitrine"), words
    served = RunningSite(tmp_path).run("serve")
    assert refusal_of(Ran(served.returncode, served.stdout, served.stderr)).startswith(
        "The database was made by a newer Vitrine"
    )
    assert rows_of(f"sqlite:///{data / 'vitrine.db'}") == before
    assert not (data / "models").exists()


def test_what_is_no_folder_is_refused(tmp_path: Path, vitrine: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "data"):
        monkeypatch.setenv("VITRINE_DATA", str(folder))
        for words in WRITING[1:]:
            assert f"{folder} cannot be written to" in refusal_of(vitrine(*words)), words


def test_a_disk_without_room_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9, 199_999_999))
    with pytest.raises(InvalidSettings, match="Only 199 MB are free"):
        prepare_folder(make_settings(tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9, 200_000_000))
    prepare_folder(make_settings(tmp_path))


@pytest.mark.parametrize("words", READING + WRITING, ids=" ".join)
def test_a_wrong_setting_stops_every_command_before_it_does_anything(
    vitrine: Run, data: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("VITRINE_MAX_PHOTOS", "many")
    assert refusal_of(vitrine(*words)).startswith("VITRINE_MAX_PHOTOS: ")
    assert not data.exists()


def test_a_misspelt_setting_is_told_in_one_line(tmp_path: Path) -> None:
    ran = RunningSite(tmp_path, max_fotos="3").run("users", "setup-link")
    assert "VITRINE_MAX_FOTOS" in refusal_of(Ran(ran.returncode, ran.stdout, ran.stderr))


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_a_command_that_only_reads_makes_no_folder(vitrine: Run, data: Path, words: tuple[str, ...]) -> None:
    output_of(vitrine(*words))
    assert not data.exists()


def test_the_version_is_told(vitrine: Run) -> None:
    assert output_of(vitrine("--version")) == f"vitrine, version {__version__}\n"


def test_a_command_that_there_is_not_is_told_with_a_code_of_its_own(vitrine: Run) -> None:
    ran = vitrine("sreve")
    assert (ran.code, ran.out) == (2, "")
    assert "No such command 'sreve'" in ran.err


def test_a_file_name_that_is_no_text_leaves_as_it_came(tmp_path: Path) -> None:
    photo = tmp_path / os.fsdecode(b"\xff.png")
    shutil.copy(EIGHT, photo)
    environment = {**os.environ, "VITRINE_DATA": str(tmp_path / "data"), "PYTHONIOENCODING": "utf-8:strict"}
    command = [*VITRINE, "predict", "--model", "digits", str(photo)]
    ran = subprocess.run(command, cwd=TREE, env=environment, capture_output=True, check=False, timeout=300)
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert ran.stdout.startswith(os.fsencode(photo) + b": This image is an 8 (")
