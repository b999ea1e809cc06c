"""Tables: moments keep their instant, and accounts know their role."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.storage.tables import ApiKey, Role, User, now
from tests.factories import make_services

BERLIN = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 7, 1, 12, 30, 15, 123456, tzinfo=UTC),
        datetime(2026, 7, 1, 1, 30, tzinfo=BERLIN),
        datetime(2026, 1, 1, 0, 0, tzinfo=timezone(timedelta(hours=-11))),
    ],
)
def test_a_moment_comes_back_as_the_same_instant_in_utc(tmp_path: Path, moment: datetime) -> None:
    services = make_services(tmp_path)
    account = services.accounts.create("ada@example.org", "correct horse battery")
    with Session(services.engine) as session, session.begin():
        session.add(ApiKey(id="a", user_id=account, name="a", digest="", scopes=[], expires_at=moment))
    with Session(services.engine) as session:
        key = session.get_one(ApiKey, "a")
        assert key.expires_at == moment
        assert key.expires_at is not None
        assert key.expires_at.tzinfo is UTC
        assert key.revoked_at is None
        stored = session.execute(text("SELECT expires_at FROM api_keys")).scalar()
    assert stored == f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"


def test_now_is_aware() -> None:
    assert now().tzinfo is UTC


def test_only_the_role_of_that_name_administers() -> None:
    assert User(roles=[Role(name="reader"), Role(name="admin")]).is_admin
    assert not User(roles=[Role(name="administrator")]).is_admin
    assert not User(roles=[]).is_admin
