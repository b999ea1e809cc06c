"""Repositories over time: back to what was active, removals, numbers that never come again, and what killed processes leave."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from app.errors import InvalidPackage, ModelNotFound, VersionKept
from app.inference.repository import Repository
from tests.factories import publish

LEFT = [".staging-x/source.pkl", ".removed-7/manifest.json", ".active-x", ".highest-x"]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(shipped=tmp_path / "shipped", own=tmp_path / "own")


def publish_all(repository: Repository, count: int) -> None:
    for _ in range(count):
        publish(repository)


def leave(folder: Path) -> None:
    """Leave what a process that is killed at its work would leave."""
    for name in LEFT:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("half")


def hidden(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir() if entry.name.startswith("."))


def test_a_rollback_goes_back_one_activation_at_a_time(repository: Repository) -> None:
    publish_all(repository, 3)
    for version in ("2", "2", "3"):
        repository.activate("shade", version)
    assert [repository.rollback("shade"), repository.active_version("shade")] == ["2", "2"]
    assert [repository.rollback("shade"), repository.active_version("shade")] == ["1", "1"]
    with pytest.raises(ModelNotFound, match="No version of 'shade' was active before '1'"):
        repository.rollback("shade")
    assert repository.active_version("shade") == "1"


def test_there_is_no_way_back_where_nothing_was_activated(repository: Repository) -> None:
    with pytest.raises(ModelNotFound, match="no model called 'shade'"):
        repository.rollback("shade")
    publish_all(repository, 2)
    with pytest.raises(ModelNotFound, match="before '1'"):
        repository.rollback("shade")


def test_a_version_that_was_left_by_a_rollback_can_be_activated_and_left_again(repository: Repository) -> None:
    publish_all(repository, 2)
    repository.activate("shade", "2")
    repository.rollback("shade")
    repository.activate("shade", "2")
    assert repository.rollback("shade") == "1"


def test_a_rollback_passes_over_what_was_removed(repository: Repository) -> None:
    publish_all(repository, 3)
    for version in ("2", "1", "3"):
        repository.activate("shade", version)
    repository.remove("shade", "1")
    assert repository.rollback("shade") == "2"
    repository.activate("shade", "3")
    repository.remove("shade", "2")
    with pytest.raises(ModelNotFound, match="before '3'"):
        repository.rollback("shade")


def test_a_rollback_can_lead_back_to_what_is_shipped(repository: Repository, tmp_path: Path) -> None:
    publish(Repository(shipped=None, own=tmp_path / "shipped"))
    publish(repository)
    repository.activate("shade", "2")
    assert repository.rollback("shade") == "1"


def test_a_pointer_of_one_line_is_still_understood(repository: Repository, tmp_path: Path) -> None:
    publish_all(repository, 2)
    pointer = tmp_path / "own" / "shade" / "active"
    pointer.write_text("1\n")
    repository.activate("shade", "2")
    assert pointer.read_text() == "2\n1\n"
    assert repository.rollback("shade") == "1"
    assert pointer.read_text() == "1\n"


def test_the_pointer_remembers_a_bounded_number_of_activations(repository: Repository, tmp_path: Path) -> None:
    publish_all(repository, 2)
    for turn in range(60):
        repository.activate("shade", str((turn + 1) % 2 + 1))
    assert repository.activations("shade") == ["1", "2"] * 25
    assert (tmp_path / "own" / "shade" / "active").stat().st_mode & 0o777 == 0o644


def test_where_the_active_version_is_gone_the_one_before_answers_and_not_one_that_never_did(
    repository: Repository, tmp_path: Path
) -> None:
    publish_all(repository, 3)
    repository.activate("shade", "2")
    (tmp_path / "own" / "shade" / "2").rename(tmp_path / "gone")
    assert repository.active_version("shade") == "1"


def test_a_pointer_that_cannot_be_read_is_no_reason_to_guess(repository: Repository, tmp_path: Path) -> None:
    publish_all(repository, 2)
    pointer = tmp_path / "own" / "shade" / "active"
    pointer.unlink()
    pointer.mkdir()
    with pytest.raises(InvalidPackage, match="Which version of shade is active cannot be read"):
        repository.package("shade")
    assert repository.names() == ["shade"]


def test_a_removed_version_is_gone_and_its_number_never_comes_again(repository: Repository, tmp_path: Path) -> None:
    publish_all(repository, 3)
    repository.remove("shade", "3")
    assert repository.versions("shade") == ["1", "2"]
    assert hidden(tmp_path / "own" / "shade") == []
    assert publish(repository).manifest.version == "4"
    repository.remove("shade", "4")
    repository.remove("shade", "2")
    assert publish(Repository(shipped=None, own=tmp_path / "own")).manifest.version == "5"


def test_a_number_is_not_given_again_either_where_somebody_deleted_the_folder(repository: Repository, tmp_path: Path) -> None:
    publish_all(repository, 2)
    (tmp_path / "own" / "shade" / "2").rename(tmp_path / "elsewhere")
    assert publish(repository).manifest.version == "3"


def test_the_number_of_a_damaged_version_is_taken(repository: Repository, tmp_path: Path) -> None:
    publish(repository)
    (tmp_path / "own" / "shade" / "5").mkdir()
    assert publish(repository).manifest.version == "6"


def test_the_active_version_stays(repository: Repository) -> None:
    publish(repository)
    with pytest.raises(VersionKept, match="since it is active"):
        repository.remove("shade", "1")
    publish(repository)
    repository.activate("shade", "2")
    with pytest.raises(VersionKept):
        repository.remove("shade", "2")
    repository.remove("shade", "1")
    assert repository.versions("shade") == ["2"]


def test_what_is_shipped_stays(repository: Repository, tmp_path: Path) -> None:
    publish(Repository(shipped=None, own=tmp_path / "shipped"))
    publish(repository)
    repository.activate("shade", "2")
    with pytest.raises(VersionKept, match="comes with Vitrine"):
        repository.remove("shade", "1")
    assert repository.versions("shade") == ["1", "2"]


@pytest.mark.parametrize(
    ("name", "version"), [("shade", "3"), ("other", "1"), ("shade", "../shade/2"), ("..", "own"), ("", "")]
)
def test_only_what_is_there_can_be_removed(repository: Repository, name: str, version: str) -> None:
    publish_all(repository, 2)
    with pytest.raises(ModelNotFound):
        repository.remove(name, version)
    assert repository.versions("shade") == ["1", "2"]


@pytest.mark.parametrize("change", ["sweep", "publish", "activate", "rollback", "remove"])
def test_what_killed_processes_left_is_swept_by_the_next_change(repository: Repository, tmp_path: Path, change: str) -> None:
    publish_all(repository, 3)
    repository.activate("shade", "2")
    publish(repository, "other")
    for name in ("shade", "other"):
        leave(tmp_path / "own" / name)
    if change == "publish":
        publish(repository)
    else:
        getattr(repository, change)(
            *{"activate": ("shade", "3"), "rollback": ("shade",), "remove": ("shade", "3")}.get(change, ())
        )
    assert hidden(tmp_path / "own" / "shade") == hidden(tmp_path / "own" / "other") == []
    assert repository.names() == ["other", "shade"]


def test_a_sweep_leaves_the_work_of_others_alone_and_does_not_wait_for_it(repository: Repository, tmp_path: Path) -> None:
    publish(repository)
    leave(tmp_path / "own" / "shade")
    with (tmp_path / "own" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        repository.sweep()
        assert len(hidden(tmp_path / "own" / "shade")) == len(LEFT)
    repository.sweep()
    assert hidden(tmp_path / "own" / "shade") == []


def test_a_sweep_makes_nothing_and_stops_nobody(tmp_path: Path) -> None:
    Repository(shipped=None, own=tmp_path / "own").sweep()
    assert not (tmp_path / "own").exists()
    (tmp_path / "file").write_text("no folder")
    Repository(shipped=None, own=tmp_path / "file").sweep()
