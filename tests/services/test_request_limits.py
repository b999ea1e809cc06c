"""So many pictures a minute for a key, an account or an address, and never in anybody's way where it cannot be counted."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.errors import TooManyRequests
from app.services.request_limits import Allowance, RequestLimits, headers_of
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


def at_noon(clock: Clock) -> int:
    """Set the clock to noon of a UTC day, and give the seconds of half a day."""
    clock.ahead = 43_200 - time.time() % 86_400 + 0.5
    return 43_200


def test_a_keys_day_is_told_beside_its_minute(limits: RequestLimits, clock: Clock) -> None:
    half = at_noon(clock)
    minute, day = limits.count_key("a", 10)
    assert (minute.who, minute.remaining, day.who, day.limit, day.remaining, day.window) == ("key", 2, "day", 10, 9, 86_400)
    assert half - 60 <= day.resets_in <= half
    assert headers_of((minute, day)) == {
        "RateLimit-Policy": '"key";q=3;w=60, "day";q=10;w=86400',
        "RateLimit": f'"key";r=2;t={minute.resets_in}, "day";r=9;t={day.resets_in}',
    }


def test_a_day_that_is_used_up_is_refused_until_midnight(tmp_path: Path, clock: Clock) -> None:
    limits, half = make_limits(tmp_path, a_key=0, clock=clock), at_noon(clock)
    for left_over in (1, 0):
        (day,) = limits.count_key("a", 2)
        assert day.remaining == left_over
    with pytest.raises(TooManyRequests) as refusal:
        limits.count_key("a", 2)
    assert str(refusal.value) == "This key may send 2 pictures in a day; the next day begins at midnight UTC."
    assert half - 60 <= refusal.value.retry_after <= half
    assert refusal.value.headers == {
        "RateLimit-Policy": '"day";q=2;w=86400',
        "RateLimit": f'"day";r=0;t={refusal.value.retry_after}',
    }
    clock.ahead += half - 60
    with pytest.raises(TooManyRequests):
        limits.count_key("a", 2)
    clock.ahead += 61
    (day,) = limits.count_key("a", 2)
    assert day.remaining == 1


def test_what_the_day_refuses_takes_nothing_of_it(tmp_path: Path) -> None:
    limits = make_limits(tmp_path, a_key=0)
    limits.count_key("a", 10, 7)
    for pictures in (4, 100):
        with pytest.raises(TooManyRequests) as refusal:
            limits.count_key("a", 10, pictures)
        assert "r=3;" in refusal.value.headers["RateLimit"]
    assert limits.used_today("a") == 7
    (day,) = limits.count_key("a", 10, 3)
    assert day.remaining == 0


def test_what_the_minute_refuses_takes_nothing_of_the_day(limits: RequestLimits) -> None:
    for _ in range(5):
        with contextlib.suppress(TooManyRequests):
            limits.count_key("a", 100)
    assert limits.used_today("a") == 3


def test_the_refusal_of_a_day_tells_of_the_minute_too(limits: RequestLimits) -> None:
    limits.count_key("a", 1)
    with pytest.raises(TooManyRequests) as refusal:
        limits.count_key("a", 1)
    assert refusal.value.headers["RateLimit-Policy"] == '"key";q=3;w=60, "day";q=1;w=86400'
    assert str(refusal.value) == "This key may send 1 picture in a day; the next day begins at midnight UTC."


def test_more_at_once_than_a_day_holds_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(TooManyRequests, match="These are 11 pictures at once, and this key may send 10 in a day"):
        make_limits(tmp_path, a_key=0).count_key("a", 10, 11)


def test_a_key_without_a_quota_has_its_minute_alone(limits: RequestLimits, tmp_path: Path) -> None:
    assert [allowance.who for allowance in limits.count_key("a", None)] == ["key"]
    assert limits.used_today("a") == 0
    assert make_limits(tmp_path, a_key=0).count_key("a", None) == ()
    assert headers_of(()) == {}


def test_threads_together_get_exactly_what_a_day_holds(tmp_path: Path) -> None:
    limits = make_limits(tmp_path, a_key=0)

    def ask(_: int) -> bool:
        try:
            return limits.count_key("a", 50) != ()
        except TooManyRequests:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(200))) == 50
    assert limits.used_today("a") == 50


def test_where_a_day_cannot_be_counted_everybody_is_let_through(tmp_path: Path) -> None:
    limits = make_limits(tmp_path / "nowhere")
    assert [limits.count_key("a", 1) for _ in range(3)] == [()] * 3
    assert limits.used_today("a") is None
