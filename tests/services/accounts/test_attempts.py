"""Attempts to log in: counted exactly, for all workers together, and taken back when one succeeds."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update

from app.composition import Services
from app.errors import DatabaseUnavailable, TooManyAttempts
from app.services.accounts.attempts import DatabaseCounters, LoginAttempts
from app.storage.database import open_database
from app.storage.tables import Attempt
from tests.factories import make_services

HOME = "192.0.2.1"


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


@pytest.fixture
def attempts(services: Services) -> LoginAttempts:
    return services.attempts


def let_windows_end(services: Services) -> None:
    with services.engine.begin() as connection:
        connection.execute(update(Attempt).values(expires_at=Attempt.expires_at - 301))


def assert_refused(attempts: LoginAttempts, account: str, address: str) -> None:
    with pytest.raises(TooManyAttempts) as refusal:
        attempts.begin(account, address)
    assert 1 <= refusal.value.retry_after <= 300


def test_ten_attempts_for_an_account_from_wherever_they_come(attempts: LoginAttempts) -> None:
    for number in range(10):
        attempts.begin("ada@example.org", f"192.0.2.{number}")
    assert_refused(attempts, "ada@example.org", "198.51.100.1")
    assert_refused(attempts, "  ADA@example.org", "198.51.100.2")
    attempts.begin("eve@example.org", "198.51.100.3")


def test_ten_attempts_from_an_address_for_whatever_account(attempts: LoginAttempts) -> None:
    for number in range(10):
        attempts.begin(f"{number}@example.org", HOME)
    assert_refused(attempts, "ada@example.org", HOME)
    attempts.begin("ada@example.org", "198.51.100.1")


def test_a_thousand_attempts_in_all(attempts: LoginAttempts, services: Services) -> None:
    attempts.begin("ada@example.org", HOME)
    with services.engine.begin() as connection:
        everyone = Attempt.key.contains("everyone")
        assert connection.execute(select(func.count()).select_from(Attempt).where(everyone)).scalar() == 1
        connection.execute(update(Attempt).where(everyone).values(amount=999))
    attempts.begin("bob@example.org", "198.51.100.1")
    assert_refused(attempts, "eve@example.org", "198.51.100.2")


def test_when_the_window_is_over_all_may_try_again(attempts: LoginAttempts, services: Services) -> None:
    for _ in range(10):
        attempts.begin("ada@example.org", HOME)
    assert_refused(attempts, "ada@example.org", HOME)
    let_windows_end(services)
    for _ in range(10):
        attempts.begin("ada@example.org", HOME)
    assert_refused(attempts, "ada@example.org", HOME)


def test_a_refused_attempt_does_not_put_off_the_end(attempts: LoginAttempts, services: Services) -> None:
    for _ in range(10):
        attempts.begin("ada@example.org", HOME)
    with services.engine.connect() as connection:
        ends = connection.execute(select(Attempt.key, Attempt.expires_at)).all()
    for _ in range(3):
        assert_refused(attempts, "ada@example.org", HOME)
    with services.engine.connect() as connection:
        assert connection.execute(select(Attempt.key, Attempt.expires_at)).all() == ends


def test_success_takes_its_attempt_back(attempts: LoginAttempts) -> None:
    for _ in range(25):
        attempts.begin("ada@example.org", HOME)
        attempts.succeed("Ada@example.org", HOME)
    for _ in range(10):
        attempts.begin("ada@example.org", HOME)
    assert_refused(attempts, "ada@example.org", HOME)


def test_success_does_not_wipe_out_the_failures_before_it(attempts: LoginAttempts) -> None:
    for _ in range(8):
        attempts.begin("ada@example.org", HOME)
    attempts.begin("ada@example.org", HOME)
    attempts.succeed("ada@example.org", HOME)
    for _ in range(2):
        attempts.begin("ada@example.org", HOME)
    assert_refused(attempts, "ada@example.org", HOME)


def test_workers_and_threads_count_together_and_exactly(services: Services) -> None:
    workers = [LoginAttempts(counters=DatabaseCounters(open_database(services.settings.database))) for _ in range(2)]
    start = threading.Barrier(8)

    def guess(number: int) -> int:
        start.wait()
        passed = 0
        for turn in range(4):
            try:
                workers[number % 2].begin("ada@example.org", f"192.0.2.{number * 4 + turn}")
                passed += 1
            except TooManyAttempts:
                pass
        return passed

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(guess, range(8))) == 10


def test_counters_whose_window_is_over_are_swept_away(attempts: LoginAttempts, services: Services) -> None:
    for number in range(3):
        attempts.begin(f"{number}@example.org", f"192.0.2.{number}")
    let_windows_end(services)
    attempts.begin("ada@example.org", HOME)
    with services.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(Attempt)).scalar() == 3


def test_the_database_counts_each_key_by_itself(services: Services) -> None:
    counters = DatabaseCounters(services.engine)
    began = time.time()
    first = counters.count("a", 60)
    assert began + 60 <= first.ends_at <= time.time() + 60
    assert counters.count("a", 600, 3) == (4, first.ends_at)
    assert counters.count("b", 60).amount == 1


def test_it_is_told_when_the_database_is_gone(services: Services) -> None:
    with services.engine.begin() as connection:
        connection.execute(text("DROP TABLE attempts"))
    with pytest.raises(DatabaseUnavailable):
        DatabaseCounters(services.engine).count("a", 60)


def test_departures_to_a_provider_and_returns_from_it_are_counted_by_address(attempts: LoginAttempts) -> None:
    for _ in range(100):
        attempts.begin_departure(HOME)
    with pytest.raises(TooManyAttempts):
        attempts.begin_departure(HOME)
    for _ in range(30):
        attempts.begin_return(HOME)
        attempts.succeed_return(HOME)
    for _ in range(10):
        attempts.begin_return(HOME)
    with pytest.raises(TooManyAttempts):
        attempts.begin_return(HOME)
    attempts.begin_departure("192.0.2.2")
    attempts.begin_return("192.0.2.2")


def test_the_database_tells_what_counters_stand_at(services: Services) -> None:
    counters = DatabaseCounters(services.engine)
    counters.count("a", 60, 2)
    counters.count("over", -1)
    assert counters.look(["b", "a", "over"]) == (0, 2, 0)


@pytest.mark.parametrize("kind", ["recovery", "registration"])
def test_links_are_counted_for_an_address_and_for_whoever_asks(attempts: LoginAttempts, kind: str) -> None:
    begin = getattr(attempts, f"begin_{kind}")
    for number in range(5):
        begin("ada@example.org", f"203.0.113.{number}")
    with pytest.raises(TooManyAttempts) as refusal:
        begin(" ADA@example.org", "198.51.100.1")
    assert 1 <= refusal.value.retry_after <= 3600
    for number in range(20):
        begin(f"{number}@example.org", HOME)
    with pytest.raises(TooManyAttempts):
        begin("another@example.org", HOME)


def test_links_to_a_new_address_are_counted_for_the_account_too(attempts: LoginAttempts) -> None:
    for number in range(5):
        attempts.begin_address_change(1, f"{number}@example.org", f"192.0.2.{number}")
    with pytest.raises(TooManyAttempts):
        attempts.begin_address_change(1, "another@example.org", HOME)
    for account in range(2, 7):
        attempts.begin_address_change(account, "flooded@example.org", f"198.51.100.{account}")
    with pytest.raises(TooManyAttempts):
        attempts.begin_address_change(7, "flooded@example.org", HOME)


def test_the_second_step_is_counted_on_its_own(attempts: LoginAttempts, services: Services) -> None:
    for number in range(10):
        attempts.begin_step("ada@example.org", f"192.0.2.{number}")
    with pytest.raises(TooManyAttempts) as refusal:
        attempts.begin_step(" ADA@example.org", "198.51.100.1")
    assert 1 <= refusal.value.retry_after <= 300
    attempts.begin("ada@example.org", "198.51.100.2")
    attempts.begin_step("eve@example.org", "198.51.100.3")
    let_windows_end(services)
    attempts.begin_step("ada@example.org", "198.51.100.1")


def test_a_good_second_step_is_taken_back(attempts: LoginAttempts) -> None:
    for _ in range(30):
        attempts.begin_step("ada@example.org", HOME)
        attempts.succeed_step("ada@example.org", HOME)


def test_passkeys_alone_are_counted_by_address(attempts: LoginAttempts) -> None:
    for _ in range(10):
        attempts.begin_step("", HOME)
    with pytest.raises(TooManyAttempts):
        attempts.begin_step("", HOME)
    attempts.begin_step("", "192.0.2.2")


def test_a_challenge_is_answered_once(attempts: LoginAttempts) -> None:
    assert attempts.is_first("one")
    assert attempts.is_first("another")
    assert not attempts.is_first("one")
