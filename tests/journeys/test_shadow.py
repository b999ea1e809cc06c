"""A version in the shadow of a running site of two workers: every worker follows, and the answers are as they were."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.inference.repository import Repository
from tests.factories import make_picture, publish
from tests.serving import RunningSite
from tests.shadows import Blocked, Failing, publish_reversed, publish_served
from tests.waiting import wait_until

PROMISED_SECONDS = 2.0
WHITE = make_picture((255, 255, 255))


@dataclass(frozen=True)
class Site:
    """A running site of two workers, and the repository that it serves."""

    running: RunningSite
    repository: Repository

    def ask(self) -> tuple[str, str, dict[str, float]]:
        """Have a white picture answered on a connection of its own, and give the version, the class and all probabilities."""
        reply = self.running.predict(WHITE)
        assert reply.status == 200, reply.body
        told = reply.json
        return told["model"]["version"], told["label"], {each["label"]: each["probability"] for each in told["predictions"]}

    def ask_for(self, seconds: float) -> list[tuple[str, str, dict[str, float]]]:
        """Ask again and again for so long."""
        until, answers = time.monotonic() + seconds, []
        while time.monotonic() < until:
            answers.append(self.ask())
        return answers

    def rows(self, version: str) -> list[tuple[str, str | None, str | None]]:
        """Give what is kept of a version in the shadow: what was answered, what it said, and whose prediction that is."""
        return self.select(
            "SELECT label, shadow_label, prediction_id FROM shadow_answers WHERE version = ? ORDER BY id", version
        )

    def passed_over(self, version: str) -> int:
        """Give for how many pictures there was no time."""
        ((count,),) = self.select("SELECT SUM(passed_over) FROM shadow_answers WHERE version = ?", version)
        return int(count)

    def stored(self) -> set[str]:
        """Give the identifiers of all predictions that are kept."""
        return {number for (number,) in self.select("SELECT id FROM predictions")}

    def select(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        """Ask the site's database."""
        with closing(sqlite3.connect(self.running.data / "vitrine.db", timeout=30)) as database:
            return database.execute(query, values).fetchall()

    def begin(self, version: str) -> None:
        """Let a version run in the shadow, as an operator does, and wait for as long as is promised."""
        assert self.running.run("models", "shadow", "shade", version).returncode == 0
        time.sleep(PROMISED_SECONDS)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("shadow")
    (folder / "shipped").mkdir()
    running = RunningSite(folder, models=str(folder / "shipped"), workers="2", key_limit="0")
    repository = Repository(shipped=None, own=running.data / "models")
    publish(repository)
    with running:
        assert running.key
        yield Site(running, repository)


def test_every_picture_is_looked_at_by_a_shadow_of_all_and_the_answers_stay_what_they_were(site: Site) -> None:
    expected = site.ask()
    assert expected[:2] == ("1", "light")
    version, before = publish_reversed(site.repository), site.stored()
    site.begin(version)
    answers = site.ask_for(3)
    assert {answer[:2] for answer in answers} == {("1", "light")}
    assert all(answer[2] == expected[2] for answer in answers)
    ended = site.running.run("models", "shadow", "shade", "--off")
    assert ended.returncode == 0, ended.stderr
    time.sleep(PROMISED_SECONDS)
    rows = site.rows(version)
    seen, stored = {prediction for _, _, prediction in rows}, site.stored() - before
    assert seen <= stored
    # Every worker took part, or pictures would be missing; while a worker opens the version, some are passed over.
    assert len(seen) + site.passed_over(version) == len(stored)
    assert len(seen) > len(stored) / 2
    assert {row[:2] for row in rows} == {("light", "dark")}
    site.ask_for(1)
    time.sleep(1.5)
    assert site.rows(version) == rows, "it ended"


def test_no_answer_waits_for_a_shadow_that_is_still_looking(site: Site, tmp_path: Path) -> None:
    version = publish_served(site.repository, Blocked(tmp_path))
    site.begin(version)
    answers = [site.ask() for _ in range(60)]
    assert (tmp_path / "asked").exists()
    assert {answer[:2] for answer in answers} == {("1", "light")}
    assert site.rows(version) == [], "the shadow has said nothing yet, and everybody was answered"
    (tmp_path / "go").touch()
    wait_until(lambda: site.rows(version))
    told = site.running.run("models", "shadow", "shade").stdout
    assert f"shade {version} runs in the shadow of version 1, on 100 % of the pictures." in told
    wait_until(lambda: "passed over 0" not in site.running.run("models", "shadow", "shade").stdout)


def test_a_shadow_that_fails_harms_no_answer_and_is_told_once_a_process(site: Site) -> None:
    version = publish_served(site.repository, Failing())
    site.begin(version)
    assert {answer[:2] for answer in site.ask_for(2)} == {("1", "light")}
    wait_until(lambda: site.rows(version))
    assert {row[:2] for row in site.rows(version)} == {("light", None)}
    assert 1 <= site.running.log.count("shadow_failed") <= 2
    assert site.running.request("GET", "/readyz").json == {"status": "ready", "problems": []}


def test_it_ends_on_every_worker_when_it_is_activated(site: Site) -> None:
    publish(site.repository)
    version = site.repository.versions("shade")[-1]
    site.begin(version)
    site.ask()
    wait_until(lambda: site.rows(version))
    site.repository.activate("shade", version)
    time.sleep(PROMISED_SECONDS)
    kept = site.rows(version)
    assert {answer[0] for answer in site.ask_for(1)} == {version}
    time.sleep(1.5)
    assert site.rows(version) == kept
    site.repository.activate("shade", "1")
    time.sleep(PROMISED_SECONDS)
    assert {answer[0] for answer in site.ask_for(1)} == {"1"}
    time.sleep(1.5)
    assert site.rows(version) == kept, "it does not come back"
