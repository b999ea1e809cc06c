"""What leaves a site: all of it, in order, without a secret, and what is too new to be whole another time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app.composition import Services
from app.errors import InvalidRequest
from app.services.audit_log import Actor
from app.services.exchange.exporting import Exported, Exporter
from app.services.exchange.shapes import AUDIT_LOG, PREDICTIONS, SHAPES, USERS, Row, Shape
from app.services.recorder import Owner, Recorder
from tests.factories import make_prediction
from tests.services.exchange.rows import BEGAN, prediction, read, store_predictions


def export(services: Services, shape: Shape, url: str | Path) -> Exported:
    """Export, as the command does."""
    exporter = Exporter(engine=services.engine, audit_log=services.audit_log, answer_within=30)
    steps: list[int] = []
    begun = exporter.open(shape, str(url))
    length = begun.length
    done = begun.run(steps.append)
    assert sum(steps) == done.rows
    assert shape is AUDIT_LOG or length == done.rows
    return done


def test_predictions_tell_whose_they_are_by_address(services: Services, tmp_path: Path) -> None:
    services.accounts.add("ada@example.org", "a hash")
    rows = [prediction(1), prediction(2, owner="ada@example.org", guest=None, file_name="=1+1")]
    store_predictions(services, rows)
    assert export(services, PREDICTIONS, tmp_path / "a.jsonl") == Exported(2, 0)
    assert read(tmp_path / "a.jsonl", PREDICTIONS) == rows


def test_an_export_that_is_called_again_writes_what_is_new(services: Services, tmp_path: Path) -> None:
    rows = [prediction(number) for number in range(2300)]
    store_predictions(services, rows[:1700])
    assert export(services, PREDICTIONS, tmp_path / "a.csv").rows == 1700
    store_predictions(services, rows[1700:])
    assert export(services, PREDICTIONS, tmp_path / "a.csv").rows == 600
    assert export(services, PREDICTIONS, tmp_path / "a.csv").rows == 0
    assert read(tmp_path / "a.csv", PREDICTIONS) == rows


def test_what_may_still_be_overtaken_is_left_for_another_call(services: Services, tmp_path: Path) -> None:
    recorder, moment = Recorder(engine=services.engine), datetime.now(UTC)
    ages = [timedelta(seconds=seconds) for seconds in (600, 45, 20, 0)]
    made = [make_prediction(created_at=moment - age) for age in ages]
    assert all(recorder.record(one, Owner(guest="a guest"), None) for one in made)
    assert export(services, PREDICTIONS, tmp_path / "a.csv") == Exported(2, 2)
    assert [row["id"] for row in read(tmp_path / "a.csv", PREDICTIONS)] == [one.id for one in made[:2]]


def test_accounts_leave_without_what_lets_anybody_in(services: Services, tmp_path: Path) -> None:
    services.accounts.add("ada@example.org", "a hash", admin=True)
    bob = services.accounts.add("bob@example.org", "a hash")
    services.people.disable(bob, Actor("ada@example.org"))
    with services.engine.connect() as connection:
        secrets = connection.execute(text("SELECT password, fs_uniquifier FROM users")).all()
    export(services, USERS, tmp_path / "a.csv")
    content = (tmp_path / "a.csv").read_text()
    assert not [secret for row in secrets for secret in row if secret in content]
    ada, bob_again = read(tmp_path / "a.csv", USERS)
    assert (ada["email"], ada["roles"], ada["active"], ada["logged_in_at"]) == ("ada@example.org", ["admin"], True, None)
    assert (bob_again["id"], bob_again["roles"], bob_again["active"]) == (bob, [], False)


def test_no_shape_has_a_secret() -> None:
    names = {name for shape in SHAPES.values() for name in shape.names}
    assert not names & {
        "password",
        "fs_uniquifier",
        "digest",
        "secret",
        "credential",
        "handle",
        "credential_id",
        "last_counter",
    }


def test_the_audit_log_tells_that_it_was_exported(services: Services, tmp_path: Path) -> None:
    ada = services.accounts.add("ada@example.org", "a hash")
    services.audit_log.record(Actor("ada@example.org", ada, "192.0.2.7"), "activated", "model:shade", "version 2")
    export(services, AUDIT_LOG, f"sqlite:///{tmp_path / 'a.db'}")
    first, second = read(f"sqlite:///{tmp_path / 'a.db'}", AUDIT_LOG)
    told: Row = {name: first[name] for name in ("id", "actor", "account", "action", "subject", "detail", "address")}
    assert list(told.values()) == [
        1,
        "ada@example.org",
        "ada@example.org",
        "activated",
        "model:shade",
        "version 2",
        "192.0.2.7",
    ]
    assert BEGAN < first["at"] <= second["at"]
    assert (second["actor"], second["action"], second["subject"]) == ("command line", "exported", "list:audit-log")
    assert second["detail"] == f"to sqlite:///{tmp_path / 'a.db'}"


def test_a_password_in_an_address_is_written_down_nowhere(services: Services) -> None:
    with pytest.raises(
        InvalidRequest, match=r"postgresql://me:\*\*\*@127\.0\.0\.1:1/site cannot be opened, or does not answer"
    ):
        export(services, USERS, "postgresql://me:secret@127.0.0.1:1/site")


def test_a_site_takes_rows_by_itself_and_not_a_table_beside_its_own(services: Services, other: Services) -> None:
    with pytest.raises(InvalidRequest, match="let that site take them with vitrine import users"):
        export(services, USERS, str(other.engine.url))


def test_another_table_of_that_name_stays_as_it_is(services: Services, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    export(services, USERS, url)
    with services.engine.connect() as connection:
        connection.execute(text("ATTACH DATABASE :file AS a"), {"file": str(tmp_path / "a.db")})
        connection.execute(text("ALTER TABLE a.vitrine_users ADD COLUMN note"))
    for call in (lambda: export(services, USERS, url), lambda: read(url, USERS)):
        with pytest.raises(InvalidRequest, match=r"vitrine_users in sqlite://.* has other columns than an export makes"):
            call()


def test_a_database_that_is_none_of_ours_says_so(tmp_path: Path, services: Services) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    with pytest.raises(InvalidRequest, match=r"a\.db cannot be opened: No such file"):
        read(url, USERS)
    export(services, USERS, url)
    assert (tmp_path / "a.db").stat().st_mode & 0o777 == 0o600
    with pytest.raises(InvalidRequest, match="has no table vitrine_predictions, and is not the database of a site"):
        read(url, PREDICTIONS)
    (tmp_path / "b.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(InvalidRequest, match=r"b\.db cannot be opened, or does not answer"):
        read(f"sqlite:///{tmp_path / 'b.db'}", USERS)
    for wrong in ("mysql://127.0.0.1/site", "oracle+nothing://127.0.0.1/site"):
        with pytest.raises(InvalidRequest, match="names no kind of database that can be used here"):
            export(services, USERS, wrong)
