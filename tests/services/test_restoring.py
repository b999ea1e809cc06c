"""A backup put into a data folder: all of it or nothing, believed in nothing, and never below a site that runs."""

from __future__ import annotations

import io
import itertools
import json
import os
import shutil
import sqlite3
import tarfile
from collections import namedtuple
from contextlib import closing
from pathlib import Path

import pytest

from app.cli.backing_up import bring_up_to_date
from app.errors import InvalidBackup, InvalidSettings
from app.inference.repository import Repository
from app.services import restoring as service_of_restoring
from app.services.backup import Backup
from app.services.backup_file import BackupWriter, Manifest
from app.services.private_files import restoring, use, write_private
from app.services.recorder import Owner
from app.services.restoring import Restoring, finish
from app.storage.schema import knows
from tests.evidence import keep
from tests.factories import make_services, publish
from tests.killing import restore_until, was_killed
from tests.serving import EMAIL, PASSWORD
from tests.storage.migrating import as_before, dump_of, load, revisions, rows_of

Usage = namedtuple("Usage", "total used free")
Contents = dict[str, bytes]
LOCK = ".in-use"


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the backup of a site with an account, a picture, and a model of two versions."""
    folder = tmp_path_factory.mktemp("site")
    services = make_services(folder, models=folder / "none")
    write_private(services.settings.data / "secret_key", "kX9-vQ2_mZ7.pL4~wR8!tB3@yN6#hC1$")
    keep(services, Owner(services.accounts.create(EMAIL, PASSWORD)), 150)
    for _ in range(2):
        publish(services.repository)
    data = services.settings.data
    service = Backup(data=data, database=data / "vitrine.db", repository=services.repository, version="9.9.9")
    service.write(folder / "a.tar", key="", progress=lambda _: None)
    services.engine.dispose()
    return folder / "a.tar"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give a data folder with nothing in it yet."""
    (tmp_path / "data").mkdir(mode=0o700)
    return tmp_path / "data"


def restore(file: Path, data: Path, *, replace: bool = False) -> Manifest:
    service = Restoring(data=data, knows=knows, upgrade=bring_up_to_date)
    return service.restore(service.look(file), replace=replace, progress=lambda _: None)


def contents(folder: Path) -> Contents:
    """Give all files in a folder, but the one that tells whether it is in use."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != LOCK
    }


def members_of(file: Path) -> Contents:
    with tarfile.open(file) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def another_site(data: Path) -> Contents:
    """Let a data folder hold another site, things of somebody else's and copies, and give what it holds."""
    load(f"sqlite:///{data / 'vitrine.db'}", dump_of(revisions()[-1], "sqlite://"))
    publish(Repository(shipped=None, own=data / "models"), "old")
    for name in ("copies/old.db", "somebody's", "uploads/a/model.bin", "setup_token", "counters.mdb", "vitrine.db-wal"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).touch()
    return contents(data)


