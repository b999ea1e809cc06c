"""API keys: shown once, kept as a digest, checked by whom they speak for, and dead soon after they are revoked."""

from __future__ import annotations

import hashlib
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from app.composition import Services
from app.errors import InvalidKey, InvalidRequest, KeyNotFound, MissingScope
from app.services.accounts.api_keys import SCOPES, USUAL_SCOPES, ApiKeys
from app.services.audit_log import Actor
from app.storage.tables import ApiKey, User
from tests.factories import Clock, make_services


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


@pytest.fixture
def account(services: Services) -> int:
    return services.accounts.create("ada@example.org", "correct horse battery")


def change(services: Services, table: type[ApiKey] | type[User], **values: Any) -> None:
    with Session(services.engine) as session, session.begin():
        session.execute(update(table).values(**values))


def assert_refused(keys: ApiKeys, key: str) -> None:
    with pytest.raises(InvalidKey, match="missing, unknown, expired or revoked"):
        keys.check(key)


def test_a_key_speaks_for_its_account(services: Services, account: int) -> None:
    key = services.api_keys.create(account, "laptop")
    holder = services.api_keys.check(key)
    assert (holder.account, holder.scopes) == (account, frozenset(USUAL_SCOPES))
    assert key.split("_")[:2] == ["vtr", holder.key_id]
    assert (holder.actor.name, holder.actor.account, holder.actor.key) == (
        "ada@example.org",
        account,
        "_".join(key.split("_")[:2]),
    )


def test_the_secret_is_nowhere_in_the_database(services: Services, account: int) -> None:
    key = services.api_keys.create(account, "laptop")
    secret = key.split("_")[2]
    with services.engine.connect() as connection:
        (row,) = connection.execute(text("SELECT * FROM api_keys")).all()
        connection.execute(text("PRAGMA wal_checkpoint"))
    assert hashlib.sha256(secret.encode()).hexdigest() in row
    assert not any(secret in str(value) for value in row)
    assert secret.encode() not in (services.settings.data / "vitrine.db").read_bytes()
    assert secret not in str(services.api_keys.list(account))


def test_no_two_keys_are_alike(services: Services, account: int) -> None:
    keys = [services.api_keys.create(account, "laptop") for _ in range(5)]
    assert len({part for key in keys for part in key.split("_")[1:3]}) == 10


def test_what_is_no_key_is_refused(services: Services, account: int) -> None:
    key = services.api_keys.create(account, "laptop")
    prefix, number, secret, checksum = key.split("_")
    swapped = secret[::-1]
    for wrong in (
        "",
        "vtr",
        "vtr___",
        key[:-1],
        key + "0",
        key.upper(),
        f" {key}",
        f"{prefix}_{number}_{secret}",
        f"xyz_{number}_{secret}_{checksum}",
        f"{prefix}_{number}_{swapped}_{checksum}",
        # with the checksum of what is wrong, so that the database is asked
        f"{prefix}_{number}_{swapped}_{zlib.crc32(f'{number}_{swapped}'.encode()):08x}",
        f"{prefix}_000000000000_{secret}_{zlib.crc32(f'000000000000_{secret}'.encode()):08x}",
        "vtr_é_é_é",
    ):
        assert_refused(services.api_keys, wrong)
    assert services.api_keys.check(key).account == account


def test_a_key_with_a_typing_error_does_not_reach_the_database(services: Services, account: int) -> None:
    key = services.api_keys.create(account, "laptop")
    with services.engine.begin() as connection:
        connection.execute(text("DROP TABLE api_keys"))
    assert_refused(services.api_keys, key[:-1] + ("0" if key[-1] != "0" else "1"))


