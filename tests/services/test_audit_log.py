"""Who did what: written once, kept by its subject, and no reason to stop where it cannot be written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from app.composition import Services
from app.services.audit_log import COMMAND_LINE, Actor, subject_of_model
from app.storage.tables import AuditEntry, User
from tests.factories import make_services

SHADE, DIGITS = subject_of_model("shade"), subject_of_model("digits")


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


@pytest.fixture
def ada(services: Services) -> Actor:
    return Actor("ada@example.org", services.accounts.create("ada@example.org", "correct horse battery"))


def test_what_was_done_is_told_newest_first(services: Services, ada: Actor) -> None:
    assert services.audit_log.record(COMMAND_LINE, "imported", SHADE, "version 1")
    assert services.audit_log.record(ada, "activated", SHADE, "version 2 in place of 1")
    deeds = services.audit_log.about(SHADE)
    assert [(deed.actor, deed.action, deed.detail) for deed in deeds] == [
        ("ada@example.org", "activated", "version 2 in place of 1"),
        ("command line", "imported", "version 1"),
    ]
    assert all(abs(datetime.now(UTC) - deed.at) < timedelta(minutes=1) for deed in deeds)


def test_only_what_was_done_to_the_subject_is_told(services: Services, ada: Actor) -> None:
    services.audit_log.record(ada, "activated", SHADE, "version 2")
    services.audit_log.record(ada, "removed", DIGITS, "version 3")
    assert [deed.detail for deed in services.audit_log.about(DIGITS)] == ["version 3"]
    assert services.audit_log.about("model:shad") == services.audit_log.about("") == []


def test_no_more_than_the_newest_are_told(services: Services) -> None:
    for number in range(25):
        services.audit_log.record(COMMAND_LINE, "removed", SHADE, f"version {number}")
    assert [deed.detail for deed in services.audit_log.about(SHADE, limit=2)] == ["version 24", "version 23"]
    assert len(services.audit_log.about(SHADE)) == 20


def test_an_entry_names_its_account_and_outlives_it(services: Services, ada: Actor) -> None:
    services.audit_log.record(ada, "activated", SHADE)
    services.audit_log.record(COMMAND_LINE, "removed", SHADE)
    newest_last = select(AuditEntry.account_id).order_by(AuditEntry.id)
    with Session(services.engine) as session, session.begin():
        assert session.scalars(newest_last).all() == [ada.account, None]
        session.execute(delete(User).where(User.id == ada.account))
    with Session(services.engine) as session:
        assert session.scalars(newest_last).all() == [None, None]
    assert [deed.actor for deed in services.audit_log.about(SHADE)] == ["command line", "ada@example.org"]


def test_what_cannot_be_written_down_is_told_and_logged(services: Services, ada: Actor) -> None:
    with services.engine.begin() as connection:
        connection.execute(text("DROP TABLE audit_log"))
    with capture_logs() as events:
        assert services.audit_log.record(ada, "activated", SHADE, "version 2") is False
    (event,) = [event for event in events if event["event"] == "deed_not_recorded"]
    assert (event["actor"], event["action"], event["subject"], event["detail"]) == (
        "ada@example.org",
        "activated",
        "model:shade",
        "version 2",
    )


def test_what_was_done_by_a_key_says_so(services: Services, ada: Actor) -> None:
    by_key = Actor(ada.name, ada.account, key="vtr_0123456789ab")
    services.audit_log.record(by_key, "activated", SHADE, "version 2")
    services.audit_log.record(by_key, "logged out", SHADE)
    details = [(deed.actor, deed.detail) for deed in services.audit_log.about(SHADE)]
    assert details == [(ada.name, "by key vtr_0123456789ab"), (ada.name, "version 2, by key vtr_0123456789ab")]


def test_all_of_it_is_read_part_by_part(services: Services, ada: Actor) -> None:
    for number in range(5):
        services.audit_log.record(ada, "removed", SHADE if number % 2 else DIGITS, f"version {number}")
    newest = services.audit_log.before(None, 2)
    assert [(entry.subject, entry.detail) for entry in newest] == [(DIGITS, "version 4"), (SHADE, "version 3")]
    others = services.audit_log.before(newest[-1].id, 100)
    assert [entry.detail for entry in others] == ["version 2", "version 1", "version 0"]
    assert services.audit_log.before(others[-1].id, 100) == ()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_log",
        "DELETE FROM audit_log WHERE id = 1",
        "UPDATE audit_log SET actor = 'eve@example.org'",
        "UPDATE audit_log SET detail = detail || '.' WHERE id = 2",
        "UPDATE audit_log SET address = NULL",
        "UPDATE audit_log SET at = '2020-01-01 00:00:00'",
        "UPDATE audit_log SET id = 9 WHERE id = 1",
        "UPDATE audit_log SET account_id = 1",
        "UPDATE audit_log SET account_id = NULL, action = 'removed'",
        "INSERT OR REPLACE INTO audit_log (id, at, actor, action, subject, detail)"
        " VALUES (1, '2020-01-01', 'eve', 'joined', 'nothing', '')",
    ],
)
def test_nothing_that_is_written_down_can_be_changed_or_deleted(services: Services, ada: Actor, statement: str) -> None:
    services.audit_log.record(Actor(ada.name, ada.account, "192.0.2.7"), "activated", SHADE)
    services.audit_log.record(COMMAND_LINE, "removed", SHADE)
    rows = text("SELECT * FROM audit_log ORDER BY id")
    with services.engine.connect() as connection:
        before = connection.execute(rows).all()
        with pytest.raises(IntegrityError, match="only added to"), connection.begin_nested():
            connection.execute(text(statement))
        assert connection.execute(rows).all() == before
    assert len(before) == 2


def test_where_a_deed_was_done_is_written_down_and_told_in_the_log(services: Services, ada: Actor) -> None:
    with capture_logs() as events:
        services.audit_log.record(Actor(ada.name, ada.account, "2001:db8::7" + "x" * 60), "activated", SHADE, "version 2")
        services.audit_log.record(COMMAND_LINE, "removed", SHADE)
    with Session(services.engine) as session:
        first, second = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
    assert first.address == ("2001:db8::7" + "x" * 60)[:45]
    assert second.address is None
    (event,) = events
    assert (event["event"], event["actor"], event["action"], event["subject"], event["address"]) == (
        "deed",
        "ada@example.org",
        "activated",
        "model:shade",
        first.address,
    )
