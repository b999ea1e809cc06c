"""What administrators do to accounts: it holds at once, it is written down, and nobody does it to themselves."""

from __future__ import annotations

from pathlib import Path

import pytest
from passlib.totp import TOTP

from app.composition import Services
from app.errors import AccountNotFound, InvalidKey, InvalidRequest
from app.services.accounts.people import People, Person
from app.services.audit_log import Actor, subject_of_account
from app.storage.tables import User
from tests.factories import make_services

PASSWORD = "correct horse battery"


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


@pytest.fixture
def people(services: Services) -> People:
    return services.people


@pytest.fixture
def root(services: Services) -> Actor:
    return Actor("root@example.org", services.accounts.create("root@example.org", PASSWORD, admin=True))


@pytest.fixture
def ada(services: Services) -> int:
    return services.accounts.create("ada@example.org", PASSWORD)


def find(people: People, number: int) -> Person:
    return next(person for person in people.page(1).people if person.id == number)


def deeds(services: Services, email: str) -> list[tuple[str, str]]:
    return [(deed.actor, deed.action) for deed in services.audit_log.about(subject_of_account(email))]


def test_everybody_is_listed_by_their_address(people: People, services: Services, root: Actor, ada: int) -> None:
    services.accounts.create("Bob@example.org", PASSWORD)
    page = people.page(1)
    assert [(person.email, person.admin, person.active) for person in page.people] == [
        ("ada@example.org", False, True),
        ("Bob@example.org", False, True),
        ("root@example.org", True, True),
    ]
    assert (page.number, page.pages, page.total, page.previous, page.next) == (1, 1, 3, None, None)


@pytest.mark.parametrize(("search", "found"), [("ADA", 1), ("@example", 2), ("%", 0), ("_", 0), (" root ", 1), ("nobody", 0)])
def test_an_address_is_found_by_any_part_of_it(people: People, root: Actor, ada: int, search: str, found: int) -> None:
    assert people.page(1, search).total == found


def test_many_are_paged_through(people: People, services: Services) -> None:
    services.accounts.create("first@example.org", PASSWORD)
    with services.sessions.begin() as session:
        session.add_all(User(email=f"{n:03}@example.org", active=True, fs_uniquifier=str(n)) for n in range(100))
    second = people.page(2)
    assert (second.pages, second.total, second.previous, second.next) == (3, 101, 1, 3)
    assert second.people[0].email == "050@example.org"
    assert people.page(9).number == 3


def test_a_disabled_account_is_let_in_nowhere(people: People, services: Services, root: Actor, ada: int) -> None:
    token = services.logins.begin(ada, browser="", address="")
    key = services.api_keys.create(ada, "tests")
    assert people.disable(ada, root) == "ada@example.org"
    assert find(people, ada).active is False
    assert services.logins.check(token) is None
    with pytest.raises(InvalidKey):
        services.api_keys.check(key)
    people.enable(ada, root)
    assert find(people, ada).active is True
    assert services.logins.check(token) is None
    assert deeds(services, "ada@example.org") == [(root.name, "enabled"), (root.name, "disabled")]


def test_rights_are_given_and_taken_and_each_time_one_logs_in_again(
    people: People, services: Services, root: Actor, ada: int
) -> None:
    for change, admin in ((people.promote, True), (people.promote, True), (people.demote, False)):
        token = services.logins.begin(ada, browser="", address="")
        change(ada, root)
        assert find(people, ada).admin is admin
        assert services.logins.check(token) is None
    assert [action for _, action in deeds(services, "ada@example.org")] == ["demoted", "promoted", "promoted"]


def test_all_logins_of_an_account_are_ended(people: People, services: Services, root: Actor, ada: int) -> None:
    tokens = [services.logins.begin(ada, browser="", address="") for _ in range(3)]
    people.log_out(ada, root)
    assert [services.logins.check(token) for token in tokens] == [None] * 3
    assert deeds(services, "ada@example.org") == [(root.name, "logged out")]


@pytest.mark.parametrize("deed", ["disable", "enable", "promote", "demote", "log_out"])
def test_nobody_changes_their_own_account_or_one_that_is_not_there(people: People, root: Actor, deed: str) -> None:
    assert root.account is not None
    with pytest.raises(InvalidRequest):
        getattr(people, deed)(root.account, root)
    with pytest.raises(AccountNotFound):
        getattr(people, deed)(999, root)


def test_the_accounts_are_read_part_by_part(people: People, services: Services, root: Actor, ada: int) -> None:
    eve = services.accounts.create("eve@example.org", PASSWORD)
    assert [person.id for person in people.before(None, 2)] == [eve, ada]
    assert people.before(ada, 2) == (find(people, root.account or 0),)
    assert people.before(root.account, 2) == ()


def test_a_lost_second_factor_is_taken_off_and_logins_end(people: People, services: Services, root: Actor, ada: int) -> None:
    actor = Actor("ada@example.org", ada)
    offer = services.authenticators.offer(actor)
    services.authenticators.turn_on(actor, offer.sealed, TOTP(key=offer.secret).generate().token)
    services.recovery_codes.make(actor)
    token = services.logins.begin(ada, browser="", address="")
    assert find(people, ada).second_factor
    assert people.take_second_factor_off(ada, root) == "ada@example.org"
    assert not find(people, ada).second_factor
    assert services.second_factors.of(ada) == frozenset()
    assert services.recovery_codes.left(ada) == 0
    assert services.logins.check(token) is None
    assert deeds(services, "ada@example.org")[0] == ("root@example.org", "second factor off")


def test_nobody_takes_off_their_own_second_factor_there(people: People, root: Actor) -> None:
    assert root.account is not None
    with pytest.raises(InvalidRequest):
        people.take_second_factor_off(root.account, root)
