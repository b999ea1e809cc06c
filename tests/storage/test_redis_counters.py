"""Counters in Redis: exact whoever counts, ended by their window, and soon left alone where Redis does not answer."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.config import TREE
from app.errors import DatabaseUnavailable, InvalidSettings
from app.storage.counters import CounterFile
from app.storage.redis_counters import RedisCounters, WithFallback
from tests.redis_server import RunningRedis
from tests.serving import free_port

COUNTING = """
import sys
from app.storage.redis_counters import RedisCounters

counters = RedisCounters(sys.argv[1])
print([counters.count("shared", 60).amount for _ in range(300)])
"""


class Clock:
    """Tells the time, and whatever a test adds to it."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRedis]:
    with RunningRedis(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RunningRedis]:
    """Give a server that a test may stop."""
    with RunningRedis(tmp_path) as running:
        yield running


@pytest.fixture
def counters(redis: RunningRedis) -> RedisCounters:
    return RedisCounters(redis.url)


def test_a_counter_tells_what_it_stands_at(counters: RedisCounters) -> None:
    assert [counters.count("one", 60).amount, counters.count("one", 60, 5).amount, counters.count("two", 60).amount] == [
        1,
        6,
        1,
    ]
    assert [counters.count(key, 60, 0).amount for key in ("one", "two", "none")] == [6, 1, 0]
    assert counters.count("one", 60, -2).amount == 4


def test_a_window_begins_with_its_first_count_and_is_not_put_off(counters: RedisCounters) -> None:
    began = time.time()
    first = counters.count("window", 60)
    assert began + 59.9 <= first.ends_at <= time.time() + 60
    second = counters.count("window", 600)
    assert second.amount == 2
    assert abs(second.ends_at - first.ends_at) < 0.5


def test_a_counter_whose_window_is_over_starts_anew(counters: RedisCounters) -> None:
    assert [counters.count("over", 0).amount, counters.count("over", 0).amount] == [1, 1]
    assert [counters.count("over", 60).amount, counters.count("over", 60).amount] == [1, 2]


def test_a_look_counts_nothing(counters: RedisCounters) -> None:
    counters.count("seen", 60, 3)
    assert counters.look(["seen", "never", "seen"]) == counters.look(["seen", "never", "seen"]) == (3, 0, 3)
    assert counters.look([]) == ()


def test_processes_and_threads_count_exactly(redis: RunningRedis, counters: RedisCounters) -> None:
    workers = [
        subprocess.Popen([sys.executable, "-c", COUNTING, redis.url], cwd=TREE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    with ThreadPoolExecutor(8) as pool:
        here = list(pool.map(lambda _: counters.count("shared", 60).amount, range(300)))
    there = [int(amount) for worker in workers for amount in worker.communicate(timeout=60)[0].strip("[]\n").split(",")]
    assert sorted([*here, *there]) == list(range(1, 901))


def test_a_server_that_was_started_again_is_counted_in_at_once(own_redis: RunningRedis) -> None:
    counters = RedisCounters(own_redis.url)
    assert counters.count("a", 60, 7).amount == 7
    own_redis.kill()
    own_redis.start()
    assert counters.count("a", 60).amount == 1  # it kept nothing; nor did the connection stay, or the script


def test_a_stopped_server_is_told_of_once_and_left_alone_for_a_while(own_redis: RunningRedis) -> None:
    clock = Clock()
    counters = RedisCounters(own_redis.url, clock=clock)
    counters.count("a", 60)
    own_redis.kill()
    with capture_logs() as logs:
        for question in (lambda: counters.count("a", 60), lambda: counters.look(["a"])) * 3:
            with pytest.raises(DatabaseUnavailable):
                question()
        own_redis.start()
        with pytest.raises(DatabaseUnavailable):  # it is not asked yet
            counters.count("a", 60)
        clock.ahead = 5.1
        assert counters.count("a", 60).amount == 1
        assert counters.count("a", 60).amount == 2
    assert [entry["event"] for entry in logs] == ["redis_unavailable", "redis_is_back"]


def test_a_server_that_does_not_answer_is_waited_for_once(own_redis: RunningRedis) -> None:
    clock = Clock()
    counters = RedisCounters(own_redis.url, clock=clock)
    counters.count("a", 60)
    own_redis.freeze()
    with capture_logs() as logs, pytest.raises(DatabaseUnavailable):
        counters.count("a", 60)
    assert "Timeout" in logs[0]["reason"]
    own_redis.thaw()
    for _ in range(3):
        with pytest.raises(DatabaseUnavailable):  # it would answer, but is not asked
            counters.count("b", 60)
    clock.ahead = 5.1
    assert counters.count("b", 60).amount == 1


def test_what_redis_refuses_is_a_counter_that_cannot_be_counted_in(redis: RunningRedis) -> None:
    from redis import Redis

    with Redis.from_url(redis.url) as client:
        client.set("vitrine:text", "no number")
    with pytest.raises(DatabaseUnavailable):
        RedisCounters(redis.url).count("text", 60)


@pytest.mark.parametrize("url", ["127.0.0.1", "http://127.0.0.1:6379/0", "redis://127.0.0.1:port/0"])
def test_what_is_no_address_of_a_redis_stops_the_start(url: str) -> None:
    with pytest.raises(InvalidSettings, match="VITRINE_REDIS_URL must be an address"):
        RedisCounters(url)


def test_without_the_client_the_start_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(InvalidSettings, match="install Vitrine's extra 'redis'"):
        RedisCounters("redis://127.0.0.1:6379/0")


def test_nothing_is_connected_before_the_first_count() -> None:
    RedisCounters(f"redis://127.0.0.1:{free_port()}/0")


def test_where_redis_is_away_it_is_counted_on_this_machine(own_redis: RunningRedis, tmp_path: Path) -> None:
    clock = Clock()
    local = CounterFile(tmp_path / "counters.mdb")
    counters = WithFallback(RedisCounters(own_redis.url, clock=clock), local)
    assert [counters.count("a", 60).amount for _ in range(2)] == [1, 2]
    assert local.look(["a"]) == (0,)
    own_redis.kill()
    assert [counters.count("a", 60).amount for _ in range(3)] == [1, 2, 3]
    assert counters.look(["a"]) == (3,)
    own_redis.start()
    clock.ahead = 5.1
    assert counters.count("a", 60).amount == 1
    assert counters.look(["a", "b"]) == (4, 0)


def test_where_neither_can_be_counted_in_that_is_said(own_redis: RunningRedis, tmp_path: Path) -> None:
    own_redis.kill()
    counters = WithFallback(RedisCounters(own_redis.url), CounterFile(tmp_path / "nowhere" / "counters.mdb"))
    with pytest.raises(DatabaseUnavailable):
        counters.count("a", 60)
    with pytest.raises(DatabaseUnavailable):
        counters.look(["a"])
