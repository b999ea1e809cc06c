"""A backup: what is in it and what is not, while everything goes on, and whole or not at all."""

from __future__ import annotations

import hashlib
import itertools
import json
import sqlite3
import tarfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from app.composition import Services
from app.errors import InvalidBackup
from app.services.backup import Backup
from app.services.backup_file import Manifest
from app.services.private_files import write_private
from app.services.recorder import Owner
from tests.evidence import keep
from tests.factories import make_services, publish
from tests.killing import back_up_until, was_killed
from tests.storage.migrating import revisions

GUEST = Owner(guest="a" * 32)
KEY = "kX9-vQ2_mZ7.pL4~wR8!tB3@yN6#hC1$"


@pytest.fixture
def services(tmp_path: Path) -> Services:
    made = make_services(tmp_path, models=tmp_path / "none")
    write_private(made.settings.data / "secret_key", KEY)
    return made


def backup_of(services: Services) -> Backup:
    data = services.settings.data
    return Backup(data=data, database=data / "vitrine.db", repository=services.repository, version="9.9.9")


def write(services: Services, target: Path, deed: Callable[[], object] = lambda: None) -> Manifest:
    """Write a backup, and do something once its database is copied and before the first other file is read."""
    begun = False

    def progress(_: int) -> None:
        nonlocal begun
        if not begun:
            begun = True
            deed()

    return backup_of(services).write(target, key="a mark", progress=progress)


def names_in(file: Path) -> set[str]:
    with tarfile.open(file, "r:") as tar:
        return set(tar.getnames())


def content_of(file: Path, name: str) -> bytes:
    with tarfile.open(file, "r:") as tar:
        found = tar.extractfile(name)
        assert found is not None
        return found.read()


def predictions_in(file: Path, place: Path) -> set[str]:
    place.write_bytes(content_of(file, "vitrine.db"))
    with closing(sqlite3.connect(place)) as connection:
        return {identifier for (identifier,) in connection.execute("SELECT id FROM predictions")}


def pictures_of(*identifiers: str) -> set[str]:
    return {f"pictures/{name[-2:]}/{name}.{size}.jpg" for name in identifiers for size in ("picture", "thumbnail")}


def test_it_holds_what_must_be_kept_and_the_digest_of_each(services: Services, tmp_path: Path) -> None:
    publish(services.repository)
    publish(services.repository)
    services.repository.activate("shade", "2")
    (kept,) = keep(services, GUEST, 150)
    manifest = write(services, tmp_path / "a.tar")
    versions = {f"models/shade/{number}/{file}" for number in (1, 2) for file in ("manifest.json", "source.pkl")}
    pointers = {"models/shade/active", "models/shade/highest"}
    held = {"vitrine.db", "secret_key", *versions, *pointers, *pictures_of(kept)}
    assert manifest.files.keys() == held
    assert names_in(tmp_path / "a.tar") == {*held, "manifest.json"}
    for name, content in manifest.files.items():
        found = content_of(tmp_path / "a.tar", name)
        assert (len(found), hashlib.sha256(found).hexdigest()) == (content.size, content.sha256), name
    written = json.loads(content_of(tmp_path / "a.tar", "manifest.json"))
    assert (written["version"], written["revision"], written["key"]) == ("9.9.9", revisions()[-1], "a mark")
    assert (tmp_path / "a.tar").stat().st_mode & 0o777 == 0o600


def test_what_a_site_makes_again_is_left_out(services: Services, tmp_path: Path) -> None:
    data = services.settings.data
    for left_out in ("setup_token", "counters.mdb", "usage.mdb", "copies/old.db", "uploads/a/model.bin", "somebody's"):
        (data / left_out).parent.mkdir(parents=True, exist_ok=True)
        (data / left_out).touch()
    publish(services.repository)
    (data / "models" / "shade" / ".staging-x").mkdir()
    assert write(services, tmp_path / "a.tar").files.keys() == {
        *("vitrine.db", "secret_key", "models/shade/1/manifest.json", "models/shade/1/source.pkl", "models/shade/highest")
    }


