"""Repositories: versions of two roots, published whole or not at all, and activated without a gap."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest

from app.config import TREE
from app.errors import InvalidPackage, ModelNotFound
from app.inference.package import MANIFEST
from app.inference.repository import Repository
from tests.factories import make_manifest, publish

PATHS = ["../outside", "a/b", "shade/..", "/etc", "..", ".", "", "a\0b"]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(shipped=tmp_path / "shipped", own=tmp_path / "own")


def everything(folder: Path) -> list[str]:
    """List what lies in a folder, the lock of publications aside."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.name != ".lock")


def test_an_empty_repository_has_no_models(repository: Repository) -> None:
    assert repository.names() == []
    assert repository.versions("shade") == []
    with pytest.raises(ModelNotFound, match="no model called 'shade'"):
        repository.package("shade")


def test_versions_are_counted_across_both_roots(repository: Repository, tmp_path: Path) -> None:
    publish(Repository(shipped=None, own=tmp_path / "shipped"))
    assert publish(repository).manifest.version == "2"
    assert publish(repository, "other").manifest.version == "1"
    assert (repository.names(), repository.versions("shade")) == (["other", "shade"], ["1", "2"])
    assert repository.package("shade", "1").folder == tmp_path / "shipped" / "shade" / "1"
    assert repository.package("shade", "2").folder == tmp_path / "own" / "shade" / "2"


def test_what_is_shipped_is_never_written_to(repository: Repository, tmp_path: Path) -> None:
    publish(Repository(shipped=None, own=tmp_path / "shipped"))
    before = everything(tmp_path / "shipped")
    publish(repository)
    repository.activate("shade", "2")
    repository.activate("shade", "1")
    assert everything(tmp_path / "shipped") == before
    assert repository.active_version("shade") == "1"


def test_versions_are_numbers_not_words(repository: Repository) -> None:
    for _ in range(11):
        publish(repository)
    assert repository.versions("shade") == [str(number) for number in range(1, 12)]


def test_folders_that_are_no_versions_are_passed_over(repository: Repository, tmp_path: Path) -> None:
    package = publish(repository)
    for name in ("v2", "2.0", "٣", "-3", ".staging-x", "draft"):
        (package.folder.parent / name).mkdir()
        (package.folder.parent / name / MANIFEST).write_bytes((package.folder / MANIFEST).read_bytes())
    (package.folder.parent / "4").mkdir()  # without a manifest
    (tmp_path / "own" / "Not A Name" / "1").mkdir(parents=True)
    (tmp_path / "own" / "file").write_text("")
    assert (repository.names(), repository.versions("shade")) == (["shade"], ["1"])


def test_the_first_version_answers_and_a_later_one_waits_to_be_activated(repository: Repository) -> None:
    publish(repository)
    assert repository.package("shade").manifest.version == "1"
    publish(repository)
    assert repository.package("shade").manifest.version == "1"
    repository.activate("shade", "2")
    assert repository.package("shade").manifest.version == "2"
    publish(repository)
    assert repository.active_version("shade") == "2"


def test_only_what_is_there_can_be_activated(repository: Repository) -> None:
    publish(repository)
    for name, version in (("shade", "2"), ("shade", ""), ("shade", "../shade/1"), ("other", "1")):
        with pytest.raises(ModelNotFound):
            repository.activate(name, version)
    assert repository.active_version("shade") == "1"


@pytest.mark.parametrize("pointer", [b"9\n", b"", b"../1", b"\xff\xfe", b"one"])
def test_a_pointer_to_nothing_falls_back_to_the_newest(repository: Repository, tmp_path: Path, pointer: bytes) -> None:
    publish(repository)
    publish(repository)
    (tmp_path / "own" / "shade" / "active").write_bytes(pointer)
    assert repository.active_version("shade") == "2"


def test_the_pointer_to_a_version_that_was_removed_falls_back(repository: Repository) -> None:
    publish(repository)
    removed = publish(repository)
    repository.activate("shade", "2")
    (removed.folder / MANIFEST).unlink()
    assert repository.active_version("shade") == "1"


