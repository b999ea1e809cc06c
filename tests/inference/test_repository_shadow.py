"""A version in a model's shadow: written down beside the pointer, and gone as soon as it answers or is removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import InvalidRequest, ModelNotFound
from app.inference.pointer import Shadow
from app.inference.repository import Repository
from tests.factories import publish


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Give a repository of three versions, of which the first is active and the second runs in its shadow."""
    repository = Repository(shipped=tmp_path / "shipped", own=tmp_path / "own")
    for _ in range(3):
        publish(repository)
    repository.begin_shadow("shade", "2", 0.25)
    return repository


@pytest.fixture
def file(repository: Repository, tmp_path: Path) -> Path:
    """Give the file in which that is written."""
    return tmp_path / "own" / "shade" / "shadow"


def test_it_is_the_same_for_whoever_looks_and_never_answers(repository: Repository, tmp_path: Path) -> None:
    another = Repository(shipped=None, own=tmp_path / "own")
    assert another.shadow("shade") == Shadow("2", 0.25)
    assert (another.active_version("shade"), another.activations("shade")) == ("1", ["1"])
    assert another.names() == ["shade"]


def test_a_model_has_one(repository: Repository) -> None:
    repository.begin_shadow("shade", "3", 1 / 3)
    assert repository.shadow("shade") == Shadow("3", 1 / 3)


def test_a_version_that_came_along_can_run_in_the_shadow(tmp_path: Path) -> None:
    publish(Repository(shipped=None, own=tmp_path / "shipped"))
    repository = Repository(shipped=tmp_path / "shipped", own=tmp_path / "own")
    publish(repository)
    repository.activate("shade", "2")
    repository.begin_shadow("shade", "1", 1)
    assert repository.shadow("shade") == Shadow("1", 1.0)
    assert list((tmp_path / "shipped" / "shade").glob("shadow*")) == []


def test_it_ends_when_somebody_ends_it(repository: Repository, file: Path) -> None:
    assert repository.end_shadow("shade") == Shadow("2", 0.25)
    assert repository.shadow("shade") is None
    assert not file.exists()
    with pytest.raises(InvalidRequest, match="No version of 'shade' runs in the shadow"):
        repository.end_shadow("shade")


def test_whoever_ends_another_one_ends_nothing(repository: Repository) -> None:
    with pytest.raises(InvalidRequest, match="Version '3' of 'shade' runs in the shadow no more"):
        repository.end_shadow("shade", "3")
    assert repository.shadow("shade") == Shadow("2", 0.25)
    assert repository.end_shadow("shade", "2") == Shadow("2", 0.25)


def test_it_ends_when_it_is_activated_and_does_not_come_back(repository: Repository, file: Path) -> None:
    repository.activate("shade", "2")
    assert not file.exists()
    repository.activate("shade", "1")
    assert repository.shadow("shade") is None


def test_it_ends_when_a_rollback_leads_to_it(repository: Repository, file: Path) -> None:
    repository.activate("shade", "2")
    repository.activate("shade", "3")
    repository.begin_shadow("shade", "2", 1)
    assert repository.rollback("shade") == "2"
    assert not file.exists()


def test_it_ends_when_it_is_removed(repository: Repository, file: Path) -> None:
    repository.remove("shade", "2")
    assert repository.shadow("shade") is None
    assert not file.exists()


def test_it_stays_when_another_version_is_activated_or_removed(repository: Repository) -> None:
    repository.activate("shade", "3")
    repository.remove("shade", "1")
    assert repository.shadow("shade") == Shadow("2", 0.25)


@pytest.mark.parametrize("share", [0, -0.1, 1.01, float("nan"), float("inf")])
def test_what_is_no_share_is_refused(repository: Repository, share: float) -> None:
    with pytest.raises(InvalidRequest, match="more than 0 and at most 1"):
        repository.begin_shadow("shade", "3", share)
    assert repository.shadow("shade") == Shadow("2", 0.25)


@pytest.mark.parametrize(("name", "version"), [("shade", "9"), ("nothing", "1"), ("..", "1"), ("shade", "..")])
def test_what_is_not_there_runs_in_no_shadow(repository: Repository, name: str, version: str) -> None:
    with pytest.raises(ModelNotFound):
        repository.begin_shadow(name, version, 1)
    if name != "shade":
        assert repository.shadow(name) is None
        with pytest.raises(ModelNotFound):
            repository.end_shadow(name)


def test_the_active_version_is_not_its_own_shadow(repository: Repository) -> None:
    with pytest.raises(InvalidRequest, match="its own shadow"):
        repository.begin_shadow("shade", "1", 1)


@pytest.mark.parametrize("written", ["", "2", "2 0.5 more", "2 half", "2 0", "2 1.5", "2 nan", "1 1.0", "7 1.0", "2 0.5\xff"])
def test_what_is_written_badly_or_of_no_such_version_runs_nowhere(repository: Repository, file: Path, written: str) -> None:
    file.write_bytes(written.encode("latin-1"))
    assert repository.shadow("shade") is None


def test_what_a_killed_process_left_is_swept(repository: Repository, file: Path) -> None:
    left = file.with_name(".shadow-x")
    left.write_text("2 0.")
    repository.sweep()
    assert not left.exists()
    assert repository.shadow("shade") == Shadow("2", 0.25)
