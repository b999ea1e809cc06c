"""The numbers of all processes as one, and those of ended ones kept without their files."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.config import TREE
from app.errors import Overloaded
from app.services.telemetry import exposition as module
from app.services.telemetry.exposition import exposition, is_shared_folder, shared_folder, sweep

# What a process counts, and what it tells of itself.
WORKING = """
import sys
from app.services.telemetry.metrics import Metrics
from app.services.telemetry.numbers import levels

for _ in range(int(sys.argv[1])):
    Metrics().asked("/", "GET", 200)
Metrics().login_failed()
levels().workers.set(1)
"""
READING = "from app.services.telemetry.exposition import exposition; print(exposition('').body.decode())"
OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)}


def work(folder: Path, requests: int = 3) -> None:
    """Let a process count, and end."""
    subprocess.run([sys.executable, "-c", WORKING, str(requests)], cwd=TREE, env=environment(folder), check=True)


def read(folder: Path) -> dict[str, float]:
    """Give what a further process reads, by name and labels."""
    command = [sys.executable, "-c", READING]
    told = subprocess.run(command, cwd=TREE, env=environment(folder), check=True, capture_output=True, text=True).stdout
    return {
        " ".join([sample.name, *map(str, sample.labels.values())]): sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
    }


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.db")}


def test_what_ended_processes_counted_is_kept_and_what_they_were_is_not(tmp_path: Path) -> None:
    for _ in range(2):
        work(tmp_path)
    found = read(tmp_path)
    assert (found["vitrine_requests_total page GET 2xx"], found["vitrine_logins_total failed"]) == (6, 2)
    assert "vitrine_workers" not in found
    assert {name for name in files(tmp_path) if "gauge" in name} == set()


def test_however_many_have_ended_there_is_one_file_of_each_kind(tmp_path: Path) -> None:
    for number in (1, 2, 4):
        work(tmp_path, number)
        sweep(tmp_path)
        assert files(tmp_path) == {"counter_ended.db", "histogram_ended.db"}
    assert read(tmp_path)["vitrine_requests_total page GET 2xx"] == 7


def test_a_process_that_lives_keeps_its_files(tmp_path: Path) -> None:
    work(tmp_path)
    for path in list(tmp_path.glob("*.db")):
        kind = path.stem.rpartition("_")[0]
        path.rename(tmp_path / f"{kind}_{os.getpid()}.db")
    before = files(tmp_path)
    sweep(tmp_path)
    assert files(tmp_path) == before
    assert read(tmp_path)["vitrine_workers"] == 1


def test_nobody_adds_up_while_somebody_reads(tmp_path: Path) -> None:
    work(tmp_path)
    before = files(tmp_path)
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        sweep(tmp_path)
        assert files(tmp_path) == before
    sweep(tmp_path)
    assert files(tmp_path) != before


def test_who_adds_up_for_ever_keeps_nobody_waiting_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0.05)
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Overloaded):
            exposition("")


def test_a_file_that_is_just_beginning_is_no_fault(tmp_path: Path) -> None:
    work(tmp_path)
    sweep(tmp_path)
    (tmp_path / f"counter_{os.getpid()}.db").write_bytes(bytes(65_536))
    assert read(tmp_path)["vitrine_logins_total failed"] == 1


@pytest.mark.parametrize("content", [b"", b"\x00", b"\xff\x00\x00\x00" + bytes(60)], ids=["empty", "short", "cut off"])
def test_what_a_process_left_half_written_is_swept_away(tmp_path: Path, content: bytes) -> None:
    work(tmp_path)
    (tmp_path / "counter_4194305.db").write_bytes(content)
    sweep(tmp_path)
    assert files(tmp_path) == {"counter_ended.db", "histogram_ended.db"}
    assert read(tmp_path)["vitrine_logins_total failed"] == 1


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "text/plain"),
        ("text/plain;version=0.0.4", "text/plain"),
        (f"{OPEN_METRICS},*/*;q=0.1", "application/openmetrics-text"),
    ],
)
def test_the_form_is_the_one_that_is_asked_for(accept: str, kind: str) -> None:
    found = exposition(accept)
    assert found.content_type.startswith(kind)
    assert found.body.endswith(b"# EOF\n") == (kind != "text/plain")
    assert b"# TYPE vitrine_logins" in found.body


def test_a_process_by_itself_tells_its_own_and_nothing_of_python() -> None:
    names = {family.name for family in text_string_to_metric_families(exposition("").body.decode())}
    assert all(name.startswith("vitrine_") for name in names)
    assert not {name for name in names if name.endswith("_created")}


def test_the_folder_is_this_processs_own_and_those_of_ended_ones_go(tmp_path: Path) -> None:
    ended = tmp_path / "vitrine-metrics-4194305"  # beyond the greatest number of a process
    ended.mkdir()
    folder = shared_folder(tmp_path)
    assert folder == shared_folder(tmp_path) == tmp_path / f"vitrine-metrics-{os.getpid()}"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not ended.exists()
    assert (is_shared_folder(str(folder)), is_shared_folder("/run/metrics")) == (True, False)
