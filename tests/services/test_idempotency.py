"""One answer for requests of one name, whoever asks at once, dies half way, or comes back a day later."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from app.composition import Services
from app.errors import IdempotencyKeyReused, StillRunning
from app.services.idempotency import Claim, Idempotency
from app.storage.tables import IdempotentRequest
from tests.factories import make_services

ANSWER = {"label": "cat", "predictions": [{"label": "cat", "probability": 0.75}]}


class Day:
    """The time of day, which goes on when it is told to."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 7, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


@pytest.fixture
def key(services: Services) -> str:
    return make_key(services, "ada@example.org")


@pytest.fixture
def day() -> Day:
    return Day()


@pytest.fixture
def once(services: Services, day: Day) -> Idempotency:
    return Idempotency(sessions=services.sessions, answer_within=30, clock=day)


def make_key(services: Services, email: str) -> str:
    account = services.accounts.create(email, "correct horse battery")
    services.api_keys.create(account, "tests")
    return services.api_keys.list(account)[0].id


def names(services: Services) -> int:
    with services.sessions() as session:
        return session.scalar(select(func.count()).select_from(IdempotentRequest)) or 0


def test_the_first_request_is_answered_and_the_others_get_its_answer(once: Idempotency, key: str) -> None:
    claim = once.begin(key, "a", "fingerprint")
    assert (claim.answer, claim.taken_over) == (None, False)
    once.finish(claim, ANSWER)
    assert once.begin(key, "a", "fingerprint") == Claim(key, "a", claim.prediction_id, ANSWER)


def test_a_request_that_is_being_answered_is_not_begun_again(once: Idempotency, key: str, day: Day) -> None:
    once.begin(key, "a", "fingerprint")
    day.moment += timedelta(seconds=34)
    with pytest.raises(StillRunning) as refusal:
        once.begin(key, "a", "fingerprint")
    assert refusal.value.retry_after == 2


def test_another_request_of_the_name_is_refused_before_and_after_the_answer(once: Idempotency, key: str) -> None:
    claim = once.begin(key, "a", "fingerprint")
    with pytest.raises(IdempotencyKeyReused):
        once.begin(key, "a", "another")
    once.finish(claim, ANSWER)
    with pytest.raises(IdempotencyKeyReused):
        once.begin(key, "a", "another")


def test_a_name_belongs_to_a_key(once: Idempotency, services: Services, key: str) -> None:
    other = make_key(services, "bob@example.org")
    once.finish(once.begin(key, "a", "fingerprint"), ANSWER)
    assert once.begin(other, "a", "another").answer is None


def test_a_request_that_was_refused_may_be_sent_again_and_mended(once: Idempotency, key: str) -> None:
    once.release(once.begin(key, "a", "fingerprint"))
    assert once.begin(key, "a", "another").answer is None


def test_what_nobody_finished_is_taken_over_by_one_and_keeps_its_identifier(once: Idempotency, key: str, day: Day) -> None:
    first = once.begin(key, "a", "fingerprint")
    day.moment += timedelta(seconds=36)

    def begin(_: int) -> Claim | None:
        try:
            return once.begin(key, "a", "fingerprint")
        except StillRunning:
            return None

    with ThreadPoolExecutor(8) as pool:
        claims = [claim for claim in pool.map(begin, range(8)) if claim is not None]
    assert claims == [Claim(key, "a", first.prediction_id, taken_over=True)]


def test_of_many_at_once_one_begins(once: Idempotency, key: str) -> None:
    def begin(_: int) -> bool:
        try:
            return once.begin(key, "a", "fingerprint").answer is None
        except StillRunning:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(begin, range(40))) == 1


def test_after_a_day_the_name_is_free(once: Idempotency, key: str, day: Day) -> None:
    first = once.begin(key, "a", "fingerprint")
    once.finish(first, ANSWER)
    day.moment += timedelta(hours=24)
    later = once.begin(key, "a", "another")
    assert later.answer is None
    assert later.prediction_id != first.prediction_id


def test_what_is_older_than_a_day_is_swept_out_now_and_then(once: Idempotency, services: Services, key: str, day: Day) -> None:
    for number in range(99):
        once.begin(key, f"old {number}", "fingerprint")
    day.moment += timedelta(hours=24)
    once.begin(key, "new", "fingerprint")
    assert names(services) == 1


def test_names_go_with_their_key(once: Idempotency, services: Services, key: str) -> None:
    once.finish(once.begin(key, "a", "fingerprint"), ANSWER)
    with services.sessions.begin() as session:
        session.execute(text("DELETE FROM users"))
    assert names(services) == 0
