"""Machines that share their models through a bucket of a real S3 server: what one changes all have, whole or not at all."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from app.config import TREE
from app.errors import ModelNotFound, StoreUnavailable, VersionKept
from app.inference.predictor import Predictor
from app.inference.repository import Repository
from app.services.model_index import read_index
from app.services.shared_models import SharedRepository
from app.storage.bucket import Bucket, ObjectChanged, Stored, Tag
from tests.factories import make_classifier, make_manifest, publish
from tests.s3_server import RunningS3
from tests.waiting import wait_until

KILLS = 4
INDEX = "models/index.json"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningS3]:
    with RunningS3(tmp_path_factory.mktemp("s3")) as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        yield running


@pytest.fixture
def url(server: RunningS3) -> str:
    return f"{server.url}/{uuid4().hex}"


def machine(folder: Path, url: str, *, shipped: Path | None = None) -> SharedRepository:
    index = Bucket(url, seconds=1)  # half of what is usual, since tests wait for it in vain
    return SharedRepository(shipped=shipped, own=folder, index=index, packages=Bucket(url, seconds=60))


@pytest.fixture
def one(tmp_path: Path, url: str) -> SharedRepository:
    return machine(tmp_path / "one", url)


@pytest.fixture
def other(tmp_path: Path, url: str) -> SharedRepository:
    return machine(tmp_path / "other", url)


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def state(repository: SharedRepository, name: str = "shade") -> tuple[list[str], list[str]]:
    assert repository.refresh() is None
    return repository.versions(name), repository.activations(name)


def test_what_is_published_on_one_answers_on_the_other(one: SharedRepository, other: SharedRepository) -> None:
    there = publish(one)
    assert there.manifest.version == "1"
    assert other.names() == []
    other.refresh()
    package = other.package("shade")
    assert files_of(package.folder) == files_of(there.folder)
    assert Predictor(package).manifest == there.manifest


def test_activations_and_shadows_reach_the_other_from_either(one: SharedRepository, other: SharedRepository) -> None:
    for _ in range(3):
        publish(one)
    other.refresh()
    other.activate("shade", "3")
    assert state(one) == (["1", "2", "3"], ["3", "1"])
    one.begin_shadow("shade", "2", 0.25)
    other.refresh()
    shadow = other.shadow("shade")
    assert shadow is not None
    assert (shadow.version, shadow.share) == ("2", 0.25)
    assert other.rollback("shade") == "1"
    assert other.end_shadow("shade").version == "2"
    one.refresh()
    assert (one.active_version("shade"), one.shadow("shade")) == ("1", None)


def test_what_is_removed_is_gone_everywhere_and_its_number_never_comes_again(
    one: SharedRepository, other: SharedRepository, url: str
) -> None:
    for _ in range(3):
        publish(one)
    other.refresh()
    other.remove("shade", "3")
    assert state(one) == state(other) == (["1", "2"], ["1"])
    assert publish(one).manifest.version == "4"
    with pytest.raises(VersionKept):
        other.remove("shade", "1")
    folders = {key.split("/")[2] for key, _ in Bucket(url).listed("models") if key.count("/") > 2}
    index = read_index(Bucket(url).read(INDEX))
    assert folders == {place.folder for place in index.models["shade"].versions.values()}


def test_versions_that_came_along_are_counted_and_stay_active(tmp_path: Path, url: str) -> None:
    publish(Repository(shipped=None, own=tmp_path / "shipped"))
    one, other = (machine(tmp_path / name, url, shipped=tmp_path / "shipped") for name in ("one", "other"))
    assert publish(one).manifest.version == "2"
    other.refresh()
    assert (other.versions("shade"), other.active_version("shade")) == (["1", "2"], "1")
    other.activate("shade", "2")
    assert state(one)[1] == ["2", "1"]


def test_of_machines_that_publish_at_once_no_two_get_the_same_number(tmp_path: Path, url: str) -> None:
    machines = [machine(tmp_path / str(number), url) for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(lambda repository: [publish(repository).manifest.version for _ in range(3)], machines))
    assert sorted(int(number) for some in numbers for number in some) == list(range(1, 13))
    assert all(state(repository)[0] == [str(number) for number in range(1, 13)] for repository in machines)


def test_a_change_is_followed_by_one_process_of_a_machine(one: SharedRepository, tmp_path: Path, url: str) -> None:
    publish(one)
    workers = [machine(tmp_path / "other", url) for _ in range(2)]
    for worker in workers:
        worker.follow()
    wait_until(lambda: workers[0].versions("shade") == ["1"])
    publish(one)
    one.activate("shade", "2")
    for _ in range(20):
        workers[1].follow()  # it leaves that to the other one
    assert workers[1].versions("shade") == ["1"]
    workers[0].follow()
    wait_until(lambda: workers[1].active_version("shade") == "2")
    assert workers[1].problem() is None


class Late(Bucket):
    """A bucket whose first answer is from before the latest change."""

    before: Stored | None = None

    def fetch(self, key: str, unless: Tag | None = None) -> Stored | None:
        late, self.before = self.before, None
        return late or super().fetch(key, unless)


def test_a_look_that_began_before_a_change_takes_nothing_back(one: SharedRepository, tmp_path: Path, url: str) -> None:
    publish(one)
    index = Late(url)
    index.before = index.fetch(INDEX)
    publish(one)
    worker = SharedRepository(shipped=None, own=tmp_path / "one", index=index, packages=Bucket(url))
    inode = (tmp_path / "one" / "shade" / "2").stat().st_ino
    worker.follow()
    wait_until(lambda: not worker._looking.is_alive())  # type: ignore[union-attr]
    assert index.before is None
    assert (tmp_path / "one" / "shade" / "2").stat().st_ino == inode


def test_what_has_not_changed_costs_one_small_request(one: SharedRepository, server: RunningS3) -> None:
    publish(one)
    one.follow()
    wait_until(lambda: not one._looking.is_alive())  # type: ignore[union-attr]
    before = len(server.requests)
    one.follow()
    wait_until(lambda: len(server.requests) == before + 1)
    assert '" 304 -' in server.requests[-1]


def test_while_the_store_is_away_models_stay_and_nothing_changes(one: SharedRepository, server: RunningS3) -> None:
    publish(one)
    server.freeze()
    try:
        for change in (lambda: one.activate("shade", "1"), lambda: publish(one), lambda: one.remove("shade", "1")):
            with pytest.raises(StoreUnavailable, match=r"^The store of the models does not answer; "):
                change()
        one.follow()
        wait_until(lambda: one.problem() is not None)
        assert one.problem() == (
            "The store of the models does not answer; please try again in a moment. "
            "This machine goes on with the models that it has."
        )
        assert one.refresh() == one.problem()
        assert one.active_version("shade") == "1"
    finally:
        server.thaw()
    wait_until(lambda: one.follow() or one.problem() is None)  # type: ignore[func-returns-value]


def test_a_machine_that_never_had_the_models_does_not_go_on_without_the_store(
    other: SharedRepository, server: RunningS3
) -> None:
    assert other.problem() == "The models in the store have not been fetched yet."
    server.freeze()
    try:
        with pytest.raises(StoreUnavailable, match=r"^The models in the store cannot be fetched: The store of the models "):
            other.refresh()
    finally:
        server.thaw()
    assert other.refresh() is None
    assert other.problem() is None


def test_an_index_that_is_gone_or_not_ours_takes_no_model_away(one: SharedRepository, url: str) -> None:
    publish(one)
    bucket = Bucket(url)
    good = bucket.read(INDEX)
    bad = good.replace(b'"shade"', b'"../shade"')
    for content, told in ((None, "is gone"), (b"{}x", "cannot be read"), (bad, "not one of Vitrine's")):
        bucket.delete([INDEX]) if content is None else bucket.write(INDEX, content)
        assert told in (one.refresh() or "")
        with pytest.raises(StoreUnavailable):
            publish(one)
        assert one.versions("shade") == ["1"]
    bucket.write(INDEX, good)
    assert one.refresh() is None


@pytest.mark.parametrize("damage", ["altered", "missing"])
def test_a_file_that_is_not_the_pinned_one_is_never_here(
    one: SharedRepository, other: SharedRepository, url: str, damage: str
) -> None:
    publish(one)
    other.refresh()
    publish(one)
    one.activate("shade", "2")
    publish(one, "another")
    place = read_index(Bucket(url).read(INDEX)).models["shade"].versions["2"]
    key = f"models/shade/{place.folder}/source.pkl"
    Bucket(url).delete([key]) if damage == "missing" else Bucket(url).write(key, b"something else")
    assert "shade could not be fetched from the store: " in (other.refresh() or "")
    assert (other.versions("shade"), other.active_version("shade")) == (["1"], "1")
    assert other.names() == ["another", "shade"], "another model is followed all the same"


def test_a_copy_that_somebody_took_away_comes_back_at_a_start(one: SharedRepository, tmp_path: Path) -> None:
    publish(one)
    shutil.rmtree(tmp_path / "one" / "shade" / "1")
    assert one.versions("shade") == []
    assert state(one)[0] == ["1"]


def test_what_a_killed_upload_left_is_swept_when_it_is_old(
    one: SharedRepository, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(one)
    bucket, left = Bucket(url), f"models/shade/{uuid4().hex}/source.pkl"
    bucket.write(left, b"half")
    one.sweep()
    assert bucket.present([left]), "somebody may be at it"
    monkeypatch.setattr("app.services.shared_models._LEFT_BEHIND", -timedelta(minutes=1))
    one.sweep()
    assert not bucket.present([left])
    shutil.rmtree(one.package("shade").folder)
    assert state(one)[0] == ["1"], "what the index names is there"


class Careless(Bucket):
    """A store that heeds no conditions."""

    def exchange(self, key: str, content: bytes, expected: Tag | None) -> Tag:
        self.write(key, content)
        return Tag(None, None)


def test_a_store_that_heeds_no_conditions_is_not_written_to(tmp_path: Path, url: str) -> None:
    careless = SharedRepository(shipped=None, own=tmp_path / "own", index=Careless(url), packages=Bucket(url))
    with pytest.raises(StoreUnavailable, match="takes no conditional writes"):
        publish(careless)
    with pytest.raises(FileNotFoundError):
        Bucket(url).read(INDEX)


class Slow(Bucket):
    """A bucket on which another machine is always faster."""

    def exchange(self, key: str, content: bytes, expected: Tag | None) -> Tag:
        if key == INDEX:
            raise ObjectChanged
        return super().exchange(key, content, expected)


def test_whoever_is_never_the_fastest_is_told_so(tmp_path: Path, url: str) -> None:
    slow = SharedRepository(shipped=None, own=tmp_path / "own", index=Slow(url), packages=Bucket(url))
    with pytest.raises(Exception, match="Other machines are changing the models"):
        publish(slow)
    with pytest.raises(ModelNotFound):
        slow.active_version("shade")


# For every line it gets it forks a process that publishes and activates without end, and tells its number, what that one has
# done, and that it is gone.
PROGRAM = """
import os, sys
from pathlib import Path
from app.inference.package import Manifest
from app.inference.recipe import Recipe
from app.services.shared_models import SharedRepository
from app.storage.bucket import Bucket

