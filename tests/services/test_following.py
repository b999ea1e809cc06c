"""The loader over time: it follows what is activated without a pause, and keeps what answers whatever happens to the disk."""

from __future__ import annotations

import gc
import pickle
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.config import TREE
from app.errors import InvalidPackage
from app.inference.package import MANIFEST
from app.inference.repository import Repository
from app.services.model_loader import ModelLoader
from tests.factories import Clock, make_classifier, make_manifest, publish

OPEN = threading.Event()

PROMISED_SECONDS = 2.0


class Slow:
    """A pickle that is not open before the test says so."""

    def __init__(self, classifier: Any) -> None:
        self._classifier = classifier

    def __reduce__(self) -> tuple[Any, ...]:
        return _slowly, (pickle.dumps(self._classifier),)


def _slowly(classifier: bytes) -> Any:
    assert OPEN.wait(30)
    return pickle.loads(classifier)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def repository(own: Path) -> Repository:
    return Repository(shipped=None, own=own)


@pytest.fixture
def loader(repository: Repository) -> ModelLoader:
    """Give a loader in a process that serves version 1 of two."""
    publish(repository)
    publish(repository)
    loader = ModelLoader(repository=repository)
    loader.open_active()
    assert loader.get("shade").manifest.version == "1"
    return loader


@pytest.fixture
def opening() -> Iterator[threading.Event]:
    """Give what lets slow versions be opened; none is left waiting."""
    OPEN.clear()
    yield OPEN
    OPEN.set()


def answering(loader: ModelLoader) -> str:
    return loader.get("shade").manifest.version


def assert_soon(what: Callable[[], bool], seconds: float = PROMISED_SECONDS) -> None:
    """Wait for something at most as long as is promised."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "this did not come to be"
        time.sleep(0.02)


def damage(folder: Path) -> bytes:
    """Let a version's file be another of the same length, and give what it was."""
    whole = (folder / "source.pkl").read_bytes()
    (folder / "source.pkl").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    return whole


def test_an_activation_and_the_way_back_are_followed(loader: ModelLoader, repository: Repository) -> None:
    repository.activate("shade", "2")
    assert_soon(lambda: answering(loader) == "2")
    repository.rollback("shade")
    assert_soon(lambda: answering(loader) == "1")
    assert loader.problems() == {}


def test_a_new_model_is_open_before_the_first_who_asks(loader: ModelLoader, repository: Repository) -> None:
    publish(repository, "light")
    assert_soon(lambda: loader.answers("light"))


def test_nobody_waits_while_a_new_version_is_opened(
    loader: ModelLoader, repository: Repository, opening: threading.Event
) -> None:
    repository.publish(make_manifest(), {"source.pkl": pickle.dumps(Slow(make_classifier()))})
    repository.activate("shade", "3")
    until = time.monotonic() + 1.5
    while time.monotonic() < until:  # the follower is at the opening all the while: a wait for it would end the test
        assert answering(loader) == loader.get().manifest.version == "1"
        assert loader.get("shade", "2").manifest.version == "2"
        assert loader.problems() == {}
    opening.set()
    assert_soon(lambda: answering(loader) == "3")


def test_whoever_has_the_old_version_finishes_on_it(loader: ModelLoader, repository: Repository) -> None:
    old = loader.get("shade")
    repository.activate("shade", "2")
    assert_soon(lambda: answering(loader) == "2")
    repository.remove("shade", "1")
    answer = old.batcher.submit(np.ones(12), deadline=0)
    assert (old.manifest.version, len(answer.result)) == ("1", 2)


def test_a_damaged_version_leaves_the_old_one_answering_until_it_is_mended(
    loader: ModelLoader, repository: Repository, own: Path
) -> None:
    whole = damage(own / "shade" / "2")
    repository.activate("shade", "2")
    assert_soon(lambda: "shade" in loader.problems())
    problem = loader.problems()["shade"]
    assert "not the one its manifest pins" in problem
    assert "Version 1 goes on answering." in problem
    assert (answering(loader), loader.answers("shade")) == ("1", True)
    with pytest.raises(InvalidPackage):
        loader.get("shade", "2")
    (own / "shade" / "2" / "source.pkl").write_bytes(whole)
    assert_soon(lambda: answering(loader) == "2")
    assert_soon(lambda: loader.problems() == {})


def test_what_fails_is_not_tried_again_before_its_files_change(loader: ModelLoader, repository: Repository, own: Path) -> None:
    package = repository.publish(make_manifest(), {"source.pkl": pickle.dumps(Counted())})
    TRIED.clear()
    repository.activate("shade", "3")
    assert_soon(lambda: "shade" in loader.problems())
    time.sleep(1.2)  # two looks more
    assert len(TRIED) == 1
    (package.folder / "source.pkl").touch()
    assert_soon(lambda: len(TRIED) == 2)
    assert answering(loader) == "1"


TRIED: list[str] = []


