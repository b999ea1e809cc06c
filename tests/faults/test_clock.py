"""A clock that jumps: nothing that was over begins again, and nothing lasts longer than it was made for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.composition import Services
from app.errors import IdempotencyKeyReused, InvalidInvitation, StillRunning
from app.services.accounts.api_keys import ApiKeys
from app.services.accounts.invitations import Invitations
from app.services.accounts.logins import Logins
from app.services.audit_log import Actor
from app.services.idempotency import Idempotency
from tests.factories import make_services

START = datetime(2026, 11, 2, 9, tzinfo=UTC)


class Clock:
    """A clock on the wall, which somebody may set."""

    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        return self.moment

    def go(self, **by: float) -> None:
        self.moment += timedelta(**by)


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def logins(services: Services, clock: Clock) -> Logins:
    return Logins(sessions=services.sessions, days=30, idle_hours=72, clock=clock)


@pytest.fixture
def ada(services: Services) -> int:
    return services.accounts.create("ada@example.org", "correct horse battery")


def test_a_login_that_was_over_is_not_revived_by_a_clock_that_goes_back(logins: Logins, ada: int, clock: Clock) -> None:
    token = logins.begin(ada, browser="", address="")
    clock.go(hours=73)
    assert logins.check(token) is None
    clock.go(hours=-70)
    assert logins.check(token) is None
    assert logins.list(ada) == ()


def test_a_login_is_not_extended_by_a_clock_that_goes_back(logins: Logins, ada: int, clock: Clock) -> None:
    token = logins.begin(ada, browser="", address="")
    clock.go(days=-20)
    assert logins.list(ada) == ()
    assert logins.check(token) is None
    clock.go(days=20)
    assert logins.check(token) is None


def test_a_login_bears_a_clock_that_is_put_right_a_little(logins: Logins, ada: int, clock: Clock) -> None:
    token = logins.begin(ada, browser="", address="")
    clock.go(minutes=-3)
    assert logins.check(token) is not None


def test_a_jump_ahead_ends_logins(logins: Logins, ada: int, clock: Clock) -> None:
    token = logins.begin(ada, browser="", address="")
    clock.go(days=4000)
    assert logins.check(token) is None
    clock.go(days=-4000)
    assert logins.check(token) is None


def test_an_invitation_is_not_extended_by_a_clock_that_goes_back(services: Services, ada: int, clock: Clock) -> None:
    made = Invitations(sessions=services.sessions, accounts=services.accounts, audit_log=services.audit_log, clock=clock)
    token = made.invite("bob@example.org", Actor("ada@example.org", ada))
    assert made.find(token).email == "bob@example.org"
    clock.go(days=-1)
    with pytest.raises(InvalidInvitation):
        made.find(token)


def test_what_the_cache_of_keys_remembers_does_not_hang_on_the_clock_on_the_wall(services: Services, ada: int) -> None:
    moments = [1000.0]
    keys = ApiKeys(sessions=services.sessions, clock=lambda: moments[0])
    key = keys.create(ada, "hers")
    holder = keys.check(key)
    other = ApiKeys(sessions=services.sessions)
    assert other.revoke(ada, holder.key_id)
    assert keys.check(key) == holder  # within five seconds of its own, steady clock
    moments[0] += 5.1
    with pytest.raises(Exception, match="revoked"):
        keys.check(key)


@pytest.mark.parametrize("jump", [timedelta(hours=-5), timedelta(hours=5)])
def test_a_name_that_was_answered_is_answered_the_same_across_a_jump(
    services: Services, ada: int, clock: Clock, jump: timedelta
) -> None:
    key = ApiKeys(sessions=services.sessions).check(ApiKeys(sessions=services.sessions).create(ada, "hers"))
    once = Idempotency(sessions=services.sessions, answer_within=30, clock=clock)
    claim = once.begin(key.key_id, "name", "fingerprint")
    with pytest.raises(StillRunning):
        once.begin(key.key_id, "name", "fingerprint")
    once.finish(claim, {"label": "8"})
    clock.moment += jump
    again = once.begin(key.key_id, "name", "fingerprint")
    assert (again.prediction_id, again.answer) == (claim.prediction_id, {"label": "8"})
    with pytest.raises(IdempotencyKeyReused):
        once.begin(key.key_id, "name", "another")
