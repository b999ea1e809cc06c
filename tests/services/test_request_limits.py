"""So many pictures a minute for a key, an account or an address, and never in anybody's way where it cannot be counted."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.errors import TooManyRequests
from app.services.request_limits import Allowance, RequestLimits
from app.storage.counters import CounterFile


class Clock:
    """Tells the time, and whatever a test adds to it."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


def make_limits(folder: Path, a_key: int = 3, a_visitor: int = 2, clock: Clock | None = None) -> RequestLimits:
    clock = clock or Clock()
    counters = CounterFile(folder / "counters.mdb", clock=clock)
    return RequestLimits(counters=counters, a_key=a_key, a_visitor=a_visitor, clock=clock)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits(tmp_path: Path, clock: Clock) -> RequestLimits:
    return make_limits(tmp_path, clock=clock)


def left(allowance: Allowance | None) -> int:
    assert allowance is not None
    assert 1 <= allowance.resets_in <= 60
    return allowance.remaining


def test_what_is_left_is_told_until_nothing_is(limits: RequestLimits) -> None:
    assert [left(limits.count("key", "a")) for _ in range(3)] == [2, 1, 0]
    with pytest.raises(TooManyRequests) as refusal:
        limits.count("key", "a")
    assert 1 <= refusal.value.retry_after <= 60
    assert str(refusal.value) == f"At most 3 pictures are taken in a minute; please wait {refusal.value.retry_after} seconds."


def test_the_sentence_says_what_helps(tmp_path: Path) -> None:
    limits = make_limits(tmp_path, a_key=1, a_visitor=20)
    limits.count("key", "a")
    with pytest.raises(TooManyRequests, match=r"^At most 1 picture is taken in a minute; please wait \d+ seconds\.$"):
        limits.count("key", "a")
    together = "These are 21 pictures at once, and at most 20 are taken in a minute; send fewer together."
    with pytest.raises(TooManyRequests) as refusal:
        limits.count("account", "7", 21)
    assert str(refusal.value) == together


def test_it_is_told_in_the_fields_of_the_draft(limits: RequestLimits) -> None:
    allowance = limits.count("key", "a")
    assert allowance is not None
    assert allowance.headers == {"RateLimit-Policy": '"key";q=3;w=60', "RateLimit": f'"key";r=2;t={allowance.resets_in}'}


def test_a_refusal_tells_it_too(limits: RequestLimits) -> None:
    limits.count("account", "7", 2)
    with pytest.raises(TooManyRequests) as refusal:
        limits.count("account", "7")
    seconds = refusal.value.retry_after
    assert refusal.value.headers == {"RateLimit-Policy": '"account";q=2;w=60', "RateLimit": f'"account";r=0;t={seconds}'}


def test_everybody_has_an_allowance_of_their_own(limits: RequestLimits) -> None:
    limits.count("key", "a", 3)
    assert left(limits.count("key", "b")) == 2
    # The same name is another one as an account's number or as an address.
    assert left(limits.count("account", "a")) == 1
    assert left(limits.count("address", "a")) == 1
    with pytest.raises(TooManyRequests):
        limits.count("key", "a")


def test_all_pictures_of_one_request_count(limits: RequestLimits) -> None:
    assert left(limits.count("key", "a", 2)) == 1
    with pytest.raises(TooManyRequests):
        limits.count("key", "a", 2)


def test_whoever_had_too_many_waits_no_longer_for_asking_again(limits: RequestLimits, clock: Clock) -> None:
    limits.count("key", "a", 3)
    clock.ahead = 30
    for _ in range(5):
        with pytest.raises(TooManyRequests) as refusal:
            limits.count("key", "a")
        assert 1 <= refusal.value.retry_after <= 30
    clock.ahead = 60
    assert left(limits.count("key", "a")) == 2


def test_when_the_minute_is_over_the_count_starts_anew(limits: RequestLimits, clock: Clock) -> None:
    limits.count("key", "a", 3)
    with pytest.raises(TooManyRequests):
        limits.count("key", "a")
    clock.ahead = 61
    assert [left(limits.count("key", "a")) for _ in range(3)] == [2, 1, 0]


def test_nothing_means_no_limit_and_no_counting(tmp_path: Path) -> None:
    limits = make_limits(tmp_path, a_key=0, a_visitor=0)
    assert [limits.count(who, "a", 1_000_000) for who in ("key", "account", "address")] == [None, None, None]
    assert not (tmp_path / "counters.mdb").exists()


@pytest.mark.parametrize("content", [b"I am no database. " * 100, None], ids=["broken file", "no folder"])
def test_where_it_cannot_be_counted_everybody_is_let_through(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "counters.mdb").write_bytes(content)
    limits = make_limits(tmp_path if content is not None else tmp_path / "nowhere")
    assert [limits.count("key", "a") for _ in range(10)] == [None] * 10


def test_threads_together_get_exactly_what_is_given(tmp_path: Path) -> None:
    limits = make_limits(tmp_path, a_key=50)

    def ask(_: int) -> bool:
        try:
            return limits.count("key", "a") is not None
        except TooManyRequests:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(200))) == 50