@pytest.mark.parametrize("name", PATHS)
def test_names_that_are_paths_never_touch_the_disk(repository: Repository, tmp_path: Path, name: str) -> None:
    publish(repository)
    publish(Repository(shipped=None, own=tmp_path), "outside")
    before = everything(tmp_path)
    assert repository.versions(name) == []
    with pytest.raises(ModelNotFound):
        repository.active_version(name)
    with pytest.raises(ModelNotFound):
        repository.package(name, "1")
    with pytest.raises(ModelNotFound):
        repository.activate(name, "1")
    with pytest.raises(InvalidPackage, match="cannot be called"):
        publish(repository, name)
    assert everything(tmp_path) == before


def test_versions_that_are_paths_are_not_found(repository: Repository, tmp_path: Path) -> None:
    publish(repository)
    outside = publish(Repository(shipped=None, own=tmp_path), "outside")
    for version in ("../../outside/1", str(outside.folder), "1/", "./1", "1\0"):
        with pytest.raises(ModelNotFound):
            repository.package("shade", version)


def test_what_is_published_is_pinned(repository: Repository) -> None:
    package = repository.publish(make_manifest(), {"source.pkl": b"source", "samples/a.png": b"sample"})
    assert set(package.manifest.digests) == {"source.pkl", "samples/a.png"}
    read = repository.package("shade")
    assert read.manifest == package.manifest
    assert (read.pinned("source.pkl"), read.pinned("samples/a.png")) == (b"source", b"sample")
    assert package.folder.stat().st_mode & 0o777 == 0o755


def test_a_publication_that_fails_half_way_leaves_nothing(repository: Repository, tmp_path: Path) -> None:
    publish(repository)
    before = everything(tmp_path)
    with pytest.raises(OSError, match="blocked"):
        repository.publish(make_manifest(), {"blocked": b"a file", "blocked/too": b"below that file", "source.pkl": b""})
    assert [name for name in everything(tmp_path) if name not in before] == ["own/shade/active"]
    assert repository.active_version("shade") == "1"
    assert publish(repository).manifest.version == "2"


def test_a_first_publication_that_fails_makes_no_model(repository: Repository) -> None:
    with pytest.raises(OSError, match="blocked"):
        repository.publish(make_manifest(), {"blocked": b"", "blocked/too": b""})
    assert repository.names() == []
    assert publish(repository).manifest.version == "1"


def test_readers_see_the_old_or_the_new_version_and_never_neither(repository: Repository) -> None:
    for _ in range(3):
        publish(repository)
    repository.activate("shade", "1")
    seen: set[str] = set()
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            seen.add(repository.package("shade").manifest.version)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    try:
        for turn in range(60):
            repository.activate("shade", str(turn % 2 + 1))
    finally:
        over.set()
        for reader in readers:
            reader.join()
    assert seen == {"1", "2"}, "version 3 is what a missing pointer falls back to"


def test_an_activation_waits_for_the_publication_under_way(repository: Repository, tmp_path: Path) -> None:
    publish(repository)
    publish(repository)
    activation = threading.Thread(target=repository.activate, args=("shade", "2"))
    with (tmp_path / "own" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        activation.start()
        activation.join(timeout=0.2)
        assert activation.is_alive()
        assert repository.active_version("shade") == "1"
    activation.join()
    assert repository.active_version("shade") == "2"


def test_processes_that_publish_at_once_get_versions_of_their_own(repository: Repository, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from app.inference.repository import Repository; "
        "from tests.factories import make_manifest; "
        "repository = Repository(shipped=None, own=Path(sys.argv[1])); print('ready', flush=True); sys.stdin.readline(); "
        "[print(repository.publish(make_manifest(), {'source.pkl': sys.argv[2].encode()}).manifest.version) for _ in range(20)]"
    )
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "own"), name],
            cwd=TREE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    given = {name: writer.communicate()[0].split() for name, writer in zip(("one", "two"), writers, strict=True)}
    assert [writer.returncode for writer in writers] == [0, 0]
    assert sorted(_flat(given.values()), key=int) == repository.versions("shade") == [str(n) for n in range(1, 41)]
    for name, versions in given.items():
        assert {repository.package("shade", version).artifact() for version in versions} == {name.encode()}


def _flat(lists: Iterable[list[str]]) -> list[str]:
    return [entry for found in lists for entry in found]