def test_a_key_expires(services: Services, account: int) -> None:
    key = services.api_keys.create(account, "laptop", days=1)
    assert services.api_keys.check(key).account == account
    (row,) = services.api_keys.list(account)
    assert row.expires_at is not None
    assert timedelta(hours=23) < row.expires_at - datetime.now(UTC) <= timedelta(days=1)
    change(services, ApiKey, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert_refused(ApiKeys(sessions=services.sessions), key)


@pytest.mark.parametrize("days", [0, -1, 36_501, 10**12])
def test_a_life_that_cannot_be_counted_is_refused(services: Services, account: int, days: int) -> None:
    with pytest.raises(InvalidRequest, match="days"):
        services.api_keys.create(account, "laptop", days=days)


def test_a_revoked_key_is_dead_at_once_here_and_in_five_seconds_elsewhere(services: Services, account: int) -> None:
    clock = Clock()
    here, elsewhere = (ApiKeys(sessions=services.sessions, clock=clock) for _ in range(2))
    key = here.create(account, "laptop")
    number = here.check(key).key_id
    elsewhere.check(key)
    clock.seconds += 1
    assert here.revoke(account, number)
    assert_refused(here, key)
    clock.seconds += 3.9
    assert elsewhere.check(key).key_id == number
    clock.seconds += 0.2
    assert_refused(elsewhere, key)


def test_a_key_is_looked_up_once_in_five_seconds(services: Services, account: int) -> None:
    clock = Clock()
    keys = ApiKeys(sessions=services.sessions, clock=clock)
    key = keys.create(account, "laptop")
    holder = keys.check(key)
    with services.engine.begin() as connection:
        connection.execute(text("ALTER TABLE api_keys RENAME TO elsewhere"))
    clock.seconds += 4.9
    assert keys.check(key) == holder
    with services.engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO api_keys"))
    change(services, ApiKey, scopes=["predict"])
    clock.seconds += 0.2
    assert keys.check(key).scopes == {"predict"}


def test_the_key_of_a_disabled_account_is_refused(services: Services, account: int) -> None:
    key = services.api_keys.create(account, "laptop")
    change(services, User, active=False)
    assert_refused(services.api_keys, key)
    change(services, User, active=True)
    assert services.api_keys.check(key).account == account


def test_the_use_of_a_key_is_noted(services: Services, account: int) -> None:
    key = services.api_keys.create(account, "laptop")
    assert services.api_keys.list(account)[0].last_used_at is None
    services.api_keys.check(key)
    used = services.api_keys.list(account)[0].last_used_at
    assert used is not None
    assert datetime.now(UTC) - used < timedelta(minutes=1)


def test_a_key_stays_good_while_the_database_cannot_be_written(services: Services, account: int) -> None:
    key = services.api_keys.create(account, "laptop")
    with services.engine.begin() as connection:
        connection.execute(text("CREATE TRIGGER full BEFORE UPDATE ON api_keys BEGIN SELECT no_such_function(); END"))
    assert services.api_keys.check(key).account == account


def test_a_key_is_good_for_its_scopes_only(services: Services, account: int) -> None:
    holder = services.api_keys.check(services.api_keys.create(account, "reader", scopes=("models:read",)))
    holder.require("models:read")
    with pytest.raises(MissingScope, match="'predict'"):
        holder.require("predict")
    with pytest.raises(InvalidRequest, match="no scope 'everything'"):
        services.api_keys.create(account, "reader", scopes=("everything",))


def test_a_key_has_a_name(services: Services, account: int) -> None:
    for name in ("", "   ", "n" * 81):
        with pytest.raises(InvalidRequest, match="1 to 80"):
            services.api_keys.create(account, name)
    services.api_keys.create(account, f"  {'n' * 80} ")
    assert [row.name for row in services.api_keys.list(account)] == ["n" * 80]


def test_an_account_sees_and_revokes_its_own_keys_only(services: Services, account: int) -> None:
    other = services.accounts.create("eve@example.org", "correct horse battery")
    key = services.api_keys.create(account, "first")
    services.api_keys.create(account, "second")
    services.api_keys.create(other, "eve's")
    number = services.api_keys.check(key).key_id
    assert [row.name for row in services.api_keys.list(account)] == ["second", "first"]
    assert not services.api_keys.revoke(other, number)
    assert not services.api_keys.revoke(account, "nothing")
    assert services.api_keys.check(key).account == account
    assert services.api_keys.revoke(account, number)
    assert services.api_keys.revoke(account, number)
    assert {row.name: row.revoked for row in services.api_keys.list(account)} == {"first": True, "second": False}


def test_a_listed_key_tells_its_beginning(services: Services, account: int) -> None:
    key = services.api_keys.create(account, "laptop")
    (row,) = services.api_keys.list(account)
    assert row.prefix == "_".join(key.split("_")[:2]) + "_…"


def test_a_key_that_is_good_for_nothing_is_not_made(services: Services, account: int) -> None:
    with pytest.raises(InvalidRequest, match="what the key is good for"):
        services.api_keys.create(account, "idle", scopes=())


@pytest.mark.parametrize("scope", ["models:write", "metrics:read", "admin"])
def test_an_administrators_scope_is_for_administrators_keys_alone(services: Services, account: int, scope: str) -> None:
    with pytest.raises(InvalidRequest, match="administrator's key"):
        services.api_keys.create(account, "robot", scopes=("predict", scope))
    assert services.api_keys.list(account) == ()
    root = services.accounts.create("root@example.org", "correct horse battery", admin=True)
    assert services.api_keys.check(services.api_keys.create(root, "robot", scopes=(scope,))).scopes == {scope}


def test_an_administrators_scope_goes_with_the_role_and_comes_back_with_it(services: Services, account: int) -> None:
    clock, actor = Clock(), Actor("eve@example.org", account)
    keys = ApiKeys(sessions=services.sessions, clock=clock)
    root = services.accounts.create("root@example.org", "correct horse battery", admin=True)
    key = keys.create(root, "robot", scopes=SCOPES)
    assert keys.check(key).scopes == set(SCOPES)
    services.people.demote(root, actor)
    clock.seconds += 4.9
    assert "admin" in keys.check(key).scopes
    clock.seconds += 0.2
    assert keys.check(key).scopes == {"predict", "history:read", "models:read"}
    services.people.promote(root, actor)
    clock.seconds += 5.1
    assert keys.check(key).scopes == set(SCOPES)


def test_scopes_are_kept_in_their_order_and_once(services: Services, account: int) -> None:
    services.api_keys.create(account, "reader", scopes=("models:read", "history:read", "models:read"))
    assert services.api_keys.list(account)[0].scopes == ("history:read", "models:read")


def test_a_key_knows_its_quota(services: Services, account: int) -> None:
    assert services.api_keys.check(services.api_keys.create(account, "laptop", daily=500)).daily == 500
    assert services.api_keys.check(services.api_keys.create(account, "server")).daily is None
    assert {row.name: row.daily for row in services.api_keys.list(account)} == {"laptop": 500, "server": None}


@pytest.mark.parametrize("daily", [0, -1, 1_000_000_001])
def test_a_quota_that_means_nothing_is_refused(services: Services, account: int, daily: int) -> None:
    with pytest.raises(InvalidRequest, match="1 to 1,000,000,000 pictures in a day"):
        services.api_keys.create(account, "laptop", daily=daily)


def test_one_key_is_shown_to_its_owner_alone(services: Services, account: int) -> None:
    other = services.accounts.create("eve@example.org", "correct horse battery")
    services.api_keys.create(account, "mine")
    (row,) = services.api_keys.list(account)
    assert services.api_keys.get(account, row.id) == row
    for asking, key_id in ((other, row.id), (account, "0" * 12)):
        with pytest.raises(KeyNotFound):
            services.api_keys.get(asking, key_id)
