"""The models: damaged, gone, left over, in a library that is not there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.cli.checks import models as module
from app.cli.checks.finding import Level
from app.cli.checks.models import models, problem_of
from app.config import Settings
from app.inference.package import ModelPackage
from app.inference.repository import Repository
from tests.cli.checks.looking import assert_well, look, only, wrong
from tests.factories import make_settings, publish


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return make_settings(tmp_path, models=tmp_path / "shipped")


@pytest.fixture
def repository(settings: Settings) -> Repository:
    return Repository(shipped=settings.models, own=settings.data / "models")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give three versions of a model; the second answers."""
    repository = Repository(shipped=None, own=tmp_path_factory.mktemp("made") / "models")
    newest = [publish(repository) for _ in range(3)][-1]
    repository.activate("shade", "2")
    return newest.folder.parent.parent


@pytest.fixture
def packages(settings: Settings, repository: Repository, made: Path) -> list[ModelPackage]:
    """Give three versions of a model of this test's own."""
    shutil.copytree(made, settings.data / "models")
    return [repository.package("shade", version) for version in repository.versions("shade")]


def test_what_answers_and_everything_beside_it_is_well(settings: Settings, packages: list[ModelPackage]) -> None:
    assert_well(models, settings)
    assert only(models, settings).what == "shade 2 opens and answers; 2 more versions are whole."


def test_without_any_model_nothing_can_be_answered(settings: Settings) -> None:
    found = only(models, settings)
    assert (found.level, "vitrine models import" in found.mend) == (Level.ERROR, True)


def test_those_that_come_along_are_whole(tmp_path: Path) -> None:
    assert_well(models, make_settings(tmp_path))


def test_a_damaged_version_that_answers_is_an_error(settings: Settings, packages: list[ModelPackage]) -> None:
    (packages[1].folder / "source.pkl").write_bytes(b"something else")
    found = only(models, settings)
    assert (found.level, found.what.startswith("shade 2, which answers, cannot: ")) == (Level.ERROR, True)
    assert "rollback shade" in found.mend


def test_a_damaged_version_beside_it_is_told(settings: Settings, packages: list[ModelPackage]) -> None:
    (packages[2].folder / "manifest.json").write_text("{")
    found = only(models, settings)
    assert (found.level, found.what.startswith("shade 3 is of no use: ")) == (Level.WARNING, True)
    assert "remove shade 3" in found.mend


def test_a_version_that_was_activated_and_is_gone_is_an_error(settings: Settings, packages: list[ModelPackage]) -> None:
    shutil.rmtree(packages[1].folder)
    found = wrong(models, settings)
    assert (found.level, found.what) == (Level.ERROR, "shade 2 was activated and is gone, so 1 answers.")


def test_a_shadow_that_is_gone_or_damaged_is_told(
    settings: Settings, repository: Repository, packages: list[ModelPackage]
) -> None:
    repository.begin_shadow("shade", "3", 0.5)
    assert only(models, settings).what == "shade 2 opens and answers; 3 in its shadow does, too; 2 more versions are whole."
    (packages[2].folder / "source.pkl").write_bytes(b"something else")
    assert "shadow shade --off" in only(models, settings).mend
    shutil.rmtree(packages[2].folder)
    assert "should run in the shadow" in wrong(models, settings).what


def test_what_was_left_by_somebody_killed_is_told_and_left(settings: Settings, packages: list[ModelPackage]) -> None:
    folder = packages[0].folder.parent
    for name in (".staging-abc", ".removed-1", "9"):
        (folder / name).mkdir()
    found = look(models, settings)
    assert [finding.level for finding in found] == [Level.GOOD, Level.WARNING, Level.WARNING]
    assert found[1].what == f"{folder / '9'} is no version, for it has no manifest."
    assert found[2].what.startswith("2 things are left of changes that were killed, such as ")
    assert (folder / ".staging-abc").is_dir()


def test_a_default_model_that_is_not_there_is_an_error(tmp_path: Path, packages: list[ModelPackage]) -> None:
    named = make_settings(tmp_path, models=tmp_path / "shipped", default_model="shadow")
    assert wrong(models, named).what == "No model is called shadow, as VITRINE_DEFAULT_MODEL says."


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (ModuleNotFoundError("none", name="treelite"), "It needs treelite, which is not installed."),
        (AttributeError("a secret"), "It was opened but does not answer (AttributeError)."),
    ],
)
def test_whatever_opening_raises_is_a_sentence(
    repository: Repository,
    packages: list[ModelPackage],
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
    sentence: str,
) -> None:
    def fail(_package: ModelPackage) -> None:
        raise fault

    monkeypatch.setattr(module, "Predictor", fail)
    assert problem_of(repository, "shade", "1") == sentence
    assert problem_of(repository, "shade", "1", opened=False) == ""
