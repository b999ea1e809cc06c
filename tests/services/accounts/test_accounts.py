"""Accounts, and the one-time link that makes the first of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition import Services
from app.errors import InvalidAccount, InvalidSetupLink, Overloaded, VitrineError
from app.services.accounts.accounts import Accounts
from app.services.accounts.passwords import Passwords
from app.storage.tables import User
from tests.factories import make_services

PASSWORD = "correct horse battery"


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


def users(services: Services) -> list[User]:
    with Session(services.engine) as session:
        return list(session.scalars(select(User).order_by(User.id)))


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Call all in threads of their own at the same moment; give what each returned or was refused with."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        start.wait()
        try:
            return call()
        except VitrineError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_an_account_keeps_a_hash_and_no_password(services: Services) -> None:
    number = services.accounts.create("ada@example.org", PASSWORD)
    (user,) = users(services)
    assert (user.id, user.email, user.active, user.is_admin) == (number, "ada@example.org", True, False)
    assert user.password is not None
    assert user.password.startswith("$argon2id$")
    assert PasswordHasher().verify(user.password, PASSWORD)


def test_administrators_share_one_role(services: Services) -> None:
    services.accounts.create("ada@example.org", PASSWORD, admin=True)
    services.accounts.create("eve@example.org", PASSWORD, admin=True)
    services.accounts.create("bob@example.org", PASSWORD)
    assert [user.is_admin for user in users(services)] == [True, True, False]
    assert len({role.id for user in users(services) for role in user.roles}) == 1


@pytest.mark.parametrize("again", ["ada@example.org", "ADA@example.org", "Ada@EXAMPLE.org", "  ada@example.org "])
def test_an_address_has_one_account_however_it_is_written(services: Services, again: str) -> None:
    services.accounts.create("ada@example.org", PASSWORD)
    with pytest.raises(InvalidAccount, match="already"):
        services.accounts.create(again, PASSWORD)
    assert len(users(services)) == 1


def test_of_two_who_take_an_address_at_once_one_is_told(services: Services) -> None:
    made = at_once(*[lambda: services.accounts.create("ada@example.org", PASSWORD)] * 4)
    assert sorted(type(outcome).__name__ for outcome in made) == ["InvalidAccount"] * 3 + ["int"]
    assert len(users(services)) == 1


@pytest.mark.parametrize(
    "email", ["", " ", "ada", "ada@", "@example.org", "ada@example", "a b@example.org", "ada@example.org\0"]
)
def test_what_is_no_address_is_refused(services: Services, email: str) -> None:
    with pytest.raises(InvalidAccount, match="is not an e-mail address"):
        services.accounts.create(email, PASSWORD)
    assert users(services) == []


@pytest.mark.parametrize("length", [12, 1024])
def test_passwords_of_12_to_1024_characters_are_taken(services: Services, length: int) -> None:
    services.accounts.create("ada@example.org", PASSWORD.ljust(length, "!")[-length:])
    assert len(users(services)) == 1


@pytest.mark.parametrize("length", [0, 11, 1025])
def test_other_passwords_are_refused(services: Services, length: int) -> None:
    with pytest.raises(InvalidAccount, match="12 to 1024"):
        services.accounts.create("ada@example.org", "p" * length)
    assert users(services) == []


def test_an_account_is_found_by_its_address(services: Services) -> None:
    number = services.accounts.create("Ada@example.org", PASSWORD)
    assert services.accounts.number_of(" ada@Example.org ") == number
    with pytest.raises(InvalidAccount, match="no account for eve"):
        services.accounts.number_of("eve@example.org")


def test_the_setup_link_makes_one_administrator_once(services: Services) -> None:
    assert services.accounts.is_empty()
    token = services.accounts.setup_token()
    assert token is not None
    services.accounts.check_setup_token(token)
    services.accounts.set_up(token, "ada@example.org", PASSWORD)
    assert [(user.email, user.is_admin) for user in users(services)] == [("ada@example.org", True)]
    with pytest.raises(InvalidSetupLink):
        services.accounts.set_up(token, "eve@example.org", PASSWORD)
    with pytest.raises(InvalidSetupLink):
        services.accounts.check_setup_token(token)
    assert services.accounts.setup_token() is None
    assert len(users(services)) == 1


def test_the_setup_link_is_kept_where_only_its_owner_reads(services: Services) -> None:
    token = services.accounts.setup_token()
    file = services.settings.data / "setup_token"
    assert file.read_text().strip() == token
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_setup_link_stays_the_same_until_it_is_renewed(services: Services) -> None:
    first = services.accounts.setup_token()
    assert services.accounts.setup_token() == first
    second = services.accounts.setup_token(renew=True)
    assert first is not None
    assert second is not None
    assert first != second
    with pytest.raises(InvalidSetupLink):
        services.accounts.check_setup_token(first)
    services.accounts.check_setup_token(second)


@pytest.mark.parametrize("token", ["", "wrong", "é"])
def test_a_wrong_setup_link_makes_nobody(services: Services, token: str) -> None:
    with pytest.raises(InvalidSetupLink):
        services.accounts.set_up(token, "ada@example.org", PASSWORD)
    services.accounts.setup_token()
    with pytest.raises(InvalidSetupLink):
        services.accounts.set_up(token, "ada@example.org", PASSWORD)
    assert services.accounts.is_empty()


def test_the_setup_link_dies_with_the_first_account_of_any_door(services: Services) -> None:
    token = services.accounts.setup_token()
    assert token is not None
    services.accounts.create("ada@example.org", PASSWORD)
    with pytest.raises(InvalidSetupLink):
        services.accounts.set_up(token, "eve@example.org", PASSWORD)
    assert services.accounts.setup_token(renew=True) is None
    assert not (services.settings.data / "setup_token").exists()


@pytest.mark.parametrize(("email", "password"), [("ada", PASSWORD), ("ada@example.org", "short")])
def test_a_slip_of_the_pen_does_not_use_up_the_setup_link(services: Services, email: str, password: str) -> None:
    token = services.accounts.setup_token()
    assert token is not None
    with pytest.raises(InvalidAccount):
        services.accounts.set_up(token, email, password)
    services.accounts.set_up(token, "ada@example.org", PASSWORD)
    assert len(users(services)) == 1


class Full(Passwords):
    """Has no place for another password."""

    def hash(self, password: str) -> str:
        raise Overloaded("No place.")


def test_where_too_many_passwords_are_checked_the_setup_link_is_not_used_up(services: Services) -> None:
    file = services.settings.data / "setup_token"
    token = services.accounts.setup_token() or ""
    with pytest.raises(Overloaded):
        Accounts(sessions=services.sessions, setup_file=file, passwords=Full()).set_up(token, "ada@example.org", PASSWORD)
    assert services.accounts.set_up(token, "ada@example.org", PASSWORD)


def test_a_setup_link_opened_twice_at_once_makes_one_account(services: Services) -> None:
    token = services.accounts.setup_token()
    assert token is not None
    outcomes = at_once(
        *[lambda who=who: services.accounts.set_up(token, f"{who}@example.org", PASSWORD) for who in ("ada", "eve", "bob")]
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["InvalidSetupLink"] * 2 + ["int"]
    assert len(users(services)) == 1


def test_where_machines_share_the_accounts_the_link_of_each_is_good_on_all(tmp_path: Path) -> None:
    shared = {"database_url": f"sqlite:///{tmp_path / 'shared.db'}", "secret_key": "kW3-vT9_qLx7ZbN2mRf8sYc4HdJ6gPa0"}
    one, other = make_services(tmp_path / "one", **shared), make_services(tmp_path / "other", **shared)
    links = [one.accounts.setup_token(), other.accounts.setup_token()]
    assert links[0] != links[1]
    for link in links:
        assert link is not None
        one.accounts.check_setup_token(link)
        other.accounts.check_setup_token(link)
    with pytest.raises(InvalidSetupLink):
        other.accounts.check_setup_token(one.accounts._machines.seal("something else"))  # type: ignore[union-attr]
    outcomes = at_once(
        lambda: one.accounts.set_up(links[1] or "", "ada@example.org", PASSWORD),
        lambda: other.accounts.set_up(links[1] or "", "eve@example.org", PASSWORD),
    )
    assert [type(outcome) for outcome in outcomes].count(int) == 1
    for services in (one, other):
        with pytest.raises(InvalidSetupLink):
            services.accounts.check_setup_token(links[0] or "")
        assert services.accounts.setup_token(renew=True) is None


def test_a_link_of_another_site_is_good_nowhere_else(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'shared.db'}"
    one, other = (
        make_services(tmp_path / "one", database_url=database),
        make_services(tmp_path / "other", database_url=database),
    )
    with pytest.raises(InvalidSetupLink):
        other.accounts.check_setup_token(one.accounts.setup_token() or "")