def write_tar(file: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(file, "w") as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return file


def with_members(backup: Path, file: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    """Give a backup with further members after its own."""
    return write_tar(file, *((tarfile.TarInfo(name), content) for name, content in members_of(backup).items()), *members)


def changed(backup: Path, file: Path, **words: object) -> Path:
    """Give a backup whose manifest says something else."""
    members = members_of(backup)
    members["manifest.json"] = json.dumps({**json.loads(members["manifest.json"]), **words}).encode()
    return write_tar(file, *((tarfile.TarInfo(name), content) for name, content in members.items()))


def test_an_empty_folder_gets_everything_and_keeps_it_private(backup: Path, data: Path) -> None:
    manifest = restore(backup, data)
    held = members_of(backup)
    del held["manifest.json"]
    found = contents(data)
    # It has been opened, and so the bytes of the database are others; what is in it is the same.
    assert emails_in(data / "vitrine.db") == [EMAIL]
    assert {**found, "vitrine.db": b""} == {**held, "vitrine.db": b""}
    assert manifest.files.keys() == held.keys()
    assert {path.stat().st_mode & 0o777 for path in (data / "secret_key", data / "vitrine.db")} == {0o600}
    assert not restoring(data)


def test_a_site_that_is_there_is_kept_unless_that_is_said(backup: Path, data: Path) -> None:
    before = another_site(data)
    with pytest.raises(InvalidBackup, match=r"There is a site in .* already: .* --replace"):
        restore(backup, data)
    assert contents(data) == before
    restore(backup, data, replace=True)
    expected = {*members_of(backup).keys() - {"manifest.json"}, "copies/old.db", "somebody's"}
    assert contents(data).keys() == expected
    assert emails_in(data / "vitrine.db") == [EMAIL]


def test_a_folder_that_a_site_runs_on_is_left_alone_and_no_site_starts_meanwhile(backup: Path, data: Path) -> None:
    ends = [use(data), use(data)]
    for end in ends:
        with pytest.raises(InvalidSettings, match="A site runs on"):
            restore(backup, data)
        end()
    service = Restoring(data=data, knows=knows, upgrade=bring_up_to_date)
    started = []

    def start(_: int) -> None:
        with pytest.raises(InvalidSettings, match="A backup is being restored into"):
            use(data)
        started.append(True)

    service.restore(service.look(backup), replace=False, progress=start)
    assert started
    use(data)()


@pytest.mark.parametrize("part", [0.0, 0.01, 0.3, 0.6, 0.9])
def test_half_of_a_backup_is_refused_and_nothing_changes(part: float, backup: Path, data: Path, tmp_path: Path) -> None:
    before = another_site(data)
    whole = backup.read_bytes()
    (tmp_path / "half.tar").write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(InvalidBackup, match="no backup of Vitrine's, or not a whole one"):
        restore(tmp_path / "half.tar", data, replace=True)
    assert contents(data) == before


def test_one_bit_that_differs_in_any_file_is_found(backup: Path, data: Path, tmp_path: Path) -> None:
    with tarfile.open(backup) as tar:
        places = {member.name: member.offset_data + member.size // 2 for member in tar if member.name != "manifest.json"}
    assert len(places) > 5
    for name, place in places.items():
        content = bytearray(backup.read_bytes())
        content[place] ^= 1
        (tmp_path / "bad.tar").write_bytes(content)
        with pytest.raises(InvalidBackup, match=f"{name!r} in that backup is damaged"):
            restore(tmp_path / "bad.tar", data)
        assert contents(data) == {}


def member(name: str, **given: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    for field, value in given.items():
        setattr(made, field, value)
    return made


@pytest.mark.parametrize(
    "hostile",
    [
        member("/etc/vitrine"),
        member("../outside"),
        member("models/../../outside"),
        member("models//x"),
        member("models/./x"),
        member("other"),
        member("counters.mdb"),
        member(".restored/x"),
        member("models/x", type=tarfile.SYMTYPE, linkname="/etc"),
        member("models/x", type=tarfile.LNKTYPE, linkname="secret_key"),
        member("models/x", type=tarfile.DIRTYPE),
        member("models/x", type=tarfile.FIFOTYPE),
        member("models/x", type=tarfile.CHRTYPE),
        member("models/x", type=tarfile.GNUTYPE_SPARSE),
    ],
    ids=lambda one: f"{one.name} {one.type.decode()}",
)
def test_nothing_leads_out_of_the_folder(hostile: tarfile.TarInfo, backup: Path, data: Path, tmp_path: Path) -> None:
    file = with_members(backup, tmp_path / "hostile.tar", (hostile, b""))
    with pytest.raises(InvalidBackup):
        restore(file, data)
    # Also where the manifest knows of it, and it comes first.
    content = {"size": 0, "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}
    files = {**json.loads(members_of(backup)["manifest.json"])["files"], hostile.name: content}
    listed = members_of(changed(backup, tmp_path / "listed.tar", files=files))
    first = write_tar(tmp_path / "first.tar", (hostile, b""), *((tarfile.TarInfo(name), it) for name, it in listed.items()))
    with pytest.raises(InvalidBackup, match="is nothing that a backup"):
        restore(first, data)
    assert contents(data) == {}
    assert {path.name for path in tmp_path.iterdir()} == {"data", "hostile.tar", "listed.tar", "first.tar"}


@pytest.mark.parametrize("name", ["models/new", "secret_key"])
def test_what_the_manifest_does_not_know_is_refused(name: str, backup: Path, data: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidBackup, match="not in its manifest, or there twice"):
        restore(with_members(backup, tmp_path / "more.tar", (member(name), b"x")), data)
    assert contents(data) == {}


def test_what_is_missing_is_told(backup: Path, data: Path, tmp_path: Path) -> None:
    members = [(tarfile.TarInfo(name), content) for name, content in members_of(backup).items() if name != "secret_key"]
    with pytest.raises(InvalidBackup, match="'secret_key' is missing"):
        restore(write_tar(tmp_path / "less.tar", *members), data)
    with pytest.raises(InvalidBackup, match="There is no file"):
        restore(tmp_path / "nothing.tar", data)
    assert contents(data) == {}


@pytest.mark.parametrize(
    "manifest", [b"", b"{", b"[]", b"7", b'{"form": "x"}', b'{"form": 1, "files": {}}', b'{"form": 1, "files": 7}']
)
def test_a_manifest_that_is_none_is_refused(manifest: bytes, data: Path, tmp_path: Path) -> None:
    file = write_tar(tmp_path / "a.tar", (member("manifest.json"), manifest), (member("vitrine.db"), b""))
    with pytest.raises(InvalidBackup, match="no backup of Vitrine's"):
        restore(file, data)


def test_the_backup_of_a_newer_vitrine_is_refused(backup: Path, data: Path, tmp_path: Path) -> None:
    for words in ({"revision": "9000"}, {"revision": ""}, {"form": 2}):
        with pytest.raises(InvalidBackup, match="newer Vitrine"):
            restore(changed(backup, tmp_path / "newer.tar", **words), data)
    assert contents(data) == {}


def archive(folder: Path, database: Path, revision: str) -> Path:
    """Give a backup of a database alone that says that it is at a revision."""
    writer = BackupWriter(folder / "made.tar", lambda _: None)
    writer.add("vitrine.db", database)
    writer.finish(taken_at="", version="0", revision=revision, key="")
    writer.close()
    return folder / "made.tar"


def test_a_database_that_is_newer_than_its_backup_says_changes_nothing(data: Path, tmp_path: Path) -> None:
    before = another_site(data)
    load(f"sqlite:///{tmp_path / 'newer.db'}", dump_of(revisions()[-1], "sqlite://"))
    with closing(sqlite3.connect(tmp_path / "newer.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9000'")
    with pytest.raises(InvalidSettings, match="newer Vitrine"):
        restore(archive(tmp_path, tmp_path / "newer.db", revisions()[-1]), data, replace=True)
    assert contents(data) == before


@pytest.mark.parametrize("revision", [revisions()[0], revisions()[-2]])
def test_an_older_one_is_brought_up_to_date_and_keeps_its_rows(revision: str, data: Path, tmp_path: Path) -> None:
    load(f"sqlite:///{tmp_path / 'older.db'}", dump_of(revision, "sqlite://"))
    before = rows_of(f"sqlite:///{tmp_path / 'older.db'}")
    restore(archive(tmp_path, tmp_path / "older.db", revision), data)
    assert as_before(rows_of(f"sqlite:///{data / 'vitrine.db'}"), before) == before
    with closing(sqlite3.connect(data / "vitrine.db")) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(revisions()[-1],)]
    assert contents(data).keys() == {"vitrine.db"}


def test_a_disk_without_room_is_refused_before_anything_is_written(
    backup: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9, 200_000_000))
    with pytest.raises(InvalidBackup, match=r"needs \d+ MB on the disk"):
        restore(backup, data)
    assert contents(data) == {}


def test_a_folder_in_it_that_is_mounted_is_told_before_anything_is_written(
    backup: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "36 35 98:0 /mnt1 {} rw,noatime master:1 - ext4 /dev/root rw\n"
    (tmp_path / "mounts").write_text(line.format(data) + line.format("/elsewhere") + line.format(data / "models"))
    monkeypatch.setattr(service_of_restoring, "_MOUNTS", tmp_path / "mounts")
    with pytest.raises(InvalidBackup, match="models is mounted"):
        restore(backup, data)
    assert contents(data) == {}


def test_what_root_restores_belongs_to_whoever_the_folder_belongs_to(
    backup: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() == 0:
        os.chown(data, 12345, 12346)
    given: dict[str, tuple[int, int]] = {}
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", lambda path, user, group: given.update({Path(path).name: (user, group)}))
    restore(backup, data)
    owner = data.stat()
    assert set(given.values()) == {(owner.st_uid, owner.st_gid)}
    assert {"vitrine.db", "secret_key", "models", "active", "source.pkl", "pictures"} <= given.keys()


def test_one_that_is_killed_anywhere_leaves_the_folder_as_before_or_as_after(backup: Path, tmp_path: Path) -> None:
    # At every third change of a file, and in tests/hard at each.
    assert_before_or_after(backup, tmp_path, every=3)


def assert_before_or_after(backup: Path, folder: Path, *, every: int) -> None:
    """Kill a restoring at one change of a file after the other, and see what the next command finds."""
    (folder / "model").mkdir()
    before = another_site(folder / "model")
    after = {*members_of(backup).keys() - {"manifest.json"}, "copies/old.db", "somebody's"}
    seen: list[str] = []
    for number in itertools.count(0, every):
        data = folder / str(number)
        shutil.copytree(folder / "model", data)
        killed = was_killed(restore_until, number, backup, data)
        decided = restoring(data)
        finish(data)  # as every command does that comes next
        shutil.rmtree(data / ".unpacked", ignore_errors=True)
        found = contents(data)
        assert found == before or (found.keys() == after and emails_in(data / "vitrine.db") == [EMAIL])
        seen.append("before" if found == before else "decided" if decided else "after")
        if not killed:
            break
    assert not decided
    assert [kind for kind, _ in itertools.groupby(seen)] == ["before", "decided", "after"]


def emails_in(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return [email for (email,) in connection.execute("SELECT email FROM users")]
