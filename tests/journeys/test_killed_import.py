"""`kill -9` at any moment of an import: what answered before still does, nothing is half there, and nothing stays behind."""

from __future__ import annotations

import os
import pickle
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from sklearn.ensemble import RandomForestClassifier

from app.inference.predictor import Predictor
from app.inference.repository import Repository
from tests.intake.classifiers import digits
from tests.sampling import sampled, times
from tests.serving import TREE, VITRINE

pytestmark = [pytest.mark.journey, sampled]

KILLS = times(40, 6)
SECONDS = 6.0


def start_import(folder: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "VITRINE_DATA": str(folder / "data")}
    words = [*VITRINE, "models", "import", str(folder / "model.pkl"), "--name", "forest"]
    return subprocess.Popen(words, cwd=TREE, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def children_of(process: int) -> list[int]:
    try:
        text = Path(f"/proc/{process}/task/{process}/children").read_text()
    except OSError:
        return []
    found = [int(word) for word in text.split()]
    return found + [inner for child in found for inner in children_of(child)]


def gone(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def assert_whole(repository: Repository) -> None:
    """Every version that is listed is whole and answers; so does the active one."""
    for version in repository.versions("forest"):
        package = repository.package("forest", version)
        for file in package.manifest.digests:
            package.pinned(file)
    if repository.versions("forest"):
        Predictor(repository.package("forest")).warm_up()


def kill_at_random_moments(folder: Path, kills: int, rng: random.Random) -> int:
    """Start and kill imports, and give how many were killed before they ended."""
    forest = RandomForestClassifier(20, random_state=0).fit(*digits())
    (folder / "model.pkl").write_bytes(pickle.dumps(forest))
    repository = Repository(shipped=None, own=folder / "data" / "models")
    killed = 0
    for _ in range(kills):
        before = repository.versions("forest")
        process = start_import(folder)
        time.sleep(rng.uniform(0, SECONDS))
        helpers = children_of(process.pid)
        killed += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
        deadline = time.monotonic() + 10
        while not all(map(gone, helpers)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert all(map(gone, helpers)), "the confined process outlived the import"
        after = repository.versions("forest")
        assert after[: len(before)] == before
        assert len(after) <= len(before) + 1
        assert_whole(repository)
    return killed


def test_killed_imports_leave_the_old_or_the_new_version_whole(tmp_path: Path) -> None:
    assert kill_at_random_moments(tmp_path, KILLS, random.Random(7)) >= KILLS // 3
    assert start_import(tmp_path).wait(timeout=120) == 0
    repository = Repository(shipped=None, own=tmp_path / "data" / "models")
    assert repository.active_version("forest") == repository.versions("forest")[-1]
    left = [entry.name for entry in (tmp_path / "data" / "models" / "forest").iterdir() if entry.name.startswith(".")]
    assert left == []
