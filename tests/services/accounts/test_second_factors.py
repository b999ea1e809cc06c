"""Which second factors an account has, and who must have one."""

from __future__ import annotations

from pathlib import Path

import pytest
from passlib.totp import TOTP

from app.composition import Services
from app.services.accounts.second_factors import with_factors
from app.services.audit_log import Actor
from tests.device import Device
from tests.factories import make_services


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path, public_url="https://photos.example.org")


def make_account(services: Services, email: str = "ada@example.org") -> tuple[Actor, int]:
    number = services.accounts.create(email, "correct horse battery")
    return Actor(email, number), number


def add_app(services: Services, actor: Actor) -> None:
    offer = services.authenticators.offer(actor)
    services.authenticators.turn_on(actor, offer.sealed, TOTP(key=offer.secret).generate().token)


def add_passkey(services: Services, actor: Actor) -> None:
    ceremony = services.passkeys.begin_adding(actor)
    answer = Device("https://photos.example.org", "photos.example.org").create(ceremony.options)
    services.passkeys.add(actor, "laptop", ceremony.state, answer)


def test_an_account_has_what_it_has_set_up(services: Services) -> None:
    (ada, number), (bob, other) = make_account(services), make_account(services, "bob@example.org")
    assert services.second_factors.of(number) == frozenset()
    add_app(services, ada)
    add_passkey(services, bob)
    assert services.second_factors.of(number) == {"code"}
    assert services.second_factors.of(other) == {"passkey"}
    add_passkey(services, ada)
    assert services.second_factors.of(number) == {"code", "passkey"}
    with services.sessions() as session:
        assert with_factors(session, [number, other, 99]) == {number, other}
        assert with_factors(session, []) == set()


def test_codes_on_paper_alone_are_no_factor(services: Services) -> None:
    ada, number = make_account(services)
    services.recovery_codes.make(ada)
    assert services.second_factors.of(number) == frozenset()


@pytest.mark.parametrize(
    ("setting", "of_admins", "of_members"),
    [("offered", False, False), ("administrators", True, False), ("everybody", True, True)],
)
def test_who_must_have_one_is_set(tmp_path: Path, setting: str, of_admins: bool, of_members: bool) -> None:
    services = make_services(tmp_path, second_factor=setting)
    factors, (ada, number) = services.second_factors, make_account(services)
    assert (factors.missing(number, admin=True), factors.missing(number, admin=False)) == (of_admins, of_members)
    add_app(services, ada)
    assert not factors.missing(number, admin=True)
    assert not factors.missing(number, admin=False)
