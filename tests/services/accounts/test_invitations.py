"""Invitations: a link that makes one account, once, within a week."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from app.composition import Services
from app.errors import InvalidAccount, InvalidInvitation, Overloaded
from app.services.accounts.accounts import Accounts
from app.services.accounts.invitations import Invitations, Registration
from app.services.accounts.passwords import Passwords
from app.services.audit_log import Actor, subject_of_account
from app.storage.tables import StoredInvitation
from tests.factories import make_services

PASSWORD = "correct horse battery"
ROOT = Actor("root@example.org")


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
def day() -> Day:
    return Day()


@pytest.fixture
def invitations(services: Services, day: Day) -> Invitations:
    return made(services, day)


def made(services: Services, day: Day, registration: Registration = "invited") -> Invitations:
    given: dict[str, Any] = {name: getattr(services, name) for name in ("sessions", "accounts", "audit_log")}
    return Invitations(**given, registration=registration, clock=day)


def open_to_all(services: Services, day: Day) -> Invitations:
    """Give invitations of a site that is set up and open to everybody."""
    services.accounts.create(ROOT.name, PASSWORD, admin=True)
    return made(services, day, registration="open")


def assert_dead(invitations: Invitations, token: str) -> None:
    with pytest.raises(InvalidInvitation):
        invitations.find(token)
    with pytest.raises(InvalidInvitation):
        invitations.accept(token, PASSWORD)


@pytest.mark.parametrize("admin", [False, True])
def test_whoever_is_invited_makes_an_account(invitations: Invitations, services: Services, admin: bool) -> None:
    token = invitations.invite(" Ada@Example.ORG ", ROOT, admin=admin)
    invitation = invitations.find(token)
    assert (invitation.email, invitation.admin, invitation.invited_by) == ("Ada@example.org", admin, ROOT.name)
    number = invitations.accept(token, PASSWORD)
    (person,) = services.people.page(1).people
    assert (person.id, person.email, person.admin) == (number, "Ada@example.org", admin)
    deeds = services.audit_log.about(subject_of_account("Ada@example.org"))
    assert [(deed.actor, deed.action) for deed in deeds] == [("Ada@example.org", "joined"), (ROOT.name, "invited")]


def test_a_link_is_good_once(invitations: Invitations) -> None:
    token = invitations.invite("ada@example.org", ROOT)
    invitations.accept(token, PASSWORD)
    assert_dead(invitations, token)


def test_of_many_at_once_one_makes_the_account(invitations: Invitations, services: Services) -> None:
    token = invitations.invite("ada@example.org", ROOT)

    def accept(_: int) -> bool:
        try:
            return invitations.accept(token, PASSWORD) > 0
        except InvalidInvitation:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(accept, range(8))) == 1
    assert services.people.page(1).total == 1


def test_a_link_is_good_for_a_week(invitations: Invitations, day: Day) -> None:
    token = invitations.invite("ada@example.org", ROOT)
    day.moment += timedelta(days=7) - timedelta(seconds=1)
    assert invitations.find(token).email == "ada@example.org"
    day.moment += timedelta(seconds=1)
    assert invitations.list() == ()
    assert_dead(invitations, token)


def test_a_password_that_cannot_be_leaves_the_link_good(invitations: Invitations) -> None:
    token = invitations.invite("ada@example.org", ROOT)
    with pytest.raises(InvalidAccount):
        invitations.accept(token, "short")
    assert invitations.accept(token, PASSWORD)


class Full(Passwords):
    """Has no place for another password."""

    def hash(self, password: str) -> str:
        raise Overloaded("No place.")


def test_where_too_many_passwords_are_checked_the_link_stays_good(services: Services, invitations: Invitations) -> None:
    token = invitations.invite("ada@example.org", ROOT)
    accounts = Accounts(sessions=services.sessions, setup_file=services.settings.data / "setup_token", passwords=Full())
    with pytest.raises(Overloaded):
        Invitations(sessions=services.sessions, accounts=accounts, audit_log=services.audit_log, clock=Day()).accept(
            token, PASSWORD
        )
    assert invitations.accept(token, PASSWORD)


def test_a_second_invitation_takes_the_place_of_the_first(invitations: Invitations) -> None:
    first, second = invitations.invite("ada@example.org", ROOT, admin=True), invitations.invite("ada@example.org", ROOT)
    assert_dead(invitations, first)
    assert invitations.find(second).admin is False


def test_nobody_who_has_an_account_is_invited(invitations: Invitations, services: Services) -> None:
    services.accounts.create("ada@example.org", PASSWORD)
    with pytest.raises(InvalidAccount, match=r"There is an account for ADA@example\.org already\."):
        invitations.invite("ADA@example.org", ROOT)


@pytest.mark.parametrize("email", ["", "ada", "ada@", "a b@example.org", "ada@example.org\nbcc: eve@example.org"])
def test_what_is_no_address_is_not_invited(invitations: Invitations, email: str) -> None:
    with pytest.raises(InvalidAccount):
        invitations.invite(email, ROOT)
    assert invitations.list() == ()


def test_a_withdrawn_link_is_dead(invitations: Invitations) -> None:
    token = invitations.invite("ada@example.org", ROOT)
    (invitation,) = invitations.list()
    assert invitations.withdraw(invitation.id, ROOT) is True
    assert invitations.withdraw(invitation.id, ROOT) is False
    assert_dead(invitations, token)


def test_only_a_digest_of_the_token_is_kept(invitations: Invitations, services: Services) -> None:
    token = invitations.invite("ada@example.org", ROOT)
    with services.engine.connect() as connection:
        assert token not in str(connection.execute(text("SELECT * FROM invitations")).all())


@pytest.mark.parametrize("token", ["", "a", "é" * 100])
def test_a_token_that_is_none_is_dead(invitations: Invitations, token: str) -> None:
    invitations.invite("ada@example.org", ROOT)
    assert_dead(invitations, token)


def test_whoever_registers_makes_a_members_account_within_a_day(services: Services, day: Day) -> None:
    invitations = open_to_all(services, day)
    registering = invitations.register(" Ada@Example.ORG ")
    assert registering.email == "Ada@example.org"
    assert registering.token is not None
    assert invitations.list() == ()
    day.moment += timedelta(days=1) - timedelta(seconds=1)
    assert invitations.find(registering.token).admin is False
    invitations.accept(registering.token, PASSWORD)
    deeds = services.audit_log.about(subject_of_account("Ada@example.org"))
    assert [(deed.actor, deed.action, deed.detail) for deed in deeds] == [("Ada@example.org", "joined", "registered")]
    late = invitations.register("late@example.org").token
    assert late is not None
    day.moment += timedelta(days=1)
    assert_dead(invitations, late)


def test_for_whoever_has_an_account_nothing_good_is_written(services: Services, day: Day) -> None:
    invitations = open_to_all(services, day)
    assert invitations.register(ROOT.name.upper()).token is None
    with services.engine.connect() as connection:
        ((expires_at,),) = connection.execute(select(StoredInvitation.expires_at)).all()
    assert expires_at == day.moment


def test_registering_keeps_an_invitation_that_waits_under_a_new_link(services: Services, day: Day) -> None:
    invitations = open_to_all(services, day)
    first = invitations.invite("ada@example.org", ROOT, admin=True)
    before = invitations.find(first)
    second = invitations.register("ada@example.org").token
    assert second is not None
    assert_dead(invitations, first)
    assert replace(invitations.find(second), id=before.id) == before


def test_an_invitation_takes_the_place_of_a_registration(services: Services, day: Day) -> None:
    invitations = open_to_all(services, day)
    first = invitations.register("ada@example.org").token
    assert first is not None
    invitations.invite("ada@example.org", ROOT)
    assert_dead(invitations, first)


def test_of_many_who_register_one_address_at_once_one_gets_the_good_link(services: Services, day: Day) -> None:
    invitations = open_to_all(services, day)
    with ThreadPoolExecutor(8) as pool:
        registering = list(pool.map(lambda _: invitations.register("ada@example.org"), range(8)))

    def good(token: str) -> bool:
        try:
            return invitations.find(token).email == "ada@example.org"
        except InvalidInvitation:
            return False

    assert sum(good(one.token or "") for one in registering) == 1


@pytest.mark.parametrize("registration", ["off", "invited"])
def test_nobody_registers_where_it_is_not_open_and_links_of_before_are_dead(
    services: Services, day: Day, registration: Registration
) -> None:
    token = open_to_all(services, day).register("ada@example.org").token
    assert token is not None
    shut = made(services, day, registration=registration)
    assert_dead(shut, token)
    with pytest.raises(InvalidInvitation):
        shut.register("bob@example.org")


def test_nobody_registers_before_there_is_an_administrator(services: Services, day: Day) -> None:
    with pytest.raises(InvalidInvitation):
        made(services, day, registration="open").register("ada@example.org")


def test_where_it_is_off_nobody_is_invited(services: Services, day: Day, invitations: Invitations) -> None:
    token = invitations.invite("ada@example.org", ROOT)
    shut = made(services, day, registration="off")
    assert_dead(shut, token)
    with pytest.raises(InvalidAccount, match="command line"):
        shut.invite("bob@example.org", ROOT)
