"""Identities: linked once by a verified address, and found by issuer and subject alone from then on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from app.composition import Services
from app.errors import InvalidAccount, SignInRefused
from app.services.accounts.identities import Identities, Identity
from app.services.audit_log import subject_of_account
from tests.factories import make_services

EMAIL, PASSWORD = "ada@example.org", "correct horse battery"
ADA = Identity("https://login.example.org", "1", EMAIL, email_verified=True, authenticated_at=0)


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


def identities_of(services: Services, *, make_accounts: bool = False) -> Identities:
    return Identities(sessions=services.sessions, audit_log=services.audit_log, make_accounts=make_accounts)


@pytest.fixture
def identities(services: Services) -> Identities:
    return identities_of(services)


@pytest.fixture
def ada(services: Services) -> int:
    return services.accounts.create(EMAIL, PASSWORD)


def deeds(services: Services, email: str = EMAIL) -> list[tuple[str, str]]:
    return [(deed.action, deed.detail) for deed in services.audit_log.about(subject_of_account(email))]


def assert_refused(identities: Identities, identity: Identity) -> str:
    with pytest.raises(SignInRefused) as refusal:
        identities.account_of(identity)
    return str(refusal.value)


def test_an_account_is_linked_by_its_address_once_and_that_is_written_down(
    services: Services, identities: Identities, ada: int
) -> None:
    assert identities.known_account(ADA) is None
    assert identities.account_of(replace(ADA, email="ADA@Example.org")) == ada
    assert identities.account_of(replace(ADA, email="", email_verified=False)) == ada
    assert [linked.issuer for linked in identities.list(ada)] == [ADA.issuer]
    assert deeds(services) == []
    assert deeds(services, "ADA@example.org") == [("linked", f"through {ADA.issuer}")]


@pytest.mark.parametrize(
    "other",
    [
        replace(ADA, subject="2"),
        replace(ADA, subject="2", email="nobody@example.org"),
        replace(ADA, subject="2", email_verified=False),
        replace(ADA, subject="2", email="no address"),
        replace(ADA, subject="2", email=""),
        replace(ADA, issuer="https://other.example.org", email="nobody@example.org"),
    ],
)
def test_nobody_else_comes_in(identities: Identities, ada: int, other: Identity) -> None:
    identities.account_of(ADA)
    assert_refused(identities, other)
    assert len(identities.list(ada)) == 1


def test_whether_an_address_is_verified_is_asked_before_whether_anybody_has_it(identities: Identities, ada: int) -> None:
    of_nobody = replace(ADA, email="nobody@example.org", email_verified=False)
    assert assert_refused(identities, of_nobody) == assert_refused(identities, replace(ADA, email_verified=False))


def test_the_same_subject_of_another_issuer_is_somebody_else(services: Services, identities: Identities, ada: int) -> None:
    bob = services.accounts.create("bob@example.org", PASSWORD)
    assert identities.account_of(ADA) == ada
    assert identities.account_of(replace(ADA, issuer="https://other.example.org", email="bob@example.org")) == bob


def test_a_disabled_account_is_refused_as_an_unknown_one_is(services: Services, identities: Identities, ada: int) -> None:
    unknown = assert_refused(identities, replace(ADA, email="nobody@example.org"))
    with services.engine.begin() as connection:
        connection.execute(text("UPDATE users SET active = 0"))
    assert assert_refused(identities, ADA) == unknown
    assert identities.list(ada) == ()


def test_an_account_is_made_where_that_is_wished_and_somebody_administers_the_site(services: Services) -> None:
    identities = identities_of(services, make_accounts=True)
    assert "set-up link" in assert_refused(identities, ADA)
    assert services.accounts.is_empty()
    services.accounts.create("root@example.org", PASSWORD, admin=True)
    account = identities.account_of(ADA)
    assert identities.account_of(ADA) == account == services.accounts.number_of(EMAIL)
    assert deeds(services) == [("joined", f"through {ADA.issuer}")]
    with pytest.raises(InvalidAccount, match="Choose a password first"):
        identities.unlink(account, identities.list(account)[0].id)


def test_of_many_at_once_one_links_and_all_come_in(services: Services) -> None:
    services.accounts.create("root@example.org", PASSWORD, admin=True)
    identities = identities_of(services, make_accounts=True)
    with ThreadPoolExecutor(8) as pool:
        accounts = list(pool.map(identities.account_of, [ADA] * 8))
    assert set(accounts) == {services.accounts.number_of(EMAIL)}
    assert len(identities.list(accounts[0])) == 1


def test_an_identity_is_unlinked_by_its_owner_alone(services: Services, identities: Identities, ada: int) -> None:
    bob = services.accounts.create("bob@example.org", PASSWORD)
    identities.account_of(ADA)
    (linked,) = identities.list(ada)
    assert not identities.unlink(bob, linked.id)
    assert identities.known_account(ADA) == ada
    assert identities.unlink(ada, linked.id)
    assert not identities.unlink(ada, linked.id)
    assert identities.known_account(ADA) is None
    assert deeds(services)[0] == ("unlinked", f"from {ADA.issuer}")


def test_an_identity_goes_with_its_account(services: Services, identities: Identities, ada: int) -> None:
    identities.account_of(ADA)
    with services.engine.begin() as connection:
        connection.execute(text("DELETE FROM users"))
        assert connection.execute(text("SELECT count(*) FROM identities")).scalar() == 0
