"""Keys that are made and revoked are written down, and never what they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.composition import Services
from app.errors import InvalidKey, InvalidRequest
from app.services.audit_log import Actor, subject_of_key
from tests.factories import make_services

PASSWORD = "correct horse battery"
ROOT = Actor("root@example.org", None, "192.0.2.7")


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


@pytest.fixture
def ada(services: Services) -> Actor:
    return Actor("ada@example.org", services.accounts.create("ada@example.org", PASSWORD), "192.0.2.1")


def make(services: Services, ada: Actor) -> tuple[str, str]:
    """Make a key, and give it and its identifier."""
    assert ada.account is not None
    key = services.recorded_keys.create(ada.account, " laptop ", ada)
    return key, key.split("_")[1]


def deeds(services: Services, key_id: str) -> list[tuple[str, str, str]]:
    return [(deed.actor, deed.action, deed.detail) for deed in services.audit_log.about(subject_of_key(key_id))]


def test_a_key_that_is_made_and_revoked_is_written_down(services: Services, ada: Actor) -> None:
    key, key_id = make(services, ada)
    assert services.api_keys.check(key).account == ada.account
    assert services.recorded_keys.revoke(ada.account or 0, key_id, ada)
    with pytest.raises(InvalidKey):
        services.api_keys.check(key)
    assert deeds(services, key_id) == [("ada@example.org", "key revoked", ""), ("ada@example.org", "key made", "laptop")]


def test_the_key_itself_is_not_written_down(services: Services, ada: Actor) -> None:
    key, _ = make(services, ada)
    (batch,) = services.lists.deeds.batches(services.lists.deeds.read({}))
    assert key.split("_")[2] not in str(batch)


def test_an_administrator_revokes_anybodys_key(services: Services, ada: Actor) -> None:
    key, key_id = make(services, ada)
    assert services.recorded_keys.revoke_of_anybody(key_id, ROOT) == "ada@example.org"
    with pytest.raises(InvalidKey):
        services.api_keys.check(key)
    assert deeds(services, key_id)[0] == ("root@example.org", "key revoked", "of ada@example.org")


def test_what_was_not_done_is_not_written_down(services: Services, ada: Actor) -> None:
    _, key_id = make(services, ada)
    other = services.accounts.create("bob@example.org", PASSWORD)
    assert not services.recorded_keys.revoke(other, key_id, ROOT)
    assert services.recorded_keys.revoke_of_anybody("0" * 12, ROOT) is None
    with pytest.raises(InvalidRequest):
        services.recorded_keys.create(other, "", ROOT)
    (batch,) = services.lists.deeds.batches(services.lists.deeds.read({}))
    assert [deed.action for deed in batch] == ["key made"]
