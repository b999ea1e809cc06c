"""Switching versions on a running site of two workers, under load: no answer fails, none is another version's than it says."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.inference.repository import Repository
from tests.factories import make_classifier, make_manifest, make_picture, publish
from tests.sampling import WHOLE, sampled, times
from tests.serving import RunningSite

CONCURRENCY = 8
# Between two pictures of an asker: under `make test-hard` they leave the machine no rest.
REST_SECONDS = 0.0 if WHOLE else 0.02
PROMISED_SECONDS = 2.0
WHITE = make_picture((255, 255, 255))
# What each version says of a white picture: the manifests are alike, so only the classifier that answered can tell.
SAYS = {"1": "light", "2": "dark"}


@dataclass(frozen=True)
class Site:
    """A running site, and the repository that it serves."""

    running: RunningSite
    repository: Repository


@dataclass
class Load:
    """Everything that was asked and answered: when it was asked (`time.monotonic`), and by which version it was answered."""

    answered: list[tuple[float, str]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def since(self, when: float) -> set[str]:
        """Give the versions that answered what was asked from then on."""
        return {version for asked, version in self.answered if asked >= when}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a site that serves one model in two versions, the first of them active."""
    folder = tmp_path_factory.mktemp("switch")
    (folder / "shipped").mkdir()
    running = RunningSite(folder, models=str(folder / "shipped"), workers="2", key_limit="0")
    repository = Repository(shipped=None, own=running.data / "models")
    publish(repository)
    publish_reversed(repository)
    with running:
        assert running.key
        yield Site(running, repository)


def publish_reversed(repository: Repository) -> Path:
    """Publish a version that was taught to take white for dark."""
    content = pickle.dumps(make_classifier(("light", "dark")))
    return repository.publish(make_manifest(), {"source.pkl": content}).folder


@contextmanager
def load_on(site: Site) -> Iterator[Load]:
    """Ask all the time, each time on a connection of its own, so that both workers are asked."""
    load, over = Load(), threading.Event()

    def ask() -> None:
        while not over.wait(REST_SECONDS):
            asked = time.monotonic()
            try:
                reply = site.running.predict(WHITE)
                version, top = reply.json["model"]["version"], reply.json["label"]
            except Exception as error:
                load.failed.append(repr(error))
                continue
            if reply.status != 200 or top != SAYS[version]:
                load.failed.append(f"{reply.status}: version {version} said {top}")
            load.answered.append((asked, version))

    askers = [threading.Thread(target=ask) for _ in range(CONCURRENCY)]
    for asker in askers:
        asker.start()
    try:
        yield load
    finally:
        over.set()
        for asker in askers:
            asker.join(90)


def assert_all_follow(load: Load, version: str, activated: float) -> None:
    """See that from the promised time on only this version answers."""
    time.sleep(PROMISED_SECONDS + 1.0)
    assert load.since(activated + PROMISED_SECONDS) == {version}


@sampled
@pytest.mark.parametrize("pause", [0.0, 0.2])
def test_many_switches_under_load_fail_nobody_and_are_followed_by_all(site: Site, pause: float) -> None:
    with load_on(site) as load:
        for turn in range(times(50, 16)):
            site.repository.activate("shade", str(2 - turn % 2))
            time.sleep(pause)
        last = time.monotonic() - pause
        assert_all_follow(load, "1", last)
        site.repository.activate("shade", "2")
        assert_all_follow(load, "2", time.monotonic())
        site.repository.rollback("shade")
        assert_all_follow(load, "1", time.monotonic())
    assert load.failed == []
    assert {version for _, version in load.answered} == {"1", "2"}


def test_a_damaged_version_that_is_activated_never_answers_and_is_told(site: Site) -> None:
    damaged = publish_reversed(site.repository)
    whole = (damaged / "source.pkl").read_bytes()
    (damaged / "source.pkl").write_bytes(whole[: len(whole) // 2])
    with load_on(site) as load:
        site.repository.activate("shade", damaged.name)
        assert_all_follow(load, "1", time.monotonic())
        for _ in range(20):  # both workers
            ready = site.running.request("GET", "/readyz")
            assert (ready.status, ready.json["status"]) == (200, "ready")
            (problem,) = ready.json["problems"]
            assert problem.startswith(f"shade: The file 'source.pkl' of shade {damaged.name} is not the one its manifest pins.")
            assert problem.endswith("Version 1 goes on answering.")
        assert site.repository.rollback("shade") == "1"
        time.sleep(PROMISED_SECONDS)
        assert site.running.request("GET", "/readyz").json == {"status": "ready", "problems": []}
    assert load.failed == []
    assert {version for _, version in load.answered} == {"1"}
