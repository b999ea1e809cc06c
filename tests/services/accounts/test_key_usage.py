"""How much a key is used: day by day, exact for all workers, and in no answer's way where it cannot be counted."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from app.config import TREE
from app.services.accounts.key_usage import DAYS, KeyUsage, UsedDay
from app.storage.counters import CounterFile
from tests.waiting import wait_until

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
COUNTING = """
import sys
from pathlib import Path
from app.services.accounts.key_usage import KeyUsage
from app.storage.counters import CounterFile
from tests.waiting import wait_until

usage = KeyUsage(counters=CounterFile(Path(sys.argv[1])))
for number in range(500):
    usage.count("a", refused=number % 5 == 0)
"""


class Clock:
    """Tells the moment that a test has set."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now.timestamp()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def usage(tmp_path: Path, clock: Clock) -> KeyUsage:
    return KeyUsage(counters=CounterFile(tmp_path / "usage.mdb", clock=clock), clock=clock)


def counted(usage: KeyUsage, key_id: str = "a") -> dict[date, tuple[int, int]]:
    """Give the days that hold anything."""
    return {day.day: (day.answered, day.refused) for day in usage.days(key_id) if day.answered or day.refused}


def test_the_last_thirty_days_are_told_today_the_last(usage: KeyUsage) -> None:
    days = [day.day for day in usage.days("a")]
    assert len(days) == DAYS == 30
    assert (days[0], days[-1]) == (date(2026, 1, 31), date(2026, 3, 1))
    assert days == sorted(set(days))


def test_what_was_answered_and_what_was_refused_count_apart(usage: KeyUsage) -> None:
    for refused in (False, False, True):
        usage.count("a", refused=refused)
    assert usage.days("a")[-1] == UsedDay(date(2026, 3, 1), answered=2, refused=1)
    assert counted(usage, "b") == {}


def test_a_day_is_one_of_utc(usage: KeyUsage, clock: Clock) -> None:
    for moment in (datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)):
        clock.now = moment
        usage.count("a", refused=False)
    assert counted(usage) == {date(2026, 3, 1): (1, 0), date(2026, 3, 2): (1, 0)}


def test_a_day_is_told_for_thirty_days_and_then_no_more(usage: KeyUsage, clock: Clock) -> None:
    clock.now = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)
    usage.count("a", refused=False)
    clock.now = datetime(2026, 3, 30, 23, 59, tzinfo=UTC)
    assert counted(usage) == {date(2026, 3, 1): (1, 0)}
    clock.now += timedelta(minutes=2)
    assert counted(usage) == {}


def test_looking_counts_nothing(usage: KeyUsage) -> None:
    usage.count("a", refused=False)
    assert usage.days("a") == usage.days("a")


def test_processes_and_threads_count_exactly_and_what_they_counted_stays(tmp_path: Path) -> None:
    file = tmp_path / "usage.mdb"
    workers = [subprocess.Popen([sys.executable, "-c", COUNTING, str(file)], cwd=TREE) for _ in range(2)]
    usage = KeyUsage(counters=CounterFile(file))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: usage.count("a", refused=False), range(500)))
    assert [worker.wait(60) for worker in workers] == [0, 0]
    days = usage.days("a")
    assert (sum(day.answered for day in days), sum(day.refused for day in days)) == (500 + 2 * 400, 2 * 100)


@pytest.mark.parametrize("content", [b"I am no database. " * 100, None], ids=["broken file", "no folder"])
def test_where_it_cannot_be_counted_nothing_fails_and_nothing_is_told(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "usage.mdb" if content is not None else tmp_path / "nowhere" / "usage.mdb"
    if content is not None:
        file.write_bytes(content)
    usage = KeyUsage(counters=CounterFile(file))
    usage.count("a", refused=False)
    assert usage.days("a") == ()


def test_what_is_counted_is_soon_seen_by_other_processes(tmp_path: Path) -> None:
    counting, looking = (KeyUsage(counters=CounterFile(tmp_path / "usage.mdb")) for _ in range(2))
    for _ in range(3):
        counting.count("a", refused=False)
    wait_until(lambda: counted(looking), seconds=5)
    assert list(counted(looking).values()) == [(3, 0)]
    counting.count("a", refused=True)
    wait_until(lambda: counted(looking) and [*counted(looking).values()] == [(3, 1)], seconds=5)


def test_a_process_that_ends_has_written_what_it_counted(tmp_path: Path) -> None:
    file = tmp_path / "usage.mdb"
    subprocess.run([sys.executable, "-c", COUNTING, str(file)], cwd=TREE, check=True)
    assert list(counted(KeyUsage(counters=CounterFile(file))).values()) == [(400, 100)]