def test_what_comes_while_it_is_taken_is_whole_or_absent(services: Services, tmp_path: Path) -> None:
    (before,) = keep(services, GUEST, 150)
    after: list[str] = []

    def go_on() -> None:
        after.extend(keep(services, GUEST, 20))
        publish(services.repository)

    manifest = write(services, tmp_path / "a.tar", go_on)
    assert predictions_in(tmp_path / "a.tar", tmp_path / "copy.db") == {before}
    assert {name for name in manifest.files if name.startswith("pictures/")} == pictures_of(before)
    assert {"models/shade/1/manifest.json", "models/shade/1/source.pkl"} <= manifest.files.keys()


def test_a_row_whose_picture_is_deleted_meanwhile_is_deleted_too(services: Services, tmp_path: Path) -> None:
    kept, deleted = keep(services, GUEST, 150, 20)

    def delete() -> None:
        for identifier in (kept, deleted):
            # The first file that is read is one of these pictures: of that one all is there already, or half of it.
            services.history.delete(GUEST, identifier)

    manifest = write(services, tmp_path / "a.tar", delete)
    rows = predictions_in(tmp_path / "a.tar", tmp_path / "copy.db")
    assert all(pictures_of(identifier) <= manifest.files.keys() for identifier in rows)


def test_a_picture_that_is_being_written_when_its_folder_is_read_is_found(services: Services, tmp_path: Path) -> None:
    late, other = keep(services, GUEST, 150, 20)
    pictures = services.settings.data / "pictures"
    away = {name: (services.settings.data / name).read_bytes() for name in pictures_of(late)}
    for name in away:
        (services.settings.data / name).unlink()

    def arrive() -> None:
        for name, content in away.items():
            (services.settings.data / name).write_bytes(content)

    manifest = write(services, tmp_path / "a.tar", arrive)
    assert {name for name in manifest.files if name.startswith("pictures/")} == pictures_of(late, other)
    assert sorted(pictures.rglob(".*")) == []


def test_it_waits_for_whoever_changes_the_models(services: Services, tmp_path: Path) -> None:
    publish(services.repository)
    with ThreadPoolExecutor(1) as threads:
        with services.repository.changing():
            backup = threads.submit(write, services, tmp_path / "a.tar")
            time.sleep(0.3)
            assert not backup.done()
        assert "models/shade/1/manifest.json" in backup.result(30).files


def test_of_two_at_once_one_is_refused_and_what_was_there_stays(services: Services, tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"the backup of yesterday")
    refused = []

    def again() -> None:
        with pytest.raises(InvalidBackup, match="Another backup is being written") as error:
            write(services, tmp_path / "a.tar")
        refused.append(str(error.value))
        assert (tmp_path / "a.tar").read_bytes() == b"the backup of yesterday"

    write(services, tmp_path / "a.tar", again)
    assert refused
    assert "vitrine.db" in names_in(tmp_path / "a.tar")


def test_without_a_database_there_is_nothing_to_back_up(services: Services, tmp_path: Path) -> None:
    with closing(sqlite3.connect(services.settings.data / "vitrine.db")) as connection:
        connection.execute("DROP TABLE alembic_version")
    with pytest.raises(InvalidBackup, match="no tables"):
        write(services, tmp_path / "a.tar")
    (services.settings.data / "vitrine.db").unlink()
    with pytest.raises(InvalidBackup, match="no database yet"):
        write(services, tmp_path / "a.tar")
    assert not list(tmp_path.glob("*a.tar*"))


def test_one_that_is_killed_anywhere_leaves_the_backup_of_before(services: Services, tmp_path: Path) -> None:
    publish(services.repository)
    keep(services, GUEST, 150)
    held = {*write(services, tmp_path / "whole.tar").files, "manifest.json"}
    services.engine.dispose()
    place = tmp_path / "backups"
    place.mkdir()
    (place / "a.tar").write_bytes(b"the backup of yesterday")
    for number in itertools.count():
        if not was_killed(back_up_until, number, services.settings.data, place / "a.tar"):
            break
        if (place / "a.tar").read_bytes() != b"the backup of yesterday":
            assert names_in(place / "a.tar") == held
        assert {path.name for path in place.iterdir()} <= {"a.tar", ".a.tar.half"}
    assert number >= 5
    assert [path.name for path in place.iterdir()] == ["a.tar"]
    assert names_in(place / "a.tar") == held
