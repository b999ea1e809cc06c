"""A process that is killed while it publishes and activates: what it leaves is the old state or the new one, whole."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.config import TREE
from app.inference.repository import Repository

KILLS = 100

# For every line it gets it forks a process that publishes and activates without end, tells its number, and later that it is
# gone. The one that is forked tells each version that it has published, is about to activate, and has activated: "2+", "2?"
# and "2!". It never activates the newest, which would answer where there is no pointer.
PROGRAM = """
import os, sys
from pathlib import Path
from app.inference.package import Manifest
from app.inference.recipe import Recipe
from app.inference.repository import Repository

repository = Repository(shipped=None, own=Path(sys.argv[1]))
files = {f"samples/{number}": os.urandom(20_000) for number in range(4)}
made = "2026-01-01T00:00:00+00:00"
manifest = Manifest("shade", "", ("dark", "light"), Recipe(2, 2), "sklearn", "source.pkl", {}, made, "imported")
for line in sys.stdin:
    child = os.fork()
    while not child:
        version = repository.publish(manifest, {**files, "source.pkl": os.urandom(100_000)}).manifest.version
        os.write(1, f"{version}+\\n".encode())
        for version in repository.versions("shade")[-3:-1]:
            os.write(1, f"{version}?\\n".encode())
            repository.activate("shade", version)
            os.write(1, f"{version}!\\n".encode())
        for version in repository.versions("shade")[:-3]:
            repository.remove("shade", version)
    os.write(1, f"forked {child}\\n".encode())
    os.waitpid(child, 0)
    os.write(1, b"gone\\n")
"""


class Victims:
    """Processes that publish and activate, one after the other, each killed at its work."""

    def __init__(self, folder: Path) -> None:
        self._program = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(folder)], cwd=TREE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def kill_one(self, after: float) -> list[str]:
        """Start one, kill it after so many seconds of work, and give what it told."""
        assert self._program.stdin is not None
        self._program.stdin.write("go\n")
        self._program.stdin.flush()
        told: list[str] = []
        while not any(line.startswith("forked") for line in told):
            told.append(self._line())
        (child,) = [int(line.split()[1]) for line in told if line.startswith("forked")]
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
        while told[-1] != "gone":
            told.append(self._line())
        return [line for line in told if line.endswith(("+", "?", "!"))]

    def end(self) -> None:
        """Let the program end, and see that it did nothing wrong."""
        self._program.communicate(timeout=30)
        assert self._program.returncode == 0

    def _line(self) -> str:
        assert self._program.stdout is not None
        line = self._program.stdout.readline()
        assert line, "the program has ended"
        return line.strip()


@pytest.fixture
def victims(tmp_path: Path) -> Iterator[Victims]:
    victims = Victims(tmp_path / "own")
    yield victims
    victims.end()


def assert_whole(repository: Repository, folder: Path) -> None:
    """See that every version is there with all its files, each the pinned one, and that there are no halves of others."""
    assert {entry.name for entry in folder.glob("[!.]*") if entry.is_dir()} == set(repository.versions("shade"))
    for version in repository.versions("shade"):
        package = repository.package("shade", version)
        assert len(package.manifest.digests) == 5
        for file in package.manifest.digests:
            package.pinned(file)


def test_whenever_a_process_is_killed_the_old_or_the_new_version_is_active_and_whole(victims: Victims, tmp_path: Path) -> None:
    own = tmp_path / "own"
    repository = Repository(shipped=None, own=own)
    chance = random.Random(9)
    active, seen, left = "", set[str](), 0
    for turn in range(KILLS):
        told = victims.kill_one(after=chance.uniform(0, 0.08))
        done = [line[:-1] for line in told if line.endswith("!")]
        active = done[-1] if done else active
        allowed = {active} | ({told[-1][:-1]} if told and told[-1].endswith("?") else set())
        versions = repository.versions("shade")
        if versions:
            # Before anything was activated, the first and only version answers.
            assert repository.active_version("shade") in (allowed if active else {*allowed, "1"}), (turn, told)
            active = repository.active_version("shade")
        assert_whole(repository, own / "shade")
        left += sum(1 for entry in own.rglob(".*") if entry.name != ".lock")
        fresh = {line[:-1] for line in told if line.endswith("+")}
        assert not fresh & seen, "a number was given twice"
        seen |= fresh
    repository.sweep()
    assert [entry.name for entry in own.rglob(".*")] == [".lock"]
    assert left > KILLS / 10, "no process was killed at its work"
    assert len(seen) > KILLS / 10, "no process got to work"
