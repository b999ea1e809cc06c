"""Lists: exactly what is asked for, in the order that is asked for, on pages that have an end, and whole as a file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session
from ulid import ULID

from app.composition import Services
from app.services.audit_log import COMMAND_LINE, Actor
from app.services.listings import listing as listing_module
from app.services.listings.listing import Listing
from app.services.listings.people import PersonListing
from app.storage.tables import ApiKey, StoredPrediction, User
from tests.factories import make_services

PASSWORD = "correct horse battery"
DAY = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


@pytest.fixture
def ada(services: Services) -> int:
    return services.accounts.create("ada@example.org", PASSWORD)


def add(services: Services, *rows: Any) -> None:
    with Session(services.engine) as session, session.begin():
        session.add_all(rows)


def prediction(at: datetime, **given: Any) -> StoredPrediction:
    values: dict[str, Any] = {
        "id": str(ULID.from_datetime(at)),
        "model": "digits",
        "version": "1",
        "label": "8",
        "probability": 0.5,
        "scores": [],
        "picture": {},
        "timings": {},
        "created_at": at,
    }
    return StoredPrediction(**{**values, **given})


def found(listing: Listing[Any], name: str, **given: str) -> list[Any]:
    """Give what a page tells of its rows in one column; the file tells the same rows."""
    question = listing.read(given)
    told = [getattr(row, name) for row in listing.page(question).rows]
    whole = [getattr(row, name) for batch in listing.batches(question) for row in batch]
    assert sorted(map(str, told)) == sorted(map(str, whole))
    return told


@pytest.fixture
def predictions(services: Services, ada: int) -> Services:
    add(
        services,
        prediction(DAY, user_id=ada, file_name="IMG_1.jpg", probability=0.9),
        prediction(DAY + timedelta(hours=12), guest="g", file_name=None, label="Cat", model="cats-vs-dogs", probability=0.1),
        prediction(DAY + timedelta(days=1), user_id=ada, file_name="100%.png", label="cat", model="cats-vs-dogs"),
    )
    return services


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["cat", "Cat", "8"]),
        ({"sort": "created_at"}, ["8", "Cat", "cat"]),
        ({"sort": "-probability"}, ["8", "cat", "Cat"]),
        ({"sort": "account"}, ["Cat", "8", "cat"]),
        ({"sort": "-file_name"}, ["8", "cat", "Cat"]),
        ({"sort": "label"}, ["8", "Cat", "cat"]),
        ({"q": "ADA@"}, ["cat", "8"]),
        ({"q": "img_"}, ["8"]),
        ({"q": "%"}, ["cat"]),
        ({"q": "' OR 1=1 --"}, []),
        ({"model": "cats-vs-dogs"}, ["cat", "Cat"]),
        ({"model": "no-such-model"}, ["cat", "Cat", "8"]),
        ({"class": "CAT"}, ["cat", "Cat"]),
        ({"class": "' OR '1'='1"}, []),
        ({"since": "2026-03-02"}, ["cat"]),
        ({"until": "2026-03-01"}, ["Cat", "8"]),
        ({"since": "2026-03-01", "until": "2026-03-01", "q": "ada"}, ["8"]),
    ],
)
def test_predictions_are_found_and_sorted(predictions: Services, given: dict[str, str], expected: list[str]) -> None:
    assert found(predictions.lists.predictions, "label", **given) == expected


def test_a_prediction_is_told_with_who_asked_and_without_its_picture(predictions: Services) -> None:
    rows = predictions.lists.predictions.page(predictions.lists.predictions.read({"sort": "created_at"})).rows
    assert [row.account for row in rows] == ["ada@example.org", None, "ada@example.org"]
    assert (rows[0].created_at, rows[0].model, rows[0].version, rows[0].probability) == (DAY, "digits", "1", 0.9)
    assert not hasattr(rows[0], "picture")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["expired", "revoked", "good"]),
        ({"state": "good"}, ["good"]),
        ({"state": "expired"}, ["expired"]),
        ({"state": "revoked"}, ["revoked"]),
        ({"state": "secret"}, ["expired", "revoked", "good"]),
        ({"sort": "-last_used_at"}, ["good", "expired", "revoked"]),
        ({"sort": "expires_at"}, ["expired", "good", "revoked"]),
        ({"sort": "digest"}, ["expired", "revoked", "good"]),
        ({"q": "bbb"}, ["revoked"]),
        ({"q": "ada@"}, ["expired", "revoked", "good"]),
        ({"since": "2026-03-02", "until": "2026-03-02"}, ["revoked"]),
    ],
)
def test_keys_are_found_and_sorted(services: Services, ada: int, given: dict[str, str], expected: list[str]) -> None:
    for number, (name, more) in enumerate(
        [("good", {"last_used_at": DAY}), ("revoked", {"revoked_at": DAY}), ("expired", {"expires_at": DAY})]
    ):
        letter = "abc"[number] * 12
        made = {"id": letter, "user_id": ada, "name": name, "digest": letter, "scopes": ["predict"]}
        add(services, ApiKey(**made, created_at=DAY + timedelta(days=number), **more))
    assert found(services.lists.keys, "state", **given) == found(services.lists.keys, "name", **given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["removed", "activated", "imported"]),
        ({"sort": "action"}, ["activated", "imported", "removed"]),
        ({"sort": "address"}, ["imported", "removed", "activated"]),
        ({"action": "activated"}, ["activated"]),
        ({"q": "192.0.2"}, ["activated"]),
        ({"q": "digits"}, ["removed"]),
        ({"since": "2200-01-01"}, []),
        ({"until": "2001-01-01"}, []),
    ],
)
def test_deeds_are_found_and_sorted(services: Services, given: dict[str, str], expected: list[str]) -> None:
    services.audit_log.record(COMMAND_LINE, "imported", "model:shade", "version 1")
    services.audit_log.record(Actor("ada@example.org", None, "192.0.2.7"), "activated", "model:shade")
    services.audit_log.record(COMMAND_LINE, "removed", "model:digits")
    assert found(services.lists.deeds, "action", **given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["ada@example.org", "Bob@example.org", "root@example.org"]),
        ({"sort": "-email"}, ["root@example.org", "Bob@example.org", "ada@example.org"]),
        ({"sort": "admin"}, ["root@example.org", "ada@example.org", "Bob@example.org"]),
        ({"sort": "-active"}, ["Bob@example.org", "root@example.org", "ada@example.org"]),
        ({"sort": "-logged_in_at"}, ["ada@example.org", "root@example.org", "Bob@example.org"]),
        ({"sort": "password"}, ["ada@example.org", "Bob@example.org", "root@example.org"]),
        ({"role": "administrator"}, ["root@example.org"]),
        ({"role": "member"}, ["ada@example.org", "Bob@example.org"]),
        ({"state": "disabled"}, ["Bob@example.org"]),
        ({"q": "BOB"}, ["Bob@example.org"]),
        ({"q": "_"}, []),
        ({"since": "2200-01-01"}, []),
    ],
)
def test_people_are_found_and_sorted(services: Services, ada: int, given: dict[str, str], expected: list[str]) -> None:
    bob = services.accounts.create("Bob@example.org", PASSWORD)
    root = services.accounts.create("root@example.org", PASSWORD, admin=True)
    services.people.disable(bob, Actor("root@example.org", root))
    services.logins.begin(ada, browser="", address="")
    assert found(services.lists.people, "email", **given) == expected


def people(services: Services, count: int) -> PersonListing:
    add(services, *(User(email=f"{n:05}@example.org", active=True, fs_uniquifier=str(n)) for n in range(count)))
    return services.lists.people


def test_many_are_paged_through_and_a_number_beyond_the_last_gives_the_last(services: Services) -> None:
    listing = people(services, 101)
    second = listing.page(listing.read({"page": "2"}))
    assert (second.number, second.pages, second.total, second.more) == (2, 3, 101, False)
    assert (second.previous, second.next, second.rows[0].email) == (1, 3, "00050@example.org")
    last = listing.page(listing.read({"page": "99"}))
    assert (last.number, last.next, len(last.rows)) == (3, None, 1)


def test_no_more_is_counted_or_paged_through_than_a_page_can_take(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing_module, "_MOST_COUNTED", 100)
    listing = people(services, 120)
    page = listing.page(listing.read({"page": "9"}))
    assert (page.number, page.pages, page.total, page.more) == (2, 2, 100, True)
    assert sum(map(len, listing.batches(listing.read({})))) == 120


def test_a_file_is_whole_whatever_comes_and_goes_meanwhile(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing_module, "_BATCH", 10)
    listing = people(services, 35)
    batches = listing.batches(listing.read({"sort": "email"}))
    told = [row.email for row in next(batches)]
    add(services, User(email="later@example.org", active=True, fs_uniquifier="later"))
    told += [row.email for batch in batches for row in batch]
    assert told == [f"{n:05}@example.org" for n in reversed(range(35))]


def test_a_list_is_found_by_its_name(services: Services) -> None:
    lists = services.lists
    assert [lists.named(name) for name in ("people", "predictions", "keys", "audit-log", "users", "")] == [
        lists.people,
        lists.predictions,
        lists.keys,
        lists.deeds,
        None,
        None,
    ]
