"""Another address for an account: it takes a link, once, within an hour, and ends what was good for the old one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app.composition import Services
from app.errors import InvalidAccount, InvalidAddressLink
from app.services.accounts.address_changes import AddressChange, AddressChanges
from app.services.audit_log import subject_of_account
from tests.factories import make_services

PASSWORD = "correct horse battery"
OLD, NEW = "ada@example.org", "lovelace@example.org"


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
    return services.accounts.create(OLD, PASSWORD)


@pytest.fixture
def day() -> Day:
    return Day()


@pytest.fixture
def changes(services: Services, day: Day) -> AddressChanges:
    return AddressChanges(sessions=services.sessions, audit_log=services.audit_log, clock=day)


def token_of(changes: AddressChanges, account: int, email: str = NEW) -> str:
    token = changes.ask(account, email).token
    assert token is not None
    return token


def assert_dead(changes: AddressChanges, account: int, token: str) -> None:
    with pytest.raises(InvalidAddressLink):
        changes.find(account, token)
    with pytest.raises(InvalidAddressLink):
        changes.use(account, token, here=0)


def test_the_address_changes_when_the_link_is_used(changes: AddressChanges, services: Services, ada: int) -> None:
    token = token_of(changes, ada, f" {NEW.replace('org', 'ORG')} ")
    assert changes.find(ada, token) == AddressChange(OLD, NEW)
    assert services.accounts.number_of(OLD) == ada
    assert changes.use(ada, token, here=0) == AddressChange(OLD, NEW)
    assert services.accounts.number_of(NEW) == ada
    assert not services.accounts.exists(OLD)
    (deed,) = services.audit_log.about(subject_of_account(NEW))
    assert (deed.actor, deed.action, deed.detail) == (OLD, "changed address", f"from {OLD}")


def test_all_other_logins_end(changes: AddressChanges, services: Services, ada: int) -> None:
    here, there = (services.logins.begin(ada, browser="", address="") for _ in range(2))
    login = services.logins.check(here)
    assert login is not None
    changes.use(ada, token_of(changes, ada), here=login.id)
    assert services.logins.check(here) is not None
    assert services.logins.check(there) is None


def test_a_link_is_good_once_and_for_an_hour(changes: AddressChanges, ada: int, day: Day) -> None:
    first = token_of(changes, ada)
    day.moment += timedelta(hours=1) - timedelta(seconds=1)
    changes.use(ada, first, here=0)
    assert_dead(changes, ada, first)
    second = token_of(changes, ada, OLD)
    day.moment += timedelta(hours=1)
    assert_dead(changes, ada, second)


def test_of_many_at_once_one_changes_the_address(changes: AddressChanges, ada: int) -> None:
    token = token_of(changes, ada)

    def use(_: int) -> bool:
        try:
            return changes.use(ada, token, here=0).new == NEW
        except InvalidAddressLink:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(use, range(8))) == 1


def test_a_new_link_takes_the_place_of_the_last(changes: AddressChanges, ada: int) -> None:
    first, second = token_of(changes, ada), token_of(changes, ada, "third@example.org")
    assert_dead(changes, ada, first)
    assert changes.find(ada, second).new == "third@example.org"


@pytest.mark.parametrize("written", ["eve@example.org", "EVE@Example.org"])
def test_no_link_is_good_for_an_address_of_somebody_else(
    changes: AddressChanges, services: Services, ada: int, written: str
) -> None:
    services.accounts.create("eve@example.org", PASSWORD)
    assert changes.ask(ada, written).token is None
    with services.engine.connect() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM address_changes")).scalar_one() == 1


def test_an_address_that_was_taken_meanwhile_stays_where_it_is(changes: AddressChanges, services: Services, ada: int) -> None:
    token = token_of(changes, ada)
    services.accounts.create(NEW.upper(), PASSWORD)
    with pytest.raises(InvalidAddressLink):
        changes.use(ada, token, here=0)
    assert services.accounts.number_of(OLD) == ada


def test_ones_own_address_may_be_written_in_another_way(changes: AddressChanges, services: Services, ada: int) -> None:
    changes.use(ada, token_of(changes, ada, "Ada@example.org"), here=0)
    with services.sessions() as session:
        assert session.execute(text("SELECT email FROM users")).scalars().all() == ["Ada@example.org"]


def test_the_present_address_is_none_to_change_to(changes: AddressChanges, ada: int) -> None:
    token = token_of(changes, ada)
    with pytest.raises(InvalidAccount, match="already"):
        changes.ask(ada, OLD)
    assert changes.find(ada, token).new == NEW


def test_a_link_is_good_for_its_own_account_alone(changes: AddressChanges, services: Services, ada: int) -> None:
    eve = services.accounts.create("eve@example.org", PASSWORD)
    token_of(changes, eve, "other@example.org")
    assert_dead(changes, eve, token_of(changes, ada))


def test_only_a_digest_of_the_token_is_kept(changes: AddressChanges, services: Services, ada: int) -> None:
    token = token_of(changes, ada)
    with services.engine.connect() as connection:
        assert token not in str(connection.execute(text("SELECT * FROM address_changes")).all())
