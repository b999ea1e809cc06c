"""Logins on the server: begun, seen, and over when they are told to be or have lasted long enough."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from app.composition import Services
from app.services.accounts.logins import Logins
from app.storage.tables import StoredLogin
from tests.factories import make_services

FIREFOX, PHONE = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "a phone"


class Day:
    """The time, which goes on when it is told to."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 7, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


@pytest.fixture
def ada(services: Services) -> int:
    return services.accounts.create("ada@example.org", "correct horse battery")


@pytest.fixture
def bob(services: Services) -> int:
    return services.accounts.create("bob@example.org", "correct horse battery")


@pytest.fixture
def day() -> Day:
    return Day()


@pytest.fixture
def logins(services: Services, day: Day) -> Logins:
    return Logins(sessions=services.sessions, days=30, idle_hours=72, clock=day)


def begin(logins: Logins, account: int, browser: str = FIREFOX) -> str:
    return logins.begin(account, browser=browser, address="192.0.2.7")


def stored(services: Services) -> int:
    with services.sessions() as session:
        return session.scalar(select(func.count()).select_from(StoredLogin)) or 0


def test_a_login_tells_whose_it_is_and_where(logins: Logins, ada: int, day: Day) -> None:
    token = begin(logins, ada)
    login = logins.check(token)
    assert login is not None
    assert (login.account, login.browser, login.address) == (ada, FIREFOX, "192.0.2.7")
    assert login.began_at == login.seen_at == day.moment
    assert logins.list(ada) == (login,)


def test_only_a_digest_of_the_token_is_kept(logins: Logins, services: Services, ada: int) -> None:
    token = begin(logins, ada)
    assert len(token) >= 43
    with services.engine.connect() as connection:
        assert token not in str(connection.execute(text("SELECT * FROM logins")).all())


@pytest.mark.parametrize("token", ["", "a", "é" * 100, "a" * 100_000])
def test_a_token_that_is_none_is_nobodys(logins: Logins, ada: int, token: str) -> None:
    begin(logins, ada)
    assert logins.check(token) is None


def test_an_ended_login_is_none(logins: Logins, ada: int) -> None:
    token, other = begin(logins, ada), begin(logins, ada)
    logins.end(token)
    assert logins.check(token) is None
    assert logins.check(other) is not None
    logins.end(token)


def test_it_is_over_where_its_browser_is_not_seen_for_long(logins: Logins, ada: int, day: Day) -> None:
    token = begin(logins, ada)
    for _ in range(5):
        day.moment += timedelta(hours=71)
        assert logins.check(token) is not None
    day.moment += timedelta(hours=72)
    assert logins.check(token) is None
    assert logins.list(ada) == ()


def test_it_is_over_after_so_many_days_however_often_its_browser_is_seen(logins: Logins, ada: int, day: Day) -> None:
    token = begin(logins, ada)
    for _ in range(29):
        day.moment += timedelta(days=1)
        assert logins.check(token) is not None
    day.moment += timedelta(days=1)
    assert logins.check(token) is None


def test_a_clock_that_goes_back_revives_nothing_that_was_swept_out(
    logins: Logins, services: Services, ada: int, day: Day
) -> None:
    token = begin(logins, ada)
    day.moment += timedelta(days=30)
    begin(logins, ada)
    day.moment -= timedelta(days=30)
    assert logins.check(token) is None
    assert stored(services) == 1


def test_when_a_browser_was_seen_is_written_down_once_a_minute(logins: Logins, ada: int, day: Day) -> None:
    token, began = begin(logins, ada), day.moment
    day.moment += timedelta(seconds=59)
    logins.check(token)
    assert logins.list(ada)[0].seen_at == began
    day.moment += timedelta(seconds=1)
    logins.check(token)
    assert logins.list(ada)[0].seen_at == day.moment


def test_it_stays_good_while_the_database_cannot_be_written(logins: Logins, services: Services, ada: int, day: Day) -> None:
    token = begin(logins, ada)
    day.moment += timedelta(hours=1)
    with services.engine.connect() as connection:
        connection.execute(text("PRAGMA query_only = ON"))
    assert logins.check(token) is not None


def test_what_a_script_asks_for_by_itself_does_not_keep_a_login_alive(logins: Logins, ada: int, day: Day) -> None:
    token, began = begin(logins, ada), day.moment
    day.moment += timedelta(hours=71)
    assert logins.check(token, seen=False) is not None
    assert logins.list(ada)[0].seen_at == began
    day.moment += timedelta(hours=2)
    assert logins.check(token, seen=False) is None


def test_the_list_has_the_one_seen_last_first_and_nobody_elses(logins: Logins, ada: int, bob: int, day: Day) -> None:
    first, second = begin(logins, ada), begin(logins, ada, PHONE)
    begin(logins, bob)
    assert [login.browser for login in logins.list(ada)] == [PHONE, FIREFOX]
    day.moment += timedelta(hours=1)
    logins.check(first)
    assert [login.browser for login in logins.list(ada)] == [FIREFOX, PHONE]
    assert logins.check(second) is not None


def test_one_of_ones_own_can_be_ended_and_nobody_elses(logins: Logins, ada: int, bob: int) -> None:
    token = begin(logins, ada)
    number = logins.list(ada)[0].id
    assert logins.end_one(bob, number) is False
    assert logins.check(token) is not None
    assert [logins.end_one(ada, number), logins.end_one(ada, number), logins.check(token)] == [True, False, None]


def test_all_others_can_be_ended(logins: Logins, ada: int, bob: int) -> None:
    mine, others, bobs = begin(logins, ada), [begin(logins, ada), begin(logins, ada)], begin(logins, bob)
    assert logins.end_others(ada, mine) == 2
    assert [logins.check(token) is not None for token in (mine, *others, bobs)] == [True, False, False, True]


def test_what_a_browser_says_of_itself_is_cut_to_what_is_kept(logins: Logins, ada: int) -> None:
    logins.begin(ada, browser="x" * 10_000, address="y" * 10_000)
    (login,) = logins.list(ada)
    assert (len(login.browser), len(login.address)) == (255, 45)


def test_logins_go_with_their_account(logins: Logins, services: Services, ada: int) -> None:
    begin(logins, ada)
    with services.sessions.begin() as session:
        session.execute(text("DELETE FROM users"))
    assert stored(services) == 0