class Counted:
    """A pickle that notes every opening of it, and fails."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _fail, ()


def _fail() -> Any:
    TRIED.append(threading.current_thread().name)
    raise ArithmeticError("no error of ours")


def test_a_version_that_cannot_answer_leaves_the_old_one_answering(loader: ModelLoader, repository: Repository) -> None:
    publish(repository, classes=("one", "two", "three"))
    repository.activate("shade", "3")
    assert_soon(lambda: "gave no probabilities" in loader.problems().get("shade", ""))
    assert answering(loader) == "1"


@pytest.mark.parametrize("loss", ["folder", "version", "manifest", "pointer", "everything"])
def test_what_answers_goes_on_when_the_disk_loses_it(loader: ModelLoader, repository: Repository, own: Path, loss: str) -> None:
    repository.activate("shade", "2")
    assert_soon(lambda: answering(loader) == "2")
    if loss == "pointer":  # it cannot be read: what is active is not known
        (own / "shade" / "active").unlink()
        (own / "shade" / "active").mkdir()
    else:
        lost = {"folder": "shade", "version": "shade/2", "manifest": f"shade/2/{MANIFEST}", "everything": ""}[loss]
        (own / lost).rename(own.parent / "lost")
    assert_soon(lambda: "shade" in loader.problems())
    assert (answering(loader), loader.get().manifest.version) == ("2", "2")
    assert loader.answers("shade")
    assert ("cannot be read" if loss == "pointer" else "no longer on the disk") in loader.problems()["shade"]


def test_what_is_shipped_does_not_take_the_place_of_what_the_disk_has_lost(tmp_path: Path, own: Path) -> None:
    publish(Repository(shipped=None, own=tmp_path / "shipped"))
    repository = Repository(shipped=tmp_path / "shipped", own=own)
    publish(repository)
    repository.activate("shade", "2")
    loader = ModelLoader(repository=repository)
    loader.open_active()
    assert answering(loader) == "2"
    own.rename(tmp_path / "lost")
    assert_soon(lambda: "no longer on the disk" in loader.problems().get("shade", ""))
    assert answering(loader) == "2"


def test_a_file_that_was_damaged_after_it_was_opened_is_told(loader: ModelLoader, own: Path) -> None:
    whole = damage(own / "shade" / "1")
    assert_soon(lambda: "answers from memory" in loader.problems().get("shade", ""))
    assert answering(loader) == "1"
    (own / "shade" / "1" / "source.pkl").write_bytes(whole)
    assert_soon(lambda: loader.problems() == {})
    manifest = own / "shade" / "1" / MANIFEST
    manifest.write_bytes(manifest.read_bytes().replace(b'"dark"', b'"grim"'))
    assert_soon(lambda: "manifest of version 1 was replaced" in loader.problems().get("shade", ""))
    assert loader.get("shade").manifest.classes == ("dark", "light")


def test_a_start_that_finds_another_version_than_was_activated_says_so(repository: Repository, own: Path) -> None:
    publish(repository)
    publish(repository)
    repository.activate("shade", "2")
    shutil.rmtree(own / "shade" / "2")
    loader = ModelLoader(repository=repository)
    loader.open_active()
    assert answering(loader) == "1"
    assert loader.problems() == {"shade": "Version 2 was activated and is not there: version 1 answers instead."}


def test_a_process_that_follows_nothing_yet_looks_for_itself(repository: Repository) -> None:
    clock = Clock()
    publish(repository)
    publish(repository)
    loader = ModelLoader(repository=repository, clock=clock)
    loader.open_active()
    repository.activate("shade", "2")
    clock.seconds += 1.01
    assert answering(loader) == "2"


@pytest.mark.usefixtures("frozen_follower")
def test_where_the_follower_is_silent_who_asks_looks(repository: Repository) -> None:
    clock = Clock()
    publish(repository)
    publish(repository)
    loader = ModelLoader(repository=repository, clock=clock)
    assert answering(loader) == "1"
    repository.activate("shade", "2")
    clock.seconds += 5.01
    assert answering(loader) == "2"


def test_a_fork_follows_on_its_own_and_does_not_answer_with_what_was_active_long_ago(repository: Repository, own: Path) -> None:
    publish(repository)
    publish(repository)
    publish(repository)
    program = (
        "import os, sys, threading, time; from pathlib import Path; from app.inference.repository import Repository; "
        "from app.services.model_loader import ModelLoader; "
        "repository = Repository(shipped=None, own=Path(sys.argv[1])); loader = ModelLoader(repository=repository); "
        "loader.open_active(); assert threading.active_count() == 1; "
        "repository.activate('shade', '2'); time.sleep(1.1); child = os.fork(); "
        "child and sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])); "
        "assert loader.get('shade').manifest.version == '2'; repository.activate('shade', '3'); time.sleep(2); "
        "assert loader.get('shade').manifest.version == '3'; assert threading.active_count() == 2; os._exit(7)"
    )
    ran = subprocess.run([sys.executable, "-c", program, str(own)], cwd=TREE, capture_output=True, text=True, check=False)
    assert ran.returncode == 7, ran.stderr


def test_the_follower_ends_with_its_loader(repository: Repository) -> None:
    publish(repository)
    before = set(threading.enumerate())
    loader = ModelLoader(repository=repository)
    loader.get("shade")
    loader.get("shade")
    (follower,) = set(threading.enumerate()) - before
    assert (follower.name, follower.daemon) == ("model-follower", True)
    del loader
    gc.collect()
    follower.join(5)
    assert not follower.is_alive()