index, packages = Bucket(sys.argv[2]), Bucket(sys.argv[2])
repository = SharedRepository(shipped=None, own=Path(sys.argv[1]), index=index, packages=packages)
files = {f"samples/{number}": os.urandom(2_000) for number in range(4)}
made = "2026-01-01T00:00:00+00:00"
manifest = Manifest("shade", "", ("dark", "light"), Recipe(2, 2), "sklearn", "source.pkl", {}, made, "imported")
for line in sys.stdin:
    child = os.fork()
    while not child:
        version = repository.publish(manifest, {**files, "source.pkl": os.urandom(20_000)}).manifest.version
        os.write(1, f"published {version}\\n".encode())
        repository.activate("shade", version)
        os.write(1, f"activated {version}\\n".encode())
    os.write(1, f"forked {child}\\n".encode())
    os.waitpid(child, 0)
    os.write(1, b"gone\\n")
"""


def killed(program: subprocess.Popen[str], first: str, after: float) -> list[str]:
    """Let one begin, kill it so many seconds after it has told the first thing, and give what it told."""
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdin.write("go\n")
    program.stdin.flush()
    told: list[str] = []
    while not all(any(line.startswith(word) for line in told) for word in ("forked", first)):
        told.append(program.stdout.readline().strip())
    time.sleep(after)
    (child,) = [int(line.split()[1]) for line in told if line.startswith("forked")]
    os.kill(child, signal.SIGKILL)
    while told[-1] != "gone":
        told.append(program.stdout.readline().strip())
    return [line for line in told if line.startswith(("published", "activated"))]


def test_whoever_is_killed_leaves_the_old_state_or_the_new_one(tmp_path: Path, url: str, other: SharedRepository) -> None:
    words, told = [sys.executable, "-c", PROGRAM, str(tmp_path / "killed"), url], list[str]()
    with subprocess.Popen(words, cwd=TREE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        for number in range(KILLS):
            # However slow the machine is, half of them have published something.
            told += killed(program, ("forked", "published")[number % 2], 0.1 + 0.05 * number)
            versions, activations = state(other)
            for line in told:
                done, version = line.split()
                assert version in (versions if done == "published" else activations), line
            assert set(activations) <= set(versions)
            for version in versions:
                package = other.package("shade", version)
                assert all(package.pinned(file) for file in package.manifest.digests)
        program.communicate(timeout=30)
    assert program.returncode == 0
    assert told, "something was published"


def test_what_cannot_be_called_so_is_not_sent_anywhere(one: SharedRepository, server: RunningS3) -> None:
    before = len(server.requests)
    with pytest.raises(Exception, match="cannot be called"):
        one.publish(make_manifest("../shade"), {"source.pkl": bytes(make_classifier().n_features_in_)})
    assert len(server.requests) == before
