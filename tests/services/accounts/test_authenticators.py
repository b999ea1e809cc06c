"""An app's codes: counted as RFC 6238 has it, good once, near the time, and for its account alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from passlib.totp import TOTP
from sqlalchemy import update

from app.composition import Services
from app.errors import InvalidCode
from app.services.accounts.authenticators import Authenticators
from app.services.accounts.vault import Vault
from app.services.audit_log import Actor
from app.storage.tables import StoredAuthenticator
from tests.factories import make_services

KEY = "a key of this site, with enough of characters"
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


class Clock:
    """The time, which goes on when it is told to."""

    def __init__(self) -> None:
        self.moment = NOON

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


@pytest.fixture
def ada(services: Services) -> Actor:
    return Actor("ada@example.org", services.accounts.create("ada@example.org", "correct horse battery"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def make_authenticators(services: Services, clock: Clock, key: str = KEY) -> Authenticators:
    return Authenticators(sessions=services.sessions, vault=Vault(key=lambda: key), audit_log=services.audit_log, clock=clock)


@pytest.fixture
def authenticators(services: Services, clock: Clock) -> Authenticators:
    return make_authenticators(services, clock)


def code_of(secret: str, moment: datetime = NOON, seconds: int = 0) -> str:
    return str(TOTP(key=secret).generate(moment + timedelta(seconds=seconds)).token)


def turn_on(authenticators: Authenticators, actor: Actor) -> str:
    """Set an app up at noon, and give its secret."""
    offer = authenticators.offer(actor)
    authenticators.turn_on(actor, offer.sealed, code_of(offer.secret))
    return offer.secret


def number(actor: Actor) -> int:
    assert actor.account is not None
    return actor.account


def test_the_codes_are_those_of_the_standard(authenticators: Authenticators, services: Services, ada: Actor) -> None:
    turn_on(authenticators, ada)
    # RFC 6238, appendix B, by its last six digits: this secret, at 1111111109 and 2000000000 seconds.
    sealed = Vault(key=lambda: KEY).seal("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    with services.sessions.begin() as session:
        session.execute(update(StoredAuthenticator).values(secret=sealed, last_counter=0))
    for seconds, code in ((1_111_111_109, "081804"), (2_000_000_000, "279037")):
        clock = Clock()
        clock.moment = datetime.fromtimestamp(seconds, UTC)
        assert make_authenticators(services, clock).check(number(ada), code)


def test_nothing_is_asked_for_before_a_code_was_right(authenticators: Authenticators, ada: Actor) -> None:
    offer = authenticators.offer(ada)
    for code in ("", "abcdef", "12345", code_of(offer.secret, seconds=90)):
        with pytest.raises(InvalidCode, match="not the code of this secret"):
            authenticators.turn_on(ada, offer.sealed, code)
    assert authenticators.added_at(number(ada)) is None
    authenticators.turn_on(ada, offer.sealed, code_of(offer.secret))
    assert authenticators.added_at(number(ada)) == NOON


def test_an_offer_is_given_again_while_it_is_ours(authenticators: Authenticators, ada: Actor) -> None:
    offer = authenticators.offer(ada)
    assert authenticators.offered(ada, offer.sealed).secret == offer.secret
    assert authenticators.offered(Actor("eve@example.org", number(ada) + 1), offer.sealed).secret != offer.secret
    assert authenticators.offered(ada, "x").secret != offer.secret
    assert offer.address.startswith("otpauth://totp/Vitrine:ada@example.org?secret=")


def test_the_offer_of_another_is_not_taken(authenticators: Authenticators, ada: Actor) -> None:
    offer = authenticators.offer(Actor("eve@example.org", number(ada) + 1))
    with pytest.raises(InvalidCode):
        authenticators.turn_on(ada, offer.sealed, code_of(offer.secret))


def test_a_code_is_good_once_and_ends_those_before_it(authenticators: Authenticators, ada: Actor, clock: Clock) -> None:
    secret, account = turn_on(authenticators, ada), number(ada)
    assert not authenticators.check(account, code_of(secret))  # it set the app up
    assert authenticators.check(account, code_of(secret, seconds=30))
    clock.moment += timedelta(seconds=30)
    assert not authenticators.check(account, code_of(secret, seconds=30))
    assert not authenticators.check(account, code_of(secret))
    assert authenticators.check(account, code_of(secret, seconds=60))


@pytest.mark.parametrize(("seconds", "good"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_a_clock_may_be_half_a_minute_off(
    authenticators: Authenticators, ada: Actor, clock: Clock, seconds: int, good: bool
) -> None:
    secret = turn_on(authenticators, ada)
    clock.moment += timedelta(hours=1)
    assert authenticators.check(number(ada), code_of(secret, clock.moment, seconds)) is good


def test_of_many_that_bring_a_code_at_once_one_gets_in(authenticators: Authenticators, ada: Actor) -> None:
    code = code_of(turn_on(authenticators, ada), seconds=30)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: authenticators.check(number(ada), code), range(16)))
    assert answers.count(True) == 1


def test_a_new_app_takes_the_place_of_the_old_one(authenticators: Authenticators, ada: Actor, clock: Clock) -> None:
    old = turn_on(authenticators, ada)
    clock.moment += timedelta(minutes=5)
    offer = authenticators.offer(ada)
    authenticators.turn_on(ada, offer.sealed, code_of(offer.secret, clock.moment))
    assert not authenticators.check(number(ada), code_of(old, clock.moment, 30))
    assert authenticators.check(number(ada), code_of(offer.secret, clock.moment, 30))


def test_off_is_off(authenticators: Authenticators, services: Services, ada: Actor) -> None:
    secret = turn_on(authenticators, ada)
    services.recovery_codes.make(ada)
    assert authenticators.turn_off(ada)
    assert not authenticators.turn_off(ada)
    assert not authenticators.check(number(ada), code_of(secret, seconds=30))
    assert services.recovery_codes.left(number(ada)) == 0
    assert services.second_factors.of(number(ada)) == frozenset()


def test_under_another_key_no_code_is_right_and_nothing_breaks(services: Services, ada: Actor, clock: Clock) -> None:
    secret = turn_on(make_authenticators(services, clock), ada)
    other = make_authenticators(services, clock, key=KEY + "!")
    assert not other.check(number(ada), code_of(secret, seconds=30))
