"""Counters of all workers: exact, whoever counts, and said plainly where they cannot be counted."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.config import TREE
from app.errors import DatabaseUnavailable
from app.storage.counters import CounterFile

COUNTING = """
import sys
from pathlib import Path
from app.storage.counters import CounterFile

counters = CounterFile(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    print(counters.count("shared", 60).amount, flush=True)
"""
FORKING = """
import os, sys
from pathlib import Path
from app.storage.counters import CounterFile

counters = CounterFile(Path(sys.argv[1]))
counters.count("shared", 60)
children = []
for _ in range(4):
    child = os.fork()
    if not child:
        for _ in range(200):
            counters.count("shared", 60)
        os._exit(0)
    children.append(child)
for _ in range(200):
    counters.count("shared", 60)
print([os.waitpid(child, 0)[1] for child in children], counters.count("shared", 60, 0).amount, counters.count("own", 60).amount)
"""

ORPHANS = """
import os, sys
from pathlib import Path
from app.storage.counters import CounterFile

counters = CounterFile(Path(sys.argv[1]))
counters.count("shared", 60)
go, started = os.pipe()
for _ in range(2):
    if not os.fork():
        os.close(started)
        os.read(go, 1)  # until the parent is gone
        for _ in range(200):
            counters.count("shared", 60)
        print("counted", flush=True)
        os._exit(0)
del counters
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "counters.mdb"


@pytest.fixture
def counters(file: Path) -> CounterFile:
    return CounterFile(file)


def counting(file: Path, times: int) -> subprocess.Popen[str]:
    """Give a process that waits for a line before it counts."""
    process = subprocess.Popen(
        [sys.executable, "-c", COUNTING, str(file), str(times)],
        cwd=TREE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def rows_in(file: Path) -> int:
    looking = f"import lmdb; print(lmdb.open({str(file)!r}, subdir=False, readonly=True).stat()['entries'])"
    return int(subprocess.run([sys.executable, "-c", looking], capture_output=True, text=True, check=True).stdout)


def test_a_counter_tells_what_it_stands_at(counters: CounterFile) -> None:
    assert [counters.count("a", 60).amount, counters.count("a", 60, 5).amount, counters.count("b", 60).amount] == [1, 6, 1]
    assert [counters.count(key, 60, 0).amount for key in "abc"] == [6, 1, 0]


def test_a_window_begins_with_its_first_count_and_is_not_put_off(counters: CounterFile) -> None:
    began = time.time()
    first = counters.count("a", 60)
    assert began + 60 <= first.ends_at <= time.time() + 60
    assert counters.count("a", 600) == (2, first.ends_at)


def test_a_counter_whose_window_is_over_starts_anew(counters: CounterFile) -> None:
    assert [counters.count("a", 0).amount, counters.count("a", 0).amount] == [1, 1]
    assert counters.count("a", 60, 0).amount == 0
    assert [counters.count("a", 60).amount, counters.count("a", 60).amount] == [1, 2]


def test_threads_count_exactly(counters: CounterFile) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(lambda _: counters.count("a", 60).amount, range(400))) == list(range(1, 401))


def test_processes_count_exactly_from_the_first_on(file: Path) -> None:
    processes = [counting(file, 250) for _ in range(4)]
    for process in processes:  # nobody has made the file yet
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [process.communicate(timeout=60)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert sorted(int(number) for numbers in told for number in numbers) == list(range(1, 1001))


def test_a_counter_that_was_opened_before_a_fork_counts_exactly_on_both_sides(file: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-c", FORKING, str(file)], cwd=TREE, capture_output=True, text=True, timeout=60, check=False
    )
    assert (made.stdout, made.stderr) == ("[0, 0, 0, 0] 1001 1\n", "")
    assert CounterFile(file).count("shared", 60, 0).amount == 1001


def test_it_counts_on_where_the_process_that_opened_it_before_the_fork_has_ended(file: Path) -> None:
    command = [sys.executable, "-c", ORPHANS, str(file)]
    with subprocess.Popen(command, cwd=TREE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.wait(timeout=60) == 0
        later = CounterFile(file)
        for _ in range(200):
            later.count("shared", 60)
        assert parent.stdout.read() == "counted\n" * 2
    assert later.count("shared", 60, 0).amount == 601


def test_what_a_killed_process_has_counted_stays_counted(file: Path) -> None:
    with counting(file, 1_000_000) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        for _ in range(100):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        told = 100 + len(process.stdout.read().splitlines(keepends=False))
    assert process.returncode == -signal.SIGKILL
    assert told <= CounterFile(file).count("shared", 60, 0).amount <= told + 1


def test_what_is_over_is_swept_out_now_and_then(counters: CounterFile, file: Path) -> None:
    counters.count("kept", 600)
    for number in range(1500):
        counters.count(f"address {number}", 0)
    assert rows_in(file) < 1000
    assert counters.count("kept", 60, 0).amount == 1


@pytest.mark.parametrize("fault", ["no database", "a folder", "no folder"])
def test_where_it_cannot_be_counted_it_is_said(file: Path, fault: str) -> None:
    if fault == "no database":
        file.write_bytes(b"I am no database. " * 100)
    elif fault == "a folder":
        file.mkdir()
    counters = CounterFile(file / "nowhere" / "counters.mdb" if fault == "no folder" else file)
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable):
            counters.count("a", 60)


def test_after_the_trouble_it_is_counted_again(file: Path) -> None:
    file.write_bytes(b"I am no database. " * 100)
    counters = CounterFile(file)
    with pytest.raises(DatabaseUnavailable):
        counters.count("a", 60)
    file.unlink()
    assert counters.count("a", 60).amount == 1


def test_a_window_ends_by_the_clock(file: Path) -> None:
    now = 1000.0
    counters = CounterFile(file, clock=lambda: now)
    assert [counters.count("a", 60), counters.count("a", 60)] == [(1, 1060.0), (2, 1060.0)]
    now = 1060.0
    assert counters.count("a", 60) == (1, 1120.0)


def test_two_that_count_in_one_file_count_together(file: Path) -> None:
    one, other = CounterFile(file), CounterFile(file)
    assert [one.count("a", 60).amount, other.count("a", 60).amount, one.count("a", 60).amount] == [1, 2, 3]


def test_names_of_any_length_are_told_apart(counters: CounterFile) -> None:
    assert [counters.count("a" * length, 60).amount for length in (1, 5000, 5001, 5000)] == [1, 1, 1, 2]


def test_as_many_as_there_may_be_fit_into_the_file_and_can_be_swept_out(file: Path) -> None:
    now = 1000.0
    counters = CounterFile(file, clock=lambda: now)
    for number in range(100_000):
        counters.count(f"address {number}", 60)
    with pytest.raises(DatabaseUnavailable):
        counters.count("one more", 60)
    assert counters.count("address 7", 60).amount == 2
    now = 1061.0
    for _ in range(1000):  # until it is swept
        counters.count("address 7", 60)
    assert counters.count("one more", 60).amount == 1


def test_nobody_waits_for_a_process_that_was_killed_while_it_counted(file: Path) -> None:
    for _ in range(20):
        with counting(file, 1_000_000) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("go\n")
            process.stdin.flush()
            process.stdout.readline()
            process.send_signal(signal.SIGKILL)
    counters = CounterFile(file)
    before = counters.count("shared", 60).amount
    assert counters.count("shared", 60).amount == before + 1


def test_the_disk_is_asked_for_room_before_anything_is_counted(file: Path) -> None:
    CounterFile(file).count("a", 60)
    assert file.stat().st_blocks * 512 >= file.stat().st_size > 1_000_000
    assert file.stat().st_mode & 0o077 == 0


def test_nothing_is_opened_before_the_first_count(file: Path) -> None:
    CounterFile(file)
    assert not file.exists()
    assert list(file.parent.iterdir()) == []


def test_a_look_tells_what_counters_stand_at_and_counts_nothing(counters: CounterFile, file: Path) -> None:
    counters.count("a", 60, 3)
    counters.count("over", 0)
    assert counters.look(["a", "b", "over", "a"]) == (3, 0, 0, 3)
    assert counters.look([]) == ()
    assert rows_in(file) == 2


def test_a_look_says_where_it_cannot_be_done(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable):
        CounterFile(tmp_path / "nowhere" / "counters.mdb").look(["a"])
